// A task is started and its handle dropped: nobody will see that it fails. From outside: some mails never arrive.
// `fixed`: a task group keeps the tasks, and throws their errors.
//
//     COROSCOPE=1 ./fire_and_forget   coroscope problems: exception_never_retrieved
#include <coroscope/coroscope.hpp>
#include <iostream>
#include <stdexcept>
#include <string>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<> send_mail(std::string to) {
    co_await sleep(1ms);
    if (to == "bob") throw std::runtime_error("no mailbox of " + to);
}

Coro<> tell_all() {
    for (const char* name : {"ann", "bob"}) create_task(send_mail(name), std::string("mail-to-") + name);
    co_await sleep(20ms);
}

Coro<> tell_all_of_them() {
    TaskGroup group;
    for (const char* name : {"ann", "bob"}) group.create_task(send_mail(name), std::string("mail-to-") + name);
    try {
        co_await group.join();
    } catch (const ExceptionGroup& errors) {
        std::cerr << errors.what() << '\n';
    }
}

}  // namespace

int main(int argc, char** argv) {
    run(is_fixed(argc, argv) ? tell_all_of_them() : tell_all());
    std::cout << "all are told\n";
}
