import asyncio
from asyncio import Queue


async def producer(queue, data):
    for item in data:
        await queue.put(item)
        await asyncio.sleep(0.1)  # Simulate some processing time
    await queue.put(None)  # Signal end of data


async def processor(in_queue, out_queue):
    while True:
        item = await in_queue.get()
        if item is None:
            await out_queue.put(None)
            return
        result = item * 2  # Some processing
        await out_queue.put(result)


async def consumer(queue):
    while True:
        item = await queue.get()
        if item is None:
            return
        print(f"Consumed: {item}")


async def main():
    data = range(10)
    queue1 = Queue()
    queue2 = Queue()
    prod = asyncio.create_task(producer(queue1, data))
    proc = asyncio.create_task(processor(queue1, queue2))
    cons = asyncio.create_task(consumer(queue2))
    await asyncio.gather(prod, proc, cons)


asyncio.run(main())
