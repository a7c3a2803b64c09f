// An app of one loop on thread 1 whose program is that of tests/model/batches.hpp, and what the rules find in it.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "agent/analysis/problem.hpp"
#include "tests/model/batches.hpp"

namespace coroscope::analysis::test {

using model::test::BatchBuilder;

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t s = 1'000 * ms;

class AppUnderTest {
public:
    // Task 1 is app_main; task 2 a worker that it created at main.cpp:11. Both wait: at main.cpp:12, and at
    // worker.cpp:33.
    AppUnderTest() {
        app_.key = 5;
        app_.name = "app";
        app_.connected = true;
        v2::Hello hello;
        hello.set_slow_step_ns(100 * ms);
        app_.model.set_hello(hello);
        BatchBuilder b(++sequence_);
        model::test::define_program(b);
        b.loop_started(1000, 7).created(1000, 1, 0, 1).begin(1001, 1).created(1002, 2, 1, 3).named(1002, 2, 1);
        b.end(1003, 1, vocabulary::Verb::join, 2, 4).begin(1004, 2).end(1005, 2, vocabulary::Verb::timer, 0, 7);
        b.poll_begin(1010).poll_end(1020, 0);
        app_.model.apply(b);
    }

    BatchBuilder next() { return BatchBuilder(++sequence_); }
    void apply(const v2::Batch& batch) { app_.model.apply(batch); }
    model::App& app() { return app_; }
    const model::Model& model() { return app_.model; }

    std::vector<Problem> problems() { return find_problems(app_.key, app_); }
    std::vector<Problem> problems(const std::string& kind) {
        std::vector<Problem> all = problems();
        std::erase_if(all, [&](const Problem& problem) { return problem.kind != kind; });
        return all;
    }

private:
    model::App app_;
    std::uint64_t sequence_ = 0;
};

inline std::string at(const Place& place) {
    return place.function + " " + place.file + ":" + std::to_string(place.line);
}
inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace coroscope::analysis::test
