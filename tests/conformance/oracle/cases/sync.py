"""Locks, semaphores, conditions, events and barriers."""

import asyncio

from support import *


async def hold(name, lock, count=1):
    async with lock:
        say(name, "has it")
        await turns(count)
    say(name, "gave it back")


@case
async def lock_in_order_of_arrival():
    lock = asyncio.Lock()
    await asyncio.gather(hold("a", lock, 2), hold("b", lock, 1), hold("c", lock, 1))
    say(lock.locked())


@case
async def lock_while_it_is_handed_over():
    lock = asyncio.Lock()
    await lock.acquire()
    waiter = asyncio.create_task(hold("waiter", lock))
    await asyncio.sleep(0)
    say(lock.locked())
    lock.release()
    say("handing over:", lock.locked())
    late = asyncio.create_task(hold("late", lock))
    await noted("owner again", hold("owner", lock))
    await waiter
    await late


@case
async def lock_waiter_cancelled():
    lock = asyncio.Lock()
    await lock.acquire()
    one = asyncio.create_task(hold("one", lock))
    two = asyncio.create_task(hold("two", lock))
    await turns(1)
    one.cancel("enough")
    await attempt("one", one)
    say(lock.locked(), state_of(two))
    lock.release()
    await attempt("two", two)
    say(lock.locked())


@case
async def lock_waiter_cancelled_while_it_is_handed_over():
    lock = asyncio.Lock()
    await lock.acquire()
    one = asyncio.create_task(hold("one", lock))
    two = asyncio.create_task(hold("two", lock))
    await turns(1)
    lock.release()
    one.cancel("enough")
    await attempt("one", one)
    await attempt("two", two)
    say(lock.locked())


@case
async def lock_released_without_being_held():
    lock = asyncio.Lock()
    attempt_now("release", lock.release)
    await lock.acquire()
    attempt_now("release", lock.release)
    attempt_now("again", lock.release)


@case
async def lock_held_while_cancelled():
    lock = asyncio.Lock()

    async def body():
        async with lock:
            await forever()

    task = asyncio.create_task(body())
    await turns(1)
    say(lock.locked())
    task.cancel()
    await attempt("task", task)
    say(lock.locked())


@case
async def lock_acquired_takes_no_turn_when_free():
    ticks = asyncio.create_task(ticker(2))
    lock = asyncio.Lock()
    async with lock:
        say("has it")
    say("gave it back")
    await ticks


@case
async def semaphore_values():
    semaphore = asyncio.Semaphore(2)
    say(semaphore.locked())
    await semaphore.acquire()
    say(semaphore.locked())
    await semaphore.acquire()
    say(semaphore.locked())
    semaphore.release()
    semaphore.release()
    semaphore.release()
    for _ in range(3):
        await semaphore.acquire()
    say(semaphore.locked())


@case
async def semaphore_in_order_of_arrival():
    semaphore = asyncio.Semaphore(2)
    await asyncio.gather(*(hold(name, semaphore, count) for name, count in (("a", 3), ("b", 1), ("c", 1), ("d", 1))))
    say(semaphore.locked())


@case
async def semaphore_release_wakes_one_for_each():
    semaphore = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(hold(name, semaphore, 1)) for name in "abc"]
    await turns(1)
    semaphore.release()
    semaphore.release()
    say("released twice", semaphore.locked())
    await turns(1)
    say("a turn later")
    await asyncio.wait(tasks)


@case
async def semaphore_is_not_stolen():
    semaphore = asyncio.Semaphore(1)
    await semaphore.acquire()
    waiter = asyncio.create_task(hold("waiter", semaphore))
    await turns(1)
    semaphore.release()
    say("handing over:", semaphore.locked())
    await noted("owner again", hold("owner", semaphore))
    await waiter


@case
async def semaphore_waiter_cancelled_while_it_is_handed_over():
    semaphore = asyncio.Semaphore(1)
    await semaphore.acquire()
    one = asyncio.create_task(hold("one", semaphore))
    two = asyncio.create_task(hold("two", semaphore))
    await turns(1)
    semaphore.release()
    one.cancel("enough")
    await attempt("one", one)
    await attempt("two", two)
    say(semaphore.locked())


@case
async def semaphore_waiters_cancelled_before_a_release():
    semaphore = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(hold(name, semaphore)) for name in "abc"]
    await turns(1)
    tasks[0].cancel()
    tasks[1].cancel()
    semaphore.release()
    await asyncio.wait(tasks)
    say(*(state_of(task) for task in tasks))
    say(semaphore.locked())


@case
async def semaphore_bounded():
    semaphore = asyncio.BoundedSemaphore(1)
    attempt_now("release", semaphore.release)
    await semaphore.acquire()
    attempt_now("release", semaphore.release)
    attempt_now("release", semaphore.release)


async def wait_for_notification(name, condition):
    async with condition:
        await condition.wait()
        say(name, "was notified", condition.locked())


@case
async def condition_notifies_in_order():
    condition = asyncio.Condition()
    tasks = [asyncio.create_task(wait_for_notification(name, condition)) for name in "abcd"]
    await turns(2)
    async with condition:
        condition.notify(2)
        say("notified two")
    await turns(4)
    say(*(state_of(task) for task in tasks))
    async with condition:
        condition.notify_all()
    await asyncio.wait(tasks)


@case
async def condition_needs_its_lock():
    condition = asyncio.Condition()
    attempt_now("notify", condition.notify)
    say(condition.locked())


@case
async def condition_waiter_cancelled_has_the_lock_again():
    condition = asyncio.Condition()

    async def body():
        async with condition:
            try:
                await condition.wait()
            except asyncio.CancelledError as error:
                say(told(error), condition.locked())
                raise

    task = asyncio.create_task(body())
    await turns(2)
    task.cancel("enough")
    await attempt("task", task)
    say(condition.locked())


@case
async def condition_waiter_cancelled_while_another_holds_the_lock():
    condition = asyncio.Condition()

    async def body():
        async with condition:
            await noted("wait", condition.wait())

    task = asyncio.create_task(body())
    await turns(2)
    async with condition:
        task.cancel("one")
        await turns(3)
        say("still holding", state_of(task))
        task.cancel("two")
        await turns(3)
        say("still holding", state_of(task))
    await attempt("task", task)
    say(condition.locked(), task.cancelling())


@case
async def condition_waiter_cancelled_after_its_notification():
    condition = asyncio.Condition()
    one = asyncio.create_task(wait_for_notification("one", condition))
    two = asyncio.create_task(wait_for_notification("two", condition))
    await turns(2)
    async with condition:
        condition.notify(1)
        one.cancel("late")
    await attempt("one", one)
    await turns(3)
    say("two", state_of(two))
    two.cancel()
    await asyncio.wait([two])


@case
async def condition_with_a_predicate():
    condition = asyncio.Condition()
    items = []

    async def body():
        async with condition:
            await condition.wait_for(lambda: say("asked", len(items)) or len(items) >= 2)
            say("there are", len(items))

    task = asyncio.create_task(body())
    await turns(2)
    for item in range(3):
        async with condition:
            items.append(item)
            condition.notify_all()
        await turns(2)
    await task


@case
async def event_set_and_cleared_at_once():
    event = asyncio.Event()
    tasks = [asyncio.create_task(noted(name, wait_quietly(event))) for name in ("one", "two")]
    await turns(1)
    event.set()
    event.clear()
    say(event.is_set())
    late = asyncio.create_task(noted("late", wait_quietly(event)))
    await asyncio.wait(tasks)
    say(state_of(late))
    event.set()
    await late


async def wait_quietly(event):
    await event.wait()


@case
async def event_set_takes_no_turn():
    ticks = asyncio.create_task(ticker(3))
    event = asyncio.Event()
    event.set()
    await event.wait()
    say("waited")
    await ticks


@case
async def event_set_by_a_waiter():
    first, second = asyncio.Event(), asyncio.Event()

    async def chain():
        await first.wait()
        say("first")
        second.set()
        say("set the second")

    async def end():
        await second.wait()
        say("second")

    tasks = [asyncio.create_task(end()), asyncio.create_task(chain())]
    await turns(1)
    first.set()
    await asyncio.wait(tasks)


async def meet(name, barrier):
    try:
        index = await barrier.wait()
        say(name, "goes on")
        return index
    except asyncio.BrokenBarrierError:
        say(name, "found it broken")


@case
async def barrier_opens():
    barrier = asyncio.Barrier(3)
    tasks = [asyncio.create_task(meet(name, barrier)) for name in "ab"]
    await turns(2)
    say(barrier.n_waiting, barrier.parties, barrier.broken)
    tasks.append(asyncio.create_task(meet("c", barrier)))
    await asyncio.wait(tasks)
    say(*(task.result() for task in tasks))
    say(barrier.n_waiting)


@case
async def barrier_is_used_again():
    barrier = asyncio.Barrier(2)

    async def rounds(name):
        for count in range(3):
            await barrier.wait()
            say(name, count)
            await turns(4)

    await asyncio.gather(rounds("a"), rounds("b"))


@case
async def barrier_waiter_cancelled():
    barrier = asyncio.Barrier(2)
    one = asyncio.create_task(meet("one", barrier))
    await turns(1)
    one.cancel("enough")
    await attempt("one", one)
    say(barrier.n_waiting, barrier.broken)
    two = asyncio.create_task(meet("two", barrier))
    three = asyncio.create_task(meet("three", barrier))
    await asyncio.wait([two, three])
    say(two.result() + three.result())


@case
async def barrier_aborted():
    barrier = asyncio.Barrier(3)
    tasks = [asyncio.create_task(meet(name, barrier)) for name in "ab"]
    await turns(1)
    await barrier.abort()
    say(barrier.broken, barrier.n_waiting)
    await asyncio.wait(tasks)
    await meet("late", barrier)
    await barrier.reset()
    say(barrier.broken)
    await asyncio.gather(*(meet(name, barrier) for name in "cde"))


@case
async def barrier_reset_while_tasks_wait():
    barrier = asyncio.Barrier(2)
    one = asyncio.create_task(meet("one", barrier))
    await turns(1)
    await barrier.reset()
    await one
    await asyncio.gather(meet("two", barrier), meet("three", barrier))
    say(barrier.broken, barrier.n_waiting)
