# A minimal HTTP server on asyncio's streams, parsed by hand. `http_server.py [--uvloop]` listens on a free port of
# 127.0.0.1, prints the port, serves until killed.
import asyncio
import email.utils
import sys
import time

NOT_FOUND = b"404: Not Found"
TYPE = b"Content-Type: text/plain; charset=utf-8\r\n"

date_second, date = 0, b""


# The header, made once a second.
def date_header():
    global date_second, date
    now = int(time.time())
    if now != date_second:
        date_second = now
        date = b"Date: " + email.utils.formatdate(now, usegmt=True).encode() + b"\r\n"
    return date


def respond(method, target, connection):
    name = target[1:]
    if method == b"GET" and target[:1] == b"/" and b"/" not in name:
        body = b"Hello, %b!" % (name or b"Anonymous")
        status = b"200 OK"
    else:
        body = NOT_FOUND
        status = b"404 Not Found"
    head = b"HTTP/1.1 %b\r\n%b%bContent-Length: %d\r\n%b\r\n" % (status, TYPE, date_header(), len(body), connection)
    return head if method == b"HEAD" else head + body


# A request with a body is answered as the last one: the body is not read.
def is_last(version, headers):
    headers = headers.lower()
    return (
        version != b"HTTP/1.1"
        or b"\r\nconnection: close" in headers
        or b"\r\ntransfer-encoding:" in headers
        or (b"\r\ncontent-length:" in headers and b"\r\ncontent-length: 0\r\n" not in headers)
    )


async def serve(reader, writer):
    try:
        last = False
        while not last:
            request = await reader.readuntil(b"\r\n\r\n")
            line, _, _ = request.partition(b"\r\n")
            method, target, version = line.split(b" ")
            last = is_last(version, request[len(line) :])
            writer.write(respond(method, target, b"Connection: close\r\n" if last else b""))
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
        pass  # gone, or not a request
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    loop_factory = None
    if sys.argv[1:] == ["--uvloop"]:
        import uvloop

        loop_factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())
