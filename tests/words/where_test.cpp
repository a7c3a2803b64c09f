// The user's own line is named first; the library's only where there is no other, or on demand.
#include "agent/words/where.hpp"

#include <gtest/gtest.h>

#include "web_app.hpp"

namespace coroscope::words::test {
namespace {

TEST(Where, AHandlersLineNotThatOfTheLibraryBelow) {
    const WebApp app;
    const Where at = where(app.model, app.task(WebApp::busy));
    EXPECT_FALSE(at.created);
    EXPECT_EQ(place(at), "web.cpp:14");
    EXPECT_EQ(where_text(at), "web.cpp:14 in handle");
    EXPECT_EQ(at_text(at), "at web.cpp:14 in handle");
    EXPECT_EQ(place(at, "from "), "from web.cpp:14");
    EXPECT_EQ(waits_text(app.model, app.task(WebApp::busy), at),
              "waits for an item from queue 'jo\\x1b"
              "bs' at web.cpp:14 in handle");
}

TEST(Where, AConnectionWithoutAUsersFrameIsNamedByWhatStartedItsServer) {
    const WebApp app;
    for (const model::TaskId id : {WebApp::idle, WebApp::server}) {
        const Where at = where(app.model, app.task(id));
        EXPECT_TRUE(at.created);
        EXPECT_EQ(place(at), "created at web.cpp:27");
        EXPECT_EQ(place(at, "from "), "created at web.cpp:27");
        EXPECT_EQ(where_text(at), "created at web.cpp:27 in async_main");
        EXPECT_EQ(at_text(at), "in a task created at web.cpp:27 in async_main");
    }
    EXPECT_EQ(waits_text(app.model, app.task(WebApp::idle), where(app.model, app.task(WebApp::idle))),
              "waits for input on fd 9, created at web.cpp:27 in async_main");
}

TEST(Where, OnDemandTheLibrarysLine) {
    const WebApp app;
    EXPECT_EQ(where_text(innermost(app.model, app.task(WebApp::idle))), "stream.cpp:75 in coroscope::Stream::read");
}

TEST(Where, ATaskThatHasNotRunStandsAtItsCoroutine) {
    WebApp app;
    app.model.apply(model::test::BatchBuilder(2).created(200, 9, WebApp::main, 1));
    EXPECT_EQ(place(where(app.model, app.task(9))), "web.cpp:20");
}

TEST(Where, WithoutAnyUsersFrameTheLibrarysIsBetterThanNothing) {
    model::Model model;
    model.apply(model::test::BatchBuilder(1)
                    .site(1, "coroscope::tick", "runtime/src/core/timer.cpp", 8)
                    .node(1, 0, 1, vocabulary::NodeKind::task)
                    .created(100, 1, 0, 1));
    EXPECT_EQ(where_text(where(model, *model.task(1))), "timer.cpp:8 in coroscope::tick");
    EXPECT_FALSE(where(model, model::NodeId{0}).known());
    EXPECT_FALSE(where(model, model::NodeId{999}).known());
    EXPECT_EQ(at_text({}), "at an unknown place");
    EXPECT_EQ(where_text({}), "");
    EXPECT_EQ(place(Where{}, "from "), "");
}

TEST(StackRows, LeaveTheLibrarysFramesOutUntilTheyAreAskedFor) {
    const WebApp app;
    const auto stack = app.model.await_stack(app.task(WebApp::busy));
    ASSERT_EQ(stack.size(), 3u);  // serve_client, handle, Stream::read
    const auto rows = stack_rows(stack, false);
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].hidden, 1u);
    EXPECT_EQ(rows[1].hidden, 0u);
    EXPECT_EQ(stack[rows[1].frame].function, "handle");
    EXPECT_EQ(hidden_text(rows[2]), "1 frame of the library");
    EXPECT_EQ(stack_rows(stack, true).size(), 3u);
    for (const StackRow& row : stack_rows(stack, true)) EXPECT_EQ(row.hidden, 0u);
}

TEST(StackRows, RunsOfTheLibrarysFramesAreOneRow) {
    const auto rows = stack_rows({true, true, true, false, true, true}, false);
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].hidden, 3u);
    EXPECT_EQ(rows[1].frame, 3u);
    EXPECT_EQ(rows[2].frame, 4u);
    EXPECT_EQ(rows[2].hidden, 2u);
    EXPECT_TRUE(rows[1].here) << "the user's own, though it is not the innermost";
    EXPECT_FALSE(rows[2].here);
}

TEST(StackRows, AStackOfTheLibraryOnlyIsShown) {
    ASSERT_EQ(stack_rows({true, true}, false).size(), 2u);
    EXPECT_TRUE(stack_rows({true, true}, false)[1].here);
    EXPECT_TRUE(stack_rows(std::vector<bool>{}, false).empty());
}

}  // namespace
}  // namespace coroscope::words::test
