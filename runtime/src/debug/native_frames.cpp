#include "native_frames.hpp"

#define BACKWARD_HAS_DW 1
#define BACKWARD_HAS_UNWIND 1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#include <backward.hpp>
#pragma GCC diagnostic pop

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "function_name.hpp"

namespace coroscope::debug {

namespace {

constexpr std::size_t most_cached = 10'000;

NativeFrame make_frame(const std::string& function, const backward::ResolvedTrace::SourceLoc& place) {
    NativeFrame frame;
    frame.function = readable_function(function);
    frame.file = place.filename;
    frame.line = place.line;
    return frame;
}

}  // namespace

struct NativeFrames::State {
    backward::TraceResolver resolver;
    std::unordered_map<void*, std::vector<NativeFrame>> cache;  // bound: most_cached; overflow: emptied

    const std::vector<NativeFrame>& resolve(void* address) {
        if (const auto found = cache.find(address); found != cache.end()) return found->second;
        if (cache.size() >= most_cached) cache.clear();
        std::vector<NativeFrame>& frames = cache[address];
        const backward::ResolvedTrace trace = resolver.resolve(backward::ResolvedTrace(backward::Trace(address, 0)));
        // An inliner is named after the function that was inlined and placed where that was called: so each function
        // stands at the place of the one before it, the innermost at the address, and the function with a frame of its
        // own is the outermost.
        const std::string& whole = trace.object_function.empty() ? trace.source.function : trace.object_function;
        const backward::ResolvedTrace::SourceLoc* place = &trace.source;
        for (const auto& inliner : trace.inliners) {
            frames.push_back(make_frame(inliner.function, *place));
            place = &inliner;
        }
        frames.push_back(make_frame(whole, *place));
        if (frames.front().function.empty() && frames.front().file.empty()) frames.clear();
        return frames;
    }
};

NativeFrames::NativeFrames() : state_(std::make_unique<State>()) {}
NativeFrames::~NativeFrames() = default;

std::vector<NativeFrame> NativeFrames::resolve(std::span<void* const> addresses, bool first_is_exact) {
    std::vector<NativeFrame> frames;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        auto* address = static_cast<char*>(addresses[i]);
        if (address == nullptr) continue;
        // A return address may lie behind the end of its line, even of its function: the call is one byte before.
        if (i != 0 || !first_is_exact) --address;
        const auto& resolved = state_->resolve(address);
        frames.insert(frames.end(), resolved.begin(), resolved.end());
    }
    return frames;
}

bool is_runtime_frame(const NativeFrame& frame) {
    const auto in = [&](const char* part) { return frame.file.find(part) != std::string::npos; };
    return in("include/coroscope/") || frame.file.ends_with("/coroutine") || in("runtime/src/") || frame.function.starts_with("coroscope::");
}

std::vector<NativeFrame> creation_call(std::vector<NativeFrame> frames, const std::string& coroutine) {
    const auto end_of_scope = coroutine.rfind("::");
    const std::string unqualified = end_of_scope == std::string::npos ? coroutine : coroutine.substr(end_of_scope + 2);
    const auto is_itself = [&](const NativeFrame& frame) {
        return frame.function == coroutine || frame.function == unqualified;
    };
    // Innermost come the promise's functions, then the coroutine's own start: the call is next.
    auto at = std::find_if(frames.begin(), frames.end(), is_itself);
    if (at == frames.end()) at = frames.begin();
    while (at != frames.end() && (is_itself(*at) || is_runtime_frame(*at) || at->line == 0)) ++at;
    const auto loop = std::find_if(at, frames.end(), [](const NativeFrame& frame) { return is_runtime_frame(frame); });
    return {at, loop};
}

std::vector<NativeFrame> stalled_call(std::vector<NativeFrame> frames) {
    const auto loop = std::find_if(frames.begin(), frames.end(), [](const NativeFrame& frame) {
        return frame.function.find("EventLoop::run_step") != std::string::npos ||
               frame.function.find("EventLoop::run_callback") != std::string::npos;
    });
    frames.erase(loop, frames.end());
    // The innermost frames of the standard library and the system only say how it blocks; they stay, the site is chosen
    // later.
    std::erase_if(frames, [](const NativeFrame& frame) { return is_runtime_frame(frame) || frame.function.empty(); });
    return frames;
}

}  // namespace coroscope::debug
