// Tasks that fail or do not want to end, one way a mode: see failures_test.cpp, which names the lines by their
// comments.
#include <coroscope/coroscope.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using namespace coroscope;

Coro<> fail(std::chrono::milliseconds delay, std::string text) {
    co_await sleep(delay);  // thrown after
    throw std::runtime_error(text);
}

// A task fails, its handle is kept, the program goes on.
struct Service {
    Task<> poller;
};
Coro<> silent() {
    Service service;
    service.poller = create_task(fail(10ms, "bad credentials"), "poller");  // created
    co_await sleep(1h);
}

// gather() throws the first error, the second comes later.
Coro<int> ping() {
    co_await sleep(1ms);
    throw std::runtime_error("ping timed out");
}
Coro<int> writer() {
    co_await sleep(20ms);  // second
    throw std::runtime_error("disk is full");
}
Coro<> second_error() {
    try {
        co_await gather(ping(), writer());
    } catch (const std::exception& error) {
        std::cout << "caught: " << error.what() << std::endl;
    }
    co_await sleep(50ms);
}

// Nobody catches what a task of a nested group throws.
Coro<> import_all() {
    TaskGroup group;
    group.create_task(fail(1ms, "no dataset 'B'"), "B");
    co_await group.join();
}
Coro<> uncaught() {
    TaskGroup group;
    group.create_task(import_all(), "import");
    co_await group.join();
}

// A group whose body is interrupted before the join.
Coro<> body() {
    TaskGroup group;
    group.create_task(fail(1ms, "no dataset 'B'"), "load");
    co_await sleep(1h);
    co_await group.join();
}
Coro<> interrupted() {
    try {
        co_await body();
    } catch (const ExceptionGroup& errors) {
        std::cout << "group: " << errors.what() << std::endl;
    }
}

// A task that no cancellation ends.
Coro<> stubborn() {
    for (;;) {
        try {
            co_await sleep(20ms);  // swallowed
        } catch (...) {
        }
    }
}
Coro<> end_of_run() {
    auto task = create_task(stubborn(), "stubborn");
    co_await sleep(30ms);
}
Coro<> limit() {
    auto task = create_task(stubborn(), "stubborn");
    co_await wait_for(task, 30ms);  // limit
}
Coro<> by_user() {
    auto task = create_task(stubborn(), "stubborn");
    co_await sleep(30ms);
    task.cancel();  // asked
    co_await task;
}
Coro<> by_group() {
    TaskGroup group;
    group.create_task(stubborn(), "stubborn");
    group.create_task(fail(30ms, "broken"), "broken");
    co_await group.join();
}
Coro<> by_tool() {
    auto task = create_task(stubborn(), "stubborn");
    co_await task;
}

Coro<> transfer() { co_await sleep(1h); }

// A task that takes its time to clean up, and one that takes a timeout back: nothing is wrong.
Coro<> clean_up() {
    std::exception_ptr cancelled;
    try {
        co_await sleep(1h);
    } catch (...) {
        cancelled = std::current_exception();
    }
    co_await sleep(2500ms);
    std::rethrow_exception(cancelled);
}
Coro<> patient() {
    auto task = create_task(clean_up(), "cleaner");
    try {
        co_await wait_for(transfer(), 10ms);
    } catch (const TimeoutError&) {
    }
    task.cancel();
    co_await task.wait();
}

// Tasks that another one cancels.
void drop_session(std::vector<Task<>>& tasks) {
    for (auto& task : tasks) task.cancel("session expired");  // who
}
Coro<> janitor(std::vector<Task<>>& tasks) {
    co_await sleep(10ms);
    drop_session(tasks);
}
Coro<> who() {
    std::vector<Task<>> tasks;
    tasks.push_back(create_task(transfer(), "upload"));
    co_await create_task(janitor(tasks), "janitor");
    for (auto& task : tasks) co_await task.wait();
}

int main(int count, char** arguments) {
    const std::map<std::string_view, Coro<> (*)()> modes = {{"silent", silent},
                                                            {"second_error", second_error},
                                                            {"uncaught", uncaught},
                                                            {"interrupted", interrupted},
                                                            {"end_of_run", end_of_run},
                                                            {"limit", limit},
                                                            {"by_user", by_user},
                                                            {"by_group", by_group},
                                                            {"by_tool", by_tool},
                                                            {"patient", patient},
                                                            {"who", who}};
    const auto mode = modes.find(count == 2 ? arguments[1] : "");
    if (mode == modes.end()) return EXIT_FAILURE;
    run(mode->second());
}
