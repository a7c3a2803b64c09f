#include "function_name.hpp"

#include <array>
#include <cstddef>
#include <vector>

#include "utf8.hpp"

namespace coroscope::words {

namespace {

constexpr auto none = std::string_view::npos;

bool is_identifier(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           static_cast<unsigned char>(c) >= 0x80;
}

// The position after the bracket that closes the one at `open`; none: nothing closes it. Within parentheses '<' and '>'
// may be operators, so a closing parenthesis closes what is still open within it.
std::size_t after_brackets(std::string_view text, std::size_t open) {
    std::string opened;
    for (std::size_t i = open; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '(' || c == '{' || c == '<') opened += c;
        if (c == '>' && opened.back() == '<') opened.pop_back();
        if (c == ')' || c == '}') {
            const std::size_t match = opened.rfind(c == ')' ? '(' : '{');
            if (match != std::string::npos) opened.resize(match);
        }
        if (opened.empty()) return i + 1;
    }
    return none;
}

// The position after what may follow parameters or a lambda (" const", " &" ...) if then the name ends or a scope goes
// on; none if a further word follows: then what was read so far belongs to the return type.
std::size_t after_qualifiers(std::string_view text, std::size_t at) {
    static constexpr std::array<std::string_view, 6> qualifiers = {" const",    " volatile", " mutable",
                                                                   " noexcept", " &&",       " &"};
    for (bool found = true; found;) {
        found = false;
        for (const std::string_view each : qualifiers) {
            if (!text.substr(at).starts_with(each)) continue;
            const std::size_t end = at + each.size();
            if (end < text.size() && (is_identifier(text[end]) || text[end] == '&')) continue;
            at = end;
            found = true;
            break;
        }
    }
    std::string_view rest = text.substr(at);
    if (rest.starts_with("::")) return at;
    if (rest.starts_with(" requires ")) return text.size();
    if (rest.starts_with(' ')) rest.remove_prefix(1);
    const bool goes_on = !rest.empty() && (is_identifier(rest[0]) || std::string_view("*&~(<{'").find(rest[0]) != none);
    return goes_on ? none : text.size();
}

// A scope that has no name of its own, as the compilers and demanglers write it, and what it is called here.
struct Unnamed {
    std::string_view begin, name;
};
constexpr std::string_view lambda = "lambda";
constexpr std::string_view anonymous_namespace = "(anonymous namespace)";
constexpr std::array<Unnamed, 12> unnamed_scopes = {{
    {"<lambda", lambda},            // g++
    {"{lambda", lambda},            // binutils, libstdc++
    {"(anonymous class)", lambda},  // clang; a class without a name is rarely anything else
    {"(lambda at ", lambda},        // clang
    {"'lambda", lambda},            // LLVM's demangler
    {"(anonymous namespace)", anonymous_namespace},
    {"{anonymous}", anonymous_namespace},
    {"<unnamed>", anonymous_namespace},
    {"(anonymous ", "unnamed"},
    {"(unnamed ", "unnamed"},
    {"<unnamed ", "unnamed"},
    {"{unnamed ", "unnamed"},
}};

// Longer ones before those that they begin with.
constexpr std::array<std::string_view, 43> operators = {
    "()", "[]", "<=>", "<<=", ">>=", "->*", "<<", ">>", "<=", ">=",     "==",        "!=",   "&&",     "||", "++",
    "--", "+=", "-=",  "*=",  "/=",  "%=",  "^=", "&=", "|=", "->",     "<",         ">",    "=",      "!",  "+",
    "-",  "*",  "/",   "%",   "^",   "&",   "|",  "~",  ",",  " new[]", " delete[]", " new", " delete"};

class NameReader {
public:
    explicit NameReader(std::string_view text) : text_(text) {}

    // "" if it is no signature.
    std::string read() {
        while (at_ < text_.size()) {
            if (rest().starts_with("::")) {
                end_part(false);
                at_ += 2;
            } else if (begins_operator()) {
                read_operator();
            } else if (!read_unnamed() && !read_other()) {
                return {};
            }
        }
        end_part(false);
        return is_signature_ ? joined() : std::string();
    }

private:
    struct Part {
        std::string name;
        bool called;  // it has a parameter list
    };

    std::string_view rest() const { return text_.substr(at_); }

    void end_part(bool called) {
        // Of "char *f()" the asterisk stays with the name.
        if (parts_.empty()) part_.erase(0, part_.find_first_not_of("*&"));
        if (!part_.empty()) parts_.push_back({part_, called});
        part_.clear();
    }
    // What was read is a return type, or a word like "static".
    void forget() {
        parts_.clear();
        part_.clear();
        is_signature_ = false;
    }

    bool begins_operator() const {
        constexpr std::size_t length = 8;
        return rest().starts_with("operator") && (at_ == 0 || !is_identifier(text_[at_ - 1])) &&
               (at_ + length >= text_.size() || !is_identifier(text_[at_ + length]));
    }

    void read_operator() {
        part_ = "operator";
        at_ += part_.size();
        for (const std::string_view symbol : operators) {
            if (!rest().starts_with(symbol)) continue;
            part_ += symbol;
            at_ += symbol.size();
            if (rest().starts_with(" <")) ++at_;  // "operator< <int>(...)"
            return;
        }
        // A suffix ("operator\"\"_km") or a conversion ("operator std::vector<int>"): all up to the parameters.
        while (at_ < text_.size() && text_[at_] != '(') {
            if (text_[at_] == '<') {
                const std::size_t after = after_brackets(text_, at_);
                at_ = after == none ? text_.size() : after;
            } else {
                part_ += text_[at_++];
            }
        }
    }

    bool read_unnamed() {
        for (const Unnamed& scope : unnamed_scopes) {
            if (!rest().starts_with(scope.begin)) continue;
            std::size_t end = 0;
            if (text_[at_] == '\'') {
                end = text_.find('\'', at_ + 1);
                if (end != none) ++end;
                if (end < text_.size() && text_[end] == '(') end = after_brackets(text_, end);
            } else {
                end = after_brackets(text_, at_);
            }
            at_ = end == none ? text_.size() : end;
            part_ = scope.name;  // in "void<lambda()>::operator()" g++ leaves no space after the return type
            is_signature_ = is_signature_ || scope.name == lambda;
            return true;
        }
        return false;
    }

    // One character of a name, or what follows one. False: it cannot be read.
    bool read_other() {
        switch (text_[at_]) {
            case '<': at_ = after_brackets(text_, at_); return at_ != none;
            case '(': read_parentheses(); return true;
            case ' ':
                if (const std::size_t after = after_qualifiers(text_, at_); after != none) {
                    at_ = after;
                } else {
                    forget();
                    ++at_;
                }
                return true;
            default: part_ += text_[at_++]; return true;
        }
    }

    void read_parentheses() {
        const std::size_t close = after_brackets(text_, at_);
        const std::size_t end = close == none ? text_.size() : close;  // none: the spelling was cut off
        if (part_.empty() || !(is_identifier(part_.back()) || part_.starts_with("operator"))) {
            // "int (*f(int))(double)" returns a pointer to a function. Else it belongs to a type: "decltype (x) f()".
            const std::string_view inside = text_.substr(at_ + 1);
            if (parts_.empty() && close != none && (inside.starts_with('*') || inside.starts_with('&'))) {
                text_ = text_.substr(0, close - 1);
                ++at_;
            } else {
                at_ = end;
            }
            return;
        }
        const std::size_t after = after_qualifiers(text_, end);
        if (after == none) {  // "decltype(auto) f()"
            forget();
            at_ = end;
            return;
        }
        end_part(true);
        is_signature_ = true;
        at_ = after;
    }

    std::string joined() const {
        std::string result;
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            const Part& part = parts_[i];
            if (part.name == "operator()" && i > 0 && parts_[i - 1].name == lambda) continue;
            if (!result.empty()) result += "::";
            result += part.name;
            if (part.called && i + 1 < parts_.size() && part.name != lambda) result += "()";
        }
        return result;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<Part> parts_;
    std::string part_;  // the one that is being read
    bool is_signature_ = false;
};

// Which file a name is of is said beside it, if at all.
std::string without_anonymous_namespaces(std::string name) {
    constexpr std::size_t scope_size = anonymous_namespace.size() + 2;
    std::size_t at = name.find(anonymous_namespace);
    while (at != none && name.size() > scope_size) {
        const bool is_scope = name.compare(at + anonymous_namespace.size(), 2, "::") == 0;
        if (is_scope) name.erase(at, scope_size);
        at = name.find(anonymous_namespace, is_scope ? at : at + 1);
    }
    return name;
}

// Where the component of a readable name that ends at `end` begins.
std::size_t component_begin(std::string_view name, std::size_t end) {
    const std::size_t colons = end < 2 ? none : name.rfind("::", end - 2);
    return colons == none ? 0 : colons + 2;
}

}  // namespace

std::string function_name(std::string_view spelling) {
    std::string_view text = spelling;
    for (const std::string_view suffix : {" [clone", " [with "})
        if (const std::size_t at = text.find(suffix); at != 0) text = text.substr(0, at);
    std::string name = NameReader(text).read();
    // Where a conversion names its type, g++ shows the actor's, void; the coroutine's own stands in the frame's type.
    constexpr std::string_view actors = "operator void";
    if (name.ends_with(actors) && text.ends_with(".Frame*)")) {
        const std::size_t own = text.find(actors) + actors.size() + 1;
        name = NameReader(text.substr(own, text.rfind("::_Z") - own)).read();
    }
    return printable(without_anonymous_namespaces(name.empty() ? std::string(text) : std::move(name)));
}

std::string short_function_name(std::string_view spelling) {
    const std::string name = function_name(spelling);
    // A conversion may have scopes in its type: "Order::operator std::string".
    const std::size_t conversion = name.find("operator ");
    const bool converts = conversion != none && (conversion == 0 || name[conversion - 1] == ':');
    std::size_t begin = converts ? conversion : component_begin(name, name.size());
    const auto says_nothing = [&] {
        const std::string_view component = std::string_view(name).substr(begin);
        return component == lambda || component.starts_with("lambda::") || component.starts_with("operator");
    };
    while (begin > 1 && says_nothing()) {
        begin = component_begin(name, begin - 2);
    }
    return name.substr(begin);
}

}  // namespace coroscope::words
