// An app at any time of its history: the nearest keyframe at or before that time, and the fold of the frames after it.
// What "the model at t" means is said at Model::apply(batch, until_ns).
//
//     trace::FileFrames frames(reader);        // agent/trace/file_frames.hpp; of a live session: recorded_frames.hpp
//     History history(frames);
//     const App* then = history.at(1, t_ns);   // nullptr: app 1 was not known then
//
// Memory is bounded by the settings, not by the length of the history.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "coroscope/v2/session.pb.h"
#include "session.hpp"

namespace coroscope::model {

// The limits of a model at one moment of a history, and of the keyframes that are kept for seeking. All live tasks are
// in it. Of what is over only the newest: keyframes would grow with the history otherwise.
Limits moment_limits();

// The frames of a session, in the order in which they happened. They stand at positions: runs of frames, numbered
// without a hole. Thread: one at a time, the owner's.
class FrameSource {
public:
    virtual ~FrameSource() = default;
    // begin() grows when the oldest positions are dropped, end() when new ones are added. The last position may get
    // more frames.
    virtual std::uint64_t begin() const = 0;
    virtual std::uint64_t end() const = 0;
    // Whether the position starts with keyframes of all apps that are known there.
    virtual bool has_keyframes(std::uint64_t position) const = 0;
    // Hands on the frames of a position until `on_frame` returns false. `is_keyframe`: it is one of those keyframes, or
    // the end of an app that belongs to them. Such frames say nothing new to those who folded all frames before.
    // False: some frames could not be read.
    using OnFrame = std::function<bool(const v2::Frame& frame, bool is_keyframe)>;
    virtual bool read(std::uint64_t position, const OnFrame& on_frame) = 0;
};

// Thread: one at a time, the owner's.
class History {
public:
    struct Settings {
        std::size_t models = 4;  // kept for later calls; the one that was used longest ago is replaced
        Limits limits = moment_limits();
        // Where the source has no keyframe for long, the history makes its own, of at most so many bytes together. Past
        // it every second one is dropped.
        std::size_t own_keyframe_bytes = 64u << 20;
        std::uint64_t own_keyframe_events = 1'000'000;  // between two of them, to begin with
    };
    struct Statistics {
        std::uint64_t keyframes_loaded = 0;
        std::uint64_t frames_folded = 0;
        std::uint64_t own_keyframes = 0;  // kept now
        std::size_t own_keyframe_bytes = 0;
    };

    explicit History(FrameSource& source) : History(source, Settings{}) {}
    History(FrameSource& source, Settings settings);
    ~History();

    // The app at `t_ns` of its own clock. nullptr: it is not known then, or what was then is no longer kept. Valid
    // until the next call of any function here.
    const App* at(AppKey app, std::uint64_t t_ns);
    // The same, moved into `session`. False: nullptr would have been returned, or `session` has this app.
    bool take(AppKey app, std::uint64_t t_ns, Session& session);

    const Statistics& statistics() const { return statistics_; }

private:
    struct Moment;
    // A place to start at: a keyframe of an app, in the source or one of our own.
    struct Place {
        std::uint64_t position = 0;
        std::uint64_t time_ns = 0;   // nothing in the keyframe is later
        std::vector<v2::Frame> own;  // empty: the source has it
        std::size_t own_bytes = 0;
    };

    void learn_keyframes();
    void forget_dropped();
    const Place* place_before(AppKey app, std::uint64_t t_ns) const;
    Moment* find_moment(AppKey app, std::uint64_t t_ns);
    Moment* start(AppKey app, const Place* place);
    std::uint64_t start_position(AppKey app) const;
    void load(Moment& moment, const Place& place);
    void advance(Moment& moment, std::uint64_t t_ns);
    bool read_on(Moment& moment, std::uint64_t t_ns);
    void make_keyframe(Moment& moment);
    void thin_out();

    FrameSource& source_;
    const Settings settings_;
    std::vector<std::unique_ptr<Moment>> moments_;
    std::map<AppKey, std::map<std::uint64_t, Place>> places_;  // by app and position
    std::vector<std::uint64_t> keyframe_positions_;            // of the source, ascending
    std::uint64_t learned_until_ = 0;                          // position
    std::uint64_t own_keyframe_events_;
    std::uint64_t uses_ = 0;
    Statistics statistics_;
};

}  // namespace coroscope::model
