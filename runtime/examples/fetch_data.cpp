// Three tasks at once, and gather() for their results in order.
#include <coroscope/coroscope.hpp>

#include <iostream>
#include <string>
#include <vector>

using namespace std::chrono_literals;

coroscope::Coro<std::string> fetch_data(std::string url) {
    std::cout << "Fetching data from " << url << std::endl;
    co_await coroscope::sleep(2s);  // simulating network delay
    co_return "Data from " + url;
}

coroscope::Coro<> async_main() {
    const std::vector<std::string> urls = {"http://example.com", "http://example.org", "http://example.net"};
    std::vector<coroscope::Task<std::string>> tasks;
    for (const std::string& url : urls) tasks.push_back(coroscope::create_task(fetch_data(url)));
    const std::vector<std::string> results = co_await coroscope::gather(std::move(tasks));
    for (const std::string& result : results) std::cout << result << std::endl;
}

int main() { coroscope::run(async_main()); }
