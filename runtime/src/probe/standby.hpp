// Listens for the tools: `coroscope attach`, `detach`, `stacks`, `threshold` and `ps` talk to a process through a unix
// socket of its own. In libcoroscope-emit; std and POSIX only.
//
// One thread of ours sleeps in the kernel until somebody connects: it costs nothing meanwhile. It listens from the
// first loop on, or from the start of debug mode; a forked child listens anew when it makes a loop. The app may close
// the descriptor, even reuse its number: the thread notices and listens anew. The socket is for the process's own user
// and root, by its mode, that of its folder, and by who the system says connects.
//
// A request is a line, "VERB" or "VERB ARGUMENT"; the answer is a JSON object up to the end of the connection:
//     status            {"ok", "protocol", "name", "pid", "on", "target", "slow_step_ns"}
//     attach TARGET     as COROSCOPE; without TARGET: where the app was told to send to, or the default agent
//     detach            debug mode off
//     threshold NS      steps from this length on are slow
//     stacks            all tasks of all loops: see cs_stacks_writer in coroscope/emit.h
// What cannot be done is answered by {"ok": false, "error"}.
#pragma once

#include <string>

namespace coroscope::probe {

// Idempotent; "" or why it is not possible, once. Under the switch's mutex.
std::string listen_for_tools();
// In a forked child, between the hooks of the switch: the parent's socket is the parent's.
void stop_listening_in_child() noexcept;
// The app's user wants a signal to switch debug mode on and off: COROSCOPE_SIGNAL.
bool standby_signal_asked();

// The answer to a request, without its end of line. On the listening thread.
std::string answer_to(const std::string& request);

}  // namespace coroscope::probe
