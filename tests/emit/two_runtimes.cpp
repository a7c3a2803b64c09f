// Our own runtime and another one in the same process: one app.
#include <cstdio>

#include "coroscope/coroscope.hpp"
#include "coroscope/emit.h"

namespace {

coroscope::Coro<> leaf() { co_await coroscope::yield(); }

coroscope::Coro<> host() {
    cs_runtime_info about{};
    about.size = sizeof about;
    about.abi = CS_ABI;
    about.language = "guest's";
    about.name = "guest";
    const cs_runtime runtime = cs_runtime_add(&about);  // after cs_open(), which the loop called
    const cs_task task = cs_task_new(runtime, 0, 0);
    cs_task_name(task, "guest's task");
    cs_step_begin(task, 0);  // within the step of host()
    cs_task_done(task, CS_OK);
    auto own = coroscope::create_task(coroscope::named("own task"), leaf);
    co_await own;
}

}  // namespace

int main() {
    coroscope::run(host());
    cs_close(60000);
}
