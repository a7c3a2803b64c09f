// A coroutine is called, and awaited on one of two paths only: on the other one nothing is saved. From outside: some
// orders are lost, and no error says so. `fixed`: it is awaited on both.
//
//     COROSCOPE=1 ./forgotten_await   coroscope problems: never_awaited
#include <coroscope/coroscope.hpp>
#include <iostream>
#include <utility>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<> save(int order) {
    co_await sleep(1ms);
    std::cout << "saved order " << order << '\n';
}

Coro<> take_order(int order, bool urgent, bool fixed) {
    Coro<> saving = save(order);
    if (urgent || fixed) co_await std::move(saving);
}

Coro<> async_main(bool fixed) {
    co_await take_order(1, true, fixed);
    co_await take_order(2, false, fixed);
    std::cout << "all orders are taken\n";
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
