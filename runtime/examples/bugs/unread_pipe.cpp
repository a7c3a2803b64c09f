// Waits for a subprocess that waits for somebody to read its output. `fixed`: communicate() does both.
//
//     COROSCOPE=1 ./unread_pipe       coroscope problems: unread_output
#include <coroscope/coroscope.hpp>
#include <coroscope/net.hpp>
#include <iostream>

#include "bug.hpp"

using namespace coroscope;

namespace {

Coro<> async_main(bool fixed) {
    ProcessOptions options;
    options.out = subprocess::PIPE;
    Process process = co_await create_subprocess_shell("head -c 300000 /dev/zero", options);
    if (fixed)
        std::cout << (co_await process.communicate()).out.size() << " bytes\n";
    else
        std::cout << "ended with " << co_await process.wait() << '\n';
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
