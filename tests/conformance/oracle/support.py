"""What the cases share: how a case is named, how it writes a line, how errors and the states of tasks are told.

The words are those of support.hpp. Time is virtual: the loop is asyncio's own, but for a clock that jumps to the next
timer when nothing is ready.
"""

import asyncio
import selectors

cases = {}


def case(function):
    cases[function.__name__] = function
    return function


class VirtualTimeSelector(selectors.DefaultSelector):
    def __init__(self):
        super().__init__()
        self.now = 0.0

    def select(self, timeout=None):
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        events = super().select(0)
        if not events:
            self.now += timeout
        return events


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.virtual = VirtualTimeSelector()
        super().__init__(self.virtual)

    def time(self):
        return self.virtual.now


def run(function):
    if asyncio.iscoroutinefunction(function):
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(function())
    else:
        function()


# --- lines


def text_of(value):
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(text_of(each) for each in value) + "]"
    if isinstance(value, bytes):
        return value.decode()
    return str(value)


def say(*words):
    print(*(text_of(word) for word in words), flush=True)


# --- errors


class FirstError(Exception):
    pass


class SecondError(Exception):
    pass


def told(error):
    if isinstance(error, BaseExceptionGroup):
        held = ", ".join(told(each) for each in error.exceptions)
        return (f"ExceptionGroup: {error.message}" if error.message else "ExceptionGroup") + f" [{held}]"
    if isinstance(error, asyncio.IncompleteReadError):
        return "IncompleteReadError" + (f": {error.partial.decode()}" if error.partial else "")
    if isinstance(error, (FirstError, SecondError, asyncio.CancelledError)):
        return type(error).__name__ + (f": {error}" if str(error) else "")
    if isinstance(error, (RuntimeError, ValueError, LookupError, TypeError)) and not isinstance(
        error, asyncio.BrokenBarrierError
    ):
        return "misuse"
    return type(error).__name__


# --- tasks


def state_of(future):
    if not future.done():
        return "pending"
    if future.cancelled():
        return "cancelled"
    if future.exception() is not None:
        return "failed: " + told(future.exception())
    return "returned: " + text_of(future.result())


async def attempt(label, awaitable):
    try:
        say(label, "->", await awaitable)
    except BaseException as error:
        say(label, "raised", told(error))


async def noted(label, awaitable):
    try:
        await awaitable
        say(label, "-> None")
    except BaseException as error:
        say(label, "raised", told(error))
        raise


def attempt_now(label, function):
    try:
        say(label, "->", function())
    except BaseException as error:
        say(label, "raised", told(error))


async def turns(count):
    for _ in range(count):
        await asyncio.sleep(0)


async def ticker(count):
    for turn in range(1, count + 1):
        say("turn", turn)
        await asyncio.sleep(0)


def ms(count):
    return count / 1000


async def value_after(delay_ms, value):
    await asyncio.sleep(ms(delay_ms))
    return value


async def value_now(value):
    return value


async def nothing():
    pass


async def fail_after(delay_ms, text, kind=FirstError):
    await asyncio.sleep(ms(delay_ms))
    raise kind(text)


async def fail_now(text, kind=FirstError):
    raise kind(text)


async def forever():
    await asyncio.sleep(24 * 3600)


async def fail_in_cleanup(text, cleanup_turns=0):
    try:
        await forever()
    except asyncio.CancelledError:
        pass
    await turns(cleanup_turns)
    raise SecondError(text)


async def slow_cleanup(label, cleanup_turns):
    try:
        await forever()
    except asyncio.CancelledError:
        await turns(cleanup_turns)
        say(label, "has cleaned up")
        raise


async def swallow(value):
    try:
        await forever()
    except asyncio.CancelledError:
        pass
    return value


def now_ms():
    return round(asyncio.get_running_loop().time() * 1000)
