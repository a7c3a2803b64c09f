// Where a session's frames come from: an agent, live, or a trace file. After this the viewer treats both alike.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "agent/model/session.hpp"
#include "hand_over.hpp"

namespace coroscope::viewer {

struct SourceStatus {
    enum class Phase : std::uint8_t {
        connecting,  // live: no answer yet
        live,        // live: connected
        lost,        // live: was connected; it is tried again
        loading,     // file
        complete,    // file: read whole
        cut_off,     // file: ended early, what there is has been read; `message` says where
        failed,      // not usable; `message` says why and what to do
    };
    Phase phase = Phase::connecting;
    bool follows = false;      // a live source
    std::string name;          // the address or the path
    std::string message;       // for a person; may be empty
    double progress = -1;      // of a file, 0..1; -1: unknown
    std::uint64_t frames = 0;  // delivered
    std::uint64_t bytes = 0;   // of a file: its size
    std::uint64_t connections = 0;
    std::uint64_t frames_cut = 0;  // by the agent because this viewer was too slow
};

// Owns a thread that delivers into a HandOver. All members are for the UI's thread.
class Source {
public:
    virtual ~Source() = default;
    virtual SourceStatus status() const = 0;
    virtual HandOver& items() = 0;
};

struct Folded {
    std::uint64_t frames = 0;
    bool reset = false;
    bool more = false;  // the time was up before the queue was empty
    bool caught_up = false;
};

// Folds what is waiting into `session`, for about `budget_s`. A reset replaces the session by an empty one with
// `limits`.
Folded fold(Source& source, model::Session& session, const model::Limits& limits, double budget_s);

// "unix:PATH", "HOST:PORT", ":PORT" are addresses, unless a file of that name exists; anything else is a path.
bool is_address(const std::string& where);

// `wake` may be called on the source's thread. open_live() throws AddressError if `address` is none.
std::unique_ptr<Source> open_live(const std::string& address, std::function<void()> wake);
std::unique_ptr<Source> open_file(const std::string& path, std::function<void()> wake);

}  // namespace coroscope::viewer
