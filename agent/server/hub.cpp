#include "hub.hpp"

#include <algorithm>
#include <utility>

#include "coroscope/v2/events.pb.h"
#include "log.hpp"

namespace coroscope::server {

namespace {

Update pop(std::deque<Update>& queue) {
    Update front = std::move(queue.front());
    queue.pop_front();
    return front;
}

}  // namespace

// One app instance, over all its connections.
struct Hub::Record {
    Record(model::AppKey app_key, model::Limits limits) : key(app_key), session(limits) {}

    const model::AppKey key;
    std::mutex mutex;  // the fold, and the order of what subscriptions are told
    model::Session session;
    std::shared_ptr<AppLink> link;  // nullptr: not connected
    std::uint64_t connection = 0;
    std::uint64_t events_seen = 0;
    std::optional<v2::Frame> end;  // the Disconnected frame, while it is not connected
    std::uint64_t ended = 0;       // order among the ended, under Hub::mutex_; 0: connected
};

Hub::Hub(const AgentOptions& options) : options_(options) {}
Hub::~Hub() = default;

std::shared_ptr<Hub::Record> Hub::record(model::AppKey app) const {
    const std::scoped_lock lock(mutex_);
    const auto found = apps_.find(app);
    return found == apps_.end() ? nullptr : found->second;
}

Hub::Records Hub::records() const {
    const std::scoped_lock lock(mutex_);
    Records all;
    all.reserve(apps_.size());
    for (const auto& [key, record] : apps_) all.push_back(record);
    return all;
}

std::shared_ptr<Hub::Record> Hub::record_for(const v2::Hello& hello, std::uint64_t connection) {
    const std::scoped_lock lock(mutex_);
    // Without an instance nothing says who it is: it is a new app each time.
    std::string instance = hello.instance();
    if (instance.empty()) instance = "connection " + std::to_string(connection);
    const auto [place, is_new] = by_instance_.try_emplace(std::move(instance), last_key_ + 1);
    if (!is_new) {
        const std::shared_ptr<Record>& known = apps_.at(place->second);
        known->ended = 0;  // so that it is not forgotten while it comes back
        return known;
    }
    auto record = std::make_shared<Record>(++last_key_, options_.limits);
    apps_.emplace(record->key, record);
    return record;
}

model::AppKey Hub::hello(const v2::Hello& hello, std::uint64_t connection, std::shared_ptr<AppLink> link) {
    const std::shared_ptr<Record> record = record_for(hello, connection);
    std::shared_ptr<AppLink> before;
    {
        const std::scoped_lock lock(record->mutex);
        if (record->connection > connection) {  // its successor overtook it
            before = std::move(link);
        } else {
            before = std::exchange(record->link, std::move(link));
            greet(*record, hello, connection);
        }
    }
    if (before) before->end("the app has opened a newer connection");
    return record->key;
}

void Hub::greet(Record& record, const v2::Hello& hello, std::uint64_t connection) {
    record.connection = connection;
    record.end.reset();
    const bool first = record.session.app(record.key) == nullptr;
    v2::Frame frame;
    frame.set_app(record.key);
    *frame.mutable_hello() = hello;
    if (record.session.apply(frame)) publish(record, std::move(frame), first);
}

bool Hub::batch(model::AppKey app, std::uint64_t connection, std::string&& bytes) {
    const std::shared_ptr<Record> record = this->record(app);
    if (!record) return false;
    v2::Frame frame;
    frame.set_app(app);
    frame.set_batch(std::move(bytes));

    const std::scoped_lock lock(record->mutex);
    if (record->connection != connection) return true;
    if (!record->session.apply(frame)) return false;
    if (const model::App* folded = record->session.app(app)) {
        const std::uint64_t events = folded->model.events();
        events_.fetch_add(events - record->events_seen,
                          std::memory_order_relaxed);  // a count for people, orders nothing
        record->events_seen = events;
    }
    publish(*record, std::move(frame), false);
    return true;
}

void Hub::disconnected(model::AppKey app, std::uint64_t connection, const std::string& reason, bool orderly) {
    const std::shared_ptr<Record> record = this->record(app);
    if (!record) return;
    {
        const std::scoped_lock lock(record->mutex);
        if (record->connection != connection) return;
        record->link.reset();
        v2::Frame frame;
        frame.set_app(app);
        frame.mutable_disconnected()->set_reason(reason);
        frame.mutable_disconnected()->set_orderly(orderly);
        if (record->session.apply(frame)) {
            record->end = frame;
            publish(*record, std::move(frame), false);
        }
        const std::scoped_lock hub_lock(mutex_);
        record->ended = ++last_end_;
    }
    retire();
}

// Forgets the apps that ended first, past the bound.
void Hub::retire() {
    const std::scoped_lock lock(mutex_);
    const auto ended = [](const auto& entry) { return entry.second->ended != 0; };
    while (static_cast<std::size_t>(std::count_if(apps_.begin(), apps_.end(), ended)) > options_.retain_apps) {
        auto oldest = apps_.end();
        for (auto it = apps_.begin(); it != apps_.end(); ++it) {
            if (ended(*it) && (oldest == apps_.end() || it->second->ended < oldest->second->ended)) oldest = it;
        }
        std::erase_if(by_instance_, [&](const auto& entry) { return entry.second == oldest->first; });
        apps_.erase(oldest);
    }
}

// With the app's mutex held, after its fold took the frame.
void Hub::publish(Record& record, v2::Frame&& frame, bool first) {
    std::vector<std::shared_ptr<Subscription>> readers;
    {
        const std::scoped_lock lock(mutex_);
        readers = subscriptions_;
    }
    if (readers.empty()) return;
    const auto update = std::make_shared<v2::WatchUpdate>();
    *update->mutable_frame() = std::move(frame);
    for (const std::shared_ptr<Subscription>& reader : readers) {
        if (first) {
            reader->appear(record.key, update);
        } else {
            reader->offer(record.key, update);
        }
    }
}

std::shared_ptr<Subscription> Hub::subscribe(bool follow, std::size_t bound_bytes, bool to_the_end) {
    auto subscription = std::make_shared<Subscription>(bound_bytes, follow, to_the_end);
    const std::scoped_lock lock(mutex_);
    if (closed_) subscription->close(true);
    // Who does not follow takes keyframes only, and has no queue that batches could fill.
    if (follow) subscriptions_.push_back(subscription);
    return subscription;
}

void Hub::unsubscribe(const std::shared_ptr<Subscription>& subscription) {
    subscription->close(true);
    const std::scoped_lock lock(mutex_);
    if (std::erase(subscriptions_, subscription) != 0) frames_dropped_ += subscription->frames_dropped();
}

// Puts an app's hello, keyframe and, if it has ended, its end ahead of the queue. From then on the reader is in step
// with it.
bool Hub::tell_state(Record& record, Subscription& subscription) {
    const std::scoped_lock lock(record.mutex);
    if (record.session.app(record.key) == nullptr) return false;  // its first frame is about to be published
    {
        const std::scoped_lock reader_lock(subscription.mutex_);
        // After a cut that is not told yet, what is put ahead would be thrown away with the rest.
        if (subscription.closed_ || subscription.cut_) return false;
        if (!subscription.in_step_.insert(record.key).second) return false;
    }
    const auto add = [&](v2::Frame&& frame) {
        const auto update = std::make_shared<v2::WatchUpdate>();
        *update->mutable_frame() = std::move(frame);
        subscription.ahead_.push_back(update);
    };
    add(record.session.hello(record.key));
    add(record.session.keyframe(record.key));
    if (record.end) add(v2::Frame(*record.end));
    return true;
}

// Brings the next app that is out of step into step. False: there is none.
bool Hub::resync_one(Subscription& subscription) {
    for (const std::shared_ptr<Record>& record : records()) {
        if (tell_state(*record, subscription)) return true;
    }
    return false;
}

Update Hub::next(Subscription& subscription, std::chrono::milliseconds pause) {
    const auto update = std::make_shared<v2::WatchUpdate>();
    std::unique_lock lock(subscription.mutex_);
    for (;;) {
        if (subscription.cut_) {
            subscription.cut_ = false;
            subscription.ahead_.clear();  // keyframes older than the cut
            update->mutable_cut_back()->set_frames_dropped(subscription.frames_dropped_);
            return update;
        }
        if (!subscription.ahead_.empty()) return pop(subscription.ahead_);
        if (subscription.resync_ && !subscription.closed_) {
            // One app at a time: a keyframe can be large, and the reader should not need room for all.
            lock.unlock();
            const bool told = resync_one(subscription);
            lock.lock();
            if (told || subscription.cut_) continue;
            subscription.resync_ = false;
            if (std::exchange(subscription.caught_up_, true)) continue;
            update->mutable_caught_up();
            return update;
        }
        if (!subscription.queue_.empty()) {
            subscription.queued_bytes_ -= subscription.queue_.front()->ByteSizeLong();
            return pop(subscription.queue_);
        }
        if (subscription.closed_ || (subscription.caught_up_ && !subscription.follow_)) return nullptr;
        if (pause == forever) {
            subscription.changed_.wait(lock);
        } else if (subscription.changed_.wait_for(lock, pause) == std::cv_status::timeout && subscription.idle()) {
            return update;
        }
    }
}

std::shared_ptr<AppLink> Hub::link(model::AppKey app) const {
    const std::shared_ptr<Record> found = record(app);
    if (!found) return nullptr;
    const std::scoped_lock lock(found->mutex);
    return found->link;
}

void Hub::fill(v2::StatusResponse& status) const {
    std::uint64_t connected = 0;
    for (const std::shared_ptr<Record>& record : records()) {
        const std::scoped_lock lock(record->mutex);
        if (record->link) ++connected;
    }
    const std::scoped_lock lock(mutex_);
    status.set_apps(last_key_);
    status.set_apps_connected(connected);
    status.set_subscribers(static_cast<std::uint64_t>(std::count_if(
        subscriptions_.begin(), subscriptions_.end(), [](const auto& reader) { return !reader->to_the_end(); })));
    status.set_events(events_.load(std::memory_order_relaxed));
    std::uint64_t dropped = frames_dropped_;
    for (const std::shared_ptr<Subscription>& reader : subscriptions_) dropped += reader->frames_dropped();
    status.set_frames_dropped(dropped);
}

void Hub::close(const std::string& why) {
    std::vector<std::shared_ptr<Subscription>> readers;
    {
        const std::scoped_lock lock(mutex_);
        closed_ = true;
        readers = subscriptions_;
    }
    for (const std::shared_ptr<Record>& record : records()) {
        std::shared_ptr<AppLink> link;
        {
            const std::scoped_lock lock(record->mutex);
            link = record->link;
        }
        if (link) link->end(why);
    }
    for (const std::shared_ptr<Subscription>& reader : readers) {
        if (!reader->to_the_end()) reader->close(false);
    }
}

}  // namespace coroscope::server
