"""Cancellation: when it is thrown, whom it reaches, what is counted."""

import asyncio

from support import *


@case
async def cancel_before_the_first_step():
    async def body():
        say("begins")

    task = asyncio.create_task(body())
    say(task.cancel("early"), task.cancelling())
    await attempt("task", task)
    say(state_of(task), task.cancelling())


@case
async def cancel_twice_before_the_first_step():
    task = asyncio.create_task(forever())
    say(task.cancel("one"), task.cancel("two"), task.cancelling())
    await attempt("task", task)


@case
async def cancel_twice_while_it_waits():
    task = asyncio.create_task(forever())
    await asyncio.sleep(0)
    say(task.cancel("one"), task.cancel("two"), task.cancelling())
    await attempt("task", task)


@case
async def cancel_on_the_turn_of_a_wakeup():
    future = asyncio.get_running_loop().create_future()

    async def body():
        say("got", await future)

    task = asyncio.create_task(body())
    await asyncio.sleep(0)
    future.set_result(1)
    say(task.cancel("late"))
    await attempt("task", task)
    say(state_of(future), "/", state_of(task))


@case
async def cancel_on_the_turn_of_an_event():
    event = asyncio.Event()
    one = asyncio.create_task(noted("one", event.wait()))
    two = asyncio.create_task(noted("two", forever_after(event)))
    await asyncio.sleep(0)
    event.set()
    one.cancel("late")
    await asyncio.sleep(0)
    say(state_of(one), "/", state_of(two))
    two.cancel("later")
    await asyncio.wait([one, two])
    say(state_of(one), "/", state_of(two), event.is_set())


async def forever_after(event):
    await event.wait()
    say("woken")
    await forever()


@case
async def cancel_on_the_turn_of_a_tasks_end():
    inner = asyncio.create_task(value_after(1, 5))
    outer = asyncio.create_task(noted("outer", inner))
    await asyncio.sleep(0)
    inner.add_done_callback(lambda _: say("inner ended; cancel:", outer.cancel("just now")))
    await attempt("outer task", outer)
    say(state_of(inner), "/", state_of(outer))


@case
async def cancel_by_a_callback_that_runs_before_the_waiter():
    inner = asyncio.create_task(value_after(1, 5))
    holder = []
    inner.add_done_callback(lambda _: say("cancel:", holder[0].cancel("before the waiter")))
    holder.append(asyncio.create_task(noted("outer", inner)))
    await attempt("outer task", holder[0])
    say(state_of(inner), "/", state_of(holder[0]))


@case
async def cancel_during_cleanup():
    async def body():
        try:
            await forever()
        finally:
            say("cleanup")
            try:
                await forever()
            except asyncio.CancelledError as error:
                say("again", error)
                raise

    task = asyncio.create_task(body())
    await asyncio.sleep(0)
    task.cancel("one")
    await asyncio.sleep(0)
    task.cancel("two")
    await attempt("task", task)
    say(task.cancelling())


@case
async def cancel_that_is_swallowed():
    async def body():
        try:
            await forever()
        except asyncio.CancelledError as error:
            say("swallowed", error, asyncio.current_task().cancelling())
        await asyncio.sleep(0)
        say("goes on", asyncio.current_task().uncancel())
        return 3

    task = asyncio.create_task(body())
    await asyncio.sleep(0)
    task.cancel("please")
    await attempt("task", task)
    say(state_of(task), task.cancelling())


@case
async def cancel_of_a_chain():
    async def awaits(name, inner):
        try:
            await inner
        except asyncio.CancelledError as error:
            say(name, error)
            raise

    leaf = asyncio.create_task(noted("leaf", forever()))
    middle = asyncio.create_task(awaits("middle", leaf))
    top = asyncio.create_task(awaits("top", middle))
    await turns(3)
    say(top.cancel("from the top"))
    say(leaf.cancelling(), middle.cancelling(), top.cancelling())
    ticks = asyncio.create_task(ticker(5))
    await attempt("awaited", top)
    say(state_of(leaf), state_of(middle), state_of(top))
    await ticks


@case
async def cancel_of_what_others_share():
    shared = asyncio.create_task(forever())
    one = asyncio.create_task(noted("one", shared))
    two = asyncio.create_task(noted("two", shared))
    await asyncio.sleep(0)
    one.cancel("of one")
    await asyncio.wait([one, two])
    say(state_of(shared), shared.cancelling(), one.cancelling(), two.cancelling())


@case
async def cancel_of_what_is_awaited():
    inner = asyncio.create_task(forever())
    outer = asyncio.create_task(noted("outer", inner))
    await turns(2)
    inner.cancel("the inner one")
    await asyncio.wait([outer])
    say(state_of(outer), outer.cancelling(), inner.cancelling())


@case
async def cancel_of_a_chain_whose_leaf_swallows():
    leaf = asyncio.create_task(swallow(9))
    outer = asyncio.create_task(attempt("outer", leaf))
    await turns(2)
    outer.cancel("please")
    await outer
    say(state_of(leaf), leaf.cancelling(), outer.cancelling(), state_of(outer))


@case
async def cancel_turned_into_an_error():
    task = asyncio.create_task(fail_in_cleanup("cleanup"))
    await asyncio.sleep(0)
    task.cancel()
    await attempt("task", task)
    say(task.cancelled(), task.cancelling())


@case
async def cancel_itself_then_return():
    async def body():
        asyncio.current_task().cancel("self")
        return 1

    task = asyncio.create_task(body())
    await attempt("task", task)
    say(state_of(task))


@case
async def cancel_itself_then_raise():
    async def body():
        asyncio.current_task().cancel("self")
        raise FirstError("own")

    task = asyncio.create_task(body())
    await attempt("task", task)
    say(state_of(task), task.cancelling())


@case
async def cancel_itself_then_await():
    done = asyncio.create_task(value_now(4))
    await done

    async def body():
        asyncio.current_task().cancel("self")
        say("awaits a done task", await done)
        say("awaits nothing", await value_now(2))
        await asyncio.sleep(0)
        say("not reached")

    task = asyncio.create_task(body())
    await attempt("task", task)


@case
async def cancel_itself_then_wait_for_an_event_that_is_set():
    async def body():
        event = asyncio.Event()
        event.set()
        queue = asyncio.Queue()
        queue.put_nowait(6)
        asyncio.current_task().cancel("self")
        say(await event.wait())
        say(await queue.get())
        event.clear()
        await event.wait()

    task = asyncio.create_task(body())
    await attempt("task", task)


@case
async def cancel_taken_back_before_it_was_thrown():
    async def body():
        await asyncio.sleep(0)
        say("not cancelled")

    task = asyncio.create_task(body())
    task.cancel("one")
    say(task.uncancel(), task.cancelling())
    await attempt("task", task)
    say(state_of(task))


@case
async def cancel_taken_back_once_of_twice():
    task = asyncio.create_task(forever())
    await asyncio.sleep(0)
    task.cancel("one")
    task.cancel("two")
    say(task.uncancel(), task.cancelling())
    await attempt("task", task)
    say(task.cancelling(), task.uncancel(), task.uncancel())


@case
async def cancel_of_a_task_that_yields():
    async def body():
        for count in range(5):
            say(count)
            await asyncio.sleep(0)

    task = asyncio.create_task(body())
    await turns(2)
    task.cancel("between")
    await attempt("task", task)


@case
async def cancel_comes_again_and_again():
    async def body():
        for _ in range(3):
            try:
                await forever()
            except asyncio.CancelledError as error:
                say("caught", error, asyncio.current_task().cancelling())
        return "survived"

    task = asyncio.create_task(body())
    for count in range(3):
        await asyncio.sleep(0)
        task.cancel(str(count))
    await attempt("task", task)
    say(task.cancelling())


@case
async def cancel_while_it_awaits_a_future_that_is_shared():
    future = asyncio.get_running_loop().create_future()
    one = asyncio.create_task(noted("one", future))
    two = asyncio.create_task(noted("two", future))
    await asyncio.sleep(0)
    two.cancel("of two")
    say(state_of(future))
    await asyncio.wait([one, two])
    say(state_of(one), state_of(two), one.cancelling(), two.cancelling())
    attempt_now("set", lambda: future.set_result(1))


@case
async def cancel_with_an_error_while_cleaning_up_twice():
    async def body():
        try:
            try:
                await forever()
            finally:
                raise FirstError("first cleanup")
        except FirstError as error:
            say(told(error))
            await asyncio.sleep(0)
            raise SecondError("second cleanup")

    task = asyncio.create_task(body())
    await asyncio.sleep(0)
    task.cancel()
    await attempt("task", task)
    say(state_of(task))
