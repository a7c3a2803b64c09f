// wait() for the first of ten tasks; the others are cancelled.
#include <coroscope/coroscope.hpp>

#include <iostream>
#include <vector>

coroscope::Coro<int> task(int n) {
    co_await coroscope::sleep(std::chrono::seconds(n));
    co_return n;
}

coroscope::Coro<> async_main() {
    std::vector<coroscope::Task<int>> tasks;
    for (int i = 0; i < 10; ++i) tasks.push_back(coroscope::create_task(task(i)));
    const auto result = co_await coroscope::wait(std::move(tasks), coroscope::FIRST_COMPLETED);
    for (const auto& t : result.done) std::cout << "Task completed with result: " << t.result() << std::endl;
    for (const auto& t : result.pending) t.cancel();
}

int main() { coroscope::run(async_main()); }
