"""Task groups: who is cancelled when, in which order errors come, what is left of requests."""

import asyncio

from support import *


@case
async def group_join_takes_turns():
    ticks = asyncio.create_task(ticker(8))
    await asyncio.sleep(0)
    async with asyncio.TaskGroup() as group:
        group.create_task(turns(2))
        group.create_task(nothing())
        say("body ends")
    say("joined")
    await ticks


@case
async def group_without_tasks_takes_no_turn():
    ticks = asyncio.create_task(ticker(3))
    await asyncio.sleep(0)
    async with asyncio.TaskGroup():
        say("body")
    say("joined")
    async with asyncio.TaskGroup() as group:
        done = group.create_task(nothing())
        await done
    say("joined with a task that is done")
    await ticks


@case
async def group_failure_cancels_the_others():
    async def use():
        async with asyncio.TaskGroup() as group:
            group.create_task(slow_cleanup("a", 2))
            group.create_task(slow_cleanup("b", 1))
            group.create_task(fail_after(1, "c"))
            group.create_task(slow_cleanup("d", 0))
            say("body ends")

    await attempt("group", use())


@case
async def group_errors_in_order_of_completion():
    async def use():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail_in_cleanup("slow", 3))
            group.create_task(fail_in_cleanup("fast", 1))
            group.create_task(fail_after(1, "first"))
            group.create_task(fail_after(1, "same time"))
            await asyncio.sleep(ms(1))
            raise SecondError("body")

    await attempt("group", use())


@case
async def group_body_error_comes_last():
    async def use():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail_in_cleanup("child"))
            await asyncio.sleep(0)
            raise FirstError("body")

    await attempt("group", use())


@case
async def group_body_fails_before_a_task_begins():
    async def use():
        async with asyncio.TaskGroup() as group:
            group.create_task(noted("child", nothing()))
            raise FirstError("body")

    await attempt("group", use())


@case
async def group_interrupts_its_body():
    async def use():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail_after(1, "child"))
            try:
                await forever()
            except asyncio.CancelledError as error:
                say("body", type(error).__name__, asyncio.current_task().cancelling())
                raise

    await attempt("group", use())
    say(asyncio.current_task().cancelling())
    await asyncio.sleep(0)
    say("goes on")


@case
async def group_body_swallows_the_interruption():
    async def use():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail_after(1, "child"))
            await swallow(1)
            say("body goes on", asyncio.current_task().cancelling())
            await asyncio.sleep(0)
            say("body ends")

    await attempt("group", use())
    say(asyncio.current_task().cancelling())


@case
async def group_takes_no_tasks_while_it_ends():
    async def late(group):
        try:
            await forever()
        finally:
            attempt_now("create", lambda: add(group))

    def add(group):
        child = nothing()
        try:
            group.create_task(child)
        finally:
            child.close()

    async def use():
        async with asyncio.TaskGroup() as group:
            group.create_task(late(group))
            group.create_task(fail_after(1, "child"))

    await attempt("group", use())
    kept = []

    async def simple():
        async with asyncio.TaskGroup() as group:
            kept.append(group)

    await simple()
    attempt_now("create", lambda: add(kept[0]))


@case
async def group_task_adds_tasks_during_the_join():
    async def grow(group, depth):
        say("depth", depth)
        if depth < 3:
            group.create_task(grow(group, depth + 1))
        await asyncio.sleep(0)
        say("end of depth", depth)

    async with asyncio.TaskGroup() as group:
        group.create_task(grow(group, 1))
    say("joined")


@case
async def group_task_that_is_cancelled_is_no_error():
    async with asyncio.TaskGroup() as group:
        one = group.create_task(forever())
        two = group.create_task(value_after(2, 2))
        await asyncio.sleep(ms(1))
        one.cancel("alone")
    say(state_of(one), state_of(two), now_ms())


@case
async def group_cancelled_from_outside():
    async def use():
        async with asyncio.TaskGroup() as group:
            group.create_task(slow_cleanup("a", 1))
            group.create_task(slow_cleanup("b", 3))
            await noted("body", forever())

    task = asyncio.create_task(use())
    await turns(2)
    task.cancel("outside")
    await attempt("task", task)
    say(state_of(task), task.cancelling())


@case
async def group_cancelled_in_its_join():
    async def use():
        async with asyncio.TaskGroup() as group:
            group.create_task(slow_cleanup("a", 1))
            group.create_task(slow_cleanup("b", 3))

    task = asyncio.create_task(use())
    await turns(2)
    task.cancel("in the join")
    await turns(2)
    task.cancel("again")
    await attempt("task", task)
    say(state_of(task), task.cancelling())


@case
async def group_cancelled_and_a_child_fails():
    async def use():
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fail_in_cleanup("child"))
        except BaseException as error:
            say(told(error), asyncio.current_task().cancelling())
        await asyncio.sleep(0)
        say("goes on")

    task = asyncio.create_task(use())
    await turns(2)
    task.cancel("outside")
    await attempt("task", task)


@case
async def group_cancelled_while_it_ends_with_an_error():
    async def use():
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(slow_cleanup("a", 4))
                group.create_task(fail_after(1, "child"))
        except BaseException as error:
            say(told(error), asyncio.current_task().cancelling())
        await asyncio.sleep(0)
        say("goes on")

    task = asyncio.create_task(use())
    await asyncio.sleep(ms(1))
    await turns(2)
    task.cancel("meanwhile")
    await attempt("task", task)


@case
async def group_cancelled_on_the_turn_of_a_failure():
    async def use():
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fail_when(failed))
                await forever()
        except BaseException as error:
            say(told(error), asyncio.current_task().cancelling())
        await asyncio.sleep(0)
        say("goes on")

    async def fail_when(event):
        await event.wait()
        raise FirstError("child")

    failed = asyncio.Event()
    task = asyncio.create_task(use())
    await turns(2)
    failed.set()
    await asyncio.sleep(0)
    task.cancel("at once")
    await attempt("task", task)


@case
async def group_within_a_group():
    async def inner():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail_after(1, "inner"))
            group.create_task(slow_cleanup("inner sibling", 1))

    async def outer():
        async with asyncio.TaskGroup() as group:
            group.create_task(slow_cleanup("outer sibling", 1))
            await inner()

    await attempt("outer", outer())
    say(asyncio.current_task().cancelling())


@case
async def group_around_a_group_fails():
    async def inner():
        async with asyncio.TaskGroup() as group:
            group.create_task(slow_cleanup("inner child", 2))
            await noted("inner body", forever())

    async def outer():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail_after(1, "outer child"))
            await noted("inner", inner())

    await attempt("outer", outer())
    say(asyncio.current_task().cancelling())


@case
async def group_child_that_cancels_its_parent():
    async def use():
        me = asyncio.current_task()
        async with asyncio.TaskGroup() as group:
            group.create_task(cancels(me))
            group.create_task(slow_cleanup("sibling", 1))
            await noted("body", forever())

    async def cancels(task):
        await asyncio.sleep(0)
        task.cancel("by a child")

    task = asyncio.create_task(use())
    await attempt("task", task)
    say(task.cancelling())


@case
async def group_with_a_limit_inside():
    async def use():
        async with asyncio.TaskGroup() as group:
            group.create_task(slow_cleanup("child", 1))
            async with asyncio.timeout(ms(5)):
                await noted("body", forever())

    await attempt("group", use())
    say(now_ms(), asyncio.current_task().cancelling())


@case
async def group_within_a_limit():
    async def use():
        async with asyncio.timeout(ms(5)):
            async with asyncio.TaskGroup() as group:
                group.create_task(slow_cleanup("child", 1))
                await noted("body", forever())

    await attempt("limit", use())
    say(now_ms(), asyncio.current_task().cancelling())


@case
async def group_within_a_limit_whose_child_fails_then():
    async def use():
        async with asyncio.timeout(ms(5)):
            async with asyncio.TaskGroup() as group:
                group.create_task(fail_in_cleanup("child"))

    await attempt("limit", use())
    say(now_ms(), asyncio.current_task().cancelling())
    await asyncio.sleep(0)
    say("goes on")


@case
async def group_fails_at_the_time_of_a_limit():
    async def use():
        async with asyncio.timeout(ms(5)):
            async with asyncio.TaskGroup() as group:
                group.create_task(fail_after(5, "child"))
                await forever()

    await attempt("limit", use())
    say(asyncio.current_task().cancelling())
    await asyncio.sleep(0)
    say("goes on")


@case
async def group_child_swallows_and_goes_on():
    async def stubborn():
        await swallow(1)
        say("swallowed")
        await asyncio.sleep(ms(5))
        say("ends", now_ms())

    async def use():
        async with asyncio.TaskGroup() as group:
            group.create_task(stubborn())
            group.create_task(fail_after(1, "child"))

    await attempt("group", use())


@case
async def group_body_raises_cancelled_itself():
    async def use():
        async with asyncio.TaskGroup() as group:
            group.create_task(slow_cleanup("child", 1))
            await asyncio.sleep(0)
            raise asyncio.CancelledError("by itself")

    task = asyncio.create_task(use())
    await attempt("task", task)
    say(state_of(task), task.cancelling())
