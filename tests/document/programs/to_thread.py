import asyncio
import time


def cpu_bound_task():
    time.sleep(5)  # Simulating a CPU-bound task
    return "Task completed"


async def main():
    result = await asyncio.to_thread(cpu_bound_task)
    print(result)


asyncio.run(main())
