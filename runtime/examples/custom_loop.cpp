// An own event loop: counts its iterations and the longest of them, and is used like any other. The document's program
// of this name cannot run in Python (its call_soon() is given a function where it wants a coroutine); this does what it
// means to do, and the monitoring that the text after it suggests.
#include <coroscope/coroscope.hpp>

#include <algorithm>
#include <iostream>

class MyEventLoop : public coroscope::EventLoop {
public:
    MyEventLoop() { monitored_ = true; }
    std::size_t iterations() const { return iterations_; }
    double longest_ms() const { return static_cast<double>(longest_ns_) / 1e6; }

protected:
    void iteration_done(const Iteration& iteration) noexcept override {
        ++iterations_;
        longest_ns_ = std::max(longest_ns_, iteration.busy_ns);
    }

private:
    std::size_t iterations_ = 0;
    std::uint64_t longest_ns_ = 0;
};

coroscope::Coro<> my_coroutine(MyEventLoop& loop) {
    std::cout << "Hello from my coroutine!" << std::endl;
    co_await coroscope::yield();
    loop.stop();
}

int main() {
    MyEventLoop loop;
    loop.create_task(my_coroutine(loop));
    loop.call_soon([] { std::cout << "Hello from a callback!" << std::endl; });
    loop.run_forever();
    std::cerr << loop.iterations() << " iterations, the longest took " << loop.longest_ms() << " ms\n";
}
