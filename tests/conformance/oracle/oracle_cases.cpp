// All cases on our runtime: `oracle_cases NAME` runs one, `--list` names them, `--differences NAME` says in what its
// output is expected to differ from that of oracle.py NAME.
#include <algorithm>
#include <cstdio>

#include "coroscope/net.hpp"
#include "support.hpp"

namespace coroscope::oracle {

std::string told(const std::exception_ptr& error) {
    const auto with = [](std::string name, std::string_view text) {
        return text.empty() ? name : name + ": " + std::string(text);
    };
    try {
        std::rethrow_exception(error);
    } catch (const Cancelled& cancelled) {
        return with("CancelledError", cancelled.message());
    } catch (const ExceptionGroup& group) {
        std::string held;
        for (const auto& each : group.exceptions()) held += (held.empty() ? "" : ", ") + told(each);
        return with("ExceptionGroup", group.message()) + " [" + held + "]";
    } catch (const FirstError& first) {
        return with("FirstError", first.what());
    } catch (const SecondError& second) {
        return with("SecondError", second.what());
    } catch (const TimeoutError&) {
        return "TimeoutError";
    } catch (const InvalidStateError&) {
        return "InvalidStateError";
    } catch (const QueueEmpty&) {
        return "QueueEmpty";
    } catch (const QueueFull&) {
        return "QueueFull";
    } catch (const BrokenBarrierError&) {
        return "BrokenBarrierError";
    } catch (const IncompleteReadError& incomplete) {
        return with("IncompleteReadError", incomplete.partial());
    } catch (const LimitOverrunError&) {
        return "LimitOverrunError";
    } catch (const GeneratorExit&) {
        return "GeneratorExit";
    } catch (const std::logic_error&) {
        return "misuse";
    } catch (...) {
        return describe(std::current_exception());
    }
}

namespace {

int list() {
    std::vector<std::string> names;
    for (const Case& each : cases()) names.emplace_back(each.name);
    std::ranges::sort(names);
    for (const auto& name : names) std::puts(name.c_str());
    return 0;
}

// For each difference: the header, what is quoted from it, its lines, an empty line.
int print_differences(const Case& one) {
    for (const Difference& difference : one.differences) {
        std::cout << difference.header << '\n' << difference.reason << '\n';
        for (const auto line : difference.lines) std::cout << line << '\n';
        std::cout << '\n';
    }
    return 0;
}

int main_of(std::string_view command, std::string_view name) {
    if (command == "--list") return list();
    for (const Case& each : cases()) {
        if (each.name != name) continue;
        if (command == "--differences") return print_differences(each);
        each.run();
        return 0;
    }
    std::cerr << "no case has the name " << name << "; --list names them\n";
    return 2;
}

}  // namespace
}  // namespace coroscope::oracle

int main(int count, char** arguments) {
    if (count < 2) {
        std::cerr << "usage: oracle_cases NAME | --list | --differences NAME\n";
        return 2;
    }
    return coroscope::oracle::main_of(arguments[1], arguments[count - 1]);
}
