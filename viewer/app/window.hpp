// The window: GLFW, an OpenGL context, Dear ImGui on top. One a process.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

struct GLFWwindow;

namespace coroscope::viewer {

// Why no window can be had, and what to do.
class WindowError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct Pixels {
    int width = 0, height = 0;
    std::vector<std::uint8_t> rgb;  // from the top
};

class Window {
public:
    // `visible` false: for screenshots. Throws WindowError.
    Window(int width, int height, const std::string& title, bool visible);
    ~Window();
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;

    bool should_close() const;
    // Events that are there, or the first to come within `timeout_s`. True if one of them was the user's or the
    // system's, not wake().
    bool wait_events(double timeout_s);
    bool poll_events();
    // Any thread: ends a wait_events().
    static void wake();

    void begin_frame();
    // Draws. `pixels`: also read back what was drawn.
    void end_frame(Pixels* pixels = nullptr);

    // The screen's scale times the user's. A change takes effect with the next begin_frame().
    void set_scale(float user_scale);

private:
    GLFWwindow* window_ = nullptr;
    bool fixed_scale_ = false;
    float scale_ = 0, wanted_scale_ = 1;
    bool seen_event_ = true;

    void watch_events();
    float screen_scale() const;
};

}  // namespace coroscope::viewer
