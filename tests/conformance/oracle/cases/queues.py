"""Queues: who gets which item, what waits, what is counted."""

import asyncio

from support import *


async def get(name, queue, count=1):
    for _ in range(count):
        say(name, "got", await queue.get())


async def put(name, queue, *items):
    for item in items:
        await queue.put(item)
        say(name, "put", item)


@case
async def queue_serves_getters_in_order():
    queue = asyncio.Queue()
    tasks = [asyncio.create_task(get(name, queue)) for name in "abc"]
    await turns(1)
    for item in range(3):
        queue.put_nowait(item)
    await asyncio.wait(tasks)


@case
async def queue_serves_putters_in_order():
    queue = asyncio.Queue(1)
    tasks = [asyncio.create_task(put(name, queue, name)) for name in "abc"]
    await turns(2)
    say(queue.qsize(), queue.full())
    for _ in range(3):
        say("main got", await queue.get())
        await turns(2)
    say(queue.empty())
    await asyncio.wait(tasks)


@case
async def queue_level_while_an_item_is_handed_over():
    queue = asyncio.Queue()
    getter = asyncio.create_task(get("getter", queue))
    await turns(1)
    queue.put_nowait(1)
    say(queue.qsize(), queue.empty())
    await getter
    say(queue.qsize(), queue.empty())


@case
async def queue_item_taken_before_the_getter_runs():
    queue = asyncio.Queue()
    getter = asyncio.create_task(get("getter", queue))
    await turns(1)
    queue.put_nowait(1)
    attempt_now("main", queue.get_nowait)
    queue.put_nowait(2)
    await getter
    say(queue.qsize())


@case
async def queue_room_taken_before_the_putter_runs():
    queue = asyncio.Queue(1)
    queue.put_nowait(1)
    putter = asyncio.create_task(put("putter", queue, 2))
    await turns(1)
    say(queue.get_nowait())
    say(queue.qsize(), queue.full())
    attempt_now("main", lambda: queue.put_nowait(3))
    await turns(3)
    say(state_of(putter), queue.qsize())
    while not queue.empty():
        say(queue.get_nowait())
        await turns(2)
    await putter


@case
async def queue_getter_cancelled():
    queue = asyncio.Queue()
    one = asyncio.create_task(get("one", queue))
    two = asyncio.create_task(get("two", queue))
    await turns(1)
    one.cancel("enough")
    queue.put_nowait(1)
    await attempt("one", one)
    await two
    say(queue.qsize())


@case
async def queue_getter_cancelled_while_an_item_is_handed_over():
    queue = asyncio.Queue()
    one = asyncio.create_task(get("one", queue))
    two = asyncio.create_task(get("two", queue))
    await turns(1)
    queue.put_nowait(1)
    queue.put_nowait(2)
    one.cancel("enough")
    await attempt("one", one)
    await two
    say(queue.qsize(), queue.get_nowait())


@case
async def queue_only_getter_cancelled_while_an_item_is_handed_over():
    queue = asyncio.Queue()
    one = asyncio.create_task(get("one", queue))
    await turns(1)
    queue.put_nowait(1)
    one.cancel("enough")
    await attempt("one", one)
    say(queue.qsize())
    say(await queue.get())


@case
async def queue_putter_cancelled():
    queue = asyncio.Queue(1)
    queue.put_nowait(0)
    one = asyncio.create_task(put("one", queue, 1))
    two = asyncio.create_task(put("two", queue, 2))
    await turns(1)
    one.cancel("enough")
    await attempt("one", one)
    say(queue.get_nowait())
    await two
    say(queue.get_nowait(), queue.qsize())


@case
async def queue_putter_cancelled_when_there_is_room():
    queue = asyncio.Queue(1)
    queue.put_nowait(0)
    one = asyncio.create_task(put("one", queue, 1))
    two = asyncio.create_task(put("two", queue, 2))
    await turns(1)
    say(queue.get_nowait())
    one.cancel("late")
    await attempt("one", one)
    await turns(2)
    say(queue.qsize())
    while not queue.empty():
        say(queue.get_nowait())
        await turns(2)
    await two


@case
async def queue_nowait():
    queue = asyncio.Queue(2)
    attempt_now("get", queue.get_nowait)
    queue.put_nowait(1)
    queue.put_nowait(2)
    attempt_now("put", lambda: queue.put_nowait(3))
    say(queue.full(), queue.qsize(), queue.maxsize)
    say(queue.get_nowait(), queue.get_nowait())
    attempt_now("get", queue.get_nowait)


@case
async def queue_takes_no_turn():
    ticks = asyncio.create_task(ticker(2))
    queue = asyncio.Queue(2)
    await put("main", queue, 1, 2)
    await get("main", queue, 2)
    await ticks


@case
async def queue_passes_between_two():
    queue = asyncio.Queue(1)
    await asyncio.gather(put("producer", queue, 1, 2, 3, 4), get("consumer", queue, 4))


@case
async def queue_passes_between_two_without_a_bound():
    queue = asyncio.Queue()
    await asyncio.gather(get("consumer", queue, 3), put("producer", queue, 1, 2, 3))


@case
async def queue_join_waits_for_all():
    queue = asyncio.Queue()
    for item in range(3):
        queue.put_nowait(item)
    joining = asyncio.create_task(noted("join", queue.join()))
    for _ in range(3):
        await turns(1)
        say(queue.get_nowait(), state_of(joining))
        queue.task_done()
    say(state_of(joining))
    await joining
    attempt_now("once more", queue.task_done)
    await queue.join()


@case
async def queue_join_and_items_that_come_meanwhile():
    queue = asyncio.Queue()
    queue.put_nowait(1)
    joining = asyncio.create_task(noted("join", queue.join()))
    await turns(1)
    queue.get_nowait()
    queue.put_nowait(2)
    queue.task_done()
    await turns(2)
    say(state_of(joining))
    queue.get_nowait()
    queue.task_done()
    queue.put_nowait(3)
    await turns(2)
    say(state_of(joining), queue.qsize())


@case
async def queue_of_priorities():
    queue = asyncio.PriorityQueue()
    for item in (5, 1, 4, 2, 3):
        queue.put_nowait(item)
    getter = asyncio.create_task(get("getter", queue, 7))
    await turns(1)
    queue.put_nowait(9)
    queue.put_nowait(8)
    await getter


@case
async def queue_last_in_first_out():
    queue = asyncio.LifoQueue(3)
    tasks = [asyncio.create_task(put("putter", queue, 1, 2, 3, 4))]
    await turns(2)
    say(queue.full())
    for _ in range(4):
        say(await queue.get())
        await turns(2)
    await asyncio.wait(tasks)


@case
async def queue_getters_and_a_burst():
    queue = asyncio.Queue()
    getter = asyncio.create_task(get("getter", queue, 3))
    await turns(1)
    for item in range(3):
        queue.put_nowait(item)
    say("put three", queue.qsize())
    late = asyncio.create_task(get("late", queue, 1))
    await turns(3)
    say(state_of(getter), state_of(late))
    queue.put_nowait(3)
    await asyncio.wait([getter, late])


@case
async def queue_with_a_limit():
    queue = asyncio.Queue()
    await attempt("get", asyncio.wait_for(queue.get(), ms(5)))
    queue.put_nowait(1)
    say(queue.qsize())
    await attempt("get", asyncio.wait_for(queue.get(), ms(5)))
