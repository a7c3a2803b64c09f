// What the programs in this folder share: the command line, and how a demonstration checks its result.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <initializer_list>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// Throws if the demonstration did not do what it should.
inline void require(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error("the demonstration failed: " + what);
}

// "--name value" in any order, then words. For what it does not understand it ends the program with the usage.
class CommandLine {
public:
    CommandLine(int argc, char** argv, std::string_view usage, std::initializer_list<std::string_view> names)
        : usage_(usage) {
        int i = 1;
        for (; i < argc && std::string_view(argv[i]).starts_with("--"); i += 2) {
            const std::string_view name = argv[i];
            if (name == "--help") {
                std::cout << usage;
                std::exit(0);
            }
            if (std::ranges::find(names, name) == names.end()) refuse("there is no option " + std::string(name));
            if (i + 1 == argc) refuse(std::string(name) + " needs a value");
            options_[name] = argv[i + 1];
        }
        words_.assign(argv + i, argv + argc);
    }

    bool has(std::string_view name) const { return options_.contains(name); }
    std::string text(std::string_view name, std::string_view otherwise) const {
        const auto found = options_.find(name);
        return std::string(found == options_.end() ? otherwise : found->second);
    }
    template <class Number>
    Number number(std::string_view name, Number otherwise) const {
        const auto found = options_.find(name);
        if (found == options_.end()) return otherwise;
        Number number{};
        const char* const end = found->second.data() + found->second.size();
        const auto [rest, error] = std::from_chars(found->second.data(), end, number);
        if (error != std::errc() || rest != end)
            refuse(std::string(name) + " " + std::string(found->second) + " is no number that fits");
        return number;
    }
    const std::vector<std::string>& words() const { return words_; }

private:
    [[noreturn]] void refuse(const std::string& why) const {
        std::cerr << why << '\n' << usage_;
        std::exit(2);
    }

    std::string_view usage_;
    std::map<std::string_view, std::string_view> options_;
    std::vector<std::string> words_;
};
