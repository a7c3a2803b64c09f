#include "window.hpp"

#define GLFW_INCLUDE_GLEXT
#include <GLFW/glfw3.h>
#include <backends/imgui_impl_glfw.h>
#include <backends/imgui_impl_opengl3.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "viewer/ui/theme.hpp"

namespace coroscope::viewer {

namespace {

std::string last_error;

void remember_error(int, const char* text) { last_error = text; }

[[noreturn]] void fail(const std::string& what) {
    std::string text = what + (last_error.empty() ? "" : ": " + last_error);
    if (std::getenv("DISPLAY") == nullptr && std::getenv("WAYLAND_DISPLAY") == nullptr) {
        text +=
            "\nNo display is set. Without one, a screenshot can be made with: xvfb-run -a coroscope-viewer ... "
            "--screenshot OUT.png";
    }
    throw WindowError(text);
}

float environment_scale() {
    const char* text = std::getenv("COROSCOPE_SCALE");
    const float factor = text == nullptr ? 1 : std::strtof(text, nullptr);
    return factor >= 0.25f && factor <= 8 ? factor : 1;
}

}  // namespace

Window::Window(int width, int height, const std::string& title, bool visible) : fixed_scale_(!visible) {
    glfwSetErrorCallback(remember_error);
    if (glfwInit() != GLFW_TRUE) fail("cannot open a display");
    glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
    glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 0);
    glfwWindowHint(GLFW_VISIBLE, visible ? GLFW_TRUE : GLFW_FALSE);
    glfwWindowHint(GLFW_SCALE_TO_MONITOR, visible ? GLFW_TRUE : GLFW_FALSE);
    window_ = glfwCreateWindow(width, height, title.c_str(), nullptr, nullptr);
    if (window_ == nullptr) {
        glfwTerminate();
        fail("cannot open a window with OpenGL 3");
    }
    glfwMakeContextCurrent(window_);
    glfwSwapInterval(visible ? 1 : 0);
    ImGui::CreateContext();
    ImGuiIO& io = ImGui::GetIO();
    io.IniFilename = nullptr;
    io.ConfigWindowsMoveFromTitleBarOnly = true;
    watch_events();  // before ImGui, which calls those it finds
    ImGui_ImplGlfw_InitForOpenGL(window_, true);
    ImGui_ImplOpenGL3_Init("#version 130");
}

Window::~Window() {
    ImGui_ImplOpenGL3_Shutdown();
    ImGui_ImplGlfw_Shutdown();
    ImGui::DestroyContext();
    glfwDestroyWindow(window_);
    glfwTerminate();
}

void Window::watch_events() {
    glfwSetWindowUserPointer(window_, this);
    static const auto saw = [](GLFWwindow* window) {
        static_cast<Window*>(glfwGetWindowUserPointer(window))->seen_event_ = true;
    };
    glfwSetCursorPosCallback(window_, [](GLFWwindow* w, double, double) { saw(w); });
    glfwSetMouseButtonCallback(window_, [](GLFWwindow* w, int, int, int) { saw(w); });
    glfwSetScrollCallback(window_, [](GLFWwindow* w, double, double) { saw(w); });
    glfwSetKeyCallback(window_, [](GLFWwindow* w, int, int, int, int) { saw(w); });
    glfwSetCharCallback(window_, [](GLFWwindow* w, unsigned) { saw(w); });
    glfwSetCursorEnterCallback(window_, [](GLFWwindow* w, int) { saw(w); });
    glfwSetWindowFocusCallback(window_, [](GLFWwindow* w, int) { saw(w); });
    glfwSetFramebufferSizeCallback(window_, [](GLFWwindow* w, int, int) { saw(w); });
    glfwSetWindowRefreshCallback(window_, [](GLFWwindow* w) { saw(w); });
    glfwSetWindowContentScaleCallback(window_, [](GLFWwindow* w, float, float) { saw(w); });
}

bool Window::should_close() const { return glfwWindowShouldClose(window_) == GLFW_TRUE; }

bool Window::wait_events(double timeout_s) {
    if (timeout_s > 0) {
        glfwWaitEventsTimeout(timeout_s);
    } else {
        glfwPollEvents();
    }
    return std::exchange(seen_event_, false);
}

bool Window::poll_events() { return wait_events(0); }

void Window::wake() { glfwPostEmptyEvent(); }

float Window::screen_scale() const {
    if (fixed_scale_) return 1;
    // Where the window is measured in points, the frame buffer is larger than it and ImGui already scales.
    int width = 0, pixels = 0, ignored = 0;
    glfwGetWindowSize(window_, &width, &ignored);
    glfwGetFramebufferSize(window_, &pixels, &ignored);
    if (pixels > width) return 1;
    float x = 1, y = 1;
    glfwGetWindowContentScale(window_, &x, &y);
    return std::clamp(x, 0.5f, 4.0f);
}

void Window::set_scale(float user_scale) { wanted_scale_ = user_scale; }

void Window::begin_frame() {
    const float scale = screen_scale() * environment_scale() * wanted_scale_;
    if (std::abs(scale - scale_) > 0.001f) {
        scale_ = scale;
        ui::set_up(scale);
        ImGui_ImplOpenGL3_DestroyFontsTexture();
        ImGui_ImplOpenGL3_CreateFontsTexture();
    }
    ImGui_ImplOpenGL3_NewFrame();
    ImGui_ImplGlfw_NewFrame();
    ImGui::NewFrame();
}

void Window::end_frame(Pixels* pixels) {
    ImGui::Render();
    int width = 0, height = 0;
    glfwGetFramebufferSize(window_, &width, &height);
    glViewport(0, 0, width, height);
    const ImVec4 back = ui::vec(ui::color::window);
    glClearColor(back.x, back.y, back.z, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
    if (pixels != nullptr) {
        pixels->width = width;
        pixels->height = height;
        const auto row = static_cast<std::size_t>(width) * 3;
        std::vector<std::uint8_t> from_below(row * static_cast<std::size_t>(height));
        glPixelStorei(GL_PACK_ALIGNMENT, 1);
        glReadBuffer(GL_BACK);
        glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE, from_below.data());
        pixels->rgb.resize(from_below.size());
        for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y) {
            std::copy_n(
                from_below.begin() + static_cast<std::ptrdiff_t>((static_cast<std::size_t>(height) - 1 - y) * row), row,
                pixels->rgb.begin() + static_cast<std::ptrdiff_t>(y * row));
        }
    }
    glfwSwapBuffers(window_);
}

}  // namespace coroscope::viewer
