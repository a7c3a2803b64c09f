// Every view in real ImGui frames, without a display: empty, small, with everything wrong, and with 100 000 tasks.
#include <gtest/gtest.h>
#include <imgui.h>

#include "scenes.hpp"
#include "viewer/ui/theme.hpp"
#include "viewer/views/views.hpp"

namespace coroscope::viewer {
namespace {

// A context whose frames are made but drawn nowhere.
class Screen {
public:
    Screen(float width, float height) {
        ImGui::CreateContext();
        ImGuiIO& io = ImGui::GetIO();
        io.IniFilename = nullptr;
        io.DisplaySize = {width, height};
        io.DeltaTime = 1.0f / 60;
        io.BackendFlags |= ImGuiBackendFlags_RendererHasVtxOffset;  // large lists need it; the GL back end has it
        // As GLFW numbers them.
        io.KeyMap[ImGuiKey_Escape] = 256;
        io.KeyMap[ImGuiKey_Enter] = 257;
        io.KeyMap[ImGuiKey_RightArrow] = 262;
        io.KeyMap[ImGuiKey_LeftArrow] = 263;
        io.KeyMap[ImGuiKey_DownArrow] = 264;
        io.KeyMap[ImGuiKey_UpArrow] = 265;
        io.KeyMap[ImGuiKey_Home] = 268;
        io.KeyMap[ImGuiKey_End] = 269;
        io.KeyMap[ImGuiKey_KeyPadEnter] = 335;
        io.SetClipboardTextFn = [](void* text, const char* what) { *static_cast<std::string*>(text) = what; };
        io.GetClipboardTextFn = [](void* text) { return static_cast<std::string*>(text)->c_str(); };
        io.ClipboardUserData = &clipboard_;
        ui::set_up(1);
    }
    ~Screen() { ImGui::DestroyContext(); }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    void show(const test::Frames& frames) {
        for (const v2::Frame& frame : frames) ASSERT_TRUE(session_.apply(frame));
        info_.mood = SourceInfo::Mood::good;
        info_.name = "t.cst";
        info_.phase = "trace file";
    }

    // One frame; the number of vertices it drew.
    int frame() {
        begin();
        ImGui::Render();
        return ImGui::GetDrawData()->TotalVtxCount;
    }
    // The frame's text, as ImGui logs it. For small sessions: what is logged is not clipped.
    std::string text() {
        begin([] { ImGui::LogToClipboard(); });
        ImGui::LogFinish();
        ImGui::Render();
        return clipboard_;
    }
    void press(int key, bool ctrl = false) {
        ImGuiIO& io = ImGui::GetIO();
        io.KeyCtrl = ctrl;
        io.KeysDown[key] = true;
        frame();
        io.KeysDown[key] = false;
        io.KeyCtrl = false;
        frame();
    }
    void click(float x, float y) {
        ImGuiIO& io = ImGui::GetIO();
        io.MousePos = {x, y};
        frame();
        io.MouseDown[0] = true;
        frame();
        io.MouseDown[0] = false;
        frame();
    }

    ViewState& state() { return state_; }
    SourceInfo& info() { return info_; }
    Derived& derived() { return derived_; }
    const model::Model& model() const { return session_.app(state_.app)->model; }

private:
    void begin(void (*before)() = nullptr) {
        now_s_ += 1.0 / 60;
        state_.choose_some_app(session_);
        const model::App* app = session_.app(state_.app);
        if (app != nullptr) state_.advance(app->model, 1.0 / 60, info_.live);
        derived_.update(session_, state_, now_s_);
        ImGui::NewFrame();
        if (before != nullptr) before();
        views::Context context{session_, app, info_, derived_, state_};
        views::draw_frame(context);
    }

    std::string clipboard_;
    model::Session session_;
    SourceInfo info_;
    ViewState state_;
    Derived derived_;
    double now_s_ = 0;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class EveryView : public testing::TestWithParam<View> {};

TEST_P(EveryView, WithoutAnApp) {
    Screen screen(1600, 1000);
    screen.state().view = GetParam();
    screen.info().live = true;
    screen.info().name = "unix:/run/x.sock";
    screen.info().message = "no agent answers at unix:/run/x.sock";
    for (int i = 0; i < 3; ++i) EXPECT_GT(screen.frame(), 100);
}

TEST_P(EveryView, Small) {
    Screen screen(1280, 720);
    screen.show(test::small_scene());
    screen.state().view = GetParam();
    for (int i = 0; i < 3; ++i) EXPECT_GT(screen.frame(), 500);
}

TEST_P(EveryView, Busy) {
    Screen screen(1600, 1000);
    screen.show(test::service_scene());
    screen.state().view = GetParam();
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
    screen.state().view = GetParam();
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
        screen.state().view = GetParam();
        for (int i = 0; i < 60; ++i) {
            ImGui::GetIO().MousePos = {static_cast<float>(i * 97 % static_cast<int>(width)),
                                       static_cast<float>(i * 61 % static_cast<int>(height))};
            ImGui::GetIO().MouseWheel = i % 7 == 0 ? 1.0f : i % 11 == 0 ? -2.0f : 0.0f;
            screen.frame();
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Views, EveryView, testing::ValuesIn(all_views),
                         [](const auto& which) { return std::string(to_string(which.param)); });

TEST(Dashboard, SaysWhereTasksWait) {
    Screen screen(1800, 1000);
    screen.show(test::service_scene());
    screen.frame();
    const std::string text = screen.text();
    for (const char* part : {"orders-service", "consumer-1", "queue 1 (get)", "pipeline.cpp:38", "transfer-a",
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
    screen.state().view = View::detail;
    screen.frame();
    const std::string text = screen.text();
    EXPECT_TRUE(has(text, "a deadlock"));
    EXPECT_TRUE(has(text, "store.cpp:118"));
    EXPECT_TRUE(has(text, "main.cpp:107"));
    EXPECT_TRUE(has(text, "transfer-b"));
}

TEST(Keys, ChangeTheViewAndOpenOverlays) {
    Screen screen(1600, 1000);
    screen.show(test::service_scene());
    screen.frame();
    screen.press('3');
    EXPECT_EQ(screen.state().view, View::timeline);
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
    screen.state().view = View::timeline;
    screen.frame();
    ImGui::GetIO().MousePos = {900, 500};
    screen.frame();
    const TimeRange before = screen.state().timeline.range.target();
    ImGui::GetIO().MouseWheel = 3;
    screen.frame();
    EXPECT_LT(screen.state().timeline.range.target().span_ns(), before.span_ns() * 0.6);
}

TEST(Problems, AClickLeadsToTheTask) {
    Screen screen(1600, 1000);
    screen.show(test::service_scene());
    screen.state().view = View::problems;
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
