// A crawler: from one page to all that it leads to on the same site. Without arguments it starts a site of its own,
// with pages that fail at first, or always, and crawls that.
//
// To see here: workers take addresses from a queue, and queue.join() tells when nothing is left to do. A semaphore
// bounds how many requests are under way, a rate limiter how many begin in a second, and what failed for the moment is
// tried again after a pause that grows and that chance spreads; in the pause it keeps nobody from the semaphore.
#include <coroscope/coroscope.hpp>
#include <coroscope/http.hpp>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "service.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

constexpr int workers = 16, attempts = 4;
constexpr std::size_t most_at_once = 6;
constexpr double most_per_second = 500;

// An answer that may be another one when it is asked for again.
class Unavailable : public std::runtime_error {
public:
    explicit Unavailable(int status)
        : std::runtime_error(std::to_string(status) + " " + std::string(http::reason_phrase(status))) {}
};

bool may_pass(const std::exception& error) {
    return dynamic_cast<const Unavailable*>(&error) != nullptr ||
           dynamic_cast<const TimeoutError*>(&error) != nullptr ||
           dynamic_cast<const ConnectionError*>(&error) != nullptr;
}

// What is written as href="..." in a page.
std::vector<std::string> links_of(std::string_view page) {
    constexpr std::string_view begin = "href=\"";
    std::vector<std::string> links;
    for (std::size_t at = page.find(begin); at != page.npos; at = page.find(begin, at)) {
        at += begin.size();
        links.emplace_back(page.substr(at, page.find_first_of("\"#", at) - at));  // without a fragment
    }
    return links;
}

class Crawler {
public:
    // `site`: "http://example.com", without a path.
    Crawler(std::string site, std::size_t most_pages) : site_(std::move(site)), most_pages_(most_pages) {
        at_once_.set_name("requests");
    }

    Coro<> crawl(std::string path) {
        found(path);
        co_await with_task_group(std::bind_front(&Crawler::work_until_done, this));
        co_await session_.close();
    }

    std::size_t pages = 0, requests = 0, bytes = 0;
    std::size_t known = 0, elsewhere = 0, left_out = 0;  // links
    std::map<std::string, std::string> failed;           // path: why

private:
    Coro<> work_until_done(TaskGroup& group) {
        for (int i = 0; i < workers; ++i) group.create_task(work(), "worker-" + std::to_string(i));
        co_await paths_.join();
        paths_.shutdown();
    }

    Coro<> work() {
        try {
            for (;;) {
                const std::string path = co_await paths_.get();
                co_await visit(path);
                paths_.task_done();
            }
        } catch (const QueueShutDown&) {
        }
    }

    Coro<> visit(std::string path) {
        const Span whole = span("visit", {{"path", path}});
        try {
            const http::ClientResponse page =
                co_await retry({.attempts = attempts, .first_pause = 20ms, .should_retry = may_pass},
                               std::bind_front(&Crawler::fetch, this), path);
            ++pages;
            bytes += page.body.size();
            for (const std::string& link : links_of(page.body)) found(link);
        } catch (const std::exception& error) {
            failed[path] = error.what();
        }
    }

    Coro<http::ClientResponse> fetch(std::string path) {
        const auto permit = co_await at_once_.acquire();
        co_await rate_.acquire();
        ++requests;
        http::ClientResponse page = co_await wait_for(session_.get(site_ + path), 10s);
        if (page.status >= 500 || page.status == 429) throw Unavailable(page.status);
        if (page.status != 200)
            throw std::runtime_error(std::to_string(page.status) + " " + std::string(http::reason_phrase(page.status)));
        co_return page;
    }

    // Each path goes into the queue once.
    void found(const std::string& link) {
        const std::string path = link.starts_with(site_ + "/") ? link.substr(site_.size()) : link;
        if (!path.starts_with('/') || path.starts_with("//")) {
            ++elsewhere;
        } else if (seen_.contains(path)) {
            ++known;
        } else if (seen_.size() == most_pages_) {
            ++left_out;
        } else {
            seen_.insert(path);
            paths_.put_nowait(path);
        }
    }

    const std::string site_;
    const std::size_t most_pages_;
    http::ClientSession session_;
    Queue<std::string> paths_;  // bounded by most_pages_
    std::set<std::string> seen_;
    Semaphore at_once_{most_at_once};
    RateLimiter rate_{most_per_second, 20};
};

Coro<> crawl(std::string url, std::size_t most_pages) {
    const std::size_t host = url.find("://") + 3;
    const std::size_t slash = std::min(url.find('/', host), url.size());
    const std::string path = slash == url.size() ? "/" : url.substr(slash);
    Crawler crawler(url.substr(0, slash), most_pages);
    co_await crawler.crawl(path);
    std::cout << crawler.pages << " pages, " << crawler.bytes << " bytes, " << crawler.requests << " requests; "
              << crawler.elsewhere << " links lead elsewhere, " << crawler.left_out << " were left out\n";
    for (const auto& [each, why] : crawler.failed) std::cout << "failed: " << each << ": " << why << '\n';
    if (crawler.failed.contains(path)) throw std::runtime_error("there is no first page");
}

// --- The demonstration

// Pages 0 to 149, each of which leads to others. Every tenth is not available at the first request, one never is.
class Site {
public:
    static constexpr int size = 150, broken = 77;

    http::Application application() {
        http::Application app;
        app.add_get("/page/{number}", std::bind_front(&Site::page, this));
        return app;
    }
    int most_at_once() const { return most_at_once_; }

private:
    Coro<http::Response> page(http::Request& request) {
        most_at_once_ = std::max(most_at_once_, ++at_once_);
        co_await sleep(2ms);  // a database, say
        --at_once_;
        const std::string text = request.match_info().get("number");
        const int number = std::atoi(text.c_str());
        if (number >= size) throw http::HttpError(404);
        if (++requests_[number] == 1 && number % 10 == 0) throw http::HttpError(503);
        if (number == broken) throw http::HttpError(500);
        std::string html = "<a href=\"http://example.com/\">elsewhere</a><a href=\"/page/0#top\">home</a>";
        for (const int next : {2 * number + 1, 2 * number + 2, number * 7 % size})
            if (next < size) html += "<a href=\"/page/" + std::to_string(next) + "\">more</a>";
        if (number == 42) html += "<a href=\"/page/999\">removed long ago</a>";
        co_return http::Response::html(html);
    }

    std::map<int, int> requests_;
    int at_once_ = 0, most_at_once_ = 0;
};

Coro<> demonstrate() {
    Site site;
    http::AppRunner runner(site.application());
    http::TCPSite listener(runner, "localhost", 0);
    co_await listener.start();
    Crawler crawler(listener.name(), 1'000);
    co_await crawler.crawl("/page/0");
    co_await runner.cleanup();
    require(site.most_at_once() <= static_cast<int>(most_at_once), "there are more requests at once than allowed");
    std::cout << crawler.pages << " pages by " << crawler.requests << " requests, never more than " << most_at_once
              << " at once; " << crawler.known << " links led to pages that were known\n";
    for (const auto& [path, why] : crawler.failed) std::cout << "failed: " << path << ": " << why << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    const CommandLine line(argc, argv,
                           "crawler                            a demonstration\n"
                           "crawler --url URL [--pages MOST]   crawls what URL leads to on its site\n",
                           {"--url", "--pages"});
    try {
        run(line.has("--url") ? crawl(line.text("--url", ""), line.number<std::size_t>("--pages", 100))
                              : demonstrate());
    } catch (const std::exception& error) {
        std::cerr << "crawler: " << error.what() << '\n';
        return 1;
    }
}
