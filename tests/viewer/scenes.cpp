#include "scenes.hpp"

#include <deque>
#include <functional>
#include <queue>
#include <random>

#include "script.hpp"

namespace coroscope::test {

namespace {

constexpr std::uint64_t us = 1'000, ms = 1'000'000;

// A loop that plays tasks: each step is a function that says what it cost and what the task waits for then.
class Play {
public:
    struct Next {
        std::uint64_t run_ns = 10 * us;
        std::uint64_t wait = 0;
        std::uint32_t at = 0;        // node; 0: the task is done
        std::uint64_t after_ns = 0;  // the loop wakes it then; 0: somebody else has to
        vocabulary::Outcome outcome = vocabulary::Outcome::ok;
    };
    using Step = std::function<Next()>;

    explicit Play(Script& script) : script_(script) { script_.loop_started(1); }

    std::uint64_t spawn(std::uint64_t parent, std::uint32_t root, const std::string& name, Step step) {
        const std::uint64_t id = ++last_;
        steps_.push_back(std::move(step));
        script_.created(id, parent, root);
        if (!name.empty()) script_.named(id, name);
        ready_.push_back(id);
        return id;
    }
    void replace(std::uint64_t id, Step step) { steps_[id - 1] = std::move(step); }
    void wake(std::uint64_t id, std::uint64_t waker) {
        script_.ready(id, waker);
        ready_.push_back(id);
    }
    std::uint64_t running() const { return running_; }

    void run(double seconds, Frames& frames) {
        const std::uint64_t end = script_.now() + static_cast<std::uint64_t>(seconds * 1e9);
        while (script_.now() < end) {
            script_.poll_begin();
            if (ready_.empty() && timers_.empty()) return;
            std::uint64_t found = 0;
            if (ready_.empty()) script_.at(std::max(script_.now() + 2 * us, std::min(timers_.top().first, end)));
            for (; !timers_.empty() && timers_.top().first <= script_.now(); timers_.pop())
                due_.push_back(timers_.top().second), ++found;
            script_.poll_end(found);
            for (const std::uint64_t id : due_) wake(id, 0);
            due_.clear();
            for (std::size_t turn = ready_.size(); turn > 0; --turn) play_one();
            if (script_.pending() > 4000) frames.push_back(script_.take());
        }
    }

private:
    void play_one() {
        const std::uint64_t id = ready_.front();
        ready_.pop_front();
        script_.pass(1 * us);
        script_.step_begin(id);
        running_ = id;
        const std::uint64_t began = script_.now();
        const Next next = steps_[id - 1]();
        running_ = 0;
        script_.at(std::max(script_.now(), began + next.run_ns));
        if (next.at == 0) script_.done(id, next.outcome);
        script_.step_end(id, next.wait, next.at);
        if (next.after_ns > 0) timers_.emplace(script_.now() + next.after_ns, id);
    }

    using Timer = std::pair<std::uint64_t, std::uint64_t>;
    Script& script_;
    std::deque<Step> steps_;  // stable: a step that runs may spawn
    std::uint64_t last_ = 0, running_ = 0;
    std::deque<std::uint64_t> ready_;
    std::vector<std::uint64_t> due_;
    std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
};

const std::string main_file = "src/main.cpp", http = "src/http_server.cpp", pipe = "src/pipeline.cpp",
                  store = "src/store.cpp";

}  // namespace

Frames small_scene() {
    Script script(1, "greet");
    Frames frames{script.hello()};
    Play play(script);
    const auto root = script.task_node(0, "async_main", "greet.cpp", 12);
    const auto greet_root = script.task_node(script.call(root, "async_main", "greet.cpp", 14), "greet", "greet.cpp", 5);
    const auto slept = script.call(greet_root, "greet", "greet.cpp", 7);
    int left = 2;
    std::uint64_t main_id = 0;
    const auto greet = [&](int times) {
        return [&, times, n = 0]() mutable -> Play::Next {
            if (n++ < times) return {40 * us, vocabulary::pack_wait(vocabulary::Verb::timer), slept, 20 * ms, {}};
            if (--left == 0) play.wake(main_id, play.running());
            return {15 * us, vocabulary::pack_wait(vocabulary::Verb::finished), 0, 0, vocabulary::Outcome::ok};
        };
    };
    main_id = play.spawn(0, root, "main", [&, n = 0]() mutable -> Play::Next {
        if (n++ > 0) return {};
        play.spawn(1, greet_root, "Alice", greet(3));
        play.spawn(1, greet_root, "Bob", greet(5));
        return {60 * us,
                vocabulary::pack_wait(vocabulary::Verb::join),
                script.call(root, "async_main", "greet.cpp", 15),
                0,
                {}};
    });
    play.run(0.5, frames);
    frames.push_back(script.take());
    return frames;
}

Frames connection_scene() {
    Script script(1, "web");
    Frames frames{script.hello()};
    Play play(script);
    const auto root = script.task_node(0, "async_main", "web.cpp", 20);
    const auto started_at = script.call(root, "async_main", "web.cpp", 27);
    const char* server_file = "runtime/src/http/runner.cpp";
    const auto serve = script.task_node(started_at, "coroscope::http::serve_client", server_file, 17);
    const auto reads = script.call(serve, "coroscope::http::serve_client", server_file, 30);
    const auto read = script.frame(reads, "coroscope::Stream::read", "runtime/src/net/stream.cpp", 70);
    const auto waits = script.call(read, "coroscope::Stream::read", "runtime/src/net/stream.cpp", 75);
    play.spawn(0, root, "main", [&]() -> Play::Next {
        play.spawn(1, serve, "connection", [&]() -> Play::Next {
            return {20 * us, vocabulary::pack_wait(vocabulary::Verb::descriptor_read, 9), waits, 0, {}};
        });
        return {60 * us, vocabulary::pack_wait(vocabulary::Verb::timer), started_at, 0, {}};
    });
    play.run(0.1, frames);
    frames.push_back(script.take());
    return frames;
}

Frames crowd_scene(std::uint32_t tasks) {
    Script script(1, "crowd");
    Frames frames{script.hello()};
    Play play(script);
    const auto root = script.task_node(0, "async_main", main_file, 10);
    const auto worker = script.task_node(script.call(root, "async_main", main_file, 20), "worker", main_file, 3);
    const auto other = script.task_node(script.call(root, "async_main", main_file, 21), "prober", main_file, 30);
    const auto at = script.call(worker, "worker", main_file, 5), at_other = script.call(other, "prober", main_file, 33);
    play.spawn(0, root, "main", [&]() -> Play::Next {
        for (std::uint32_t i = 0; i < tasks; ++i) {
            const bool is_worker = i % 4 != 0;
            play.spawn(1, is_worker ? worker : other, "", [&, is_worker, i]() -> Play::Next {
                return {2 * us,
                        vocabulary::pack_wait(is_worker ? vocabulary::Verb::get : vocabulary::Verb::timer,
                                              is_worker ? 1 : 0),
                        is_worker ? at : at_other,
                        is_worker && i % 5 != 0 ? 0 : 50 * ms + i * us,
                        {}};
            });
        }
        return {500 * us,
                vocabulary::pack_wait(vocabulary::Verb::join),
                script.call(root, "async_main", main_file, 22),
                0,
                {}};
    });
    play.run(1.0, frames);
    frames.push_back(script.take());
    return frames;
}

Frames service_scene(std::uint64_t app, double seconds) {
    Script script(app, "orders-service", 5'000'000'000'000);
    Frames frames{script.hello()};
    Play play(script);
    std::mt19937 random(static_cast<unsigned>(app) * 7 + 3);
    const auto between = [&](std::uint64_t low, std::uint64_t high) {
        return std::uniform_int_distribution<std::uint64_t>(low, high)(random);
    };

    const auto root = script.task_node(0, "async_main", main_file, 88);
    const auto serve_root = script.task_node(script.call(root, "async_main", main_file, 94), "serve", http, 120);
    const auto handle_root =
        script.task_node(script.call(serve_root, "serve", http, 131), "handle_connection", http, 64);
    const auto handle_read =
        script.call(script.frame(script.call(handle_root, "handle_connection", http, 71), "read_request", http, 31),
                    "read_request", http, 38);
    const auto handle_query_frame =
        script.frame(script.call(handle_root, "handle_connection", http, 78), "query", store, 20);
    const auto handle_query = script.call(handle_query_frame, "query", store, 27);
    const auto handle_write = script.call(handle_root, "handle_connection", http, 84);
    const auto producer_root = script.task_node(script.call(root, "async_main", main_file, 97), "produce", pipe, 15);
    const auto producer_put = script.call(producer_root, "produce", pipe, 22),
               producer_sleep = script.call(producer_root, "produce", pipe, 19);
    const auto consumer_root = script.task_node(script.call(root, "async_main", main_file, 99), "consume", pipe, 34);
    const auto consumer_get = script.call(consumer_root, "consume", pipe, 38);
    script.resource(1, vocabulary::ResourceType::queue);
    const auto report_root =
        script.task_node(script.call(root, "async_main", main_file, 102), "report_metrics", main_file, 40);
    const auto report_sleep = script.call(report_root, "report_metrics", main_file, 44);
    const auto compact_root =
        script.task_node(script.call(root, "async_main", main_file, 104), "compact_store", store, 70);
    const auto compact_sleep = script.call(compact_root, "compact_store", store, 81);
    const auto a_root = script.task_node(script.call(root, "async_main", main_file, 107), "transfer", store, 140);
    const auto b_root = script.task_node(script.call(root, "async_main", main_file, 108), "transfer", store, 140);

    std::deque<std::uint64_t> getters;
    std::uint64_t items = 0;
    const auto produce = [&](std::uint64_t period) {
        return [&, period]() -> Play::Next {
            ++items;
            if (!getters.empty()) {
                const std::uint64_t getter = getters.front();
                getters.pop_front();
                play.wake(getter, play.running());
            }
            if (items > 40)
                return {
                    between(20, 90) * us, vocabulary::pack_wait(vocabulary::Verb::put, 1), producer_put, 12 * ms, {}};
            return {between(30, 200) * us,
                    vocabulary::pack_wait(vocabulary::Verb::timer),
                    producer_sleep,
                    period + between(0, 4 * ms),
                    {}};
        };
    };
    const auto consume = [&] {
        return [&]() -> Play::Next {
            if (items > 0) --items;
            getters.push_back(play.running());
            const bool heavy = between(0, 40) == 0;
            return {heavy ? between(8, 30) * ms : between(200, 2600) * us,
                    vocabulary::pack_wait(vocabulary::Verb::get, 1),
                    consumer_get,
                    0,
                    {}};
        };
    };
    const auto connection = [&](int requests) {
        return [&, requests, phase = 0, served = 0, fd = between(9, 60)]() mutable -> Play::Next {
            switch (phase++ % 3) {
                case 0:
                    if (served++ >= requests)
                        return {between(20, 60) * us, 0, 0, 0,
                                between(0, 12) == 0 ? vocabulary::Outcome::error : vocabulary::Outcome::ok};
                    return {between(20, 80) * us,
                            vocabulary::pack_wait(vocabulary::Verb::descriptor_read, fd),
                            handle_read,
                            between(5, 160) * ms,
                            {}};
                case 1:
                    return {between(60, 900) * us,
                            vocabulary::pack_wait(vocabulary::Verb::job),
                            handle_query,
                            between(1, 14) * ms,
                            {}};
                default:
                    return {between(100, 700) * us,
                            vocabulary::pack_wait(vocabulary::Verb::descriptor_write, fd),
                            handle_write,
                            between(50, 800) * us,
                            {}};
            }
        };
    };
    play.spawn(0, root, "main", [&]() -> Play::Next {
        play.spawn(1, serve_root, "http-server", [&, n = 0]() mutable -> Play::Next {
            const int burst = n++ == 0 ? 10 : between(0, 3) == 0 ? 3 : 1;
            for (int i = 0; i < burst; ++i)
                play.spawn(2, handle_root, "", connection(static_cast<int>(between(3, 30))));
            return {between(40, 160) * us,
                    vocabulary::pack_wait(vocabulary::Verb::descriptor_read, 6),
                    script.call(serve_root, "serve", http, 129),
                    between(60, 400) * ms,
                    {}};
        });
        play.spawn(1, producer_root, "producer-1", produce(7 * ms));
        play.spawn(1, producer_root, "producer-2", produce(11 * ms));
        for (const char* name : {"consumer-1", "consumer-2", "consumer-3"})
            play.spawn(1, consumer_root, name, consume());
        play.spawn(1, report_root, "metrics", [&]() -> Play::Next {
            return {between(300, 900) * us, vocabulary::pack_wait(vocabulary::Verb::timer), report_sleep, 500 * ms, {}};
        });
        play.spawn(1, compact_root, "compactor", [&, n = 0]() mutable -> Play::Next {
            ++n;
            const bool blocks = n % 3 == 0;
            return {blocks ? between(150, 320) * ms : between(2, 12) * ms,
                    vocabulary::pack_wait(vocabulary::Verb::timer),
                    compact_sleep,
                    900 * ms,
                    {}};
        });
        // Two transfers, each of which waits for the other.
        const std::uint64_t a = play.spawn(1, a_root, "transfer-a", {}), b = a + 1;
        (void)a;
        play.spawn(1, b_root, "transfer-b", {});
        const auto transfer = [&](std::uint32_t own, std::uint64_t other) {
            return [&, own, other, n = 0]() mutable -> Play::Next {
                if (n++ == 0)
                    return {300 * us,
                            vocabulary::pack_wait(vocabulary::Verb::timer),
                            script.call(own, "transfer", store, 146),
                            700 * ms,
                            {}};
                return {200 * us,
                        vocabulary::pack_wait(vocabulary::Verb::join, other),
                        script.call(script.frame(script.call(own, "transfer", store, 150), "lock_account", store, 110),
                                    "lock_account", store, 118),
                        0,
                        {}};
            };
        };
        play.replace(a, transfer(a_root, b));
        play.replace(b, transfer(b_root, a));
        return {400 * us,
                vocabulary::pack_wait(vocabulary::Verb::join),
                script.call(root, "async_main", main_file, 112),
                0,
                {}};
    });
    play.run(seconds * 0.4, frames);
    v2::Report& never = script.report(vocabulary::ReportKind::never_awaited);
    never.set_site(script.site("send_receipt", "src/mail.cpp", 22));
    never.set_task(2);
    never.set_stack(script.call(handle_root, "handle_connection", http, 82));
    play.run(seconds * 0.3, frames);
    v2::Report& lost = script.report(vocabulary::ReportKind::exception_never_retrieved);
    lost.set_task(10);
    lost.set_stack(handle_query);
    lost.set_text("std::runtime_error: no route to store");
    play.run(seconds * 0.3, frames);
    frames.push_back(script.take());
    return frames;
}

}  // namespace coroscope::test
