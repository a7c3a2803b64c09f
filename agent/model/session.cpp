// The fold of frames: each app's hello, batches, keyframes and end.
#include "session.hpp"

#include <algorithm>
#include <utility>

#include "coroscope/v2/events.pb.h"
#include "coroscope/v2/keyframe.pb.h"
#include "coroscope/v2/session.pb.h"

namespace coroscope::model {

Session::Session(Limits limits) : limits_(limits), batch_(std::make_unique<v2::Batch>()) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

bool Session::apply(const v2::Frame& frame) { return apply(frame, end_of_time) != Folding::bad; }

Folding Session::apply(const v2::Frame& frame, std::uint64_t until_ns) {
    const Folding folding = frame.app() == 0 ? Folding::bad : fold(frame, until_ns);
    if (folding == Folding::bad)
        ++bad_frames_;
    else if (folding != Folding::later)
        ++version_;
    return folding;
}

Folding Session::fold(const v2::Frame& frame, std::uint64_t until_ns) {
    const auto known = apps_.find(frame.app());
    switch (frame.frame_case()) {
        case v2::Frame::kHello:
            if (frame.hello().wall_at_ns() > until_ns) return Folding::later;
            greet(frame.app(), frame.hello()).model.set_hello(frame.hello());
            return Folding::whole;
        case v2::Frame::kBatch: {
            if (known == apps_.end() || !batch_->ParseFromString(frame.batch())) return Folding::bad;
            Model& model = known->second.model;
            if (until_ns != end_of_time)
                return model.apply(std::move(*batch_), until_ns) ? Folding::whole : Folding::partly;
            model.apply(*batch_);
            return Folding::whole;
        }
        case v2::Frame::kKeyframe:
            if (frame.keyframe_ns() > until_ns) return Folding::later;
            return load(frame) ? Folding::whole : Folding::bad;
        case v2::Frame::kDisconnected:
            if (known == apps_.end()) return Folding::bad;
            known->second.connected = false;
            known->second.orderly = frame.disconnected().orderly();
            known->second.disconnect_reason = frame.disconnected().reason();
            known->second.ended = ++ends_;
            return Folding::whole;
        case v2::Frame::FRAME_NOT_SET: return Folding::bad;
    }
    return Folding::bad;
}

bool Session::go_on(AppKey key, std::uint64_t until_ns) {
    const auto known = apps_.find(key);
    if (known == apps_.end()) return true;
    ++version_;
    return known->second.model.go_on(until_ns);
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
    app.hello_ns = hello.wall_at_ns();
    app.connected = true;
    app.orderly = false;
    app.ended = 0;
    app.disconnect_reason.clear();
    hellos_[key] = hello.SerializeAsString();
    return app;
}

bool Session::load(const v2::Frame& frame) {
    v2::Keyframe keyframe;
    if (!keyframe.ParseFromString(frame.keyframe())) return false;
    const auto known = apps_.find(frame.app());
    App* app = known == apps_.end() ? nullptr : &known->second;
    if (app != nullptr) {
        if (!app->model.load_keyframe(keyframe)) return false;
    } else {
        if (!keyframe.has_hello()) return false;  // whose?
        Model model(limits_);
        if (!model.load_keyframe(keyframe)) return false;
        app = &greet(frame.app(), keyframe.hello());
        app->model = std::move(model);
    }
    if (frame.connections() != 0) app->connections = frame.connections();
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
        frame.set_keyframe_ns(std::max(found->model.now_ns(), found->hello_ns));
        frame.set_connections(found->connections);
    }
    return frame;
}

std::vector<v2::Frame> Session::keyframes() const {
    std::vector<v2::Frame> frames;
    for (const auto& [key, app] : apps_) {
        frames.push_back(keyframe(key));
        if (app.connected) continue;
        v2::Frame& end = frames.emplace_back();
        end.set_app(key);
        end.mutable_disconnected()->set_reason(app.disconnect_reason);
        end.mutable_disconnected()->set_orderly(app.orderly);
    }
    return frames;
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

void Session::retain_ended(std::size_t count) {
    std::vector<const App*> ended;
    for (const auto& [key, app] : apps_)
        if (!app.connected) ended.push_back(&app);
    if (ended.size() <= count) return;
    std::sort(ended.begin(), ended.end(), [](const App* a, const App* b) { return a->ended < b->ended; });
    ended.resize(ended.size() - count);
    std::vector<AppKey> keys;
    for (const App* app : ended) keys.push_back(app->key);
    for (const AppKey key : keys) forget(key);
}

bool Session::take(Session& from, AppKey key) {
    if (apps_.contains(key) || !from.apps_.contains(key)) return false;
    apps_.insert(from.apps_.extract(key));
    hellos_.insert(from.hellos_.extract(key));
    ++from.version_;
    ++version_;
    return true;
}

}  // namespace coroscope::model
