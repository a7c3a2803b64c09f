// Where time goes, on its way to the agent: what calls that block, and samples of CPU time, sum up to at each place.
//
// What comes in has return addresses, what goes out has lines of the source: stacks that read the same are one place.
// The addresses are looked up by the resolver, so a place goes out some milliseconds after it was seen first.
//
// Memory: bounded by most_stacks and most_places. What has no room is added to one place without a stack, whose
// function says so. Thread: the emitter's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "coroscope/vocabulary.hpp"
#include "native_frames.hpp"
#include "runtime/src/probe/registry.hpp"

namespace coroscope::debug {

using vocabulary::ReportKind;

struct PlaceSums {
    std::uint64_t count = 0, total_ns = 0, longest_ns = 0, slow_ns = 0, quick = 0;
    std::uint64_t task = 0;  // the last one
    std::uint32_t thread = 0;
};

// A place as it goes out.
struct Hotspot {
    ReportKind kind = ReportKind::unknown;
    std::uint32_t id = 0;  // from 1, for the kind
    std::string function;
    probe::NodeId node = 0;
    std::vector<probe::SiteId> frames;  // innermost first
    PlaceSums sums;
};

class Hotspots {
public:
    static constexpr std::size_t most_stacks = 16'384, most_places = 4'096;  // of a kind

    // The number of a stack; `is_new`: it must be looked up, and resolved() called. nullopt: no room.
    struct Stack {
        std::size_t number = 0;
        bool is_new = false;
    };
    std::optional<Stack> stack(ReportKind kind, const char* function, probe::NodeId node,
                               const std::vector<void*>& frames);
    const std::vector<void*>& frames(std::size_t number) const { return *stacks_[number].frames; }
    ReportKind kind(std::size_t number) const { return stacks_[number].kind; }
    // What is known of it now: the sums since the start; or what is to be added.
    void set(std::size_t number, const PlaceSums& sums);
    void add(std::size_t number, const PlaceSums& sums);
    void add_without_room(ReportKind kind, const PlaceSums& sums);
    // Its lines, innermost first; nullopt: it is none of the app's. `called_by_app`: PlaceSums::quick, which is that of
    // the innermost return address, is that of the place.
    void resolved(std::size_t number, std::optional<std::vector<probe::SiteId>> sites, bool called_by_app);

    // The places whose sums have changed since the last call; `all`: all of them.
    std::vector<Hotspot> take(bool all);

private:
    using StackKey = std::tuple<ReportKind, std::string, probe::NodeId, std::vector<void*>>;
    using PlaceKey = std::tuple<ReportKind, std::string, probe::NodeId, std::vector<probe::SiteId>>;
    struct StackState {
        ReportKind kind = ReportKind::unknown;
        const std::vector<void*>* frames = nullptr;  // of the key
        const StackKey* key = nullptr;
        PlaceSums sums, told;  // told: what its place has of it
        bool resolved = false, ignored = false, called_by_app = false;
        std::size_t place = 0;
    };
    struct PlaceState {
        Hotspot hotspot;
        bool changed = false;
    };
    std::size_t place_of(const PlaceKey& key);
    void tell(StackState& stack);

    std::map<StackKey, std::size_t> numbers_;
    std::vector<StackState> stacks_;
    std::map<PlaceKey, std::size_t> places_by_key_;
    std::vector<PlaceState> places_;
    std::map<ReportKind, std::uint32_t> last_id_;
};

// Of a stack, innermost first: the lines that say where the app is. nullopt: the innermost caller is this library's
// runtime, which does its I/O by such calls.
std::optional<std::vector<NativeFrame>> lines_of_call(std::vector<NativeFrame> frames);

}  // namespace coroscope::debug
