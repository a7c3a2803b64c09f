"""Asynchronous generators: how they are driven, closed, thrown into."""

import asyncio

from support import *


async def counts(most):
    try:
        for number in range(most):
            yield number
            await asyncio.sleep(0)
        say("body ends")
    except BaseException as error:
        say("body got", told(error))
        raise
    finally:
        say("cleanup")


async def next_of(generator):
    return await anext(generator, None)


@case
async def generator_by_hand():
    generator = counts(2)
    for _ in range(4):
        say(await next_of(generator))


@case
async def generator_closed_early():
    generator = counts(5)
    say(await next_of(generator))
    await attempt("close", generator.aclose())
    say(await next_of(generator))
    await attempt("close again", generator.aclose())


@case
async def generator_closed_before_it_began():
    generator = counts(5)
    await attempt("close", generator.aclose())
    say(await next_of(generator))


@case
async def generator_that_ignores_its_end():
    async def stubborn():
        try:
            yield 1
        except GeneratorExit:
            say("ignored")
        yield 2

    generator = stubborn()
    say(await next_of(generator))
    await attempt("close", generator.aclose())


@case
async def generator_that_awaits_while_it_is_closed():
    async def slow():
        try:
            yield 1
        finally:
            say("closing")
            await turns(2)
            say("closed")

    ticks = asyncio.create_task(ticker(3))
    generator = slow()
    say(await next_of(generator))
    await attempt("close", generator.aclose())
    await ticks


@case
async def generator_thrown_into():
    async def body():
        while True:
            try:
                yield "value"
            except FirstError as error:
                say("caught", error)
                yield "answer"

    generator = body()
    say(await next_of(generator))
    await attempt("throw", generator.athrow(FirstError("one")))
    say(await next_of(generator))
    await attempt("throw", generator.athrow(SecondError("two")))
    say(await next_of(generator))


@case
async def generator_thrown_into_before_it_began():
    generator = counts(2)
    await attempt("throw", generator.athrow(FirstError("early")))
    say(await next_of(generator))


@case
async def generator_thrown_into_after_its_end():
    generator = counts(0)
    say(await next_of(generator))
    await attempt("throw", generator.athrow(FirstError("late")))


@case
async def generator_that_fails():
    async def body():
        yield 1
        raise FirstError("body")

    generator = body()
    say(await next_of(generator))
    await attempt("next", next_of(generator))
    await attempt("next", next_of(generator))


@case
async def generator_cancelled_in_its_body():
    async def body():
        yield 1
        try:
            await forever()
        except asyncio.CancelledError as error:
            say("body got", told(error))
            yield 2
        say("body goes on")

    async def drive():
        async for value in body():
            say(value)

    task = asyncio.create_task(drive())
    await turns(2)
    task.cancel("enough")
    await attempt("task", task)
    say(task.cancelling())


@case
async def generator_loop_left_by_an_error():
    async def drive():
        generator = counts(5)
        try:
            async for value in generator:
                say(value)
                raise FirstError("loop")
        finally:
            await generator.aclose()

    await attempt("loop", drive())


@case
async def generator_awaited_by_two():
    async def body():
        await turns(2)
        yield 1
        yield 2

    generator = body()
    one = asyncio.create_task(attempt("one", next_of(generator)))
    two = asyncio.create_task(attempt("two", next_of(generator)))
    await asyncio.wait([one, two])
    say(await next_of(generator))


@case
async def generator_cancelled_then_asked_again():
    async def body():
        yield 1
        await noted("body", forever())

    generator = body()
    say(await next_of(generator))
    task = asyncio.create_task(attempt("next", next_of(generator)))
    await turns(1)
    task.cancel("enough")
    await task
    await attempt("again", next_of(generator))
