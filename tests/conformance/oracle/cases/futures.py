"""Futures: their states, who is woken, what a cancellation does."""

import asyncio

from support import *


def new_future():
    return asyncio.get_running_loop().create_future()


@case
async def future_states():
    future = new_future()
    say(state_of(future), future.done(), future.cancelled())
    attempt_now("result", future.result)
    attempt_now("exception", future.exception)
    future.set_result(1)
    say(state_of(future), future.done())
    attempt_now("set again", lambda: future.set_result(2))
    attempt_now("fail", lambda: future.set_exception(FirstError("late")))
    say(future.cancel())
    failed = new_future()
    failed.set_exception(FirstError("broken"))
    say(state_of(failed))
    attempt_now("result", failed.result)
    cancelled = new_future()
    say(cancelled.cancel("enough"), cancelled.cancel("again"))
    attempt_now("result", cancelled.result)
    attempt_now("set", lambda: cancelled.set_result(1))


@case
async def future_wakes_in_order():
    future = new_future()
    tasks = [asyncio.create_task(attempt(name, future)) for name in ("one", "two")]
    await turns(1)
    future.add_done_callback(lambda _: say("callback"))
    tasks.append(asyncio.create_task(attempt("three", future)))
    await turns(1)
    future.set_result(7)
    say("set")
    await asyncio.wait(tasks)


@case
async def future_callback_after_it_is_done():
    future = new_future()
    future.set_result(3)
    future.add_done_callback(lambda done: say("callback", done.result()))
    say("added")
    await turns(1)
    say("a turn later")


@case
async def future_awaited_twice_by_one():
    future = new_future()
    future.set_exception(FirstError("broken"))
    await attempt("first", future)
    await attempt("second", future)


@case
async def future_set_then_its_waiter_is_cancelled():
    future = new_future()
    task = asyncio.create_task(noted("task", future))
    await turns(1)
    future.set_exception(FirstError("broken"))
    task.cancel("late")
    await attempt("awaited", task)
    say(state_of(future))


@case
async def future_cancelled_with_a_message():
    future = new_future()
    one = asyncio.create_task(noted("one", future))
    two = asyncio.create_task(noted("two", future))
    await turns(1)
    future.cancel("the future")
    await asyncio.wait([one, two])
    say(state_of(one), one.cancelling())


@case
async def future_callback_sets_another():
    first, second = new_future(), new_future()
    first.add_done_callback(lambda done: second.set_result(done.result() + 1))
    task = asyncio.create_task(attempt("second", second))
    await turns(1)
    first.set_result(1)
    say(state_of(second))
    await task


@case
async def future_callback_that_raises():
    asyncio.get_running_loop().set_exception_handler(lambda _, context: say("handler:", told(context["exception"])))

    def broken(_):
        raise FirstError("callback")

    future = new_future()
    future.add_done_callback(broken)
    future.add_done_callback(lambda _: say("the next one"))
    future.set_result(1)
    await turns(1)
    say(state_of(future))


@case
async def future_that_nobody_looked_at():
    asyncio.get_running_loop().set_exception_handler(lambda _, context: say("handler:", told(context["exception"])))
    future = new_future()
    future.set_exception(FirstError("lost"))
    del future
    await turns(1)
    future = new_future()
    future.set_exception(FirstError("seen"))
    say(told(future.exception()))
    del future
    await turns(1)
    future = new_future()
    future.cancel()
    del future
    await turns(1)
    task = asyncio.create_task(fail_now("task"))
    await turns(2)
    del task
    await turns(1)
    say("end")
