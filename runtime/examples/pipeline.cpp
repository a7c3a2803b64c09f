// A parallel data processing pipeline: producer, processor and consumer, with a queue between each two.
#include <coroscope/coroscope.hpp>

#include <iostream>
#include <optional>

using namespace std::chrono_literals;

using Item = std::optional<int>;  // nothing: the end of the data
using Queue = coroscope::Queue<Item>;

coroscope::Coro<> producer(Queue& queue, int count) {
    for (int item = 0; item < count; ++item) {
        co_await queue.put(item);
        co_await coroscope::sleep(100ms);  // simulate some processing time
    }
    co_await queue.put(std::nullopt);  // signal the end of the data
}

coroscope::Coro<> processor(Queue& in_queue, Queue& out_queue) {
    while (true) {
        const Item item = co_await in_queue.get();
        if (!item) {
            co_await out_queue.put(std::nullopt);
            co_return;
        }
        const int result = *item * 2;  // some processing
        co_await out_queue.put(result);
    }
}

coroscope::Coro<> consumer(Queue& queue) {
    while (true) {
        const Item item = co_await queue.get();
        if (!item) co_return;
        std::cout << "Consumed: " << *item << std::endl;
    }
}

coroscope::Coro<> async_main() {
    Queue queue1;
    Queue queue2;
    auto prod = coroscope::create_task(producer(queue1, 10), "producer");
    auto proc = coroscope::create_task(processor(queue1, queue2), "processor");
    auto cons = coroscope::create_task(consumer(queue2), "consumer");
    co_await coroscope::gather(prod, proc, cons);
}

int main() { coroscope::run(async_main()); }
