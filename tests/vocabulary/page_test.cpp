// proto/VOCABULARY.md is made from the tables: this test fails when the page is stale. To write the page anew:
//
//     COROSCOPE_WRITE_PAGES=1 build/tests/vocabulary_test --gtest_filter='*Page*'
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "coroscope/vocabulary.hpp"

namespace coroscope {
namespace {

using namespace vocabulary;

std::string_view name_of(Subject subject) {
    switch (subject) {
        case Subject::nothing: return "";
        case Subject::task: return "task";
        case Subject::resource: return "resource";
        case Subject::loop: return "loop";
        case Subject::span: return "span";
        case Subject::counter: return "name of the counter";
    }
    return "?";
}

std::string_view name_of(Argument argument) {
    switch (argument) {
        case Argument::nothing: return "";
        case Argument::task: return "task";
        case Argument::name: return "name";
        case Argument::wait: return "operand << 8, verb";
        case Argument::outcome: return "outcome";
        case Argument::count: return "count";
        case Argument::use: return "task << 8, role";
        case Argument::attribute: return "name of the key << 32, value";
        case Argument::real: return "bits of a double";
        case Argument::value: return "value";
        case Argument::cancel: return "value of the message << 8, origin";
    }
    return "?";
}

std::string_view name_of(Operand operand) {
    switch (operand) {
        case Operand::nothing: return "";
        case Operand::resource: return "resource";
        case Operand::due: return "when it is due, in us of the app's clock; 0: unknown";
        case Operand::task: return "task";
        case Operand::descriptor: return "file descriptor";
    }
    return "?";
}

std::string page() {
    std::ostringstream out;
    out << "# The vocabulary\n\nMade from the tables in [vocabulary/coroscope/vocabulary.hpp]"
           "(vocabulary/coroscope/vocabulary.hpp) by\ntests/vocabulary/page_test.cpp: do not edit it. How these "
           "numbers "
           "travel is in\n[coroscope/v2/events.proto](coroscope/v2/events.proto).\n";
    out << "\n## Kinds of events\n\nA full ring loses the kinds marked *detail* first.\n\n"
           "| number | name | subject | argument | stack | | meaning |\n|---:|---|---|---|---|---|---|\n";
    for (std::size_t id = 1; id < event_kinds.size(); ++id) {
        const EventKindRow& row = event_kinds[id];
        out << "| " << id << " | `" << row.name << "` | " << name_of(row.subject) << " | " << name_of(row.argument)
            << " | " << (row.stack ? "yes" : "") << " | " << (row.shed_first ? "detail" : "") << " | " << row.meaning
            << " |\n";
    }
    out << "\nNumbers from " << int{first_adapter_kind} << " on belong to adapters, which define them in the stream.\n";
    out << "\n## Verbs of waiting\n\n| number | name | operand | \"waits for ...\" |\n|---:|---|---|---|\n";
    for (std::size_t id = 0; id < verbs.size(); ++id)
        out << "| " << id << " | `" << verbs[id].name << "` | " << name_of(verbs[id].operand) << " | "
            << verbs[id].words << " |\n";
    out << "\n## Types of resources\n\n| number | name | in words | its level counts |\n|---:|---|---|---|\n";
    for (std::size_t id = 0; id < resource_types.size(); ++id)
        out << "| " << id << " | `" << resource_types[id].name << "` | " << resource_types[id].words << " | "
            << resource_types[id].level << " |\n";
    out << "\nNumbers from " << first_adapter_type << " on belong to adapters.\n";
    out << "\n## Roles of users\n\n| number | name | in words |\n|---:|---|---|\n";
    for (std::size_t id = 0; id < roles.size(); ++id)
        out << "| " << id << " | `" << roles[id].name << "` | " << roles[id].words << " |\n";
    out << "\n## Outcomes of tasks\n\n| number | name |\n|---:|---|\n";
    for (std::size_t id = 0; id < outcomes.size(); ++id)
        out << "| " << id << " | "
            << (id == 0 ? "not ended, or nobody knows how" : "`" + std::string(outcomes[id].name) + "`") << " |\n";
    out << "\n## Origins of cancellations\n\n| number | name | \"cancelled by ...\" |\n|---:|---|---|\n";
    for (std::size_t id = 0; id < cancel_origins.size(); ++id)
        out << "| " << id << " | `" << cancel_origins[id].name << "` | " << cancel_origins[id].words << " |\n";
    out << "\n## Kinds of reports\n\n| number | name | severity | meaning |\n|---:|---|---|---|\n";
    for (std::size_t id = 0; id < report_kinds.size(); ++id)
        out << "| " << id << " | `" << report_kinds[id].name << "` | " << to_string(report_kinds[id].severity) << " | "
            << report_kinds[id].meaning << " |\n";
    out << "\n## Kinds of stack nodes\n\n| number | name |\n|---:|---|\n";
    for (std::size_t id = 0; id < node_kinds.size(); ++id)
        out << "| " << id << " | `" << node_kinds[id].name << "` |\n";
    out << "\n## Capabilities of runtimes\n\n| bit | name |\n|---:|---|\n";
    for (const CapabilityRow& row : capabilities)
        out << "| " << static_cast<std::uint32_t>(row.capability) << " | `" << row.name << "` |\n";
    return out.str();
}

TEST(Vocabulary, ThePageSaysWhatTheTablesSay) {
    const std::string path = std::string(COROSCOPE_SOURCES) + "/proto/VOCABULARY.md";
    if (std::getenv("COROSCOPE_WRITE_PAGES") != nullptr) std::ofstream(path) << page();
    std::ifstream in(path);
    const std::string written((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    EXPECT_TRUE(written == page()) << path
                                   << " is stale; the head of tests/vocabulary/page_test.cpp says how to write it";
}

}  // namespace
}  // namespace coroscope
