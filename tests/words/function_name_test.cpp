// Names of functions in the spellings that compilers, demanglers and debug information have for them.
#include "proto/words/function_name.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <source_location>
#include <string>
#include <vector>

#include "proto/words/utf8.hpp"

namespace {

// Real spellings of the compiler that builds this test: each function returns what the compiler calls it.
std::string_view here(std::source_location where = std::source_location::current()) { return where.function_name(); }

}  // namespace

namespace shop {
namespace {
template <class T>
struct Cart {
    static std::string_view add() { return here(); }
    template <class U>
    std::string_view two(U) const {
        return here();
    }
    std::string_view operator()(int, std::vector<T>) const { return here(); }
    std::string_view operator<(int) const { return here(); }
};
}  // namespace
std::string_view free_function(std::vector<std::pair<int, char>>, int (*)(double)) { return here(); }
struct Conversion {
    explicit operator std::string_view() const { return here(); }
};
auto global_lambda = [](int) { return here(); };
}  // namespace shop

namespace coroscope::words {
namespace {

TEST(FunctionName, OfThisCompilersOrdinaryFunctions) {
    EXPECT_EQ(function_name(shop::Cart<std::vector<int>>::add()), "shop::Cart::add");
    EXPECT_EQ(function_name(shop::Cart<int>().two(std::string())), "shop::Cart::two");
    EXPECT_EQ(function_name(shop::Cart<int>()(1, {})), "shop::Cart::operator()");
    EXPECT_EQ(function_name(shop::Cart<int>() < 1), "shop::Cart::operator<");
    EXPECT_EQ(function_name(shop::free_function({}, nullptr)), "shop::free_function");
    EXPECT_TRUE(function_name(static_cast<std::string_view>(shop::Conversion())).starts_with("shop::Conversion::oper"));
    EXPECT_TRUE(function_name(shop::global_lambda(1)).ends_with("lambda"));
}

struct Spelling {
    std::string_view compilers, name, short_name;
};

TEST(FunctionName, OfGccsCoroutines) {
    const std::vector<Spelling> all = {
        {"void f(f()::_Z1fv.Frame*)", "f", "f"},
        {"void ns::Server::handle(ns::Server::handle(int, std::string)::_ZN2ns6Server6handleEi.Frame*)",
         "ns::Server::handle", "handle"},
        {"forget_to_await(forget_to_await()::_Z15forget_to_awaitv.Frame*) [clone .actor]", "forget_to_await",
         "forget_to_await"},
        {"void {anonymous}::anon(anon(int)::_ZN12_GLOBAL__N_14anonEi.Frame*)", "anon", "anon"},
        {"void shop::{anonymous}::Cart<std::vector<int> >::flush(shop::{anonymous}::Cart<std::vector<int> >::flush("
         "std::map<std::__cxx11::basic_string<char>, std::vector<int> >)::_ZN4shop12_GLOBAL__N_14CartE.Frame*)",
         "shop::Cart::flush", "flush"},
        {"void shop::{anonymous}::Cart<shop::{anonymous}::Cart<int> >::two(shop::{anonymous}::Cart<shop::{anonymous}::"
         "Cart<int> >::two<std::pair<int, int> >(std::pair<int, int>)::_ZN4shop12_GLOBAL__N_14CartE.Frame*)",
         "shop::Cart::two", "two"},
        {"void shop::num(num<3>()::_ZN4shop3numILi3ELb1EEE4CoroIvEv.Frame*)", "shop::num", "num"},
        {"void constrained(constrained<int>(int) requires  sizeof (T) > 1::_Z11constrainedIiE4CoroIvET_.Frame*)",
         "constrained", "constrained"},
        // Lambdas, in functions, templates, constructors, each other, and at namespace scope.
        {"void async_main()::<lambda()>::operator()(async_main()::<lambda()>::_ZZ10async_mainvENKUlvE1_clEv.Frame*)",
         "async_main()::lambda", "async_main()::lambda"},
        {"void async_main()::<lambda(std::function<void(int)>, std::map<std::__cxx11::basic_string<char>, int>)>::"
         "operator()(async_main()::<lambda(std::function<void(int)>, std::map<std::__cxx11::basic_string<char>, "
         "int>)>::_ZZ10async_mainvENKUlSt8functionIFviEE.Frame*)",
         "async_main()::lambda", "async_main()::lambda"},
        {"void async_main()::<lambda()>::operator()(async_main()::<lambda()> mutable::_ZZ10asyncE3_clEv.Frame*)",
         "async_main()::lambda", "async_main()::lambda"},
        {"void async_main(async_main()::_Z10async_mainv.Frame*)::<lambda(auto:13)>::operator()(async_main(async_main()"
         "::_Z10async_mainv.Frame*)::<lambda(auto:13)>::_ZZ10async_mainvENKUlT_E0_clINSt7__cxx.Frame*)",
         "async_main()::lambda", "async_main()::lambda"},
        {"void async_main(async_main()::_Z10async_mainv.Frame*)::<lambda(auto:13)>::<lambda()>::operator()(async_main("
         "async_main()::_Z10async_mainv.Frame*)::<lambda(auto:13)>::<lambda()>::_ZZZ10async_mainvE.Frame*)",
         "async_main()::lambda::lambda", "async_main()::lambda::lambda"},
        {"void shop::tmpl_scope<int>(int)::<lambda(int)>::operator()(shop::tmpl_scope<int>(int)::<lambda(int)>::"
         "_ZZ10tmpl_scopeIiE4CoroIvET_ENKUliE_clEi.Frame*)",
         "shop::tmpl_scope()::lambda", "tmpl_scope()::lambda"},
        {"void Order::Order()::<lambda()>::operator()(Order::Order()::<lambda()>::_ZZN5OrderC4EvENKUlvE_clEv.Frame*)",
         "Order::Order()::lambda", "Order()::lambda"},
        {"void<lambda(int)>::operator()(<lambda(int)>::_ZNK13global_lambdaMUliE_clEi.Frame*)", "lambda", "lambda"},
        // Local classes.
        {"void async_main()::Loc::run(async_main()::Loc::run(int)::_ZZ10async_mainvEN3Loc3runEi.Frame*)",
         "async_main()::Loc::run", "run"},
        {"void async_main()::Loc::In::go()::<lambda()>::operator()(async_main()::Loc::In::go()::<lambda()>::"
         "_ZZZ10async_mainvEN3Loc2In2goEvENKUlvE_clEv.Frame*)",
         "async_main()::Loc::In::go()::lambda", "go()::lambda"},
        // Operators.
        {"void shop::Op::operator()(shop::Op::operator()(int)::_ZN4shop2OpclEi.Frame*)", "shop::Op::operator()",
         "Op::operator()"},
        {"void shop::Op::operator<(shop::Op::operator< <int>(std::vector<int>)::_ZN4shop2OpltIiEE.Frame*)",
         "shop::Op::operator<", "Op::operator<"},
        {"void shop::Op::operator<<(shop::Op::operator<<(int)::_ZN4shop2OplsEi.Frame*)", "shop::Op::operator<<",
         "Op::operator<<"},
        {"void shop::Op::operator->*(shop::Op::operator->*(int)::_ZN4shop2OppmEi.Frame*)", "shop::Op::operator->*",
         "Op::operator->*"},
        {"void shop::Op::operator<=>(shop::Op::operator<=>(int)::_ZN4shop2OpssEi.Frame*)", "shop::Op::operator<=>",
         "Op::operator<=>"},
        {"void shop::Op::operator[](shop::Op::operator[](int)::_ZN4shop2OpixEi.Frame*)", "shop::Op::operator[]",
         "Op::operator[]"},
        {"void shop::Op::operator,(shop::Op::operator,(int)::_ZN4shop2OpcmEi.Frame*)", "shop::Op::operator,",
         "Op::operator,"},
        {"shop::Op::operator void(shop::Op::operator Coro<std::map<int, int> >()::_ZN4shop2Opcv4CoroE.Frame*)",
         "shop::Op::operator Coro", "Op::operator Coro"},
        {"void operator\"\"_co(operator\"\"_co(long long unsigned int)::_Zli3_coy.Frame*)", "operator\"\"_co",
         "operator\"\"_co"},
    };
    for (const Spelling& each : all) {
        EXPECT_EQ(function_name(each.compilers), each.name) << each.compilers;
        EXPECT_EQ(short_function_name(each.compilers), each.short_name) << each.compilers;
        EXPECT_EQ(function_name(each.name), each.name) << "read twice";
    }
}

TEST(FunctionName, OfClangsCoroutines) {
    const std::vector<Spelling> all = {
        {"coroscope::Coro<> say_goodbye()", "say_goodbye", "say_goodbye"},
        {"coroscope::Coro<std::map<int, std::string>> ns::f(int, const char *)", "ns::f", "f"},
        {"Coro<int> (anonymous namespace)::f(int)", "f", "f"},
        {"Coro<> shop::(anonymous namespace)::Cart<std::vector<int>>::flush(std::map<std::string, T>) "
         "[T = std::vector<int>]",
         "shop::Cart::flush", "flush"},
        {"Coro<U *> shop::(anonymous namespace)::Cart<int>::two(U) [T = int, U = std::pair<int, int>]",
         "shop::Cart::two", "two"},
        {"static Coro<> shop::Cart<int>::st() [T = int]", "shop::Cart::st", "st"},
        {"Coro<> shop::Cart<int>::c() const & [T = int]", "shop::Cart::c", "c"},
        {"Coro<> shop::pack(A...) [A = <int, double, const char *>]", "shop::pack", "pack"},
        {"Coro<> abbreviated(Any auto, auto) [x:auto = int, y:auto = double]", "abbreviated", "abbreviated"},
        {"Coro<> takes(F) [F = (lambda at bat.cpp:52:9)]", "takes", "takes"},
        {"auto async_main()::(anonymous class)::operator()(int) const", "async_main()::lambda", "async_main()::lambda"},
        {"auto async_main()::(anonymous class)::operator()(std::basic_string<char>)::(anonymous class)::operator()() "
         "const",
         "async_main()::lambda::lambda", "async_main()::lambda::lambda"},
        {"auto (anonymous class)::operator()(int) const", "lambda", "lambda"},
        {"auto tmpl_scope(std::basic_string<char>)::(anonymous class)::operator()(T) const", "tmpl_scope()::lambda",
         "tmpl_scope()::lambda"},
        {"auto Order::~Order()::(anonymous class)::operator()() const", "Order::~Order()::lambda", "~Order()::lambda"},
        {"Coro<> async_main()::Loc::run(int)", "async_main()::Loc::run", "run"},
        {"Coro<> shop::Op::operator()(Op, Op) const", "shop::Op::operator()", "Op::operator()"},
        {"Coro<std::map<int, int>> shop::Op::operator Coro()", "shop::Op::operator Coro", "Op::operator Coro"},
        {"Coro<> operator\"\"_co(unsigned long long)", "operator\"\"_co", "operator\"\"_co"},
        {"f(int) [clone .resume]", "f", "f"},
    };
    for (const Spelling& each : all) {
        EXPECT_EQ(function_name(each.compilers), each.name) << each.compilers;
        EXPECT_EQ(short_function_name(each.compilers), each.short_name) << each.compilers;
        EXPECT_EQ(function_name(each.name), each.name) << "read twice";
    }
}

TEST(FunctionName, OfOrdinaryFunctionsAndDemangledSymbols) {
    const std::vector<Spelling> all = {
        {"int main()", "main", "main"},
        {"main", "main", "main"},
        {"main()", "main", "main"},
        {"virtual void ns::C<int>::run(std::vector<int>) const", "ns::C::run", "run"},
        {"bool ns::C::operator<(const C&) const", "ns::C::operator<", "C::operator<"},
        {"void ns::call<int>(int) [with T = int]", "ns::call", "call"},
        {"static const char* ns::text(int)", "ns::text", "text"},
        {"const char *ns::text(int)", "ns::text", "text"},
        {"unsigned long long ns::count() noexcept", "ns::count", "count"},
        {"decltype(auto) ns::any()", "ns::any", "any"},
        {"decltype (x) ns::any(T) [with T = int]", "ns::any", "any"},
        {"int (* ns::callback(int))(double)", "ns::callback", "callback"},
        {"int (&ns::array())[3]", "ns::array", "array"},
        {"coroscope::Coro<std::map<int, int> > Cache<A, B>::get(int) const", "Cache::get", "get"},
        {"T gather(T) [with T = std::vector<int>]", "gather", "gather"},
        {"void* operator new(std::size_t)", "operator new", "operator new"},
        {"void* ns::Pool::operator new[](std::size_t)", "ns::Pool::operator new[]", "Pool::operator new[]"},
        {"ns::Order::operator std::string() const", "ns::Order::operator std::string", "Order::operator std::string"},
        {"main()::<lambda(int)>", "main()::lambda", "main()::lambda"},
        {"int ns::C::run() const::<lambda()>", "ns::C::run()::lambda", "run()::lambda"},
        {"async_main()::{lambda(int)#1}::operator()(int) const", "async_main()::lambda", "async_main()::lambda"},
        {"async_main()::'lambda'(int)::operator()(int) const", "async_main()::lambda", "async_main()::lambda"},
        {"async_main()::{lambda()#2}::operator()() const [clone .actor]", "async_main()::lambda",
         "async_main()::lambda"},
        {"ns::f(int)::{unnamed type#1}::go()", "ns::f()::unnamed::go", "go"},
        {"void std::vector<int, std::allocator<int> >::push_back(int&&)", "std::vector::push_back", "push_back"},
        {"A<(N > 2)>::f(int)", "A::f", "f"},
    };
    for (const Spelling& each : all) {
        EXPECT_EQ(function_name(each.compilers), each.name) << each.compilers;
        EXPECT_EQ(short_function_name(each.compilers), each.short_name) << each.compilers;
        EXPECT_EQ(function_name(each.name), each.name) << "read twice";
    }
}

// A name without a signature may be another language's, or was read before.
TEST(FunctionName, WhatIsNoSignatureStaysAsItIs) {
    for (const char* name : {"", "()", "<<<", "(((((", ")(", "pipe reader", "Outer.<locals>.f", "::", "operator",
                             "operator<", "async_main()::lambda", "shop::Op::operator()", "handler [3]"})
        EXPECT_EQ(function_name(name), name);
    EXPECT_EQ(short_function_name("(anonymous namespace)::lambda"), "lambda");
}

TEST(FunctionName, ASpellingThatWasCutOffGivesWhatIsLeft) {
    EXPECT_EQ(function_name("void ns::f(ns::f(std::map<int, std::ve"), "ns::f");
    EXPECT_EQ(function_name("void ns::Cart<std::ve"), "void ns::Cart<std::ve");
}

std::string random_spelling(std::mt19937_64& random) {
    static const std::vector<std::string> pieces = {
        "f",           "ns",       "::",       "(",        ")",       "<",        ">",
        " ",           "operator", "()",       "<lambda",  "{",       "}",        "lambda",
        " const",      "->",       "'lambda'", "[",        "]",       "*",        "&",
        "\xff",        "\n",       "\x1b",     "\xc3\xa9", " [clone", ".Frame*)", "(anonymous namespace)",
        "{anonymous}", " new",     "\"\"_x",   ","};
    std::string text;
    for (std::uint64_t i = random() % 24; i > 0; --i) text += pieces[random() % pieces.size()];
    return text;
}

TEST(FunctionName, AnyTextGivesANameThatIsPrintable) {
    std::mt19937_64 random(1);
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    for (int i = 0; i < 20'000; ++i) {
        const std::string text = random_spelling(random);
        const std::string name = function_name(text);
        EXPECT_EQ(name.empty(), text.empty()) << text;
        ASSERT_EQ(valid_utf8(name), name) << text;
        ASSERT_TRUE(std::none_of(name.begin(), name.end(), is_control)) << text;
        ASSERT_TRUE(name.ends_with(short_function_name(text))) << text;
    }
}

}  // namespace
}  // namespace coroscope::words
