#include "agent/words/task.hpp"

#include <gtest/gtest.h>

#include "web_app.hpp"

namespace coroscope::words::test {
namespace {

TEST(TaskWords, Names) {
    const WebApp app;
    EXPECT_EQ(task_name(app.model, WebApp::main), "Task-1");
    EXPECT_EQ(task_name(app.model, WebApp::idle), "idle");
    EXPECT_EQ(task_name(app.model, 77), "Task-77 (gone)");
    EXPECT_EQ(task_name(app.model, WebApp::busy), "bu\\x1b[31msy") << "an app's text steers no terminal";
    EXPECT_EQ(coroutine(app.model, app.task(WebApp::idle)), "coroscope::http::serve_client");
    EXPECT_EQ(short_coroutine(app.model, app.task(WebApp::idle)), "serve_client");
    EXPECT_EQ(task_title(app.model, app.task(WebApp::idle)), "idle (serve_client)");
    EXPECT_EQ(task_phrase(app.model, WebApp::main), "task 'Task-1' (async_main)");
    EXPECT_EQ(task_phrase(app.model, 77), "task 77");
    EXPECT_EQ(task_phrase(app.model, 0), "a callback");
}

TEST(TaskWords, ATitleSaysNothingTwice) {
    WebApp app;
    app.model.apply(model::test::BatchBuilder(2)
                        .name(3, "async_main")
                        .created(200, 8, 0, 1)
                        .named(200, 8, 3)
                        .created(201, 9, 0, 0));
    EXPECT_EQ(task_title(app.model, app.task(8)), "async_main");
    EXPECT_EQ(task_title(app.model, app.task(9)), "Task-9") << "its coroutine is unknown";
}

TEST(TaskWords, Waits) {
    const WebApp app;
    using vocabulary::Verb;
    const auto words_of = [&](Verb verb, std::uint64_t operand) {
        return wait(app.model, model::Wait{verb, operand, 0});
    };
    EXPECT_EQ(words_of(Verb::get, WebApp::jobs),
              "an item from queue 'jo\\x1b"
              "bs'");
    EXPECT_EQ(words_of(Verb::put, WebApp::jobs),
              "room in queue 'jo\\x1b"
              "bs'");
    EXPECT_EQ(words_of(Verb::descriptor_read, 9), "input on fd 9");
    EXPECT_EQ(words_of(Verb::timer, 0), "a timer");
    EXPECT_TRUE(wait(app.model, model::Wait{Verb::acquire, 2, WebApp::idle}).ends_with(" 2 (held by idle)"));
    EXPECT_EQ(words_of(Verb::join, WebApp::idle), "idle");
    EXPECT_EQ(words_of(Verb::join, 77), "Task-77 (gone)");
    EXPECT_EQ(wait(app.model, app.task(WebApp::main)), "Task-2");
}

TEST(TaskWords, OnlyASuspendedTaskWaits) {
    WebApp app;
    app.model.apply(model::test::BatchBuilder(2).ready(200, WebApp::main));
    EXPECT_EQ(wait(app.model, app.task(WebApp::main)), "");
}

TEST(TaskWords, StateAndStatus) {
    WebApp app;
    EXPECT_EQ(state(model::State::suspended, model::Outcome::unknown), "suspended");
    EXPECT_EQ(state(model::State::done, model::Outcome::ok), "done");
    EXPECT_EQ(state(model::State::done, model::Outcome::error), "failed");
    EXPECT_EQ(state(model::State::done, model::Outcome::cancelled), "cancelled");
    app.model.apply(model::test::BatchBuilder(2).ready(1103, WebApp::main));
    EXPECT_EQ(status(app.model, app.task(WebApp::idle)), "waits for input on fd 9 since 994 ns");
    app.model.apply(model::test::BatchBuilder(3).begin(2000, WebApp::main).begin(3500, WebApp::idle));
    EXPECT_EQ(status(app.model, app.task(WebApp::main)), "runs since 1.50 us");
    app.model.apply(model::test::BatchBuilder(4)
                        .finish(4000, WebApp::idle)
                        .done(4000, WebApp::idle, vocabulary::Outcome::cancelled)
                        .finish(4001, WebApp::main)
                        .done(4001, WebApp::main));
    EXPECT_EQ(status(app.model, app.task(WebApp::idle)), "was cancelled");
    EXPECT_EQ(status(app.model, app.task(WebApp::main)), "returned");
}

}  // namespace
}  // namespace coroscope::words::test
