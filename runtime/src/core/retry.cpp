#include "coroscope/retry.hpp"

#include <cmath>
#include <random>

namespace coroscope::detail {

double random_share() {
    thread_local std::minstd_rand random{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(random);
}

std::chrono::nanoseconds pause_after(const RetryOptions& options, int failed_attempts) {
    const auto first = static_cast<double>(std::max<std::int64_t>(0, options.first_pause.count()));
    const auto most = static_cast<double>(std::max<std::int64_t>(0, options.most_pause.count()));
    const double whole = std::min(most, first * std::pow(std::max(1.0, options.factor), failed_attempts - 1));
    const double share = options.chance ? std::clamp(options.chance(), 0.0, 1.0) : random_share();
    return std::chrono::nanoseconds(static_cast<std::int64_t>(whole / 2 + whole / 2 * share));
}

}  // namespace coroscope::detail
