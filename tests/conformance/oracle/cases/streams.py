"""Streams over a socket pair, where what arrives together is known."""

import asyncio
import socket

from support import *


async def pair(limit=65536):
    one, two = socket.socketpair()
    _, writer = await asyncio.open_connection(sock=one)
    reader, other = await asyncio.open_connection(sock=two, limit=limit)
    return reader, writer, other


async def received(data, limit=65536):
    reader, writer, other = await pair(limit)
    writer.write(data)
    writer.write_eof()
    return reader, writer, other


def close(*writers):
    for writer in writers:
        writer.close()


async def shown(coro):
    return repr((await coro).decode()).replace("'", '"')


@case
async def stream_lines():
    reader, *writers = await received(b"one\ntwo\nlast")
    for _ in range(4):
        await attempt("line", shown(reader.readline()))
    say(reader.at_eof())
    close(*writers)


@case
async def stream_exactly():
    reader, *writers = await received(b"abcdef")
    await attempt("four", shown(reader.readexactly(4)))
    await attempt("none", shown(reader.readexactly(0)))
    await attempt("four", shown(reader.readexactly(4)))
    await attempt("again", shown(reader.readexactly(1)))
    close(*writers)


@case
async def stream_until():
    reader, *writers = await received(b"head::body:end")
    await attempt("until", shown(reader.readuntil(b"::")))
    await attempt("until", shown(reader.readuntil(b"::")))
    await attempt("rest", shown(reader.read(100)))
    await attempt("empty", shown(reader.readuntil(b"")))
    close(*writers)


@case
async def stream_over_its_limit():
    reader, *writers = await received(b"0123456789abcdef\nnext\n", 8)
    await attempt("until", shown(reader.readuntil(b"\n")))
    await attempt("exactly", shown(reader.readexactly(17)))
    await attempt("line", shown(reader.readline()))
    close(*writers)


@case
async def stream_read_by_two():
    reader, *writers = await pair()
    one = asyncio.create_task(attempt("one", shown(reader.read(5))))
    two = asyncio.create_task(attempt("two", shown(reader.read(5))))
    await two
    writers[0].write(b"data")
    await one
    close(*writers)


@case
async def stream_read_cancelled_loses_nothing():
    reader, *writers = await pair()
    task = asyncio.create_task(attempt("exactly", shown(reader.readexactly(4))))
    writers[0].write(b"ab")
    while not task.done():
        await asyncio.sleep(0)
        if len(reader._buffer) == 2:
            task.cancel("enough")
    writers[0].write(b"cd")
    await attempt("again", shown(reader.readexactly(4)))
    close(*writers)


@case
async def stream_writer_after_its_end():
    reader, writer, other = await pair()
    writer.write(b"data")
    writer.write_eof()
    say(writer.is_closing(), writer.can_write_eof())
    attempt_now("write", lambda: writer.write(b"more"))
    await attempt("read", shown(reader.read()))
    writer.close()
    say(writer.is_closing())
    await writer.wait_closed()
    say("closed")
    other.close()


@case
async def stream_reads_of_nothing():
    reader, *writers = await pair()
    await attempt("none", shown(reader.read(0)))
    say(reader.at_eof())
    writers[0].write_eof()
    await attempt("end", shown(reader.read(1)))
    say(reader.at_eof())
    await attempt("end", shown(reader.read(1)))
    close(*writers)
