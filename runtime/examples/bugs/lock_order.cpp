// Two tasks take two locks in opposite order, and wait for each other for ever. `fixed`: both take them in one order.
//
//     COROSCOPE=1 ./lock_order        coroscope problems: deadlock
#include <coroscope/coroscope.hpp>
#include <iostream>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

struct Bank {
    Lock accounts, audit;
};

Coro<> transfer(Bank& bank) {
    const auto accounts = co_await bank.accounts.acquire();
    co_await sleep(20ms);
    const auto audit = co_await bank.audit.acquire();
}

Coro<> report(Bank& bank, bool fixed) {
    const auto first = co_await (fixed ? bank.accounts : bank.audit).acquire();
    co_await sleep(20ms);
    const auto second = co_await (fixed ? bank.audit : bank.accounts).acquire();
}

Coro<> async_main(bool fixed) {
    Bank bank;
    co_await gather(transfer(bank), report(bank, fixed));
    std::cout << "both are done\n";
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
