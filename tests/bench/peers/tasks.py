# asyncio's side of the part `runtime`: the same work as tasks.cpp, on asyncio's own loop or on uvloop.
# `tasks.py [--uvloop] WORK SECONDS` prints one number (ns, or bytes for bytes_*); exit status 3: no such work here.
import asyncio
import os
import statistics
import sys
import time

BATCH = 1000
SPAWN_COUNT = 100_000


async def repeat(seconds, count, once):
    """Wall ns an operation: one batch to warm up, then batches of `count` until the time is over."""
    await once()
    operations = 0
    start = time.perf_counter_ns()
    while True:
        await once()
        operations += count
        took = time.perf_counter_ns() - start
        if took >= seconds * 1e9:
            return took / operations


async def wall_ns(count, once):
    start = time.perf_counter_ns()
    await once()
    return (time.perf_counter_ns() - start) / count


async def median_of_3(count, once):
    return statistics.median([await wall_ns(count, once) for _ in range(3)])


async def child(value):
    return value


async def await_children(seconds):
    async def once():
        for i in range(BATCH):
            await child(i)

    return await repeat(seconds, BATCH, once)


async def fib(n):
    if n < 2:
        return n
    return await fib(n - 1) + await fib(n - 2)


FIB_ARGUMENT, FIB_CALLS = 18, 8361


async def fibs(seconds):
    return await repeat(seconds, FIB_CALLS, lambda: fib(FIB_ARGUMENT))


async def spawn_join(seconds):
    async def once():
        for i in range(BATCH):
            await asyncio.create_task(child(i))

    return await repeat(seconds, BATCH, once)


async def spawn_all(count, work):
    tasks = [asyncio.create_task(work(i)) for i in range(count)]
    for task in tasks:
        await task


async def spawn_cold(_):
    return await wall_ns(SPAWN_COUNT, lambda: spawn_all(SPAWN_COUNT, child))


async def spawn_warm(_):
    await spawn_all(SPAWN_COUNT, child)
    return await median_of_3(SPAWN_COUNT, lambda: spawn_all(SPAWN_COUNT, child))


async def gather(_):
    count = 100_000

    async def once():
        await asyncio.gather(*[child(i) for i in range(count)])

    await once()
    return await median_of_3(count, once)


async def yields(seconds):
    async def once():
        for _ in range(BATCH):
            await asyncio.sleep(0)

    return await repeat(seconds, BATCH, once)


# Two tasks wake each other in turn. Bare futures are what is fastest: Event takes 1.4 times as long, Queue 1.5 times.
async def switches(seconds):
    new_future = asyncio.get_running_loop().create_future
    ping, pong = new_future(), None

    async def answer():
        nonlocal ping
        while True:
            await ping
            ping = new_future()
            pong.set_result(None)

    async def once():
        nonlocal pong
        for _ in range(BATCH):
            pong = new_future()
            ping.set_result(None)
            await pong

    other = asyncio.create_task(answer())
    result = await repeat(seconds, 2 * BATCH, once)
    other.cancel()
    return result


async def pipeline(seconds):
    first, second = asyncio.Queue(64), asyncio.Queue(64)

    async def produce():
        i = 0
        while True:
            await first.put(i)
            i += 1

    async def pass_on():
        while True:
            await second.put(await first.get() + 1)

    async def once():
        for _ in range(BATCH):
            await second.get()

    tasks = [asyncio.create_task(produce()), asyncio.create_task(pass_on())]
    result = await repeat(seconds, BATCH, once)
    for task in tasks:
        task.cancel()
    return result


# Sleeps of 1 to 16 ms, all at a time. What counts is the CPU time, of all threads of the process.
async def one_sleep(index):
    await asyncio.sleep((1000 + (index * 7919) % 15000) / 1e6)


def sleeps(count):
    async def work(_):
        await spawn_all(count // 10, one_sleep)
        before = time.process_time_ns()
        await spawn_all(count, one_sleep)
        return (time.process_time_ns() - before) / count

    return work


# A limit of time around what is done at once.
async def timeouts(seconds):
    async def once():
        for i in range(BATCH):
            async with asyncio.timeout(10):
                await child(i)

    return await repeat(seconds, BATCH, once)


async def cancels(seconds):
    async def once():
        for _ in range(BATCH):
            task = asyncio.create_task(asyncio.sleep(3600))
            await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

    return await repeat(seconds, BATCH, once)


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# What a task that sleeps costs in memory. The process ends with them.
def sleeping_bytes(count):
    async def work(_):
        tasks = [None] * count
        before = resident_bytes()
        for i in range(count):
            tasks[i] = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        return (resident_bytes() - before) / count

    return work


async def yield_once(value):
    await asyncio.sleep(0)
    return value


def growth(count):
    async def work(seconds):
        await spawn_all(count, yield_once)
        values = []
        start = time.perf_counter()
        while True:
            values.append(await wall_ns(count, lambda: spawn_all(count, yield_once)))
            if time.perf_counter() - start >= seconds:
                return statistics.median(values)

    return work


WORKS = {
    "await": await_children,
    "fib": fibs,
    "spawn_join": spawn_join,
    "spawn_cold": spawn_cold,
    "spawn_warm": spawn_warm,
    "gather": gather,
    "yield": yields,
    "switch": switches,
    "pipeline": pipeline,
    "sleeps_1e5": sleeps(100_000),
    "sleeps_1e6": sleeps(1_000_000),
    "timeout": timeouts,
    "cancel": cancels,
    "bytes_1e3": sleeping_bytes(1000),
    "bytes_1e4": sleeping_bytes(10_000),
    "bytes_1e5": sleeping_bytes(100_000),
    "growth_1e3": growth(1000),
    "growth_1e4": growth(10_000),
    "growth_1e5": growth(100_000),
}
TOO_LONG = ("bytes_1e6", "growth_1e6")


async def measure(work, seconds):
    print(f"{await work(seconds):.3f}", flush=True)
    os._exit(0)  # tasks that sleep are left as they are


def main():
    arguments = sys.argv[1:]
    loop_factory = None
    if arguments[:1] == ["--uvloop"]:
        import uvloop

        loop_factory = uvloop.new_event_loop
        del arguments[0]
    if len(arguments) != 2:
        sys.exit("usage: tasks.py [--uvloop] WORK SECONDS")
    name, seconds = arguments[0], float(arguments[1])
    if name not in WORKS:
        print(f"tasks.py: {name}:", "takes too long" if name in TOO_LONG else "no such work", file=sys.stderr)
        sys.exit(3)
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(measure(WORKS[name], seconds))


if __name__ == "__main__":
    main()
