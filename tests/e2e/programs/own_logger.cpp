// An app with a logger of its own: what coroscope has to say goes there, and stderr stays empty.
#include <coroscope/coroscope.hpp>

#include <chrono>
#include <cstdio>
#include <thread>

using namespace std::chrono_literals;

coroscope::Coro<int> forgotten() { co_return 1; }

coroscope::Coro<> async_main() {
    std::this_thread::sleep_for(300ms);
    static_cast<void>(forgotten());
    co_return;
}

int main() {
    coroscope::set_log_handler([](coroscope::LogLevel level, std::string_view text) {
        std::printf("[app's logger, level %d] %.*s\n", static_cast<int>(level), static_cast<int>(text.size()),
                    text.data());
        std::fflush(stdout);
    });
    coroscope::run(async_main());
}
