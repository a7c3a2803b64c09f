// Texts that depend on the app that is shown.
#include "context.hpp"

#include <cmath>
#include <cstdio>

namespace coroscope::viewer::views {

std::string since_start(const Context& context, double time_ns) {
    const double since = time_ns - static_cast<double>(context.model().first_ns());
    char text[48];
    if (std::abs(since) < 60e9) {
        std::snprintf(text, sizeof text, "%+.3f s", since / 1e9);
    } else {
        const auto seconds = static_cast<long long>(since / 1e9);
        std::snprintf(text, sizeof text, "+%lld:%02lld:%06.3f", seconds / 3600, seconds / 60 % 60,
                      std::fmod(since / 1e9, 60.0));
    }
    return text;
}

}  // namespace coroscope::viewer::views
