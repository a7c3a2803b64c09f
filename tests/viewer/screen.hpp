// A window for tests: real ImGui frames without a display, and a person who presses keys and clicks.
#pragma once

#include <gtest/gtest.h>
#include <imgui.h>

#include <string>

#include "scenes.hpp"
#include "viewer/ui/theme.hpp"
#include "viewer/views/views.hpp"

namespace coroscope::viewer {

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
    // The text of the list of keys. A log ends with the window it began in, and the list is a window of its own.
    std::string help_text() {
        state_.help_open = true;
        for (int i = 0; i < 3; ++i) frame();  // it takes some frames to find its size
        begin([] { ImGui::LogToClipboard(); }, views::draw_help);
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
    void begin(void (*before)() = nullptr, void (*draw)(views::Context&) = views::draw_window) {
        now_s_ += 1.0 / 60;
        state_.choose_some_app(session_);
        const model::App* app = session_.app(state_.app);
        if (app != nullptr) state_.advance(app->model, 1.0 / 60, info_.live);
        derived_.update(session_, state_, now_s_);
        ImGui::NewFrame();
        if (before != nullptr) before();
        views::Context context{session_, app, info_, derived_, state_};
        draw(context);
    }

    std::string clipboard_;
    model::Session session_;
    SourceInfo info_;
    ViewState state_;
    Derived derived_;
    double now_s_ = 0;
};

}  // namespace coroscope::viewer
