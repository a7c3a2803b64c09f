// All apps of one source: an agent's stream or a trace file. The fold of Frames (proto/coroscope/v2/session.proto).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model.hpp"

namespace coroscope::v2 {
class Batch;
class Frame;
class Hello;
}  // namespace coroscope::v2

namespace coroscope::model {

using AppKey = std::uint64_t;

// What became of a frame that was to be folded up to a moment.
enum class Folding : std::uint8_t {
    whole,
    partly,  // a batch: the rest is later, go_on() folds on
    later,   // not at all: it is later as a whole, and must be given again
    bad,     // its bytes do not parse or make no sense
};

struct App {
    AppKey key = 0;
    std::string name, host, library, compiler;
    std::vector<std::string> arguments;
    std::uint64_t pid = 0;
    bool connected = false;
    bool orderly = false;           // it said goodbye
    std::string disconnect_reason;  // for a person
    std::uint32_t connections = 0;  // 1 + reconnects
    std::uint64_t hello_ns = 0;     // the time of its last hello's clock anchor, on its clock
    std::uint64_t ended = 0;        // order among those that are not connected; 0: connected
    Model model;
};

// Thread: the owner's, one at a time.
class Session {
public:
    explicit Session(Limits limits = {});
    ~Session();
    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;

    // Folds one frame. False when its bytes do not parse or make no sense; the session is then unchanged but for a
    // counter.
    bool apply(const v2::Frame& frame);
    // Folds one frame up to `until_ns`, as Model::apply() explains. A Hello has the time of its clock's anchor, a
    // keyframe that of the newest event in it; the end of a connection has no time.
    Folding apply(const v2::Frame& frame, std::uint64_t until_ns);
    bool go_on(AppKey key, std::uint64_t until_ns);  // Model::go_on() of that app

    const std::map<AppKey, App>& apps() const { return apps_; }
    const App* app(AppKey key) const;
    // A keyframe of one app, for a late subscriber or a file.
    v2::Frame keyframe(AppKey key) const;
    // The states of all apps, as frames that a new session can begin with.
    std::vector<v2::Frame> keyframes() const;
    v2::Frame hello(AppKey key) const;
    std::uint64_t bad_frames() const { return bad_frames_; }
    std::uint64_t version() const { return version_; }

    // Forgets an app that is not connected. False: unknown or connected.
    bool forget(AppKey key);
    // Forgets the apps that ended first, until at most `count` ended ones are left.
    void retain_ended(std::size_t count);
    // Takes an app over from another session, from which it is then gone. False: that one does not have it, or this one
    // has it already.
    bool take(Session& from, AppKey key);

private:
    Folding fold(const v2::Frame& frame, std::uint64_t until_ns);
    App& greet(AppKey key, const v2::Hello& hello);
    bool load(const v2::Frame& frame);

    Limits limits_;
    std::unique_ptr<v2::Batch> batch_;  // reused: parsing into it allocates little
    std::map<AppKey, App> apps_;
    std::map<AppKey, std::string> hellos_;  // serialised, as they came
    std::uint64_t ends_ = 0;                // that came so far
    std::uint64_t bad_frames_ = 0;
    std::uint64_t version_ = 0;
};

}  // namespace coroscope::model
