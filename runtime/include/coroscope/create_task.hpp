// create_task(): makes a task of a coroutine object, or of a callable with its arguments. asyncio.create_task.
//
//     Task<int> a = create_task(compute(7));                     // a coroutine object
//     Task<int> b = create_task(compute, 7);                     // the call itself; b keeps function and arguments
//     Task<int> c = create_task([&data] { return use(data); });  // captures are safe: c keeps the lambda
//     Task<int> d = create_task(named("worker"), compute, 7);    // with a name, or other options
//     Task<> e = create_task(event.wait());                      // what else can be awaited, but no Future: as asyncio
//
// A coroutine refers to its lambda's captures and to what its reference parameters were given; when a task is made of
// the call, it keeps both until its last handle goes. Arguments are copied or moved, and converted to what a function's
// parameters want at once; std::ref() passes a reference. The task begins at the loop's next turn. It takes its place
// of creation from the caller. Thread: the loop's. Not a cancellation point. Errors: std::logic_error if no loop runs
// on this thread, or if the coroutine object was moved from.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <source_location>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "coroscope/task.hpp"

namespace coroscope {

// How a task is to be made. asyncio's keyword arguments. `name` must live until create_task() returns.
class TaskOptions {
public:
    explicit TaskOptions(std::string_view name = {},
                         std::source_location where = std::source_location::current()) noexcept
        : name_(name), where_(where) {}

    // Cancelling the task destroys its frames instead of throwing Cancelled: destructors run, innermost first, catch
    // blocks do not. That costs some ten nanoseconds a frame, while a throw costs a thousand.
    //
    // Only for code that cleans up in destructors: an `await` in a catch block, and what async_with() closes, is
    // skipped, unless it stands in a ThrowingCancellation scope. Cancelled is thrown nevertheless where somebody in the
    // task has to catch it: by a Timeout that expires in it, and while a TaskGroup in it has tasks, so that no scope is
    // left while its tasks run; also if what it waited for had happened already when it was cancelled, and through more
    // than 1000 frames. Whoever awaits the task gets Cancelled as ever; AnyTask::wait() waits without a throw.
    TaskOptions& unwind_cancellation(bool on = true) noexcept {
        unwinds_ = on;
        return *this;
    }

    std::string_view name() const noexcept { return name_; }
    const std::source_location& where() const noexcept { return where_; }
    bool unwinds() const noexcept { return unwinds_; }

private:
    std::string_view name_;
    std::source_location where_;
    bool unwinds_ = false;
};

inline TaskOptions named(std::string_view name, std::source_location where = std::source_location::current()) noexcept {
    return TaskOptions(name, where);
}

namespace detail {

template <class T>
struct IsReferenceWrapper : std::false_type {};
template <class T>
struct IsReferenceWrapper<std::reference_wrapper<T>> : std::true_type {};

// The type an argument is stored as. For a plain function that is the parameter's type, so the conversion happens now;
// if it happened at the call, a reference parameter would refer to a temporary that dies before the coroutine does.
template <class Parameter, class Argument>
using KeptForParameter =
    std::conditional_t<IsReferenceWrapper<Argument>::value || (std::is_lvalue_reference_v<Parameter> &&
                                                               !std::is_const_v<std::remove_reference_t<Parameter>>),
                       Argument, std::remove_cvref_t<Parameter>>;

template <class F, class... Arguments>
struct KeptArguments {
    using Type = std::tuple<Arguments...>;
};
template <class R, class... Parameters, class... Arguments>
    requires(sizeof...(Parameters) == sizeof...(Arguments))
struct KeptArguments<R (*)(Parameters...), Arguments...> {
    using Type = std::tuple<KeptForParameter<Parameters, Arguments>...>;
};

// A callable with its arguments, to which the coroutine it makes may refer for as long as the task exists.
template <class F, class... Arguments>
class KeptCall final : public TaskExtras {
public:
    template <class G, class... As>
    explicit KeptCall(G&& function, As&&... arguments)
        : function_(std::forward<G>(function)), arguments_(std::forward<As>(arguments)...) {}
    auto call() { return as_coro(std::apply(function_, std::move(arguments_))); }

private:
    F function_;
    typename KeptArguments<F, Arguments...>::Type arguments_;
};

// The coroutine that a function makes.
template <class F, class... A>
using CoroMadeBy = CoroOf<std::invoke_result_t<std::decay_t<F>&, std::decay_t<A>...>>;
template <class F, class... A>
concept CoroFunction = requires { typename CoroMadeBy<F, A...>; };
// What a task can be made of without arguments: a coroutine object that may be consumed, or a function that makes one.
template <class W>
concept CoroOrFunction = IsCoro<W>::value || MovableAwaiter<W> || CoroFunction<W>;

// Stands for an argument that was not given.
struct NoArgument {};
template <class A>
concept Given = !std::is_same_v<std::remove_cvref_t<A>, NoArgument>;

// The arguments that were given, which come first, as a tuple of references.
template <class... A>
auto given(A&&... arguments) noexcept {
    return std::tuple_cat([]<class B>(B&& argument) {
        if constexpr (Given<B>) {
            return std::tuple<B&&>(std::forward<B>(argument));
        } else {
            return std::tuple<>();
        }
    }(std::forward<A>(arguments))...);
}
template <class F, class Arguments>
struct IsCoroCall;
template <class F, class... A>
struct IsCoroCall<F, std::tuple<A...>> : std::bool_constant<CoroFunction<F, A...>> {};
// With arguments, where the second one could not be meant as a name.
template <class F, class... A>
concept CoroCall = !CoroFunction<F> && IsCoroCall<F, decltype(given(std::declval<A>()...))>::value;

template <class T>
Task<T> spawn_coro(EventLoop* loop, Coro<T>&& coro, std::unique_ptr<TaskExtras> extras, std::string_view name,
                   const std::source_location& where) {
    Promise<T>* promise = coro.release();
    if (promise == nullptr) throw std::logic_error("create_task: the coroutine object was moved from");
    return Task<T>(AnyTask::adopt(spawn(loop, *promise, std::move(extras), name, where)));
}

template <class T>
Task<T> spawn_coro(EventLoop* loop, Coro<T>&& coro, std::unique_ptr<TaskExtras> extras, const TaskOptions& options) {
    Task<T> task = spawn_coro(loop, std::move(coro), std::move(extras), options.name(), options.where());
    if (options.unwinds()) task.control()->unwinds = true;
    return task;
}

// The ways to make a task, for a Maker that has make_task(Coro<T>&&, std::unique_ptr<TaskExtras>, const TaskOptions&)
// and before_make_task(), which may throw. Of a call with more arguments than the second one takes: with options.
template <class Maker>
class CreatesTasks {
public:
    template <CoroOrFunction W>
    auto create_task(W&& work, std::string_view name = {},
                     std::source_location where = std::source_location::current()) {
        return make(TaskOptions(name, where), std::forward<W>(work));
    }
    // A parameter pack cannot stand in front of `where`, hence the defaults.
    template <class F, class A, class B = NoArgument, class C = NoArgument, class D = NoArgument, class E = NoArgument,
              class G = NoArgument>
        requires CoroCall<F, A, B, C, D, E, G>
    auto create_task(F&& function, A&& a, B&& b = {}, C&& c = {}, D&& d = {}, E&& e = {}, G&& g = {},
                     std::source_location where = std::source_location::current()) {
        return std::apply(
            [&]<class... Arguments>(Arguments&&... arguments) {
                return make(TaskOptions({}, where), std::forward<F>(function), std::forward<Arguments>(arguments)...);
            },
            given(std::forward<A>(a), std::forward<B>(b), std::forward<C>(c), std::forward<D>(d), std::forward<E>(e),
                  std::forward<G>(g)));
    }
    // Any number of arguments.
    template <class W, class... A>
        requires CoroOrFunction<W> || CoroFunction<W, A...>
    auto create_task(const TaskOptions& options, W&& work, A&&... arguments) {
        return make(options, std::forward<W>(work), std::forward<A>(arguments)...);
    }

private:
    Maker& maker() noexcept { return static_cast<Maker&>(*this); }

    template <class T>
    Task<T> make(const TaskOptions& options, Coro<T>&& coro) {
        try {
            maker().before_make_task();
        } catch (...) {
            coro.close();  // as in asyncio: the error says enough, it is not reported as never awaited
            throw;
        }
        return maker().make_task(std::move(coro), nullptr, options);
    }
    template <MovableAwaiter A>
    auto make(const TaskOptions& options, A&& awaiter) {
        return make(options, as_coro(std::forward<A>(awaiter)));
    }
    template <class F, class... A>
        requires CoroFunction<F, A...>
    auto make(const TaskOptions& options, F&& function, A&&... arguments) {
        maker().before_make_task();
        auto extras = std::make_unique<KeptCall<std::decay_t<F>, std::decay_t<A>...>>(std::forward<F>(function),
                                                                                      std::forward<A>(arguments)...);
        auto coro = extras->call();
        return maker().make_task(std::move(coro), std::move(extras), options);
    }
};

class CreatesOnRunningLoop : public CreatesTasks<CreatesOnRunningLoop> {
public:
    void before_make_task() const {
        if (running_loop() == nullptr) throw_no_running_loop();
    }
    template <class T>
    Task<T> make_task(Coro<T>&& coro, std::unique_ptr<TaskExtras> extras, const TaskOptions& options) const {
        return spawn_coro(nullptr, std::move(coro), std::move(extras), options);
    }
};

}  // namespace detail

// On the running loop. These forward: for the meaning see above.
template <detail::CoroOrFunction W>
auto create_task(W&& work, std::string_view name = {}, std::source_location where = std::source_location::current()) {
    if constexpr (detail::IsCoro<W>::value) {  // the usual way, and the short one
        return detail::spawn_coro(nullptr, std::forward<W>(work), nullptr, name, where);
    } else if constexpr (detail::MovableAwaiter<W>) {
        return detail::spawn_coro(nullptr, detail::as_coro(std::forward<W>(work)), nullptr, name, where);
    } else {
        return detail::CreatesOnRunningLoop().create_task(std::forward<W>(work), name, where);
    }
}
template <class F, class A, class B = detail::NoArgument, class C = detail::NoArgument, class D = detail::NoArgument,
          class E = detail::NoArgument, class G = detail::NoArgument>
    requires detail::CoroCall<F, A, B, C, D, E, G>
auto create_task(F&& function, A&& a, B&& b = {}, C&& c = {}, D&& d = {}, E&& e = {}, G&& g = {},
                 std::source_location where = std::source_location::current()) {
    return detail::CreatesOnRunningLoop().create_task(std::forward<F>(function), std::forward<A>(a), std::forward<B>(b),
                                                      std::forward<C>(c), std::forward<D>(d), std::forward<E>(e),
                                                      std::forward<G>(g), where);
}
template <class W, class... A>
    requires detail::CoroOrFunction<W> || detail::CoroFunction<W, A...>
auto create_task(const TaskOptions& options, W&& work, A&&... arguments) {
    return detail::CreatesOnRunningLoop().create_task(options, std::forward<W>(work), std::forward<A>(arguments)...);
}

// For the sentence that the compiler says.
template <class T, class... A>
void create_task(Coro<T>&, A&&...) {
    static_assert(detail::always_false<T>,
                  "a task consumes its Coro: of a variable, write create_task(std::move(coro))");
}

}  // namespace coroscope
