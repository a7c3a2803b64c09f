#include "source.hpp"

#include <sys/stat.h>

#include <chrono>

#include "proto/address/agent_address.hpp"

namespace coroscope::viewer {

Folded fold(Source& source, model::Session& session, const model::Limits& limits, double budget_s) {
    Folded folded;
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(budget_s);
    Item item;
    while (source.items().pop(item)) {
        switch (item.kind) {
            case Item::Kind::frame:
                session.apply(item.frame);  // a bad frame is counted in the session and shown in capture health
                ++folded.frames;
                break;
            case Item::Kind::reset:
                session = model::Session(limits);
                folded.reset = true;
                break;
            case Item::Kind::caught_up: folded.caught_up = true; break;
        }
        if (std::chrono::steady_clock::now() >= until) {
            folded.more = true;
            break;
        }
    }
    return folded;
}

bool is_address(const std::string& where) {
    if (!looks_like_address(where)) return false;
    struct stat found{};
    return where.starts_with("unix:") || ::stat(where.c_str(), &found) != 0;
}

}  // namespace coroscope::viewer
