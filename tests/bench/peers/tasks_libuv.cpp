// libuv's side of the work of the part `runtime`: what a program with callbacks does for the same purpose.
// `tasks_libuv WORK SECONDS` prints one number (ns, or bytes for bytes_1e5); exit status 3: there is no such work.
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

constexpr int batch = 1000;

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "tasks_libuv: %s\n", what);
    std::exit(1);
}

void check(int result) {
    if (result < 0) fail(uv_strerror(result));
}

double process_cpu_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// Counts operations and looks at the clock once a batch.
class Meter {
public:
    explicit Meter(double seconds) : began_(uv_hrtime()), limit_(static_cast<std::uint64_t>(seconds * 1e9)) {}

    // One operation is done; true if there is time for more.
    bool again() {
        if (++count_ % batch != 0) return true;
        took_ = uv_hrtime() - began_;
        return took_ < limit_;
    }
    double ns_each() const { return static_cast<double>(took_) / static_cast<double>(count_); }

private:
    std::uint64_t began_, limit_, took_ = 0, count_ = 0;
};

// An idle callback: the loop calls it once a turn and does not block meanwhile.
double yields(uv_loop_t& loop, double seconds) {
    uv_idle_t idle;
    check(uv_idle_init(&loop, &idle));
    Meter meter(seconds);
    idle.data = &meter;
    check(uv_idle_start(&idle, [](uv_idle_t* self) {
        if (!static_cast<Meter*>(self->data)->again()) uv_close(reinterpret_cast<uv_handle_t*>(self), nullptr);
    }));
    check(uv_run(&loop, UV_RUN_DEFAULT));
    return meter.ns_each();
}

// Work handed to the loop: it runs in the next turn and its callback gets the result. uv_async_send would do the same
// with two more system calls.
class Deferred {
public:
    using Done = void (*)(int result, void* context);

    explicit Deferred(uv_loop_t& loop) {
        check(uv_idle_init(&loop, &idle_));
        idle_.data = this;
    }
    Deferred(const Deferred&) = delete;
    Deferred& operator=(const Deferred&) = delete;

    void spawn(int (*work)(int), int argument, Done done, void* context) {
        Item* const item = new Item{work, argument, done, context, nullptr};
        *tail_ = item;
        tail_ = &item->next;
        if (uv_is_active(reinterpret_cast<uv_handle_t*>(&idle_)) == 0) check(uv_idle_start(&idle_, run));
    }
    void close() { uv_close(reinterpret_cast<uv_handle_t*>(&idle_), nullptr); }

private:
    struct Item {
        int (*work)(int);
        int argument;
        Done done;
        void* context;
        Item* next;
    };

    // What is added while this runs is for the next turn.
    static void run(uv_idle_t* idle) {
        auto& self = *static_cast<Deferred*>(idle->data);
        Item* item = self.first_;
        self.first_ = nullptr;
        self.tail_ = &self.first_;
        while (item != nullptr) {
            item->done(item->work(item->argument), item->context);
            Item* const next = item->next;
            delete item;
            item = next;
        }
        if (self.first_ == nullptr) uv_idle_stop(idle);
    }

    uv_idle_t idle_;
    Item* first_ = nullptr;
    Item** tail_ = &first_;
};

struct Spawner {
    Deferred queue;
    Meter meter;
};

void spawn_next(int result, void* context) {
    auto& spawner = *static_cast<Spawner*>(context);
    if (spawner.meter.again()) {
        spawner.queue.spawn([](int value) { return value + 1; }, result, spawn_next, context);
    } else {
        spawner.queue.close();
    }
}

double spawn_and_join(uv_loop_t& loop, double seconds) {
    Spawner spawner{Deferred(loop), Meter(seconds)};
    spawn_next(0, &spawner);
    check(uv_run(&loop, UV_RUN_DEFAULT));
    return spawner.meter.ns_each();
}

void delete_timer(uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); }

void close_timer(uv_timer_t* timer) { uv_close(reinterpret_cast<uv_handle_t*>(timer), delete_timer); }

// CPU time a sleep.
double sleeps(uv_loop_t& loop, int count) {
    const double before = process_cpu_ns();
    uv_update_time(&loop);
    for (int i = 0; i < count; ++i) {
        const auto us = 1000 + (static_cast<std::uint64_t>(i) * 7919) % 15000;
        auto* const timer = new uv_timer_t;
        check(uv_timer_init(&loop, timer));
        check(uv_timer_start(timer, close_timer, (us + 999) / 1000, 0));
    }
    check(uv_run(&loop, UV_RUN_DEFAULT));
    return (process_cpu_ns() - before) / count;
}

double warm_sleeps(uv_loop_t& loop, int count) {
    sleeps(loop, count / 10);
    return sleeps(loop, count);
}

// A limit of 10 s that is set and taken back, among others that end between 5 and 15 s from now.
double timeouts(uv_loop_t& loop, double seconds) {
    const auto never = [](uv_timer_t*) {};
    std::vector<uv_timer_t> others(1000);
    std::uint64_t index = 0;
    for (uv_timer_t& other : others) {
        check(uv_timer_init(&loop, &other));
        check(uv_timer_start(&other, never, 5000 + (index++ * 7919) % 10000, 0));
    }
    uv_timer_t timer;
    check(uv_timer_init(&loop, &timer));
    Meter meter(seconds);
    do {
        uv_timer_start(&timer, never, 10'000, 0);
        uv_timer_stop(&timer);
    } while (meter.again());
    for (uv_timer_t& other : others) uv_close(reinterpret_cast<uv_handle_t*>(&other), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
    check(uv_run(&loop, UV_RUN_DEFAULT));
    return meter.ns_each();
}

double resident_bytes() {
    std::FILE* const file = std::fopen("/proc/self/statm", "re");
    long size = 0, resident = 0;
    if (file == nullptr || std::fscanf(file, "%ld %ld", &size, &resident) != 2) fail("/proc/self/statm");
    std::fclose(file);
    return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double bytes_each(uv_loop_t& loop, int count) {
    resident_bytes();  // what the C library needs to read the file
    const double before = resident_bytes();
    for (int i = 0; i < count; ++i) {
        auto* const timer = new uv_timer_t;
        check(uv_timer_init(&loop, timer));
        check(uv_timer_start(timer, close_timer, 3'600'000, 0));
    }
    const double bytes = (resident_bytes() - before) / count;
    const auto close = [](uv_handle_t* handle, void*) { uv_close(handle, delete_timer); };
    uv_walk(&loop, close, nullptr);
    check(uv_run(&loop, UV_RUN_DEFAULT));
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: tasks_libuv WORK SECONDS\n");
        return 2;
    }
    const std::string_view work = argv[1];
    const double seconds = std::atof(argv[2]);
    uv_loop_t loop;
    check(uv_loop_init(&loop));
    double figure = 0;
    if (work == "yield") {
        figure = yields(loop, seconds);
    } else if (work == "spawn_join") {
        figure = spawn_and_join(loop, seconds);
    } else if (work == "sleeps_1e5") {
        figure = warm_sleeps(loop, 100'000);
    } else if (work == "sleeps_1e6") {
        figure = warm_sleeps(loop, 1'000'000);
    } else if (work == "timeout") {
        figure = timeouts(loop, seconds);
    } else if (work == "bytes_1e5") {
        figure = bytes_each(loop, 100'000);
    } else {
        std::fprintf(stderr, "tasks_libuv: no work of the name %s\n", argv[1]);
        return 3;
    }
    check(uv_loop_close(&loop));
    std::printf("%.1f\n", figure);
}
