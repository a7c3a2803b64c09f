"""Context variables: who sees which value."""

import asyncio
import contextvars

from support import *

name = contextvars.ContextVar("name", default="default")
bare = contextvars.ContextVar("bare")


@case
async def context_of_tasks():
    async def child(label):
        say(label, "sees", name.get())
        name.set(label)
        await asyncio.sleep(0)
        say(label, "sees", name.get())

    name.set("parent")
    one = asyncio.create_task(child("one"))
    name.set("changed")
    two = asyncio.create_task(child("two"))
    await asyncio.wait([one, two])
    say(name.get())


@case
async def context_of_awaited_coroutines():
    async def sets():
        name.set("set within")

    await sets()
    say(name.get())
    await asyncio.create_task(sets())
    name.set("own")
    await asyncio.gather(sets())
    say(name.get())
    await asyncio.wait_for(sets(), None)
    say(name.get())


@case
async def context_of_callbacks():
    loop = asyncio.get_running_loop()
    name.set("scheduled")
    loop.call_soon(lambda: say("call_soon", name.get()))
    loop.call_later(ms(1), lambda: say("call_later", name.get()))
    task = asyncio.create_task(value_after(1, 1))
    task.add_done_callback(lambda _: say("done callback", name.get()))
    name.set("afterwards")
    await asyncio.sleep(ms(5))
    loop.call_soon(lambda: name.set("set in a callback"))
    await turns(1)
    say(name.get())


@case
async def context_tokens():
    first = name.set("one")
    second = name.set("two")
    name.reset(second)
    say(name.get())
    attempt_now("used", lambda: name.reset(second))
    attempt_now("of another", lambda: bare.reset(first))
    name.reset(first)
    say(name.get())
    attempt_now("not set", bare.get)
    say(bare.get("given"))
    token = bare.set("set")
    bare.reset(token)
    attempt_now("not set again", bare.get)


@case
async def context_token_of_another_context():
    token = name.set("outside")

    async def child():
        attempt_now("reset", lambda: name.reset(token))
        say(name.get())

    await asyncio.create_task(child())
    say(name.get())


@case
async def context_copied():
    name.set("before")
    copy = contextvars.copy_context()
    name.set("after")
    say(copy.run(name.get), name.get())
    copy.run(name.set, "in the copy")
    say(copy.run(name.get), name.get())


@case
async def context_of_a_generator():
    async def body():
        name.set("by the generator")
        yield 1
        say("generator sees", name.get())
        yield 2

    generator = body()
    await anext(generator)
    say(name.get())
    name.set("by the loop")
    await anext(generator)
    await generator.aclose()


@case
async def context_of_a_group():
    async def child():
        say(name.get())

    name.set("group")
    async with asyncio.TaskGroup() as group:
        group.create_task(child())
        name.set("later")
        group.create_task(child())
