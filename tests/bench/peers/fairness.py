# asyncio's side of the part `fairness`: the same work as programs/fairness.cpp. A yield is `await asyncio.sleep(0)`.
# `fairness.py WORK SECONDS` prints one number: the 95th percentile of the victim's latencies, in ns.
import asyncio
import os
import socket
import sys
import threading
import time

PAUSE_NS = 1_000_000
ANSWER_TIME_NS = 100_000


class Latencies:
    """Those of a run, which ends with the first one that comes after its time is over."""

    def __init__(self, seconds):
        self.end = time.perf_counter_ns() + seconds * 1e9
        self.all = []
        self.begun = False
        self.complete = False

    def add(self, latency):
        if not self.begun:  # the first one pays for the start
            self.begun = True
            return
        self.all.append(latency)
        self.complete = time.perf_counter_ns() >= self.end

    def percentile_95(self):
        self.all.sort()
        rank = (len(self.all) * 95 + 99) // 100  # the least that 95 % do not exceed
        return self.all[rank - 1]


def work_for(step_ns):
    if step_ns == 0:
        return
    end = time.perf_counter_ns() + step_ns
    while time.perf_counter_ns() < end:
        pass


async def be_busy(step_ns, latencies):
    while not latencies.complete:
        work_for(step_ns)
        await asyncio.sleep(0)


async def sleep_again_and_again(latencies):
    while not latencies.complete:
        due = time.perf_counter_ns() + PAUSE_NS
        await asyncio.sleep(PAUSE_NS / 1e9)
        latencies.add(time.perf_counter_ns() - due)


# The other end is in a process of its own: a thread of this one would have to wait for the interpreter's lock after
# each of its system calls.
async def talk_to_echo(latencies):
    own, other = socket.socketpair()
    child = os.fork()
    if child == 0:
        own.close()
        while byte := other.recv(1):
            time.sleep(ANSWER_TIME_NS / 1e9)
            other.sendall(byte)
        os._exit(0)
    other.close()
    own.setblocking(False)
    loop = asyncio.get_running_loop()
    while not latencies.complete:
        sent = time.perf_counter_ns()
        await loop.sock_sendall(own, b"x")
        if not await loop.sock_recv(own, 1):
            sys.exit("fairness.py: the echo has ended")
        latencies.add(time.perf_counter_ns() - sent)
    own.close()
    os.waitpid(child, 0)


# To hand something over, the thread needs the interpreter's lock, and could wait for it for 5 ms. That is not the loop's
# doing: the thread gets the lock soon here, and the latency counts from then on.
async def be_called(latencies):
    sys.setswitchinterval(50e-6)
    loop = asyncio.get_running_loop()
    ran = threading.Semaphore(0)
    complete = loop.create_future()

    def callback(asked):
        latencies.add(time.perf_counter_ns() - asked)
        ran.release()
        if latencies.complete:
            complete.set_result(None)

    def call_again_and_again():
        while not latencies.complete:
            time.sleep(PAUSE_NS / 1e9)
            loop.call_soon_threadsafe(callback, time.perf_counter_ns())
            ran.acquire()

    thread = threading.Thread(target=call_again_and_again)
    thread.start()
    await complete
    thread.join()


VICTIMS = {"sleep": sleep_again_and_again, "echo": talk_to_echo, "threadsafe": be_called}
STEPS_NS = {"5ms": 5_000_000, "0": 0}


async def measure(victim, step_ns, seconds):
    latencies = Latencies(seconds)
    busy = asyncio.create_task(be_busy(step_ns, latencies))
    await victim(latencies)
    await busy
    print(latencies.percentile_95())


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: fairness.py WORK SECONDS")
    victim, _, step = sys.argv[1].partition("_")
    if victim not in VICTIMS or step not in STEPS_NS:
        print("fairness.py: no work of the name", sys.argv[1], file=sys.stderr)
        sys.exit(3)
    asyncio.run(measure(VICTIMS[victim], STEPS_NS[step], float(sys.argv[2])))


if __name__ == "__main__":
    main()
