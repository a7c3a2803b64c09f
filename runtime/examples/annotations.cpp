// What an app tells the debugger about itself: a name and attributes for each order, a span for each part of the work,
// a mark, a counter. See them with `coroscope run --record t.cst ./annotations`, then `coroscope tree t.cst`, and in
// the timeline of `coroscope view t.cst`.
#include <coroscope/coroscope.hpp>

#include <chrono>
#include <string>

using namespace std::chrono_literals;
namespace cs = coroscope;

int in_work = 0;

cs::Coro<> reserve(int order) {
    const cs::Span whole = cs::span("reserve");
    co_await cs::sleep(10ms + order * 1ms);
    if (order % 3 == 0) cs::mark("out of stock", {{"order", order}});
}

cs::Coro<> charge(int order) {
    cs::Span whole = cs::span("charge");
    co_await cs::sleep(20ms);
    whole.set_attribute("amount", 9.5 * order);
}

cs::Coro<> serve(int order) {
    cs::name_task("order " + std::to_string(order));
    cs::set_attribute("customer", order % 2 == 0 ? "ann" : "bob");
    cs::counter("orders in work", ++in_work);
    co_await reserve(order);
    co_await charge(order);
    cs::counter("orders in work", --in_work);
}

cs::Coro<> async_main() {
    cs::TaskGroup group;
    for (int order = 1; order <= 6; ++order) {
        group.create_task(serve(order));
        co_await cs::sleep(5ms);
    }
    co_await group.join();
}

int main() { cs::run(async_main()); }
