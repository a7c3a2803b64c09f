// Collects figures from many sources on several event loops, each on a thread of its own, and sums them up on one. A
// source connects and sends lines "METRIC VALUE". Without arguments it has 24 sources of its own, which send 1,200
// lines.
//
// To see here: what crosses from one loop to another is handed over by call_soon_threadsafe(), as a value, and no lock
// is needed. A collector that is faster than the loop of the totals sums up more before it hands over again: nothing
// grows. At the end run_coroutine_threadsafe() asks each collector for what it still has; as the answer has to be
// waited for in the way of threads, to_thread() does that, and the loop of the totals goes on meanwhile.
#include <atomic>
#include <coroscope/coroscope.hpp>
#include <coroscope/net.hpp>
#include <csignal>
#include <future>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "service.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

struct Figures {
    std::uint64_t count = 0;
    double sum = 0, least = std::numeric_limits<double>::max(), most = std::numeric_limits<double>::lowest();

    void add(const Figures& other) {
        count += other.count;
        sum += other.sum;
        least = std::min(least, other.least);
        most = std::max(most, other.most);
    }
};

class Totals {
public:
    Totals() {}
    std::map<std::string, Figures> metrics;
    std::uint64_t not_understood = 0;  // lines

    bool empty() const { return metrics.empty() && not_understood == 0; }
    void add_line(const std::string& line) {
        const std::size_t space = line.find(' ');
        const char* const begin = line.c_str() + (space == line.npos ? line.size() : space + 1);
        char* end = nullptr;
        const double value = std::strtod(begin, &end);
        if (end == begin || *end != '\n')
            ++not_understood;
        else
            metrics[line.substr(0, space)].add({1, value, value, value});
    }
    void add(const Totals& other) {
        for (const auto& [metric, figures] : other.metrics) metrics[metric].add(figures);
        not_understood += other.not_understood;
    }
};

// A loop on a thread of its own that listens for sources. `home` is the loop of the totals, and must not go before it
// is stopped.
class Collector {
public:
    // Returns when it listens. All collectors listen on one port; the kernel spreads the sources.
    Collector(EventLoop& home, Totals& totals, std::uint16_t port)
        : home_(home), totals_(totals), thread_(&Collector::run_loop, this, port) {
        try {
            port_ = listening_.get_future().get();
        } catch (...) {
            thread_.join();
            throw;
        }
    }
    ~Collector() { stop(); }
    Collector(const Collector&) = delete;
    Collector& operator=(const Collector&) = delete;

    std::uint16_t port() const { return port_; }

    // Ends it, and gives what it has not handed over. Blocks: not on a loop's thread.
    Totals stop() {
        if (!thread_.joinable()) return Totals();
        Totals rest = run_coroutine_threadsafe(finish(), *loop_).get();
        thread_.join();
        return rest;
    }

private:
    void run_loop(std::uint16_t port) {
        try {
            run(collect(port));
        } catch (...) {
            listening_.set_exception(std::current_exception());  // the port is taken, say
        }
    }

    Coro<> collect(std::uint16_t port) {
        loop_ = &EventLoop::running();
        ServerOptions options;
        options.reuse_port = true;
        const ConnectionHandler handler = [this](StreamReader reader, StreamWriter writer) {
            return read_source(std::move(reader), std::move(writer));
        };
        server_ = co_await start_server(handler, "localhost", port, options);
        listening_.set_value(server_.port());
        co_await first_of(hand_over(), finished_.wait());
        server_ = Server();  // on its own loop
    }

    Coro<> read_source(StreamReader reader, StreamWriter) {
        AsyncGenerator<std::string> lines = reader.lines();
        while (const std::optional<std::string> line = co_await lines.next()) collected_.add_line(*line);
    }

    Coro<> hand_over() {
        for (Ticker ticker(20ms);;) {
            co_await ticker.next();
            if (is_on_its_way_ || collected_.empty()) continue;
            is_on_its_way_ = true;
            home_.call_soon_threadsafe([this, part = std::exchange(collected_, {})] {
                totals_.add(part);
                is_on_its_way_ = false;
            });
        }
    }

    Coro<Totals> finish() {
        server_.close();
        co_await server_.wait_closed();
        finished_.set();
        co_return std::exchange(collected_, {});
    }

    EventLoop& home_;
    Totals& totals_;                           // of the home loop's thread
    std::atomic<bool> is_on_its_way_ = false;  // what was handed over last
    std::uint16_t port_ = 0;
    std::promise<std::uint16_t> listening_;
    // Of the collector's own thread.
    EventLoop* loop_ = nullptr;
    Server server_;
    Event finished_;
    Totals collected_;  // since it handed over last

    std::thread thread_;  // begins when all the others are there
};

void print(const Totals& totals) {
    for (const auto& [metric, each] : totals.metrics)
        std::cout << metric << ": " << each.count << " values from " << each.least << " to " << each.most << ", mean "
                  << each.sum / static_cast<double>(each.count) << '\n';
    if (totals.not_understood != 0) std::cout << totals.not_understood << " lines were not understood\n";
    std::cout << std::flush;
}

class Aggregator {
public:
    ~Aggregator() {
        for (const auto& collector : collectors_) collector->stop();
    }

    void listen(std::uint16_t port, int loops) {
        for (int i = 0; i < loops; ++i) {
            collectors_.push_back(std::make_unique<Collector>(home_.loop(), totals_, port));
            port = collectors_.back()->port();
        }
    }
    std::uint16_t port() const { return collectors_.front()->port(); }
    const Totals& totals() const { return totals_; }

    void run(Coro<> main) { home_.run(std::move(main)); }

    Coro<> report_until_signal(std::chrono::milliseconds period) {
        co_await first_of(report(period), wait_for_signal(SIGINT, SIGTERM));
        for (const auto& collector : collectors_) {
            const auto stop = [&collector] { return collector->stop(); };
            totals_.add(co_await to_thread(stop));
        }
    }

private:
    Coro<> report(std::chrono::milliseconds period) {
        for (Ticker ticker(period);;) {
            co_await ticker.next();
            print(totals_);
        }
    }

    Totals totals_;
    std::vector<std::unique_ptr<Collector>> collectors_;
    Runner<> home_;  // goes first: what was handed over to it refers to the others
};

// --- The demonstration

constexpr int sources = 24, values_each = 50;

// Ends when everything was read.
Coro<> send_values(std::uint16_t port, std::string metric) {
    Connection collector = co_await open_connection("localhost", port);
    Ticker ticker(2ms);
    for (int i = 0; i < values_each; ++i) {
        co_await ticker.next();
        collector.writer.write(metric + " " + std::to_string(i) + "\n");
        co_await collector.writer.drain();
    }
    collector.writer.write("nonsense\n");
    collector.writer.write_eof();
    co_await collector.reader.read_all();
}

Coro<> send_all(std::uint16_t port) {
    const char* const metrics[] = {"cpu", "disk", "memory", "network"};
    TaskGroup group;
    for (int i = 0; i < sources; ++i)
        group.create_task(send_values(port, metrics[i % 4]), "source-" + std::to_string(i));
    co_await group.join();
    std::raise(SIGTERM);
}

Coro<> demonstrate(Aggregator& aggregator) {
    TaskGroup group;
    group.create_task(aggregator.report_until_signal(1h), "aggregator");
    group.create_task(send_all(aggregator.port()), "sources");
    co_await group.join();
}

}  // namespace

int main(int argc, char** argv) {
    const CommandLine line(argc, argv,
                           "aggregator                             a demonstration\n"
                           "aggregator --port PORT [--loops N]     collects, and reports each second\n",
                           {"--port", "--loops"});
    try {
        Aggregator aggregator;
        aggregator.listen(line.number<std::uint16_t>("--port", 0), line.number("--loops", 3));
        if (line.has("--port")) {
            std::cout << "aggregator: nc localhost " << aggregator.port() << std::endl;
            aggregator.run(aggregator.report_until_signal(1s));
        } else {
            aggregator.run(demonstrate(aggregator));
            std::cout << sources << " sources, 3 loops\n";
        }
        print(aggregator.totals());
    } catch (const std::exception& error) {
        std::cerr << "aggregator: " << error.what() << '\n';
        return 1;
    }
}
