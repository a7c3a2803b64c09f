// How long something took, many times over: counts by length, in a bounded number of buckets of which each is at most
// a sixteenth wide. Two histograms add up to that of both.
//
// Memory: most_buckets counts, and no more than the longest length needs. Adding costs a few ns.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace coroscope::model {

class Histogram {
public:
    // Log-linear: lengths below 16 have a bucket each; above, each doubling has 16 buckets of one width.
    static constexpr std::uint64_t steps = 16;
    static constexpr std::size_t most_buckets = (64 - 4) * steps + steps;

    static constexpr std::size_t bucket_of(std::uint64_t ns) {
        if (ns < steps) return static_cast<std::size_t>(ns);
        const int doubling = 63 - std::countl_zero(ns) - 4;  // ns >> doubling is in [16, 32)
        return static_cast<std::size_t>(static_cast<std::uint64_t>(doubling) * steps + (ns >> doubling));
    }
    // The longest length in a bucket.
    static constexpr std::uint64_t last_of(std::size_t bucket) {
        if (bucket < steps) return bucket;
        const std::size_t doubling = bucket / steps - 1;
        return ((bucket % steps + steps + 1) << doubling) - 1;
    }

    void add(std::uint64_t ns) {
        add_count(bucket_of(ns), 1);
        max_ns_ = std::max(max_ns_, ns);
    }
    void merge(const Histogram& other) {
        for (std::size_t i = 0; i < other.counts_.size(); ++i)
            if (other.counts_[i] != 0) add_count(i, other.counts_[i]);
        max_ns_ = std::max(max_ns_, other.max_ns_);
    }
    // Of what was saved. A bucket that there cannot be is left out. `max_ns`: the longest of all.
    void restore(std::size_t bucket, std::uint64_t count) {
        if (bucket < most_buckets && count != 0) add_count(bucket, count);
    }
    void restore_max(std::uint64_t max_ns) { max_ns_ = std::max(max_ns_, max_ns); }

    std::uint64_t count() const { return count_; }
    std::uint64_t max_ns() const { return max_ns_; }                      // exact
    const std::vector<std::uint64_t>& counts() const { return counts_; }  // by bucket; what is behind its end is 0
    // The length that a share of all does not exceed, by at most a sixteenth too long; 0: there is none. `share`: 0.99.
    std::uint64_t quantile_ns(double share) const {
        const double wanted = share * static_cast<double>(count_);
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen != 0 && static_cast<double>(seen) >= wanted) return std::min(last_of(i), max_ns_);
        }
        return max_ns_;
    }

private:
    void add_count(std::size_t bucket, std::uint64_t count) {
        if (bucket >= counts_.size()) counts_.resize(bucket + 1);
        counts_[bucket] += count;
        count_ += count;
    }

    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0, max_ns_ = 0;
};

}  // namespace coroscope::model
