"""timeout(), wait_for() and shield()."""

import asyncio

from support import *


async def limited(delay, coro):
    async with asyncio.timeout(delay):
        return await coro


@case
async def timeout_that_expires():
    async def use():
        async with asyncio.timeout(ms(5)) as limit:
            try:
                await forever()
            except asyncio.CancelledError:
                say("cancelled", limit.expired(), asyncio.current_task().cancelling(), now_ms())
                raise

    await attempt("limit", use())
    say(asyncio.current_task().cancelling())


@case
async def timeout_that_is_swallowed():
    async def use():
        async with asyncio.timeout(ms(5)) as limit:
            await swallow(1)
            say("goes on", limit.expired(), asyncio.current_task().cancelling())
            await asyncio.sleep(ms(1))
        say("after", limit.expired(), asyncio.current_task().cancelling(), now_ms())

    await attempt("limit", use())


@case
async def timeout_whose_cleanup_fails():
    async def use():
        async with asyncio.timeout(ms(5)):
            await fail_in_cleanup("cleanup", 1)

    await attempt("limit", use())
    say(asyncio.current_task().cancelling())
    await asyncio.sleep(0)
    say("goes on")


@case
async def timeout_of_zero():
    async def use():
        async with asyncio.timeout(0):
            say("begins")
            await asyncio.sleep(0)
            say("after a turn")
            await asyncio.sleep(0)
            say("after two turns")

    await attempt("limit", use())

    async def no_await():
        async with asyncio.timeout(0):
            say("no await")
            await nothing()

    await attempt("limit", no_await())
    await asyncio.sleep(0)
    say("goes on")


@case
async def timeout_below_zero():
    async def use():
        async with asyncio.timeout(-1):
            await forever()

    await attempt("limit", use())
    say(now_ms())


@case
async def timeout_at_the_time_of_the_end():
    await attempt("same time", limited(ms(5), value_after(5, 1)))
    say(asyncio.current_task().cancelling())
    await asyncio.sleep(0)
    say("goes on")


@case
async def timeout_after_the_timer_it_limits():
    async def use():
        sleeping = asyncio.create_task(asyncio.sleep(ms(5)))
        await asyncio.sleep(0)
        async with asyncio.timeout(ms(5)):
            await sleeping
            say("slept")

    await attempt("limit", use())
    say(asyncio.current_task().cancelling())
    await asyncio.sleep(0)


@case
async def timeout_inner_expires():
    async def outer():
        async with asyncio.timeout(ms(9)):
            await attempt("inner", limited(ms(5), forever()))
            say(now_ms(), asyncio.current_task().cancelling())
            await asyncio.sleep(ms(1))
            return "done"

    await attempt("outer", outer())


@case
async def timeout_outer_expires():
    await attempt("outer", limited(ms(5), noted("inner", limited(ms(9), noted("body", forever())))))
    say(now_ms(), asyncio.current_task().cancelling())


@case
async def timeout_both_expire_at_once():
    async def inner():
        async with asyncio.timeout(ms(5)):
            await noted("body", forever())

    await attempt("outer", limited(ms(5), noted("inner", inner())))
    say(asyncio.current_task().cancelling())
    await asyncio.sleep(0)
    say("goes on")


@case
async def timeout_and_a_request_from_outside():
    async def use():
        await noted("limit", limited(ms(5), forever()))

    task = asyncio.create_task(use())
    asyncio.get_running_loop().call_later(ms(3), task.cancel, "outside")
    await attempt("task", task)
    say(now_ms(), task.cancelling())


@case
async def timeout_and_a_request_of_the_same_time():
    async def use():
        await noted("limit", limited(ms(5), forever()))
        say("goes on")

    for delay in (ms(5), ms(5) - 1e-6, ms(5) + 1e-6):
        task = asyncio.create_task(use())
        asyncio.get_running_loop().call_later(delay, task.cancel, "outside")
        await attempt("task", task)
        say(task.cancelling())


@case
async def timeout_then_a_request_during_the_cleanup():
    async def use():
        await noted("limit", limited(ms(5), slow_cleanup("body", 6)))

    task = asyncio.create_task(use())
    asyncio.get_running_loop().call_later(ms(5), lambda: None)
    await asyncio.sleep(ms(5))
    await turns(2)
    say(task.cancel("outside"), task.cancelling())
    await attempt("task", task)
    say(task.cancelling())


@case
async def timeout_rescheduled():
    async def use():
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(ms(5)) as limit:
            await asyncio.sleep(ms(3))
            limit.reschedule(loop.time() + ms(5))
            await asyncio.sleep(ms(4))
            say("still here", now_ms())
            limit.reschedule(None)
            say(limit.when())
            await asyncio.sleep(ms(9))
            limit.reschedule(loop.time())
            await forever()

    await attempt("limit", use())
    say(now_ms())


@case
async def timeout_rescheduled_too_late():
    async def use():
        async with asyncio.timeout(ms(1)) as limit:
            await swallow(1)
            attempt_now("reschedule", lambda: limit.reschedule(None))

    await attempt("limit", use())


@case
async def timeout_of_none():
    await attempt("limit", limited(None, value_after(3, 4)))


@case
async def timeout_body_raises():
    await attempt("limit", limited(ms(5), fail_after(1, "body")))
    await asyncio.sleep(ms(9))
    say("goes on", asyncio.current_task().cancelling())


@case
async def wait_for_a_coroutine():
    await attempt("in time", asyncio.wait_for(value_after(1, 2), ms(5)))
    await attempt("late", asyncio.wait_for(noted("body", forever()), ms(5)))
    say(now_ms(), asyncio.current_task().cancelling())
    await attempt("zero", asyncio.wait_for(noted("body", forever()), 0))
    await attempt("below", asyncio.wait_for(noted("body", forever()), -1))
    await attempt("none", asyncio.wait_for(value_after(1, 3), None))
    await attempt("error", asyncio.wait_for(fail_after(1, "broken"), ms(5)))


@case
async def wait_for_a_task_that_cleans_up():
    task = asyncio.create_task(slow_cleanup("task", 2))
    await attempt("wait_for", asyncio.wait_for(task, ms(5)))
    say(state_of(task), task.cancelling())


@case
async def wait_for_a_task_that_swallows():
    task = asyncio.create_task(swallow(8))
    await attempt("wait_for", asyncio.wait_for(task, ms(5)))
    say(state_of(task), task.cancelling())


@case
async def wait_for_a_task_that_fails_in_cleanup():
    task = asyncio.create_task(fail_in_cleanup("cleanup"))
    await attempt("wait_for", asyncio.wait_for(task, ms(5)))
    say(state_of(task))


@case
async def wait_for_a_task_with_zero():
    done = asyncio.create_task(value_now(3))
    await done
    await attempt("done", asyncio.wait_for(done, 0))
    pending = asyncio.create_task(forever())
    await asyncio.sleep(0)
    await attempt("pending", asyncio.wait_for(pending, 0))
    say(state_of(pending))
    stubborn = asyncio.create_task(swallow(8))
    await asyncio.sleep(0)
    await attempt("stubborn", asyncio.wait_for(stubborn, 0))
    say(state_of(stubborn))


@case
async def wait_for_a_future():
    future = asyncio.get_running_loop().create_future()
    await attempt("late", asyncio.wait_for(future, ms(5)))
    say(state_of(future))
    ready = asyncio.get_running_loop().create_future()
    ready.set_result(4)
    await attempt("ready", asyncio.wait_for(ready, 0))
    pending = asyncio.get_running_loop().create_future()
    await attempt("zero", asyncio.wait_for(pending, 0))
    say(state_of(pending))


@case
async def wait_for_cancelled_from_outside():
    inner = asyncio.create_task(noted("inner", forever()))

    async def use():
        await asyncio.wait_for(inner, ms(9))

    task = asyncio.create_task(use())
    await turns(2)
    task.cancel("outside")
    await attempt("task", task)
    say(state_of(inner), inner.cancelling(), task.cancelling(), now_ms())


@case
async def wait_for_cancelled_on_the_turn_of_the_end():
    future = asyncio.get_running_loop().create_future()

    async def use():
        await noted("wait_for", asyncio.wait_for(future, ms(9)))
        say("goes on")
        await asyncio.sleep(0)

    task = asyncio.create_task(use())
    await turns(2)
    future.set_result(1)
    say(task.cancel("outside"))
    await attempt("task", task)
    say(state_of(future), task.cancelling())


@case
async def wait_for_ends_at_the_limit():
    await attempt("same time", asyncio.wait_for(value_after(5, 1), ms(5)))
    task = asyncio.create_task(value_after(5, 2))
    await asyncio.sleep(0)
    await attempt("task of the same time", asyncio.wait_for(task, ms(5)))
    say(state_of(task))


@case
async def wait_for_within_a_limit():
    await attempt("limit", limited(ms(3), noted("wait_for", asyncio.wait_for(forever(), ms(5)))))
    say(now_ms(), asyncio.current_task().cancelling())


@case
async def shield_keeps_its_task_running():
    inner = asyncio.create_task(value_after(5, 1))

    async def use():
        await asyncio.shield(inner)

    outer = asyncio.create_task(use())
    await turns(2)
    say(outer.cancel("outside"))
    await attempt("outer", outer)
    say(state_of(inner), inner.cancelling())
    say(await inner, now_ms())


@case
async def shield_of_a_task_that_is_cancelled():
    inner = asyncio.create_task(forever())
    outer = asyncio.create_task(noted("outer", shielded(inner)))
    await turns(2)
    inner.cancel("inner")
    await asyncio.wait([outer])
    say(state_of(outer), outer.cancelling())


async def shielded(awaitable):
    return await asyncio.shield(awaitable)


@case
async def shield_gives_results_and_errors():
    await attempt("value", shielded(value_now(4)))
    await attempt("error", shielded(fail_after(1, "broken")))
    done = asyncio.create_task(value_now(6))
    await done
    await attempt("done", shielded(done))


@case
async def shield_of_a_future():
    future = asyncio.get_running_loop().create_future()
    outer = asyncio.create_task(noted("outer", shielded(future)))
    await turns(2)
    outer.cancel("outside")
    await asyncio.wait([outer])
    say(state_of(future))
    future.set_result(2)
    await attempt("future", shielded(future))


@case
async def shield_within_a_limit():
    inner = asyncio.create_task(value_after(9, 1))
    await attempt("wait_for", asyncio.wait_for(asyncio.shield(inner), ms(5)))
    say(now_ms(), state_of(inner))
    say(await inner, now_ms())


@case
async def shield_cancelled_on_the_turn_of_the_end():
    inner = asyncio.create_task(value_after(1, 1))
    outer = asyncio.create_task(noted("outer", shielded(inner)))
    await asyncio.sleep(0)
    inner.add_done_callback(lambda _: say("cancel:", outer.cancel("outside")))
    await asyncio.wait([outer])
    say(state_of(outer))


@case
async def shield_cancelled_twice():
    inner = asyncio.create_task(value_after(5, 1))

    async def use():
        for _ in range(2):
            await attempt("shield", shielded(inner))
        await attempt("at last", shielded(inner))

    outer = asyncio.create_task(use())
    for count in range(2):
        await turns(2)
        outer.cancel(str(count))
    await outer
    say(outer.cancelling(), state_of(inner))
