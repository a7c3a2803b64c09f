// Every view in real ImGui frames, without a display: empty, small, with everything wrong, and with 100 000 tasks.
#include <gtest/gtest.h>
#include <imgui.h>

#include <set>
#include <string>

#include "scenes.hpp"
#include "screen.hpp"
#include "viewer/views/views.hpp"

namespace coroscope::viewer {
namespace {

using views::all_views;
using views::find_view;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Of the table: a new view is tested like the others without a line here.
class EveryView : public testing::TestWithParam<View> {};

TEST_P(EveryView, WithoutAnApp) {
    Screen screen(1600, 1000);
    screen.state().view = find_view(GetParam().name);
    screen.info().live = true;
    screen.info().name = "unix:/run/x.sock";
    screen.info().message = "no agent answers at unix:/run/x.sock";
    for (int i = 0; i < 3; ++i) EXPECT_GT(screen.frame(), 100);
}

TEST_P(EveryView, Small) {
    Screen screen(1280, 720);
    screen.show(test::small_scene());
    screen.state().view = find_view(GetParam().name);
    for (int i = 0; i < 3; ++i) EXPECT_GT(screen.frame(), 500);
}

TEST_P(EveryView, Busy) {
    Screen screen(1600, 1000);
    screen.show(test::service_scene());
    screen.state().view = find_view(GetParam().name);
    screen.frame();
    for (const model::Task* task : screen.model().all_tasks()) {
        if (task->id % 9 != 1) continue;
        screen.state().select(screen.model(), task->id);
        screen.state().show(task->id % 2 == 0 ? BottomTab::detail : BottomTab::health);
        EXPECT_GT(screen.frame(), 500);
    }
}

TEST_P(EveryView, HundredThousandTasks) {
    Screen screen(1600, 1000);
    screen.show(test::crowd_scene(100'000));
    screen.state().view = find_view(GetParam().name);
    screen.state().tree.fold = false;
    for (int i = 0; i < 3; ++i) EXPECT_GT(screen.frame(), 500);
    screen.state().tree.fold = true;
    screen.state().select(screen.model(), 54'321);
    for (int i = 0; i < 3; ++i) EXPECT_GT(screen.frame(), 500);
}

// No size of the window is too small, and the mouse may be anywhere.
TEST_P(EveryView, AnySizeAnyMouse) {
    for (const auto& [width, height] : {std::pair{200.0f, 200.0f}, {320.0f, 900.0f}, {1900.0f, 240.0f}}) {
        Screen screen(width, height);
        screen.show(test::service_scene(1, 3));
        screen.state().view = find_view(GetParam().name);
        for (int i = 0; i < 60; ++i) {
            ImGui::GetIO().MousePos = {static_cast<float>(i * 97 % static_cast<int>(width)),
                                       static_cast<float>(i * 61 % static_cast<int>(height))};
            ImGui::GetIO().MouseWheel = i % 7 == 0 ? 1.0f : i % 11 == 0 ? -2.0f : 0.0f;
            screen.frame();
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Views, EveryView, testing::ValuesIn(all_views().begin(), all_views().end()),
                         [](const auto& which) { return std::string(which.param.name); });

TEST(ViewTable, RowsAreWhole) {
    std::set<std::string_view> names, titles;
    std::set<char> keys{'A', 'D', 'W', 'S', 'F', ',', '.', ' ', '?'};  // those of the timeline and of the help
    for (const View& view : all_views()) {
        SCOPED_TRACE(view.name);
        EXPECT_TRUE(names.insert(view.name).second);
        EXPECT_TRUE(titles.insert(view.title).second);
        EXPECT_TRUE(keys.insert(view.key).second) << "the key has another meaning already";
        EXPECT_FALSE(view.shows.empty());
        EXPECT_NE(view.draw, nullptr);
        EXPECT_EQ(find_view(view.name), &view);
    }
    EXPECT_GE(names.size(), 7u);
}

TEST(Dashboard, SaysWhereTasksWait) {
    Screen screen(1800, 1000);
    screen.show(test::service_scene());
    screen.frame();
    const std::string text = screen.text();
    for (const char* part : {"orders-service", "consumer-1", "an item from queue 1", "pipeline.cpp:38", "transfer-a",
                             "compactor", "Loop latency", "Timeline", "Problems"}) {
        EXPECT_TRUE(has(text, part)) << part;
    }
}

TEST(Dashboard, EmptySaysWhatToDo) {
    Screen screen(1600, 1000);
    screen.info().live = true;
    screen.info().name = "unix:/run/x.sock";
    screen.info().message = "no agent answers at unix:/run/x.sock";
    screen.frame();
    EXPECT_TRUE(has(screen.text(), "no agent answers at unix:/run/x.sock"));
    EXPECT_TRUE(has(screen.text(), "Start an agent:"));
    screen.info().mood = SourceInfo::Mood::good;
    screen.info().message.clear();
    EXPECT_TRUE(has(screen.text(), "no app has connected"));
}

TEST(Detail, TellsOfTheDeadlock) {
    Screen screen(1800, 1000);
    screen.show(test::service_scene());
    screen.frame();
    for (const model::Task* task : screen.model().live_tasks()) {
        if (screen.model().task_name(*task) == "transfer-a") screen.state().select(screen.model(), task->id);
    }
    screen.state().view = find_view("detail");
    screen.frame();
    const std::string text = screen.text();
    EXPECT_TRUE(has(text, "closes a circle")) << text;
    EXPECT_TRUE(has(text, "store.cpp:118"));
    EXPECT_TRUE(has(text, "main.cpp:107"));
    EXPECT_TRUE(has(text, "transfer-b"));
}

// The user's line comes first; the library's only on demand.
TEST(Stacks, AConnectionIsNamedByTheUsersLine) {
    Screen screen(1800, 1000);
    screen.show(test::connection_scene());
    screen.state().view = find_view("tasks");
    screen.frame();
    const std::string rows = screen.text();
    EXPECT_TRUE(has(rows, "input on fd 9"));
    EXPECT_TRUE(has(rows, "created at web.cpp:27"));
    EXPECT_FALSE(has(rows, "stream.cpp")) << rows;

    for (const model::Task* task : screen.model().live_tasks())
        if (screen.model().task_name(*task) == "connection") screen.state().select(screen.model(), task->id);
    screen.state().view = find_view("detail");
    screen.frame();
    const std::string detail = screen.text();
    EXPECT_TRUE(has(detail, "Started from"));
    EXPECT_TRUE(has(detail, "web.cpp:27 in async_main"));
}

TEST(Stacks, TheLibrarysFramesAreShownOnDemand) {
    Screen screen(1800, 1000);
    test::Frames frames = test::connection_scene();
    screen.show(frames);
    screen.frame();
    for (const model::Task* task : screen.model().live_tasks())
        if (screen.model().task_name(*task) == "connection") screen.state().select(screen.model(), task->id);
    screen.state().view = find_view("detail");
    screen.frame();
    // All of this stack is the library's: there is nothing else to show.
    EXPECT_TRUE(has(screen.text(), "stream.cpp:75"));
    EXPECT_FALSE(screen.state().show_library);
}

TEST(Keys, ChangeTheViewAndOpenOverlays) {
    Screen screen(1600, 1000);
    screen.show(test::service_scene());
    screen.frame();
    screen.press('3');
    EXPECT_EQ(screen.state().view->name, "timeline");
    screen.press('P', true);
    EXPECT_TRUE(screen.state().find_open);
    screen.frame();
    ImGui::GetIO().AddInputCharactersUTF8("metr");
    screen.frame();
    screen.frame();
    EXPECT_EQ(screen.state().find_text, "metr");
    screen.press(257);
    EXPECT_FALSE(screen.state().find_open);
    ASSERT_NE(screen.state().task, 0u);
    EXPECT_EQ(screen.model().task_name(*screen.model().task(screen.state().task)), "metrics");
    const int without = screen.frame();
    ImGui::GetIO().AddInputCharacter('?');
    screen.frame();
    EXPECT_TRUE(screen.state().help_open);
    EXPECT_GT(screen.frame(), without + 1000) << "the help is drawn over it";
    screen.press(256);
    EXPECT_FALSE(screen.state().help_open);
    EXPECT_LT(screen.frame(), without + 1000);
    screen.press('=', true);
    EXPECT_GT(screen.state().scale, 1);
    screen.press('0', true);
    EXPECT_EQ(screen.state().scale, 1);
}

TEST(Timeline, KeysZoomAndPan) {
    Screen screen(1600, 1000);
    screen.show(test::service_scene());
    screen.frame();
    const TimeRange before = screen.state().timeline.range.target();
    screen.press('W');
    EXPECT_LT(screen.state().timeline.range.target().span_ns(), before.span_ns());
    screen.press('D');
    EXPECT_FALSE(screen.state().timeline.follow);
    EXPECT_GT(screen.state().timeline.range.target().middle_ns(), before.middle_ns());
    screen.press(268);
    EXPECT_NEAR(screen.state().timeline.range.target().span_ns(), before.span_ns(), before.span_ns() * 0.05);
}

TEST(Timeline, WheelZoomsAtTheCursor) {
    Screen screen(1600, 1000);
    screen.show(test::service_scene());
    screen.state().view = find_view("timeline");
    screen.frame();
    ImGui::GetIO().MousePos = {900, 500};
    screen.frame();
    const TimeRange before = screen.state().timeline.range.target();
    ImGui::GetIO().MouseWheel = 3;
    screen.frame();
    EXPECT_LT(screen.state().timeline.range.target().span_ns(), before.span_ns() * 0.6);
}

// Whatever lane the mouse is on: a click selects the task that was drawn there, or zooms into the steps that were
// merged.
TEST(Timeline, AClickOnALaneActsOnWhatIsThere) {
    Screen screen(1600, 1000);
    screen.show(test::service_scene());
    screen.state().view = find_view("timeline");
    screen.frame();
    std::set<model::TaskId> selected;
    int zooms = 0;
    for (float y = 90; y < 960; y += 7) {
        const double before = screen.state().timeline.range.target().span_ns();
        screen.state().select_none();
        screen.click(900, y);
        if (screen.state().task != 0) selected.insert(screen.state().task);
        if (screen.state().timeline.range.target().span_ns() < before * 0.9) {
            ++zooms;
            screen.press(268);  // all of the time again
        }
    }
    EXPECT_GT(selected.size(), 3u);
    EXPECT_GT(zooms, 0);
}

TEST(Timeline, AClickOnANameSelectsItsTask) {
    Screen screen(1600, 1000);
    screen.show(test::service_scene());
    screen.state().view = find_view("timeline");
    screen.frame();
    std::set<model::TaskId> selected;
    for (float y = 90; y < 960; y += 7) {
        screen.click(60, y);
        if (screen.state().task != 0) selected.insert(screen.state().task);
        screen.state().select_none();
        screen.frame();
    }
    EXPECT_GT(selected.size(), 3u);
}

TEST(Problems, AClickLeadsToTheTask) {
    Screen screen(1600, 1000);
    screen.show(test::service_scene());
    screen.state().view = find_view("problems");
    screen.frame();
    ASSERT_GE(screen.derived().problems().size(), 2u);
    std::size_t with_task = 0;
    for (std::size_t i = screen.derived().problems().size(); i-- > 0;) {
        if (screen.model().task(screen.derived().problems()[i].task) != nullptr) with_task = i;
    }
    const float row = 2 * ImGui::GetFontSize() + 10 + 2;
    screen.click(100, 42 + 8 + 24 + static_cast<float>(with_task) * row + row / 2);
    EXPECT_EQ(screen.state().problem, with_task);
    EXPECT_EQ(screen.state().task, screen.derived().problems()[with_task].task);
}

}  // namespace
}  // namespace coroscope::viewer
