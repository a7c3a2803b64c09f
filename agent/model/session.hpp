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

struct App {
    AppKey key = 0;
    std::string name, host, library, compiler;
    std::vector<std::string> arguments;
    std::uint64_t pid = 0;
    bool connected = false;
    bool orderly = false;           // it said goodbye
    std::string disconnect_reason;  // for a person
    std::uint32_t connections = 0;  // 1 + reconnects
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

    const std::map<AppKey, App>& apps() const { return apps_; }
    const App* app(AppKey key) const;
    // A keyframe of one app, for a late subscriber or an index.
    v2::Frame keyframe(AppKey key) const;
    v2::Frame hello(AppKey key) const;
    std::uint64_t bad_frames() const { return bad_frames_; }
    std::uint64_t version() const { return version_; }

    // Forgets an app that is not connected. False: unknown or connected.
    bool forget(AppKey key);

private:
    bool fold(const v2::Frame& frame);
    App& greet(AppKey key, const v2::Hello& hello);
    bool load(AppKey key, const std::string& bytes);

    Limits limits_;
    std::unique_ptr<v2::Batch> batch_;  // reused: parsing into it allocates little
    std::map<AppKey, App> apps_;
    std::map<AppKey, std::string> hellos_;  // serialised, as they came
    std::uint64_t bad_frames_ = 0;
    std::uint64_t version_ = 0;
};

}  // namespace coroscope::model
