// Calls that block the loop for a little, each from a function of its own, and what they return: it must be the same
// whether somebody measures them or not. What an argument names is all that runs.
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <coroscope/coroscope.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;
using coroscope::Coro;

constexpr auto while_it_waits = 20ms;

void tell(const char* name, long result, int error) {
    std::cout << name << " returned " << result << ' ' << (result < 0 ? std::strerror(error) : "") << std::endl;
}
void tell(const char* name, long result) { tell(name, result, errno); }

void nap() {
    tell("usleep", ::usleep(10'000));  // usleep
}
void wait_for_descriptors() {
    tell("poll", ::poll(nullptr, 0, 20));  // poll
}
void wait_for_semaphore() {
    sem_t semaphore;
    ::sem_init(&semaphore, 0, 0);
    timespec until{};
    ::clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20'000'000;
    until.tv_sec += until.tv_nsec / 1'000'000'000;
    until.tv_nsec %= 1'000'000'000;
    tell("sem_timedwait", ::sem_timedwait(&semaphore, &until));  // sem_timedwait
}
void take_mutex() {
    std::mutex mutex;
    std::atomic<bool> held{false};
    std::thread other([&] {
        const std::scoped_lock lock(mutex);
        held = true;
        std::this_thread::sleep_for(while_it_waits);
    });
    while (!held) std::this_thread::yield();
    mutex.lock();  // pthread_mutex_lock
    mutex.unlock();
    other.join();
    tell("mutex", 0);
}
void wait_for_condition() {
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    tell("condition", never.wait_for(lock, while_it_waits) == std::cv_status::timeout);  // pthread_cond_clockwait
}
void join_thread() {
    std::thread other([] { std::this_thread::sleep_for(while_it_waits); });
    other.join();  // pthread_join
    tell("join", other.joinable());
}
void wait_for_value() {
    std::atomic<int> value{0};
    std::thread other([&] {
        std::this_thread::sleep_for(while_it_waits);
        value = 1;
        value.notify_all();
    });
    value.wait(0);  // syscall
    other.join();
    tell("atomic", value);
}
void read_pipe() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return;
    std::thread other([&] {
        std::this_thread::sleep_for(while_it_waits);
        [[maybe_unused]] const ssize_t written = ::write(ends[1], "four", 4);
    });
    std::array<char, 16> text{};
    tell("read", ::read(ends[0], text.data(), text.size()));  // read
    std::cout << text.data() << std::endl;
    other.join();
    ::close(ends[0]);
    ::close(ends[1]);
    // Not of ends[0]: another thread of the process, gRPC's for one, may have that number by now.
    tell("read of no descriptor", ::read(-1, text.data(), text.size()));
}
void run_command() {
    const int status = std::system("sleep 0.02; exit 3");  // system
    tell("system", WEXITSTATUS(status));
}
void wait_for_signal() {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    ::sigaction(SIGALRM, &action, nullptr);
    itimerval soon{};
    soon.it_value.tv_usec = 20'000;
    ::setitimer(ITIMER_REAL, &soon, nullptr);
    tell("pause", ::pause());  // pause
}
void look_up() {
    addrinfo* found = nullptr;
    tell("getaddrinfo", ::getaddrinfo("localhost", "80", nullptr, &found));
    tell("getaddrinfo found", found != nullptr);
    ::freeaddrinfo(found);
}
void write_file() {
    std::string path = "/tmp/coroscope-e2e-XXXXXX";
    const int file = ::mkstemp(path.data());
    tell("write", ::write(file, "text", 4));
    tell("fsync", ::fsync(file));
    tell("fsync of no descriptor", ::fsync(-1));
    struct stat status{};
    tell("fstat", ::fstat(file, &status));
    tell("size", status.st_size);
    tell("close", ::close(file));
    const int again = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    tell("open", again >= 0);
    tell("fcntl", ::fcntl(again, F_GETFL) & O_ACCMODE);
    ::close(again);
    ::unlink(path.c_str());
    tell("open of what is gone", ::open(path.c_str(), O_RDONLY));
}
void look_often() {
    struct stat status{};
    long wrong = 0;
    for (int i = 0; i < 1000; ++i) wrong += ::stat("/", &status);  // stat
    tell("stat", wrong);
}

const std::map<std::string, void (*)()> calls{
    {"poll", wait_for_descriptors},
    {"semaphore", wait_for_semaphore},
    {"mutex", take_mutex},
    {"condition", wait_for_condition},
    {"join", join_thread},
    {"atomic", wait_for_value},
    {"pipe", read_pipe},
    {"system", run_command},
    {"signal", wait_for_signal},
    {"lookup", look_up},
    {"file", write_file},
    {"stat", look_often},
};

Coro<> naps() {
    for (int i = 0; i < 10; ++i) {
        nap();
        co_await coroscope::sleep(1ms);
    }
}

Coro<> long_nap() {
    co_await coroscope::sleep(1ms);
    tell("usleep", ::usleep(80'000));
    co_await coroscope::sleep(1ms);
}

// Another thread blocks, and the loop does not.
Coro<> elsewhere() {
    for (int i = 0; i < 3; ++i) co_await coroscope::to_thread([] { ::usleep(20'000); });
    tell("elsewhere", 0);
}

Coro<> all() {
    co_await coroscope::create_task(naps());
    for (const auto& [name, call] : calls) {
        co_await coroscope::sleep(1ms);
        call();
    }
}

Coro<> async_main(std::string what) {
    if (what == "long")
        co_await long_nap();
    else if (what == "elsewhere")
        co_await elsewhere();
    else
        co_await all();
}

}  // namespace

int main(int argc, char** argv) { coroscope::run(async_main(argc > 1 ? argv[1] : "all")); }
