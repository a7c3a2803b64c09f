// History::at(t) equals the fold of all frames up to t, whatever was asked before, with and without keyframes.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "agent/model/dump.hpp"
#include "agent/model/history.hpp"
#include "agent/model/recorded_frames.hpp"
#include "coroscope/v2/session.pb.h"
#include "history.hpp"
#include "plain_frames.hpp"

namespace coroscope::model::test {
namespace {

Limits tight() {
    Limits limits;
    limits.done_tasks = 20;
    limits.slices = 50;
    limits.iterations = 10;
    limits.reports = 3;
    limits.long_steps = 3;
    limits.gaps = 2;
    limits.loops = 3;
    return limits;
}

// What several apps send, each on a clock of its own, with losses and reconnects.
class Recording {
public:
    explicit Recording(std::uint64_t seed) : random_(seed) {
        std::vector<std::vector<v2::Frame>> streams;
        for (AppKey app = 1; app <= 3; ++app) streams.push_back(stream(app, seed * 10 + app));
        std::vector<std::size_t> next(streams.size());
        for (std::size_t left = streams.size(); left > 0;) {
            const std::size_t i = random_() % streams.size();
            if (next[i] == streams[i].size()) continue;
            frames.push_back(streams[i][next[i]++]);
            if (next[i] == streams[i].size()) --left;
        }
    }
    // In range of what happened, and a little before and after.
    std::uint64_t random_time(AppKey app) { return random_() % (last_ns_[app] + last_ns_[app] / 10); }
    AppKey random_app() { return 1 + random_() % 4; }  // 4 does not exist

    std::vector<v2::Frame> frames;

private:
    std::vector<v2::Frame> stream(AppKey app, std::uint64_t seed) {
        HistoryOptions options;
        options.losses = seed % 2 == 0;
        options.loops = 1 + static_cast<std::uint32_t>(seed % 3);
        std::vector<v2::Frame> out{hello(app, 0)};
        std::vector<v2::Batch> all = random_history(seed, options);
        Model model;
        for (v2::Batch& batch : all) {
            if (random_() % 5 == 0) {
                if (random_() % 2 == 0) out.push_back(disconnected(app));
                out.push_back(hello(app, model.now_ns() + random_() % 20));
            }
            model.apply(batch);
            if (random_() % 3 != 0) batch.set_time_ns(model.now_ns() + random_() % 20);
            out.emplace_back().set_app(app);
            out.back().set_batch(batch.SerializeAsString());
        }
        out.push_back(disconnected(app));
        last_ns_[app] = model.now_ns() + 20;
        return out;
    }
    static v2::Frame hello(AppKey app, std::uint64_t at_ns) {
        v2::Frame frame;
        frame.set_app(app);
        frame.mutable_hello()->set_name("app");
        frame.mutable_hello()->set_wall_at_ns(at_ns);
        return frame;
    }
    static v2::Frame disconnected(AppKey app) {
        v2::Frame frame;
        frame.set_app(app);
        frame.mutable_disconnected()->set_reason("gone");
        return frame;
    }

    std::mt19937_64 random_;
    std::map<AppKey, std::uint64_t> last_ns_{{4, 1000}};
};

std::string text(const App* app) {
    if (app == nullptr) return "unknown";
    return "connections=" + std::to_string(app->connections) + (app->connected ? " connected " : " ended ") +
           app->disconnect_reason + "\n" + dump(app->model);
}

// The definition, word for word.
std::string fold_up_to(const std::vector<v2::Frame>& frames, AppKey app, std::uint64_t t_ns, const Limits& limits) {
    Session session(limits);
    for (const v2::Frame& frame : frames) {
        if (frame.app() == app && session.apply(frame, t_ns) != Folding::whole) break;
    }
    return text(session.app(app));
}

class HistoryProperty : public ::testing::TestWithParam<std::uint64_t> {
protected:
    void expect_every_moment(FrameSource& source, History::Settings settings) {
        History history(source, settings);
        for (int i = 0; i < 60; ++i) {
            const AppKey app = recording.random_app();
            const std::uint64_t t_ns = recording.random_time(app);
            SCOPED_TRACE("app " + std::to_string(app) + " at " + std::to_string(t_ns));
            ASSERT_EQ(text(history.at(app, t_ns)), fold_up_to(recording.frames, app, t_ns, settings.limits));
        }
        for (AppKey app = 1; app <= 3; ++app) {
            ASSERT_EQ(text(history.at(app, end_of_time)),
                      fold_up_to(recording.frames, app, end_of_time, settings.limits));
        }
    }

    Recording recording{GetParam()};
};

TEST_P(HistoryProperty, FoldUpToTEqualsAtTWithKeyframes) {
    RecordedFrames::Settings recorded;
    recorded.position_bytes = 300 * GetParam();
    recorded.keyframe_spacing = 0;
    recorded.limits = tight();
    RecordedFrames frames(recorded);
    for (const v2::Frame& frame : recording.frames) frames.append(frame);
    ASSERT_EQ(frames.frames_dropped(), 0u);
    ASSERT_GT(frames.end(), 2u);
    History::Settings settings;
    settings.limits = tight();
    settings.models = GetParam() % 4;
    expect_every_moment(frames, settings);
}

TEST_P(HistoryProperty, FoldUpToTEqualsAtTWithoutKeyframes) {
    PlainFrames frames(recording.frames, 1 + GetParam() % 5);
    History::Settings settings;
    settings.own_keyframe_events = ~std::uint64_t{0};
    expect_every_moment(frames, settings);
}

TEST_P(HistoryProperty, FoldUpToTEqualsAtTWithKeyframesOfItsOwn) {
    PlainFrames frames(recording.frames, 1 + GetParam() % 5);
    History::Settings settings;
    settings.limits = tight();
    settings.own_keyframe_events = 50;
    settings.own_keyframe_bytes = 20'000;
    expect_every_moment(frames, settings);
}

INSTANTIATE_TEST_SUITE_P(Seeds, HistoryProperty, ::testing::Range<std::uint64_t>(1, 16));

}  // namespace
}  // namespace coroscope::model::test
