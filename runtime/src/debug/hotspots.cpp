#include "hotspots.hpp"

#include <algorithm>

namespace coroscope::debug {

namespace {

constexpr const char* elsewhere = "(places for which there was no room)";

}  // namespace

std::optional<Hotspots::Stack> Hotspots::stack(ReportKind kind, const char* function, probe::NodeId node,
                                               const std::vector<void*>& frames) {
    StackKey key(kind, function, node, frames);
    if (const auto found = numbers_.find(key); found != numbers_.end()) return Stack{found->second, false};
    if (stacks_.size() >= most_stacks) return std::nullopt;
    const auto at = numbers_.emplace(std::move(key), stacks_.size()).first;
    StackState state;
    state.kind = kind;
    state.key = &at->first;
    state.frames = &std::get<3>(at->first);
    stacks_.push_back(state);
    return Stack{at->second, true};
}

void Hotspots::set(std::size_t number, const PlaceSums& sums) {
    stacks_[number].sums = sums;
    tell(stacks_[number]);
}

void Hotspots::add(std::size_t number, const PlaceSums& sums) {
    PlaceSums& to = stacks_[number].sums;
    to.count += sums.count;
    to.total_ns += sums.total_ns;
    to.longest_ns = std::max(to.longest_ns, sums.longest_ns);
    to.task = sums.task;
    to.thread = sums.thread;
    tell(stacks_[number]);
}

void Hotspots::add_without_room(ReportKind kind, const PlaceSums& sums) {
    PlaceState& place = places_[place_of({kind, elsewhere, 0, {}})];
    place.hotspot.sums.count += sums.count;
    place.hotspot.sums.total_ns += sums.total_ns;
    place.changed = true;
}

std::size_t Hotspots::place_of(const PlaceKey& key) {
    if (const auto found = places_by_key_.find(key); found != places_by_key_.end()) return found->second;
    const ReportKind kind = std::get<0>(key);
    if (last_id_[kind] >= most_places && std::get<1>(key) != elsewhere) return place_of({kind, elsewhere, 0, {}});
    Hotspot hotspot;
    hotspot.kind = kind;
    hotspot.id = ++last_id_[kind];
    std::tie(std::ignore, hotspot.function, hotspot.node, hotspot.frames) = key;
    places_.push_back({std::move(hotspot), false});
    places_by_key_.emplace(key, places_.size() - 1);
    return places_.size() - 1;
}

void Hotspots::resolved(std::size_t number, std::optional<std::vector<probe::SiteId>> sites, bool called_by_app) {
    StackState& stack = stacks_[number];
    stack.resolved = true;
    stack.ignored = !sites;
    stack.called_by_app = called_by_app;
    if (stack.ignored) return;
    stack.place = place_of({stack.kind, std::get<1>(*stack.key), std::get<2>(*stack.key), std::move(*sites)});
    tell(stack);
}

void Hotspots::tell(StackState& stack) {
    if (!stack.resolved || stack.ignored) return;
    PlaceState& place = places_[stack.place];
    PlaceSums& to = place.hotspot.sums;
    const auto add = [&](std::uint64_t PlaceSums::* member) {
        to.*member += stack.sums.*member - std::min(stack.told.*member, stack.sums.*member);
    };
    add(&PlaceSums::count);
    add(&PlaceSums::total_ns);
    add(&PlaceSums::slow_ns);
    if (stack.called_by_app) to.quick = std::max(to.quick, stack.sums.quick);
    to.longest_ns = std::max(to.longest_ns, stack.sums.longest_ns);
    to.task = stack.sums.task;
    to.thread = stack.sums.thread;
    stack.told = stack.sums;
    place.changed = true;
}

std::vector<Hotspot> Hotspots::take(bool all) {
    std::vector<Hotspot> taken;
    for (PlaceState& place : places_)
        if ((std::exchange(place.changed, false) || all) && place.hotspot.sums.count != 0)
            taken.push_back(place.hotspot);
    return taken;
}

std::optional<std::vector<NativeFrame>> lines_of_call(std::vector<NativeFrame> frames) {
    const auto caller = std::ranges::find_if(
        frames, [](const NativeFrame& frame) { return is_runtime_frame(frame) || !is_library_frame(frame); });
    if (caller != frames.end() && is_runtime_frame(*caller)) return std::nullopt;
    return stalled_call(std::move(frames));
}

}  // namespace coroscope::debug
