// Exception groups: split, subgroup, nesting, except*.
#include "tests/conformance/oracle/support.hpp"

namespace coroscope::oracle {
namespace {

template <class E>
std::exception_ptr made(const char* text) {
    return std::make_exception_ptr(E(text));
}
ExceptionGroup nested() {
    const ExceptionGroup inner("inner", {made<SecondError>("b"), made<FirstError>("c")});
    return ExceptionGroup("outer", {made<FirstError>("a"), std::make_exception_ptr(inner), made<SecondError>("d")});
}
std::string told_part(const std::optional<ExceptionGroup>& part) {
    return part ? told(std::make_exception_ptr(*part)) : "None";
}

PLAIN_CASE(exception_group_split) {
    const auto [matched, rest] = nested().split<FirstError>();
    say(told_part(matched));
    say(told_part(rest));
    const auto [groups, no_groups] = nested().split<ExceptionGroup>();
    say(told_part(groups), told_part(no_groups));
    const auto [keys, no_keys] = nested().split<TimeoutError>();
    say(told_part(keys), told_part(no_keys));
}

std::string what_of(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& caught) {
        return caught.what();
    }
}
PLAIN_CASE(exception_group_subgroup) {
    say(told_part(nested().subgroup<SecondError>()));
    say(told_part(nested().subgroup([](const std::exception_ptr& error) { return what_of(error) == "c"; })));
    say(told_part(nested().subgroup([](const std::exception_ptr&) { return false; })));
}

PLAIN_CASE(exception_group_text) {
    say(nested().what(), "/", nested().message());
    say(ExceptionGroup("one", {made<FirstError>("a")}).what());
    attempt_now("empty", [] { ExceptionGroup("none", {}); });
}
DIFFERS(
    exception_group_text, "exception_group.hpp", "Python's str() says only how many there are.",
    {"-outer (3 sub-exceptions) / outer", "-one (1 sub-exception)",
     "+outer (3 sub-exceptions: coroscope::oracle::FirstError: a; coroscope::ExceptionGroup: inner (2 sub-exceptions: "
     "coroscope::oracle::SecondError: b; coroscope::oracle::FirstError: c); coroscope::oracle::SecondError: d) / outer",
     "+one (1 sub-exception: coroscope::oracle::FirstError: a)"});

PLAIN_CASE(exception_group_except_star) {
    const auto says = [](const char* label) {
        return [label](const ExceptionGroup& group) { say(label, told(std::make_exception_ptr(group))); };
    };
    try {
        try {
            throw nested();
        } catch (...) {
            ExceptStar().except<FirstError>(says("first")).except<SecondError>(says("second")).finish();
        }
        say("all taken");
        try {
            throw nested();
        } catch (...) {
            ExceptStar().except<FirstError>(says("first")).finish();
        }
    } catch (...) {
        say("left", told());
    }
}

PLAIN_CASE(exception_group_except_star_of_one) {
    const auto says = [](const ExceptionGroup& group) { say(told(std::make_exception_ptr(group))); };
    try {
        throw FirstError("alone");
    } catch (...) {
        ExceptStar().except<FirstError>(says).finish();
    }
    try {
        try {
            throw SecondError("alone");
        } catch (...) {
            ExceptStar().except<FirstError>(says).finish();
        }
    } catch (...) {
        say("left", told());
    }
}

PLAIN_CASE(exception_group_except_star_that_raises) {
    const auto raises = [](const ExceptionGroup&) { throw SecondError("in the handler"); };
    try {
        try {
            throw nested();
        } catch (...) {
            ExceptStar().except<FirstError>(raises).finish();
        }
    } catch (...) {
        say("left", told());
    }
    try {
        try {
            throw nested();
        } catch (...) {
            ExceptStar().except<std::runtime_error>(raises).finish();
        }
    } catch (...) {
        say("left", told());
    }
}

}  // namespace
}  // namespace coroscope::oracle
