"""Callbacks and their handles."""

import asyncio

from support import *


@case
async def callback_order():
    loop = asyncio.get_running_loop()
    loop.call_soon(say, "one")
    loop.call_soon(lambda: (say("two"), loop.call_soon(say, "made by two")))
    loop.call_soon(say, "three")
    await asyncio.sleep(0)
    say("main")
    await asyncio.sleep(0)


@case
async def callback_cancelled():
    loop = asyncio.get_running_loop()
    handle = loop.call_soon(say, "never")
    say(handle.cancelled())
    handle.cancel()
    say(handle.cancelled())
    later = loop.call_later(ms(1), say, "never")
    loop.call_soon(later.cancel)
    done = loop.call_soon(say, "called")
    await asyncio.sleep(ms(5))
    done.cancel()
    say(later.cancelled(), done.cancelled())


@case
async def callback_cancelled_by_one_of_the_same_turn():
    loop = asyncio.get_running_loop()
    handles = []
    loop.call_soon(lambda: handles[0].cancel())
    handles.append(loop.call_soon(say, "never"))
    timers = []
    loop.call_later(ms(1), lambda: (say("first timer"), timers[0].cancel()))
    timers.append(loop.call_later(ms(1) + 1e-5, say, "never"))
    timers.append(loop.call_later(ms(2), say, "second timer"))
    await asyncio.sleep(ms(5))


@case
async def callback_timers_in_order_of_their_times():
    loop = asyncio.get_running_loop()
    for delay in (5, 1, 3, 2, 4):
        loop.call_later(ms(delay), say, delay)
    loop.call_later(-1, say, "in the past")
    loop.call_soon(say, "soon")
    await asyncio.sleep(ms(9))
    say(now_ms())


@case
async def callback_timer_of_zero_and_soon():
    loop = asyncio.get_running_loop()
    loop.call_later(0, say, "later")
    loop.call_soon(say, "soon")
    await asyncio.sleep(0)
    say("main")
    await asyncio.sleep(ms(1))


@case
async def callback_at_a_time():
    loop = asyncio.get_running_loop()
    handle = loop.call_at(loop.time() + ms(3), lambda: say("called", now_ms()))
    say(round((handle.when() - loop.time()) * 1000))
    loop.call_at(loop.time() - 1, say, "in the past")
    await asyncio.sleep(ms(5))


@case
async def callback_that_raises():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: say("handler:", told(context["exception"])))

    def broken():
        raise FirstError("callback")

    loop.call_soon(broken)
    loop.call_soon(say, "the next one")
    loop.call_later(ms(1), broken)
    await asyncio.sleep(ms(2))
    say("goes on")


@case
async def callback_and_a_task_of_the_same_turn():
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    task = asyncio.create_task(noted("task", event.wait()))
    await turns(1)
    loop.call_soon(say, "before the set")
    event.set()
    loop.call_soon(say, "after the set")
    await task


@case
async def callback_chain_and_a_timer():
    loop = asyncio.get_running_loop()
    count = 0

    def again():
        nonlocal count
        count += 1
        if count < 5:
            loop.call_soon(again)

    loop.call_soon(again)
    loop.call_later(ms(1), lambda: say("timer", count))
    await asyncio.sleep(ms(2))
    say(count)


@case
async def callback_from_a_thread_comes_in_order():
    loop = asyncio.get_running_loop()

    def work():
        for count in range(3):
            loop.call_soon_threadsafe(say, count)
        return "worked"

    result = await asyncio.to_thread(work)
    await turns(2)
    say(result)
