// g++ 12 destroys some temporaries twice: those that stand in an expression with co_await, and are lambdas with
// captures or aggregates (a class without constructors) with something to destroy. The memory is corrupt then. What
// takes a callable, or an item, in a call that is awaited, refuses them: with g++ 12 only, and while the program is
// compiled. A named object that is passed by std::move() is in order, but looks the same to a function: it is refused,
// too.
#pragma once

#include <type_traits>

namespace coroscope::detail {

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
inline constexpr bool temporaries_die_twice = true;
#else
inline constexpr bool temporaries_die_twice = false;
#endif

// `T`: as a parameter T&& deduces it, so a reference for what has a name.
template <class T>
inline constexpr bool aggregate_dies_twice =
    temporaries_die_twice && std::is_class_v<T> && std::is_aggregate_v<T> && !std::is_trivially_destructible_v<T>;
template <class... T>
inline constexpr bool any_aggregate_dies_twice = (aggregate_dies_twice<T> || ...);
// Lambdas with captures cannot be told from other functors without a default constructor. std::function has one.
template <class T>
inline constexpr bool callable_dies_twice =
    aggregate_dies_twice<T> || (temporaries_die_twice && std::is_class_v<T> && !std::is_default_constructible_v<T> &&
                                !std::is_trivially_destructible_v<T>);

}  // namespace coroscope::detail

// The sentences. `call`: how to write it, as text.
#define COROSCOPE_REFUSE_TEMPORARY_CALLABLE(type, call)                                                              \
    static_assert(!::coroscope::detail::callable_dies_twice<type>,                                                   \
                  "g++ 12 destroys a temporary lambda with captures in a co_await expression twice: give it a name " \
                  "and pass it without std::move(): auto body = [...] ...; " call                                    \
                  "; references as captures are no problem")
#define COROSCOPE_REFUSE_TEMPORARY_AGGREGATES(call, ...)                                                              \
    static_assert(!::coroscope::detail::any_aggregate_dies_twice<__VA_ARGS__>,                                        \
                  "g++ 12 destroys a temporary of a class without constructors in a co_await expression twice: give " \
                  "it a name and pass it without std::move(): Item item{...}; " call                                  \
                  "; or give the class a constructor")
