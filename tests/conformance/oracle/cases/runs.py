"""run(), Runner and the loop: how programs begin and end."""

import asyncio

from support import *


def run_in(coro):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(coro)


@case
def run_cancels_what_is_left():
    async def main():
        asyncio.create_task(noted("left", slow_cleanup("left", 2)))
        await turns(1)
        say("main ends")
        return 5

    say(run_in(main()))


@case
def run_waits_for_what_cleanup_starts():
    async def starts_another():
        try:
            await forever()
        finally:
            say("first cleanup")
            await asyncio.create_task(turns(2))
            say("awaited another")

    async def main():
        asyncio.create_task(starts_another())
        await turns(1)

    run_in(main())
    say("end")


@case
def run_with_what_is_left_failing():
    async def main():
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: say("handler:", told(context["exception"]))
        )
        asyncio.create_task(fail_in_cleanup("left"))
        await turns(1)

    run_in(main())
    say("end")


@case
def run_gives_the_error():
    async def main():
        asyncio.create_task(noted("left", forever()))
        await turns(1)
        raise FirstError("main")

    attempt_now("run", lambda: run_in(main()))


@case
def run_of_a_main_that_is_cancelled():
    async def main():
        asyncio.current_task().cancel("self")
        await asyncio.sleep(0)

    attempt_now("run", lambda: run_in(main()))


@case
def run_within_a_run():
    async def inner():
        pass

    async def main():
        coro = inner()
        attempt_now("inner run", lambda: asyncio.run(coro))
        coro.close()

    run_in(main())


@case
def run_twice_with_one_runner():
    async def first():
        task = asyncio.create_task(value_after(2, 7))
        await turns(1)
        return task

    async def second(task):
        say(state_of(task))
        return await task

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        task = runner.run(first())
        say(state_of(task))
        say(runner.run(second(task)))
        say(state_of(task))


@case
def run_with_a_runner_after_an_error():
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        attempt_now("first", lambda: runner.run(fail_now("first")))
        attempt_now("second", lambda: runner.run(value_now(2)))
    coro = value_now(3)
    attempt_now("closed", lambda: runner.run(coro))
    coro.close()


@case
def run_until_complete_stopped_early():
    loop = VirtualTimeLoop()

    async def main():
        asyncio.get_running_loop().stop()
        await forever()

    task = loop.create_task(main())
    attempt_now("run", lambda: loop.run_until_complete(task))
    say(state_of(task))
    task.cancel()
    attempt_now("run", lambda: loop.run_until_complete(task))
    loop.close()


@case
def run_forever_until_stopped():
    loop = VirtualTimeLoop()
    loop.call_soon(say, "one")
    loop.call_soon(lambda: (loop.stop(), loop.call_soon(say, "after the stop")))
    loop.call_soon(say, "two")
    loop.run_forever()
    say("stopped", loop.is_running())
    loop.call_soon(loop.stop)
    loop.run_forever()
    say("stopped again")
    loop.stop()
    loop.call_soon(say, "once")
    loop.run_forever()
    loop.close()


@case
def run_ends_while_a_task_swallows():
    async def main():
        asyncio.create_task(noted("left", swallow(1)))
        await turns(1)

    run_in(main())
    say("end")


@case
def run_with_a_task_that_never_began():
    async def main():
        asyncio.create_task(noted("left", forever()))

    run_in(main())
    say("end")
