import asyncio


async def process_item(item):
    await asyncio.sleep(1)
    return f"Processed {item}"


async def main():
    async with asyncio.TaskGroup() as tg:
        task1 = tg.create_task(process_item("A"))
        task2 = tg.create_task(process_item("B"))
        task3 = tg.create_task(process_item("C"))
    print(task1.result())
    print(task2.result())
    print(task3.result())


asyncio.run(main())
