// An event loop driven by a window: GLFW waits for the user's input, for coroscope's timers, and is woken by calls from
// other threads. One thread, no polling: coroutines and the window take turns. Closes by itself after half a second.
#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>
#include <coroscope/coroscope.hpp>

#include <algorithm>
#include <iostream>

using namespace std::chrono_literals;

namespace {

class WindowLoop : public coroscope::EventLoop {
public:
    // GLFW waits on no file descriptor of ours: it is woken in its own way. (A program with sockets would also watch
    // poll_fd() on a thread that posts an empty event.)
    void wake() noexcept override {
        EventLoop::wake();
        ::glfwPostEmptyEvent();
    }
    void run_until_closed(GLFWwindow* window) {
        while (!::glfwWindowShouldClose(window)) {
            const Duration idle = idle_time();
            if (idle.count() == 0) {
                ::glfwPollEvents();
            } else if (idle.count() < 0) {
                ::glfwWaitEvents();
            } else {
                ::glfwWaitEventsTimeout(std::chrono::duration<double>(idle).count());
            }
            run_once();
        }
    }
};

std::string compute() { return "computed on another thread"; }

coroscope::Coro<> animate(GLFWwindow* window) {
    for (int frame = 0; frame < 10; ++frame) {
        ::glfwSetWindowTitle(window, ("frame " + std::to_string(frame)).c_str());
        co_await coroscope::sleep(50ms);
    }
    const std::string text = co_await coroscope::to_thread(compute);
    std::cout << "10 frames; " << text << std::endl;
    ::glfwSetWindowShouldClose(window, GLFW_TRUE);
}

}  // namespace

int main() {
    if (::glfwInit() == GLFW_FALSE) {
        std::cerr << "glfw_loop: no display; try xvfb-run\n";
        return 1;
    }
    ::glfwWindowHint(GLFW_CLIENT_API, GLFW_NO_API);
    GLFWwindow* window = ::glfwCreateWindow(320, 200, "coroscope", nullptr, nullptr);
    if (window == nullptr) {
        std::cerr << "glfw_loop: the window could not be opened\n";
        ::glfwTerminate();
        return 1;
    }
    {
        WindowLoop loop;
        const coroscope::Task<> task = loop.create_task(animate(window));
        loop.run_until_closed(window);
        loop.cancel_all_tasks();  // the user may have closed it earlier
    }
    ::glfwDestroyWindow(window);
    ::glfwTerminate();
}
