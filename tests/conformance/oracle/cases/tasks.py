"""Tasks: the order in which they begin and end, their states, their callbacks."""

import asyncio

from support import *


@case
async def task_order_of_begin():
    async def body(name):
        say(name, "begins")
        await asyncio.sleep(0)
        say(name, "goes on")

    loop = asyncio.get_running_loop()
    one = asyncio.create_task(body("one"))
    loop.call_soon(say, "callback")
    two = asyncio.create_task(body("two"))
    say("created")
    await one
    await two


@case
async def task_await_of_a_done_task_takes_no_turn():
    task = asyncio.create_task(value_now(1))
    ticks = asyncio.create_task(ticker(4))
    await asyncio.sleep(0)
    say("before")
    say(await task)
    say(await task)
    say("after")
    await ticks


@case
async def task_await_takes_a_turn():
    ticks = asyncio.create_task(ticker(6))
    task = asyncio.create_task(nothing())
    say("before")
    await task
    say("after")
    await asyncio.create_task(turns(1))
    say("after another")
    await ticks


@case
async def task_states():
    task = asyncio.create_task(value_now(5))
    say(state_of(task))
    attempt_now("result", task.result)
    attempt_now("exception", task.exception)
    await task
    say(state_of(task), task.cancelling())
    failed = asyncio.create_task(fail_now("broken"))
    await asyncio.wait([failed])
    say(state_of(failed), failed.cancelled(), failed.done())
    attempt_now("result", failed.result)
    cancelled = asyncio.create_task(forever())
    await asyncio.sleep(0)
    say(cancelled.cancel("enough"), state_of(cancelled), cancelled.done(), cancelled.cancelled())
    await asyncio.wait([cancelled])
    say(state_of(cancelled), cancelled.done())
    attempt_now("result", cancelled.result)
    attempt_now("exception", cancelled.exception)
    say(cancelled.cancel(), task.cancel(), task.cancelling(), cancelled.cancelling())


@case
async def task_awaits_itself():
    async def body():
        await task

    task = asyncio.create_task(body())
    await asyncio.wait([task])
    say(state_of(task))


@case
async def task_callbacks_and_waiters_in_order():
    task = asyncio.create_task(value_after(5, 7))
    task.add_done_callback(lambda done: say("callback one", state_of(done)))
    one = asyncio.create_task(attempt("waiter one", task))
    await asyncio.sleep(0)
    task.add_done_callback(lambda done: say("callback two", state_of(done)))
    two = asyncio.create_task(attempt("waiter two", task))
    await asyncio.sleep(0)
    task.add_done_callback(lambda done: say("callback three", state_of(done)))
    await one
    await two


@case
async def task_callback_of_a_done_task_comes_later():
    task = asyncio.create_task(nothing())
    await task
    task.add_done_callback(lambda done: say("callback"))
    say("added")
    await asyncio.sleep(0)
    say("a turn later")


@case
async def task_callback_that_raises():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: say("handler:", told(context["exception"])))

    def broken(_):
        raise FirstError("callback")

    task = asyncio.create_task(nothing())
    task.add_done_callback(broken)
    task.add_done_callback(lambda _: say("the next one"))
    await task
    await turns(2)
    say(state_of(task))


@case
async def task_callback_adds_another():
    task = asyncio.create_task(nothing())

    def first(done):
        say("first")
        done.add_done_callback(lambda _: say("added in a callback"))

    task.add_done_callback(first)
    task.add_done_callback(lambda _: say("second"))
    await task
    say("awaited")
    await turns(2)


@case
async def task_callback_has_no_current_task():
    task = asyncio.create_task(nothing())
    task.add_done_callback(lambda _: say("in a callback", asyncio.current_task() is not None))
    await task
    await turns(2)
    say("in a task", asyncio.current_task() is not None)


@case
async def task_error_comes_to_all_who_wait():
    task = asyncio.create_task(fail_after(1, "broken"))
    await asyncio.gather(attempt("one", task), attempt("two", task), attempt("three", task))
    await attempt("late", task)


@case
async def task_that_raises_cancelled_is_cancelled():
    async def body():
        await asyncio.sleep(0)
        raise asyncio.CancelledError("by itself")

    task = asyncio.create_task(body())
    await attempt("task", task)
    say(state_of(task), task.cancelling())


@case
async def task_names():
    async def body():
        say(asyncio.current_task().get_name())
        asyncio.current_task().set_name("renamed")

    task = asyncio.create_task(body(), name="first")
    say(task.get_name())
    await task
    say(task.get_name())


@case
async def task_all_tasks():
    first = asyncio.create_task(forever(), name="first")
    second = asyncio.create_task(nothing(), name="second")
    say(len(asyncio.all_tasks()))
    await second
    say(len(asyncio.all_tasks()))
    first.cancel()
    say(len(asyncio.all_tasks()))
    await asyncio.wait([first])
    say(len(asyncio.all_tasks()))


@case
async def task_made_in_a_callback_begins_after_what_is_ready():
    async def body(name):
        say(name)

    loop = asyncio.get_running_loop()
    made = []
    loop.call_soon(lambda: made.append(asyncio.create_task(body("made in the callback"))))
    ready = asyncio.create_task(body("made before"))
    await asyncio.sleep(0)
    say("main")
    await ready
    await made[0]


@case
async def task_wakes_in_order_of_the_timers():
    async def body(name, delay):
        await asyncio.sleep(ms(delay))
        say(name, now_ms())

    tasks = [
        asyncio.create_task(body(name, delay))
        for name, delay in (("a", 3), ("b", 1), ("c", 3), ("d", 2), ("e", 1), ("f", 0))
    ]
    await asyncio.wait(tasks)


@case
async def task_error_in_turn_of_its_waiter():
    async def waiter(task):
        try:
            await task
        except FirstError:
            say("caught")
            await asyncio.sleep(0)
            say("goes on")
            raise SecondError("own")

    inner = asyncio.create_task(fail_now("inner"))
    outer = asyncio.create_task(waiter(inner))
    await attempt("outer", outer)
    say(state_of(inner), "/", state_of(outer))
