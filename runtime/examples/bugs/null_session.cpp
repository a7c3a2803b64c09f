// A session is looked up, and used without asking whether there is one. From outside: the program is gone, with a core
// at best. `fixed`: it asks.
//
//     COROSCOPE=1 ./null_session      coroscope problems: crashed
#include <coroscope/coroscope.hpp>
#include <iostream>
#include <map>
#include <string>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

struct Session {
    volatile int requests = 0;
};
std::map<std::string, Session> sessions;

Session* find_session(const std::string& name) {
    const auto found = sessions.find(name);
    return found == sessions.end() ? nullptr : &found->second;
}

[[gnu::noinline]] void count_request(Session* session) { session->requests = session->requests + 1; }

Coro<> serve(std::string name, bool fixed) {
    co_await sleep(5ms);
    Session* session = find_session(name);
    if (session != nullptr || !fixed) count_request(session);
}

Coro<> async_main(bool fixed) {
    sessions["ann"];
    co_await create_task(serve("ann", fixed), "serve-ann");
    co_await create_task(serve("bob", fixed), "serve-bob");
    std::cout << "both are served\n";
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
