// Queues: who gets which item, what waits, what is counted.
#include "tests/conformance/oracle/support.hpp"

namespace coroscope::oracle {
namespace {

template <class Q>
Coro<> get_from(std::string_view name, Q& queue, int count = 1) {
    for (int got = 0; got < count; ++got) {
        const auto item = co_await queue.get();
        say(name, "got", item);
    }
}
template <class Q, class... Items>
Coro<> put_into(std::string_view name, Q& queue, Items... items) {
    for (const auto item : {items...}) {
        co_await queue.put(item);
        say(name, "put", item);
    }
}

CASE(queue_serves_getters_in_order) {
    Queue<int> queue;
    auto a = create_task(get_from("a", queue));
    auto b = create_task(get_from("b", queue));
    auto c = create_task(get_from("c", queue));
    co_await turns(1);
    for (int item = 0; item < 3; ++item) queue.put_nowait(item);
    co_await ends_of(a, b, c);
}

CASE(queue_serves_putters_in_order) {
    Queue<std::string_view> queue(1);
    auto a = create_task(put_into("a", queue, std::string_view("a")));
    auto b = create_task(put_into("b", queue, std::string_view("b")));
    auto c = create_task(put_into("c", queue, std::string_view("c")));
    co_await turns(2);
    say(queue.qsize(), queue.full());
    for (int count = 0; count < 3; ++count) {
        const auto item = co_await queue.get();
        say("main got", item);
        co_await turns(2);
    }
    say(queue.empty());
    co_await ends_of(a, b, c);
}

CASE(queue_level_while_an_item_is_handed_over) {
    Queue<int> queue;
    auto getter = create_task(get_from("getter", queue));
    co_await turns(1);
    queue.put_nowait(1);
    say(queue.qsize(), queue.empty());
    co_await getter;
    say(queue.qsize(), queue.empty());
}
DIFFERS(queue_level_while_an_item_is_handed_over, "queue.hpp",
        "Unlike asyncio's, an item goes straight to the task that waits for it: no other task can take it before that "
        "task runs.",
        {"-1 False", "+0 True"});

CASE(queue_item_taken_before_the_getter_runs) {
    Queue<int> queue;
    auto getter = create_task(get_from("getter", queue));
    co_await turns(1);
    queue.put_nowait(1);
    attempt_now("main", [&] { return queue.get_nowait(); });
    queue.put_nowait(2);
    co_await getter;
    say(queue.qsize());
}
DIFFERS(queue_item_taken_before_the_getter_runs, "queue.hpp",
        "Unlike asyncio's, an item goes straight to the task that waits for it: no other task can take it before that "
        "task runs.",
        {"-main -> 1", "-getter got 2", "-0", "+main raised QueueEmpty", "+getter got 1", "+1"});

CASE(queue_room_taken_before_the_putter_runs) {
    Queue<int> queue(1);
    queue.put_nowait(1);
    auto putter = create_task(put_into("putter", queue, 2));
    co_await turns(1);
    say(queue.get_nowait());
    say(queue.qsize(), queue.full());
    attempt_now("main", [&] { queue.put_nowait(3); });
    co_await turns(3);
    say(state_of(putter), queue.qsize());
    while (!queue.empty()) {
        say(queue.get_nowait());
        co_await turns(2);
    }
    co_await putter;
}
DIFFERS(queue_room_taken_before_the_putter_runs, "queue.hpp",
        "So does room: the item of the first task that waits in put() is in the queue at once, also if that task is "
        "cancelled before it runs.",
        {"-0 False", "-main -> None", "-pending 1", "-3", "+1 True", "+main raised QueueFull", "+returned: None 1"});

CASE(queue_getter_cancelled) {
    Queue<int> queue;
    auto one = create_task(get_from("one", queue));
    auto two = create_task(get_from("two", queue));
    co_await turns(1);
    one.cancel("enough");
    queue.put_nowait(1);
    co_await attempt("one", one);
    co_await two;
    say(queue.qsize());
}

CASE(queue_getter_cancelled_while_an_item_is_handed_over) {
    Queue<int> queue;
    auto one = create_task(get_from("one", queue));
    auto two = create_task(get_from("two", queue));
    co_await turns(1);
    queue.put_nowait(1);
    queue.put_nowait(2);
    one.cancel("enough");
    co_await attempt("one", one);
    co_await two;
    const auto left = queue.qsize();
    say(left, queue.get_nowait());
}

CASE(queue_only_getter_cancelled_while_an_item_is_handed_over) {
    Queue<int> queue;
    auto one = create_task(get_from("one", queue));
    co_await turns(1);
    queue.put_nowait(1);
    one.cancel("enough");
    co_await attempt("one", one);
    say(queue.qsize());
    say(co_await queue.get());
}

CASE(queue_putter_cancelled) {
    Queue<int> queue(1);
    queue.put_nowait(0);
    auto one = create_task(put_into("one", queue, 1));
    auto two = create_task(put_into("two", queue, 2));
    co_await turns(1);
    one.cancel("enough");
    co_await attempt("one", one);
    say(queue.get_nowait());
    co_await two;
    const int item = queue.get_nowait();
    say(item, queue.qsize());
}

CASE(queue_putter_cancelled_when_there_is_room) {
    Queue<int> queue(1);
    queue.put_nowait(0);
    auto one = create_task(put_into("one", queue, 1));
    auto two = create_task(put_into("two", queue, 2));
    co_await turns(1);
    say(queue.get_nowait());
    one.cancel("late");
    co_await attempt("one", one);
    co_await turns(2);
    say(queue.qsize());
    while (!queue.empty()) {
        say(queue.get_nowait());
        co_await turns(2);
    }
    co_await two;
}
DIFFERS(queue_putter_cancelled_when_there_is_room, "queue.hpp",
        "So does room: the item of the first task that waits in put() is in the queue at once, also if that task is "
        "cancelled before it runs.",
        {"-two put 2", "+one put 1", "+1", "+two put 2"});

CASE(queue_nowait) {
    Queue<int> queue(2);
    attempt_now("get", [&] { return queue.get_nowait(); });
    queue.put_nowait(1);
    queue.put_nowait(2);
    attempt_now("put", [&] { queue.put_nowait(3); });
    say(queue.full(), queue.qsize(), queue.maxsize());
    const int one = queue.get_nowait(), two = queue.get_nowait();
    say(one, two);
    attempt_now("get", [&] { return queue.get_nowait(); });
    co_return;
}

CASE(queue_takes_no_turn) {
    auto ticks = create_task(ticker(2));
    Queue<int> queue(2);
    co_await put_into("main", queue, 1, 2);
    co_await get_from("main", queue, 2);
    co_await ticks;
}

CASE(queue_passes_between_two) {
    Queue<int> queue(1);
    co_await gather(put_into("producer", queue, 1, 2, 3, 4), get_from("consumer", queue, 4));
}
DIFFERS(queue_passes_between_two, "queue.hpp",
        "Unlike asyncio's, an item goes straight to the task that waits for it: no other task can take it before that "
        "task runs.",
        {"-producer put 2", "+producer put 2", "-consumer got 3", "+consumer got 3"});

CASE(queue_passes_between_two_without_a_bound) {
    Queue<int> queue;
    co_await gather(get_from("consumer", queue, 3), put_into("producer", queue, 1, 2, 3));
}

CASE(queue_join_waits_for_all) {
    Queue<int> queue;
    for (int item = 0; item < 3; ++item) queue.put_nowait(item);
    auto joining = create_task(noted("join", queue.join()));
    for (int count = 0; count < 3; ++count) {
        co_await turns(1);
        say(queue.get_nowait(), state_of(joining));
        queue.task_done();
    }
    say(state_of(joining));
    co_await joining;
    attempt_now("once more", [&] { queue.task_done(); });
    co_await queue.join();
}

CASE(queue_join_and_items_that_come_meanwhile) {
    Queue<int> queue;
    queue.put_nowait(1);
    auto joining = create_task(noted("join", queue.join()));
    co_await turns(1);
    queue.get_nowait();
    queue.put_nowait(2);
    queue.task_done();
    co_await turns(2);
    say(state_of(joining));
    queue.get_nowait();
    queue.task_done();
    queue.put_nowait(3);
    co_await turns(2);
    say(state_of(joining), queue.qsize());
}

CASE(queue_of_priorities) {
    PriorityQueue<int> queue;
    for (const int item : {5, 1, 4, 2, 3}) queue.put_nowait(item);
    auto getter = create_task(get_from("getter", queue, 7));
    co_await turns(1);
    queue.put_nowait(9);
    queue.put_nowait(8);
    co_await getter;
}
DIFFERS(queue_of_priorities, "queue.hpp",
        "Unlike asyncio's, an item goes straight to the task that waits for it: no other task can take it before that "
        "task runs.",
        {"-getter got 8", "+getter got 8"});

CASE(queue_last_in_first_out) {
    LifoQueue<int> queue(3);
    auto putter = create_task(put_into("putter", queue, 1, 2, 3, 4));
    co_await turns(2);
    say(queue.full());
    for (int count = 0; count < 4; ++count) {
        say(co_await queue.get());
        co_await turns(2);
    }
    co_await putter;
}

CASE(queue_getters_and_a_burst) {
    Queue<int> queue;
    auto getter = create_task(get_from("getter", queue, 3));
    co_await turns(1);
    for (int item = 0; item < 3; ++item) queue.put_nowait(item);
    say("put three", queue.qsize());
    auto late = create_task(get_from("late", queue, 1));
    co_await turns(3);
    say(state_of(getter), state_of(late));
    queue.put_nowait(3);
    co_await ends_of(getter, late);
}
DIFFERS(queue_getters_and_a_burst, "queue.hpp",
        "Unlike asyncio's, an item goes straight to the task that waits for it: no other task can take it before that "
        "task runs.",
        {"-put three 3", "+put three 2"});

CASE(queue_with_a_limit) {
    Queue<int> queue;
    co_await attempt("get", wait_for(queue.get(), 5ms));
    queue.put_nowait(1);
    say(queue.qsize());
    co_await attempt("get", wait_for(queue.get(), 5ms));
}

}  // namespace
}  // namespace coroscope::oracle
