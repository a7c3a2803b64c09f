// Names for people.
#include "labels.hpp"

namespace coroscope::trace {

namespace {

std::string with_line(std::string_view file, std::uint32_t line) {
    std::string text{file};
    if (line != 0) text += ":" + std::to_string(line);
    return text;
}

// The position after the bracket that closes the one at `open`.
std::size_t after_match(std::string_view text, std::size_t open) {
    int depth = 0;
    for (std::size_t i = open; i < text.size(); ++i) {
        if (text[i] == '(') ++depth;
        if (text[i] == ')' && --depth == 0) return i + 1;
    }
    return text.size();
}

}  // namespace

std::string_view base_name(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view short_function(std::string_view function) {
    // The parameter list is the first bracket outside <> after which no scope goes on: "f()::<lambda(int)>" has two.
    std::size_t begin = 0, end = function.size();
    int angles = 0;
    for (std::size_t i = 0; i < function.size(); ++i) {
        const char c = function[i];
        const bool in_operator = i >= 8 && function.substr(0, i).ends_with("operator");
        if (c == '<' && !in_operator) ++angles;
        if (c == '>' && angles > 0) --angles;
        if (angles > 0) continue;
        if (c == ' ' && !(i >= 8 && function.substr(0, i).ends_with("operator"))) begin = i + 1;  // so far: return type
        if (c != '(') continue;
        const std::size_t after = after_match(function, i);
        if (function.substr(after).starts_with("::") || (in_operator && after == i + 2)) {
            i = after - 1;
            continue;
        }
        end = i;
        break;
    }
    const std::string_view name = function.substr(begin, end - begin);
    return name.empty() ? function : name;
}

std::string clean_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        bool good = lead < 0x80 || (lead >= 0xc2 && lead <= 0xf4 && i + length <= text.size());
        for (std::size_t k = 1; good && k < length; ++k) {
            const auto next = static_cast<unsigned char>(text[i + k]);
            good = (next & 0xc0) == 0x80;
            if (k > 1) continue;  // the second byte rules out overlong forms, surrogates, and what is past U+10FFFF
            good = good && !(lead == 0xe0 && next < 0xa0) && !(lead == 0xed && next > 0x9f) &&
                   !(lead == 0xf0 && next < 0x90) && !(lead == 0xf4 && next > 0x8f);
        }
        if (good)
            out += text.substr(i, length);
        else
            out += "\xef\xbf\xbd";
        i += good ? length : 1;
    }
    return out;
}

std::string Labels::task(const model::Task& task) const {
    const std::string name = model_.task_name(task), function = model_.coroutine(task);
    const std::string_view coroutine = short_function(function);
    return name == coroutine ? name : name + " " + std::string{coroutine};
}

std::string Labels::coroutine_of(model::NodeId node) const {
    constexpr int max_depth = 10'000;  // more than any real stack; a loop in the nodes ends here
    for (int depth = 0; node != 0 && depth < max_depth; ++depth) {
        const model::Node* n = model_.node(node);
        if (n == nullptr) break;
        if (n->kind == model::NodeKind::task) {
            const model::Site* site = model_.site(n->site);
            return site == nullptr ? "?" : std::string{short_function(site->function)};
        }
        node = n->parent;
    }
    return "?";
}

std::string Labels::step(const model::Slice& slice) const {
    if (slice.task == 0) {
        const model::Site* site = model_.site_of(slice.began_at);
        return "callback " + (site == nullptr ? std::string{"?"} : std::string{short_function(site->function)});
    }
    const model::Task* known = model_.task(slice.task);
    if (known != nullptr) return task(*known);
    return "Task-" + std::to_string(slice.task) + " " + coroutine_of(slice.began_at);
}

std::string Labels::phase_at(model::NodeId node) const {
    const model::Site* site = model_.site_of(node);
    return site == nullptr ? "await" : "await " + with_line(base_name(site->file), site->line);
}

std::string Labels::wait(const model::Wait& wait) const { return model_.wait_words(wait); }

const std::string& Labels::place(model::NodeId node) {
    const auto [at, added] = places_.try_emplace(node);
    if (added) {
        if (const model::Site* site = model_.site_of(node); site != nullptr)
            at->second = with_line(site->file, site->line);
    }
    return at->second;
}

const std::string& Labels::stack_text(model::NodeId node) {
    const auto [at, added] = stacks_.try_emplace(node);
    if (!added) return at->second;
    for (const auto& frame : model_.stack(node)) {
        if (!at->second.empty()) at->second += " > ";
        at->second += std::string{short_function(frame.function)} + " (" + with_line(frame.file, frame.line) + ")";
    }
    return at->second;
}

std::vector<Frame> Labels::stack(model::NodeId node) const {
    std::vector<Frame> frames;
    for (const auto& frame : model_.stack(node))
        frames.push_back({std::string{frame.function}, std::string{frame.file}, frame.line});
    return frames;
}

}  // namespace coroscope::trace
