// Speedscope's profiles are balanced and in order; folded lines add up to the time that tasks waited.
#include "agent/trace/stack_export.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "app_builder.hpp"

namespace coroscope::trace::test {
namespace {

using nlohmann::json;

json speedscope(const model::Session& session) {
    std::string text;
    Output out(text);
    export_speedscope(session, out);
    return json::parse(text);
}

std::vector<std::string> folded(const model::Session& session) {
    std::string text;
    Output out(text);
    export_folded(session, out);
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

TEST(Speedscope, EventsAreBalancedAndInOrderForAnyApp) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE(seed);
        model::Session session;
        fold(session, random_app(1, seed));
        fold(session, small_app(2));
        const json document = speedscope(session);
        ASSERT_EQ(document["profiles"].size(), 2u);
        const std::size_t frames = document["shared"]["frames"].size();
        for (const auto& profile : document["profiles"]) {
            ASSERT_EQ(profile["type"], "evented");
            std::vector<std::uint64_t> open;
            std::uint64_t last = profile["startValue"];
            for (const auto& event : profile["events"]) {
                ASSERT_GE(event["at"], last);
                last = event["at"];
                ASSERT_LT(event["frame"], frames);
                if (event["type"] == "O") {
                    open.push_back(event["frame"]);
                } else {
                    ASSERT_FALSE(open.empty());
                    ASSERT_EQ(open.back(), event["frame"]);
                    open.pop_back();
                }
            }
            ASSERT_TRUE(open.empty());
            ASSERT_LE(last, profile["endValue"]);
        }
    }
}

TEST(Speedscope, FramesNameThePlace) {
    model::Session session;
    fold(session, small_app());
    const json document = speedscope(session);
    bool found = false;
    for (const auto& frame : document["shared"]["frames"])
        found |= frame.value("file", "") == "src/worker.cpp" && frame.value("line", 0) == 22;
    EXPECT_TRUE(found) << document["shared"];
}

TEST(Folded, AwaitPathsWithTheMicrosecondsWaitedThere) {
    model::Session session;
    BatchBuilder b(1, 1, 1000);
    define_small_app(b);
    b.loop_started(1000, 1).created(1100, 2, 0, 3);
    b.begin(2000, 2).end(3000, 2, vocabulary::Verb::timer, 0, 5).ready(5'003'000, 2, 0);
    b.begin(5'003'000, 2).end(5'004'000, 2, vocabulary::Verb::timer, 0, 5).ready(7'004'000, 2, 0);
    b.begin(7'004'000, 2)
        .done(7'005'000, 2, vocabulary::Outcome::ok)
        .end(7'005'000, 2, vocabulary::Verb::unknown, 0, 0);
    fold(session, {hello(1, "a;b", 7), b.frame(1)});
    const auto lines = folded(session);
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_TRUE(lines[0].starts_with("a,b;")) << lines[0];
    EXPECT_TRUE(lines[0].ends_with("(worker.cpp:22) 7000")) << lines[0];
}

}  // namespace
}  // namespace coroscope::trace::test
