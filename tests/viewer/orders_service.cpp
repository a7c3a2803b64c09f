// A service to look at, on the real runtime: orders come in, are looked up, packed and shipped; and it has most of the
// faults the viewer is for. `orders_service [SECONDS]`. README's picture was taken of it.
#include <coroscope/coroscope.hpp>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using coroscope::Coro;
using coroscope::create_task;
using coroscope::sleep;
using coroscope::Task;

namespace {

std::mt19937 random_source(7);
std::chrono::microseconds between(int low_us, int high_us) {
    return std::chrono::microseconds(std::uniform_int_distribution<int>(low_us, high_us)(random_source));
}

// Computes, so to speak.
void work(std::chrono::microseconds length) {
    const auto until = std::chrono::steady_clock::now() + length;
    while (std::chrono::steady_clock::now() < until) {
    }
}

struct Parcel {
    int order = 0;
};
using Parcels = coroscope::Queue<Parcel>;

int find_in_stock(int order) {
    std::this_thread::sleep_for(2ms);
    return order;
}

Coro<int> query_stock(int order) {
    const int found = co_await coroscope::to_thread(find_in_stock, order);
    work(between(50, 300));
    co_return found;
}

Coro<> send_receipt(int) { co_await sleep(1ms); }

Coro<> handle_order(int order, Parcels& parcels) {
    work(between(60, 400));
    co_await sleep(between(2'000, 90'000));  // the customer thinks
    const int found = co_await query_stock(order);
    work(between(100, 900));
    co_await parcels.put(Parcel{found});
    if (order == 60) static_cast<void>(send_receipt(order));  // forgotten: co_await
}

Coro<> accept_orders(Parcels& parcels) {
    std::vector<Task<>> orders;
    for (int order = 1;; ++order) {
        orders.push_back(create_task(handle_order(order, parcels), "order-" + std::to_string(order)));
        if (orders.size() > 64) orders.erase(orders.begin(), orders.begin() + 32);
        co_await sleep(between(6'000, 45'000));
    }
}

Coro<> pack(Parcels& in, Parcels& out) {
    while (true) {
        const Parcel parcel = co_await in.get();
        work(between(200, 2'400));
        co_await out.put(parcel);
    }
}

Coro<> ship(Parcels& in) {
    while (true) {
        const Parcel parcel = co_await in.get();
        work(between(100, 800));
        co_await sleep(std::chrono::microseconds(2'000 + parcel.order % 7 * 500));
    }
}

Coro<> report_metrics() {
    while (true) {
        work(between(200, 900));
        co_await sleep(250ms);
    }
}

// Compacts on the loop, where it should be on a thread.
Coro<> compact_stock() {
    for (int round = 1;; ++round) {
        co_await sleep(round == 1 ? 700ms : 1'300ms);
        work(round % 2 == 1 ? 180ms : 7ms);
    }
}

// Two transfers of which each waits for the other.
Coro<> settle(Task<>& other) { co_await other; }

Coro<> transfer(Task<>& other) {
    co_await sleep(400ms);
    co_await settle(other);
}

Coro<> probe_carrier() {
    co_await sleep(900ms);
    throw std::runtime_error("no route to carrier");
}

Coro<> run_service(std::chrono::milliseconds length) {
    Parcels incoming, packed;
    std::vector<Task<>> service;
    service.push_back(create_task(accept_orders(incoming), "orders"));
    for (const char* name : {"packer-1", "packer-2", "packer-3"})
        service.push_back(create_task(pack(incoming, packed), name));
    service.push_back(create_task(ship(packed), "shipper"));
    service.push_back(create_task(report_metrics(), "metrics"));
    service.push_back(create_task(compact_stock(), "compactor"));
    Task<> debit, credit;
    debit = create_task(transfer(credit), "debit");
    credit = create_task(transfer(debit), "credit");
    create_task(probe_carrier(), "carrier-probe");
    co_await sleep(length);
    std::_Exit(0);  // as services end: in the middle of it all
}

}  // namespace

int main(int argc, char** argv) {
    const int seconds = argc > 1 ? std::atoi(argv[1]) : 6;
    coroscope::run(run_service(std::chrono::seconds(seconds)));
}
