// run(): the entry of a program, as asyncio.run(); Runner: several runs on one loop, as asyncio.Runner.
//
//     int main() { coroscope::run(async_main()); }
//     coroscope::run(async_main(), {.debug = true});   // debug mode, as COROSCOPE=1 in the environment
//
//     coroscope::Runner runner;
//     runner.run(connect());
//     runner.run(serve());          // the same loop and context: tasks of the first run go on in the second
//
// SIGINT (Ctrl-C), as in Python 3.11: the first cancels the main task, so that what is under way is cleaned up. When
// that ended it, the program ends by the signal, as one does that knows nothing of it (RunOptions::sigint decides
// otherwise). The second ends the program at once. Only on the process's first thread, and only if nobody else has said
// what SIGINT is to do.
//
// Thread: any without a running loop. Errors: std::logic_error if a loop runs on this thread already.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "coroscope/loop.hpp"

namespace coroscope {

enum class OnSigint : std::uint8_t {
    end_program,        // by the signal, once the main task and what it left have ended
    throw_interrupted,  // run() throws Interrupted instead: Python's KeyboardInterrupt
    leave,              // SIGINT is none of run()'s business
};

// An aggregate of trivial members, so that it may be written in place.
struct RunOptions {
    bool debug = false;                // also COROSCOPE in the environment
    bool unwind_cancellation = false;  // of the main task: see TaskOptions
    OnSigint sigint = OnSigint::end_program;
};

namespace detail {

void start_debug_for_run() noexcept;
void require_no_running_loop();  // throws std::logic_error

struct SigintCall;

// While it lives, SIGINT cancels the task, once, if RunOptions and the circumstances want that.
class SigintScope {
public:
    SigintScope(EventLoop& loop, const AnyTask& task, OnSigint what);
    ~SigintScope();
    SigintScope(const SigintScope&) = delete;
    SigintScope& operator=(const SigintScope&) = delete;
    void came() noexcept;
    // In a handler of the main task's Cancelled: whether SIGINT, and nobody else, cancelled it.
    bool ended_it() const noexcept;

private:
    AnyTask task_;
    SigintCall* call_ = nullptr;  // nullptr: it came
    bool active_ = false;
    bool came_ = false;
};

[[noreturn]] void end_by_sigint();

// Makes the main task of a run in the context that the runs of a Runner share, and keeps what the task has set there.
class ContextOfRuns {
public:
    explicit ContextOfRuns(std::optional<ContextRef>& kept) : kept_(kept) {
        if (!kept_) kept_ = current_context();
    }
    ~ContextOfRuns() {
        if (task_) *kept_ = task_.control()->context;
    }
    ContextOfRuns(const ContextOfRuns&) = delete;
    ContextOfRuns& operator=(const ContextOfRuns&) = delete;
    template <class Make>
    auto create(Make& make) {
        const WithContext with(*kept_);
        auto task = make();
        task_ = task;
        return task;
    }

private:
    std::optional<ContextRef>& kept_;
    AnyTask task_;
};

}  // namespace detail

template <std::derived_from<EventLoop> Loop = EventLoop>
class Runner {
public:
    Runner() : Runner(RunOptions{}) {}
    explicit Runner(RunOptions options) : options_(options) {
        if (options.debug) detail::start_debug_for_run();
        loop_.emplace();
    }
    // As close(); where a loop runs on this thread, what is left is only dropped, as by the loop's destructor.
    ~Runner() {
        if (detail::running_loop() == nullptr) close();
    }
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    // Runs the coroutine until it is done. Tasks that it leaves stand still until the next run, or close().
    template <class T>
    T run(Coro<T> main, std::source_location where = std::source_location::current()) {
        return run_task<T>([&] { return loop().create_task(options_of_main(where), std::move(main)); });
    }
    template <detail::MovableAwaiter A>
    auto run(A awaiter, std::source_location where = std::source_location::current()) {
        return run(detail::as_coro(std::move(awaiter)), where);
    }
    // For something that makes the coroutine: a function, or a lambda, whose captures are kept, with its arguments.
    template <class F, class... A>
        requires detail::CoroFunction<F, A...>
    auto run(F&& function, A&&... arguments) {
        using T = typename detail::CoroMadeBy<F, A...>::value_type;
        return run_task<T>([&] {
            return loop().create_task(options_of_main(std::source_location::current()), std::forward<F>(function),
                                      std::forward<A>(arguments)...);
        });
    }
    // Cancels the tasks that are left, and runs until they have ended; what they throw is reported. Then ends the loop.
    // Harmless when it is closed already.
    void close() {
        if (!loop_) return;
        loop_->cancel_all_tasks();
        loop_.reset();
    }
    // std::logic_error once it is closed.
    Loop& loop() {
        if (!loop_) throw std::logic_error("Runner: it is closed");
        return *loop_;
    }

private:
    TaskOptions options_of_main(const std::source_location& where) const noexcept {
        return TaskOptions({}, where).unwind_cancellation(options_.unwind_cancellation);
    }
    template <class T, class Make>
    T run_task(Make make) {
        detail::require_no_running_loop();
        {
            detail::ContextOfRuns context(context_);
            const Task<T> task = context.create(make);
            const detail::SigintScope sigint(loop(), task, options_.sigint);
            try {
                return loop_->run_until_complete(task);
            } catch (const Cancelled&) {
                if (!sigint.ended_it()) throw;
            }
        }
        end_interrupted();
    }
    [[noreturn]] void end_interrupted() {
        if (options_.sigint == OnSigint::throw_interrupted) throw Interrupted();
        close();
        detail::end_by_sigint();
    }

    RunOptions options_;
    std::optional<Loop> loop_;
    std::optional<detail::ContextRef> context_;  // of its runs; nothing before the first one
};

// Runs the coroutine on a new loop of the given type until it is done, then cancels what is left and waits for it.
// Returns its value; throws what it threw.
template <std::derived_from<EventLoop> Loop = EventLoop, class T>
T run(Coro<T> main, RunOptions options = {}, std::source_location where = std::source_location::current()) {
    detail::require_no_running_loop();
    Runner<Loop> runner(options);
    return runner.run(std::move(main), where);
}

template <std::derived_from<EventLoop> Loop = EventLoop, detail::MovableAwaiter A>
auto run(A awaiter, RunOptions options = {}, std::source_location where = std::source_location::current()) {
    return run<Loop>(detail::as_coro(std::move(awaiter)), options, where);
}

// For something that makes the coroutine: a function, or a lambda, whose captures are kept.
template <std::derived_from<EventLoop> Loop = EventLoop, detail::CoroFunction F>
auto run(F&& make, RunOptions options = {}) {
    detail::require_no_running_loop();
    Runner<Loop> runner(options);
    return runner.run(std::forward<F>(make));
}

}  // namespace coroscope
