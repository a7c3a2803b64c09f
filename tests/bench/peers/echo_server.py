# An echo server on asyncio: streams, or with --protocol an asyncio.Protocol. `echo_server.py [--uvloop] [--protocol]`
# listens on a free port of 127.0.0.1, prints the port, serves until killed.
import asyncio
import sys


# Both loops set TCP_NODELAY on their own.
async def serve(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    # The peer does not read: neither do we until it does.
    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


async def main(protocol):
    if protocol:
        server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0, backlog=1024)
    else:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    loop_factory = None
    if "--uvloop" in sys.argv[1:]:
        import uvloop

        loop_factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main("--protocol" in sys.argv[1:]))
