// The fold of frames: each app's hello, batches, keyframes and end.
#include "session.hpp"

#include <utility>

#include "coroscope/v2/events.pb.h"
#include "coroscope/v2/keyframe.pb.h"
#include "coroscope/v2/session.pb.h"

namespace coroscope::model {

Session::Session(Limits limits) : limits_(limits), batch_(std::make_unique<v2::Batch>()) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

bool Session::apply(const v2::Frame& frame) {
    if (frame.app() == 0 || !fold(frame)) {
        ++bad_frames_;
        return false;
    }
    ++version_;
    return true;
}

bool Session::fold(const v2::Frame& frame) {
    const auto known = apps_.find(frame.app());
    switch (frame.frame_case()) {
        case v2::Frame::kHello: greet(frame.app(), frame.hello()).model.set_hello(frame.hello()); return true;
        case v2::Frame::kBatch:
            if (known == apps_.end() || !batch_->ParseFromString(frame.batch())) return false;
            known->second.model.apply(*batch_);
            return true;
        case v2::Frame::kKeyframe: return load(frame.app(), frame.keyframe());
        case v2::Frame::kDisconnected:
            if (known == apps_.end()) return false;
            known->second.connected = false;
            known->second.orderly = frame.disconnected().orderly();
            known->second.disconnect_reason = frame.disconnected().reason();
            return true;
        case v2::Frame::FRAME_NOT_SET: return false;
    }
    return false;
}

App& Session::greet(AppKey key, const v2::Hello& hello) {
    const auto [place, is_new] = apps_.try_emplace(key);
    App& app = place->second;
    if (is_new) app.model = Model(limits_);
    // A hello of one that is connected is said to a new reader, it is not a new connection.
    if (!app.connected) ++app.connections;
    app.key = key;
    app.name = hello.name();
    app.host = hello.host();
    app.library = hello.library();
    app.compiler = hello.compiler();
    app.arguments.assign(hello.arguments().begin(), hello.arguments().end());
    app.pid = hello.pid();
    app.connected = true;
    app.orderly = false;
    app.disconnect_reason.clear();
    hellos_[key] = hello.SerializeAsString();
    return app;
}

bool Session::load(AppKey key, const std::string& bytes) {
    v2::Keyframe keyframe;
    if (!keyframe.ParseFromString(bytes)) return false;
    const auto known = apps_.find(key);
    if (known != apps_.end()) return known->second.model.load_keyframe(keyframe);
    if (!keyframe.has_hello()) return false;  // whose?
    Model model(limits_);
    if (!model.load_keyframe(keyframe)) return false;
    greet(key, keyframe.hello()).model = std::move(model);
    return true;
}

const App* Session::app(AppKey key) const {
    const auto found = apps_.find(key);
    return found == apps_.end() ? nullptr : &found->second;
}

v2::Frame Session::keyframe(AppKey key) const {
    v2::Frame frame;
    frame.set_app(key);
    if (const App* found = app(key)) {
        v2::Keyframe keyframe;
        found->model.save_keyframe(keyframe);
        keyframe.SerializeToString(frame.mutable_keyframe());
    }
    return frame;
}

v2::Frame Session::hello(AppKey key) const {
    v2::Frame frame;
    frame.set_app(key);
    const auto found = hellos_.find(key);
    if (found != hellos_.end()) frame.mutable_hello()->ParseFromString(found->second);
    return frame;
}

bool Session::forget(AppKey key) {
    const auto found = apps_.find(key);
    if (found == apps_.end() || found->second.connected) return false;
    apps_.erase(found);
    hellos_.erase(key);
    ++version_;
    return true;
}

}  // namespace coroscope::model
