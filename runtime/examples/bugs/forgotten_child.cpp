// A subprocess is started, and its handle goes before it has ended: nobody learns how it ended, or ends it. From
// outside: processes are left behind. `fixed`: its end is awaited.
//
//     COROSCOPE=1 ./forgotten_child   coroscope problems: unclosed_transport
#include <coroscope/coroscope.hpp>
#include <coroscope/net.hpp>
#include <iostream>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<> convert(bool fixed) {
    Process converter = co_await create_subprocess_shell("sleep 0.3");
    if (fixed) std::cout << "converted: " << co_await converter.wait() << '\n';
}

Coro<> async_main(bool fixed) {
    co_await create_task(convert(fixed), "convert");
    co_await sleep(50ms);
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
