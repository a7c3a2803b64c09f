// Finds where to start, folds on from there, keeps what may be of use again.
#include "history.hpp"

#include <algorithm>

namespace coroscope::model {

Limits moment_limits() {
    Limits limits;
    limits.done_tasks = 1'000;
    limits.slices = 1'000;
    limits.iterations = 1'000;
    limits.long_steps = 1'000;
    limits.reports = 1'000;
    limits.gaps = 1'000;
    limits.closed_resources = 1'000;
    limits.spans = 1'000;
    return limits;
}

// An app at some time, and where in the source its fold goes on.
struct History::Moment {
    AppKey app = 0;
    std::uint64_t time_ns = 0;
    Session session;
    std::uint64_t position = 0;
    std::uint64_t frames_done = 0;         // of the position; a batch that is open counts as done
    bool open = false;                     // the session stands inside a batch
    bool damaged = false;                  // frames since the last keyframe could not be read
    std::uint64_t events_at_keyframe = 0;  // the model's count at the last keyframe that it came from or passed
    std::uint64_t last_use = 0;

    bool is_behind(std::uint64_t other_position) const { return position < other_position; }
};

History::History(FrameSource& source, Settings settings)
    : source_(source), settings_(settings), own_keyframe_events_(settings.own_keyframe_events) {}
History::~History() = default;

const App* History::at(AppKey app, std::uint64_t t_ns) {
    learn_keyframes();
    forget_dropped();
    Moment* moment = find_moment(app, t_ns);
    if (moment == nullptr) return nullptr;
    moment->last_use = ++uses_;
    advance(*moment, t_ns);
    return moment->session.app(app);
}

bool History::take(AppKey app, std::uint64_t t_ns, Session& session) {
    const App* const found = at(app, t_ns);
    if (found == nullptr) return false;
    const auto holder = std::find_if(moments_.begin(), moments_.end(),
                                     [&](const auto& moment) { return moment->session.app(app) == found; });
    const bool taken = session.take((*holder)->session, app);
    moments_.erase(holder);
    return taken;
}

// Reads the keyframes of positions that are new: their apps and times, not their contents.
void History::learn_keyframes() {
    for (std::uint64_t position = std::max(learned_until_, source_.begin()); position < source_.end(); ++position) {
        learned_until_ = position + 1;
        if (!source_.has_keyframes(position)) continue;
        keyframe_positions_.push_back(position);
        source_.read(position, [&](const v2::Frame& frame, bool is_keyframe) {
            if (is_keyframe && frame.has_keyframe())
                places_[frame.app()].insert_or_assign(position, Place{position, frame.keyframe_ns(), {}, 0});
            return is_keyframe;
        });
    }
}

// What the source no longer has cannot be continued.
void History::forget_dropped() {
    const std::uint64_t begin = source_.begin();
    if (begin == 0) return;
    std::erase_if(moments_, [&](const auto& moment) { return moment->is_behind(begin); });
    std::erase_if(keyframe_positions_, [&](std::uint64_t position) { return position < begin; });
    for (auto& [app, places] : places_) {
        std::erase_if(places, [&](const auto& entry) {
            if (entry.first >= begin) return false;
            statistics_.own_keyframe_bytes -= entry.second.own_bytes;
            statistics_.own_keyframes -= !entry.second.own.empty();
            return true;
        });
    }
    std::erase_if(places_, [](const auto& entry) { return entry.second.empty(); });
}

const History::Place* History::place_before(AppKey app, std::uint64_t t_ns) const {
    const auto places = places_.find(app);
    if (places == places_.end()) return nullptr;
    const Place* best = nullptr;
    for (const auto& [position, place] : places->second) {
        if (place.time_ns <= t_ns) best = &place;
    }
    return best;
}

// A moment from which the way to `t_ns` is short: one that is kept, or the keyframe if that is nearer.
History::Moment* History::find_moment(AppKey app, std::uint64_t t_ns) {
    Moment* nearest = nullptr;
    for (const auto& moment : moments_) {
        if (moment->app != app || moment->time_ns > t_ns) continue;
        if (nearest == nullptr || moment->time_ns > nearest->time_ns) nearest = moment.get();
    }
    const Place* const place = place_before(app, t_ns);
    if (nearest != nullptr && (place == nullptr || !nearest->is_behind(place->position))) return nearest;
    return start(app, place);
}

History::Moment* History::start(AppKey app, const Place* place) {
    const std::uint64_t position = place != nullptr ? place->position : start_position(app);
    if (place == nullptr) {
        // What was before the oldest keyframe of the app is not kept.
        const auto places = places_.find(app);
        if (places != places_.end() && places->second.contains(position)) return nullptr;
    }
    if (moments_.size() >= std::max<std::size_t>(settings_.models, 1)) {
        moments_.erase(std::min_element(moments_.begin(), moments_.end(),
                                        [](const auto& a, const auto& b) { return a->last_use < b->last_use; }));
    }
    Moment& moment = *moments_.emplace_back(std::make_unique<Moment>());
    moment.app = app;
    moment.session = Session(settings_.limits);
    moment.position = position;
    if (place != nullptr) load(moment, *place);
    return &moment;
}

// Where an app without a usable keyframe may begin: the last keyframes that do not know it yet, or the beginning.
std::uint64_t History::start_position(AppKey app) const {
    const auto places = places_.find(app);
    std::uint64_t best = source_.begin();
    if (places == places_.end()) return best;
    for (const std::uint64_t position : keyframe_positions_) {
        if (position >= places->second.begin()->first) break;
        best = position;
    }
    return best;
}

void History::load(Moment& moment, const Place& place) {
    ++statistics_.keyframes_loaded;
    if (!place.own.empty()) {
        for (const v2::Frame& frame : place.own) moment.session.apply(frame);
    } else {
        source_.read(place.position, [&](const v2::Frame& frame, bool is_keyframe) {
            if (is_keyframe && frame.app() == moment.app) moment.session.apply(frame);
            return is_keyframe;
        });
    }
    if (const App* app = moment.session.app(moment.app)) moment.events_at_keyframe = app->model.events();
}

void History::advance(Moment& moment, std::uint64_t t_ns) {
    moment.time_ns = t_ns;
    if (moment.open && !moment.session.go_on(moment.app, t_ns)) return;
    moment.open = false;
    while (read_on(moment, t_ns) && moment.position + 1 < source_.end()) {
        ++moment.position;
        moment.frames_done = 0;
        make_keyframe(moment);
    }
}

// Folds the rest of a position. False: something later is left.
bool History::read_on(Moment& moment, std::uint64_t t_ns) {
    bool reached = false;
    std::uint64_t number = 0;
    const bool sound = source_.read(moment.position, [&](const v2::Frame& frame, bool is_keyframe) {
        if (number++ < moment.frames_done) return true;
        const bool is_new = !is_keyframe || moment.damaged;
        if (frame.app() == moment.app && is_new) {
            const Folding folding = moment.session.apply(frame, t_ns);
            reached = folding == Folding::later || folding == Folding::partly;
            moment.open = folding == Folding::partly;
            if (folding == Folding::later) return false;
            ++statistics_.frames_folded;
            if (frame.has_keyframe()) moment.damaged = false;
        }
        ++moment.frames_done;
        return !reached;
    });
    if (!sound) moment.damaged = true;
    return !reached;
}

// At the begin of a position, if the last keyframe is far behind.
void History::make_keyframe(Moment& moment) {
    const App* const app = moment.session.app(moment.app);
    if (app == nullptr || moment.damaged) return;
    std::map<std::uint64_t, Place>& places = places_[moment.app];
    if (places.contains(moment.position)) {
        moment.events_at_keyframe = app->model.events();
        return;
    }
    if (app->model.events() - moment.events_at_keyframe < own_keyframe_events_) return;
    moment.events_at_keyframe = app->model.events();
    Place place;
    place.position = moment.position;
    place.own = moment.session.keyframes();
    place.time_ns = place.own.front().keyframe_ns();
    for (const v2::Frame& frame : place.own) place.own_bytes += frame.ByteSizeLong();
    statistics_.own_keyframe_bytes += place.own_bytes;
    ++statistics_.own_keyframes;
    places.emplace(moment.position, std::move(place));
    while (statistics_.own_keyframe_bytes > settings_.own_keyframe_bytes && statistics_.own_keyframes > 0) thin_out();
}

// Drops every second of our own keyframes, and makes them half as often from now on.
void History::thin_out() {
    own_keyframe_events_ *= 2;
    bool drop = false;
    for (auto& [app, places] : places_) {
        std::erase_if(places, [&](const auto& entry) {
            if (entry.second.own.empty()) return false;
            drop = !drop;
            if (!drop) return false;
            statistics_.own_keyframe_bytes -= entry.second.own_bytes;
            --statistics_.own_keyframes;
            return true;
        });
    }
}

}  // namespace coroscope::model
