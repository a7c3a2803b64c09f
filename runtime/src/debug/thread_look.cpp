#include "thread_look.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "native_frames.hpp"
#include "runtime/src/probe/json.hpp"
#include "watchdog.hpp"

namespace coroscope::debug {

namespace {

using namespace std::chrono_literals;
using What = ThreadState::What;

// A thread that goes on between two looks is looked at again.
constexpr int most_looks = 5;
constexpr auto pause = 1ms;

}  // namespace

StackCopy copy_blocked(std::uint64_t tid, const ThreadState& state) {
    if (state.sp == 0) return {};
    StackCopy copy = copy_stack(state.sp, state.pc);
    const ThreadState after = state_of(tid);
    const bool same = after.what == What::blocked && after.sp == state.sp && after.pc == state.pc &&
                      after.times_on_cpu == state.times_on_cpu;
    return same ? std::move(copy) : StackCopy();
}

ThreadLook look_at_thread(std::uint64_t tid, bool may_signal) {
    ThreadLook look;
    for (int i = 0; i < most_looks && look.stack.empty(); ++i) {
        if (i != 0) std::this_thread::sleep_for(pause);
        const auto switches = voluntary_switches(tid);
        const ThreadState state = state_of(tid);
        look.what = state.what;
        look.call.clear();
        if (state.what == What::unknown) break;
        if (state.what == What::blocked) {
            look.call = call_words(state);
            if (state.sp == 0) break;
            look.stack = copy_blocked(tid, state);
            continue;
        }
        if (!may_signal) break;
        // Only one that does not sleep often and for short is signalled, as by the watchdog.
        std::this_thread::sleep_for(pause);
        if (voluntary_switches(tid) == switches) look.stack = copy_running(tid);
    }
    return look;
}

std::string look_json(const ThreadLook& look) {
    std::string text = R"({"state":)";
    text += look.what == What::blocked ? R"("blocked")" : look.what == What::runs ? R"("computes")" : R"("unknown")";
    text += R"(,"call":)" + probe::json_text(look.call) + R"(,"frames":[)";
    if (!look.stack.empty()) {
        NativeFrames native;
        bool first = true;
        for (const NativeFrame& frame : stalled_call(native.resolve(look.stack))) {
            text += std::exchange(first, false) ? "[" : ",[";
            text += probe::json_text(frame.function) + "," + probe::json_text(frame.file) + "," +
                    std::to_string(frame.line) + "," + (is_library_frame(frame) ? "true" : "false") + "]";
        }
    }
    return text + "]}";
}

}  // namespace coroscope::debug
