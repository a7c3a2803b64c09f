// Context variables: who sees which value.
#include "tests/conformance/oracle/support.hpp"

namespace coroscope::oracle {
namespace {

ContextVar<std::string> name_var("name", "default");
ContextVar<std::string> bare_var("bare");

Coro<> sees_and_sets(std::string_view label) {
    say(label, "sees", name_var.get());
    name_var.set(std::string(label));
    co_await yield();
    say(label, "sees", name_var.get());
}
CASE(context_of_tasks) {
    name_var.set("parent");
    auto one = create_task(sees_and_sets("one"));
    name_var.set("changed");
    auto two = create_task(sees_and_sets("two"));
    co_await ends_of(one, two);
    say(name_var.get());
}

Coro<> sets_within() {
    name_var.set("set within");
    co_return;
}
CASE(context_of_awaited_coroutines) {
    co_await sets_within();
    say(name_var.get());
    auto task = create_task(sets_within());
    co_await task;
    name_var.set("own");
    co_await gather(sets_within());
    say(name_var.get());
    co_await wait_for(sets_within(), std::nullopt);
    say(name_var.get());
}

CASE(context_of_callbacks) {
    EventLoop& loop = EventLoop::running();
    name_var.set("scheduled");
    loop.call_soon([] { say("call_soon", name_var.get()); });
    loop.call_later(1ms, [] { say("call_later", name_var.get()); });
    auto task = create_task(value_after(1ms, 1));
    task.add_done_callback([](const AnyTask&) { say("done callback", name_var.get()); });
    name_var.set("afterwards");
    co_await sleep(5ms);
    loop.call_soon([] { name_var.set("set in a callback"); });
    co_await turns(1);
    say(name_var.get());
}

CASE(context_tokens) {
    auto first = name_var.set("one");
    auto second = name_var.set("two");
    name_var.reset(second);
    say(name_var.get());
    attempt_now("used", [&] { name_var.reset(second); });
    attempt_now("of another", [&] { bare_var.reset(first); });
    name_var.reset(first);
    say(name_var.get());
    attempt_now("not set", [&] { return bare_var.get(); });
    say(bare_var.get("given"));
    auto token = bare_var.set("set");
    bare_var.reset(token);
    attempt_now("not set again", [&] { return bare_var.get(); });
    co_return;
}

Coro<> resets(ContextVar<std::string>::Token& token) {
    attempt_now("reset", [&] { name_var.reset(token); });
    say(name_var.get());
    co_return;
}
CASE(context_token_of_another_context) {
    auto token = name_var.set("outside");
    auto child = create_task(resets(token));
    co_await child;
    say(name_var.get());
}
DIFFERS(context_token_of_another_context, "context.hpp",
        "Python's refuses a token of another context, too; here contexts are values",
        {"-reset raised misuse", "-outside", "+reset -> None", "+default"});

CASE(context_copied) {
    name_var.set("before");
    auto copy = copy_context();
    name_var.set("after");
    say(copy.run([] { return name_var.get(); }), name_var.get());
    copy.run([] { name_var.set("in the copy"); });
    say(copy.run([] { return name_var.get(); }), name_var.get());
    co_return;
}

AsyncGenerator<int> sets_and_sees() {
    name_var.set("by the generator");
    co_yield 1;
    say("generator sees", name_var.get());
    co_yield 2;
}
CASE(context_of_a_generator) {
    auto generator = sets_and_sees();
    co_await generator.next();
    say(name_var.get());
    name_var.set("by the loop");
    co_await generator.next();
    co_await generator.aclose();
}

Coro<> sees() {
    say(name_var.get());
    co_return;
}
CASE(context_of_a_group) {
    name_var.set("group");
    TaskGroup group;
    group.create_task(sees());
    name_var.set("later");
    group.create_task(sees());
    co_await group.join();
}

}  // namespace
}  // namespace coroscope::oracle
