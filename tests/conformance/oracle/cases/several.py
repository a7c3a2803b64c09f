"""gather(), wait() and as_completed()."""

import asyncio

from support import *


@case
async def gather_values_in_order():
    say(await asyncio.gather(value_after(3, 1), value_after(1, 2), value_now(3)))


@case
async def gather_takes_turns():
    ticks = asyncio.create_task(ticker(8))
    await asyncio.sleep(0)
    await asyncio.gather(nothing(), turns(1))
    say("gathered")
    done = asyncio.create_task(nothing())
    await done
    await asyncio.gather(done)
    say("gathered what was done")
    await asyncio.gather()
    say("gathered nothing")
    await ticks


@case
async def gather_first_error_and_the_others_run_on():
    slow = asyncio.create_task(value_after(3, 7))
    later = asyncio.create_task(fail_after(2, "later"))
    await attempt("gather", asyncio.gather(slow, fail_after(1, "first"), later))
    say(now_ms(), state_of(slow), state_of(later))
    await asyncio.wait([slow, later])
    say(now_ms(), state_of(slow), state_of(later))


@case
async def gather_errors_of_the_same_time():
    one = asyncio.create_task(fail_after(1, "one"))
    two = asyncio.create_task(fail_after(1, "two", SecondError))
    await attempt("gather", asyncio.gather(two, one))
    await turns(1)
    say(state_of(one), state_of(two))


@case
async def gather_with_errors_as_values():
    cancelled = asyncio.create_task(forever())
    asyncio.get_running_loop().call_later(ms(2), cancelled.cancel, "alone")
    results = await asyncio.gather(fail_after(1, "one"), value_after(3, 2), cancelled, return_exceptions=True)
    for result in results:
        say(told(result) if isinstance(result, BaseException) else result)
    say(now_ms())


@case
async def gather_with_a_child_that_is_cancelled():
    one = asyncio.create_task(forever())
    two = asyncio.create_task(value_after(5, 2))
    asyncio.get_running_loop().call_later(ms(2), one.cancel, "alone")
    await attempt("gather", asyncio.gather(one, two))
    say(now_ms(), state_of(two), asyncio.current_task().cancelling())
    await two


@case
async def gather_cancelled_from_outside():
    one = asyncio.create_task(noted("one", forever()))
    two = asyncio.create_task(noted("two", forever()))

    async def use():
        await asyncio.gather(one, two)

    task = asyncio.create_task(use())
    await turns(2)
    say(task.cancel("outside"))
    await attempt("task", task)
    say(state_of(one), state_of(two), one.cancelling(), two.cancelling(), task.cancelling())


@case
async def gather_cancelled_with_slow_cleanup():
    async def use():
        await noted("gather", asyncio.gather(slow_cleanup("one", 1), slow_cleanup("two", 4)))

    task = asyncio.create_task(use())
    await turns(2)
    task.cancel("outside")
    await asyncio.wait([task])
    say(state_of(task))
    await turns(6)


@case
async def gather_cancelled_and_a_cleanup_fails():
    async def use():
        await noted("gather", asyncio.gather(fail_in_cleanup("one"), forever()))

    task = asyncio.create_task(use())
    await turns(2)
    task.cancel("outside")
    await asyncio.wait([task])
    say(state_of(task), task.cancelling())


@case
async def gather_cancelled_and_all_swallow():
    async def use():
        await attempt("gather", asyncio.gather(swallow(1), swallow(2)))
        say("goes on", asyncio.current_task().cancelling())

    task = asyncio.create_task(use())
    await turns(2)
    task.cancel("outside")
    await asyncio.wait([task])
    say(state_of(task))


@case
async def gather_with_errors_as_values_cancelled_from_outside():
    async def use():
        await attempt("gather", asyncio.gather(swallow(1), fail_in_cleanup("two"), return_exceptions=True))
        say("goes on", asyncio.current_task().cancelling())

    task = asyncio.create_task(use())
    await turns(2)
    task.cancel("outside")
    await asyncio.wait([task])
    say(state_of(task))


@case
async def gather_of_one_task_twice():
    task = asyncio.create_task(value_after(1, 4))
    say(await asyncio.gather(task, task, value_now(5)))


@case
async def gather_after_all_have_ended_cancelled_on_the_same_turn():
    event = asyncio.Event()

    async def use():
        await asyncio.gather(event.wait(), event.wait())
        say("gathered")
        await asyncio.sleep(0)

    task = asyncio.create_task(use())
    await turns(3)
    event.set()
    await asyncio.sleep(0)
    say(task.cancel("just now"))
    await attempt("task", task)


@case
async def wait_first_completed_of_the_same_time():
    tasks = [asyncio.create_task(value_after(delay, delay)) for delay in (1, 2, 1)]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    say(len(done), len(pending), now_ms(), *(state_of(task) for task in tasks))
    done, pending = await asyncio.wait(tasks)
    say(len(done), len(pending), now_ms())


@case
async def wait_first_exception():
    cancelled = asyncio.create_task(forever())
    failing = asyncio.create_task(fail_after(3, "broken"))
    waiting = asyncio.create_task(value_after(9, 1))
    asyncio.get_running_loop().call_later(ms(1), cancelled.cancel)
    done, pending = await asyncio.wait([cancelled, failing, waiting], return_when=asyncio.FIRST_EXCEPTION)
    say(len(done), len(pending), now_ms(), state_of(cancelled), state_of(failing), state_of(waiting))
    done, pending = await asyncio.wait([cancelled, failing, waiting], return_when=asyncio.FIRST_EXCEPTION)
    say(len(done), len(pending), now_ms())
    await waiting


@case
async def wait_with_a_timeout():
    one = asyncio.create_task(value_after(2, 1))
    two = asyncio.create_task(value_after(9, 2))
    done, pending = await asyncio.wait([one, two], timeout=ms(5))
    say(len(done), len(pending), now_ms())
    done, pending = await asyncio.wait([one, two], timeout=0)
    say(len(done), len(pending), now_ms())
    done, pending = await asyncio.wait([one, two], timeout=ms(4))
    say(len(done), len(pending), now_ms())


@case
async def wait_of_what_is_done_takes_no_turn():
    ticks = asyncio.create_task(ticker(5))
    done = asyncio.create_task(nothing())
    await done
    await asyncio.wait([done])
    say("waited")
    await asyncio.wait([done, ticks], return_when=asyncio.FIRST_COMPLETED)
    say("waited for the first")
    await ticks


@case
async def wait_cancelled_leaves_the_tasks():
    task = asyncio.create_task(value_after(5, 3))

    async def use():
        await asyncio.wait([task])

    waiting = asyncio.create_task(use())
    await turns(2)
    waiting.cancel("outside")
    await attempt("waiting", waiting)
    say(state_of(task), task.cancelling())
    say(await task)


@case
async def wait_for_nothing_is_misuse():
    async def use():
        await asyncio.wait([])

    await attempt("wait", use())


@case
async def as_completed_in_order_of_the_ends():
    tasks = [asyncio.create_task(value_after(delay, delay)) for delay in (4, 2, 6, 2, 0)]
    for each in asyncio.as_completed(tasks):
        say(await each, now_ms())


@case
async def as_completed_with_errors():
    tasks = [asyncio.create_task(value_after(3, 3)), asyncio.create_task(fail_after(1, "one"))]
    cancelled = asyncio.create_task(forever())
    asyncio.get_running_loop().call_later(ms(2), cancelled.cancel, "alone")
    for each in asyncio.as_completed([*tasks, cancelled]):
        await attempt("next", each)


@case
async def as_completed_with_a_timeout():
    tasks = [asyncio.create_task(value_after(delay, delay)) for delay in (1, 9)]
    for each in asyncio.as_completed(tasks, timeout=ms(5)):
        await attempt("next", each)
    say(now_ms(), state_of(tasks[1]))
    say(await tasks[1])
