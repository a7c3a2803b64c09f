// The emit interface as other languages use it: programs of their own, most of them C, and what their trace files say.
#include "coroscope/emit.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "recording.hpp"

namespace coroscope {
namespace {

using test::Event;
using test::Recording;

struct Result {
    std::string output;  // both streams
    int status = -1;
};

Result run_command(const std::string& command) {
    Result result;
    FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return result;
    std::array<char, 4096> buffer;
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe))
        result.output.append(buffer.data(), size);
    result.status = ::pclose(pipe);
    return result;
}

class Emit : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "coroscope-emit-XXXXXX").string();
        directory_ = ::mkdtemp(name.data());
        path_ = directory_ + "/t.cst";
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }
    // Runs a program of this folder, which must succeed, with the trace going to `path_`.
    std::string run(const std::string& program, const std::string& more = "") {
        const Result result =
            run_command("env COROSCOPE=file:" + path_ + " " + more + " " COROSCOPE_EMIT_PROGRAMS "/" + program);
        EXPECT_EQ(result.status, 0) << result.output;
        return result.output;
    }
    std::string directory_, path_;
};

TEST_F(Emit, FortyLinesOfCMakeATaskTree) {
    EXPECT_EQ(run("emit_minimal"), "");
    const Recording all(path_);
    ASSERT_EQ(all.hellos.size(), 1u);
    EXPECT_EQ(all.hellos[0].name(), "minimal");
    ASSERT_EQ(all.hellos[0].runtimes_size(), 1);
    EXPECT_EQ(all.hellos[0].runtimes(0).language(), "c");
    EXPECT_EQ(all.hellos[0].runtimes(0).name(), "minimal");
    EXPECT_TRUE(all.ended);

    const std::uint64_t worker = all.task_named("worker 1");
    ASSERT_NE(worker, 0u);
    const auto created = all.find("task_created", worker);
    ASSERT_EQ(created.size(), 1u);
    const std::uint64_t server = created[0].argument;  // its parent
    EXPECT_EQ(all.stack_text(created[0].stack), "work worker.c:20 < serve server.c:14 < serve server.c:10");
    ASSERT_EQ(all.find("task_created", server).size(), 1u);

    const auto server_waits = all.find("step_end", server), worker_waits = all.find("step_end", worker);
    ASSERT_EQ(server_waits.size(), 1u);
    EXPECT_EQ(server_waits[0].argument, vocabulary::pack_wait(vocabulary::Verb::join, worker));
    ASSERT_EQ(worker_waits.size(), 1u);
    EXPECT_EQ(vocabulary::verb_of(worker_waits[0].argument), static_cast<int>(vocabulary::Verb::acquire));
    EXPECT_EQ(all.stack_text(worker_waits[0].stack),
              "work worker.c:22 < work worker.c:20 < serve server.c:14 < serve server.c:10");
    const auto holder = all.find("wait_holder", worker);
    ASSERT_EQ(holder.size(), 1u);
    EXPECT_EQ(holder[0].argument, server);
    const v2::Resource& lock = all.resources.at(vocabulary::operand_of(worker_waits[0].argument));
    EXPECT_EQ(lock.type(), static_cast<unsigned>(vocabulary::ResourceType::lock));
    EXPECT_EQ(lock.name(), "the lock");
    EXPECT_EQ(lock.created_by(), server);
    EXPECT_EQ(all.stack_text(lock.created_at()), "serve server.c:14 < serve server.c:10");

    const auto attributes = all.find("task_attribute", worker);
    ASSERT_EQ(attributes.size(), 1u);
    EXPECT_EQ(all.names.at(vocabulary::key_of(attributes[0].argument)), "request");
    EXPECT_EQ(all.values.at(vocabulary::value_of(attributes[0].argument)).text(), "GET /");
}

std::string text_of_file(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(EmitPage, ShowsTheProgramThatIsTested) {
    const std::string page = text_of_file(COROSCOPE_EMIT_SOURCES "/runtime/EMIT.md");
    const std::string program = text_of_file(COROSCOPE_EMIT_SOURCES "/tests/emit/minimal.c");
    ASSERT_NE(program, "");
    EXPECT_NE(page.find("```c\n" + program + "```"), std::string::npos);
    EXPECT_LE(std::count(program.begin(), program.end(), '\n'), 40);
}

TEST_F(Emit, AProgramThatNobodyObservesEmitsNothing) {
    const Result result = run_command("env -u COROSCOPE " COROSCOPE_EMIT_PROGRAMS "/emit_minimal");
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.output, "");
    EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(Emit, NoArgumentCrashesItAndNothingIsEmittedOutsideOfOpenAndClose) {
    run("emit_everything", "COROSCOPE_LOG=off");
    const Recording all(path_);
    EXPECT_NE(all.task_named("in time"), 0u);
    for (const auto& [id, name] : all.names) {
        EXPECT_NE(name, "before");
        EXPECT_NE(name, "after");
        EXPECT_LE(name.size(), 256u);
    }
    for (const v2::Report& report : all.reports) EXPECT_LE(report.text().size(), 65536u);
    EXPECT_TRUE(all.ended);
}

TEST_F(Emit, AForkedChildIsAnAppOfItsOwn) {
    const std::string child = run("emit_forks");
    const Recording parents(path_), childs(directory_ + "/t." + std::to_string(std::stol(child)) + ".cst");
    EXPECT_NE(parents.task_named("parent's first"), 0u);
    EXPECT_NE(parents.task_named("parent's second"), 0u);
    EXPECT_EQ(parents.task_named("child's"), 0u);
    EXPECT_EQ(parents.task_named("nobody's"), 0u);
    EXPECT_TRUE(parents.ended);

    EXPECT_NE(childs.task_named("child's"), 0u);
    EXPECT_EQ(childs.task_named("parent's first"), 0u);
    EXPECT_EQ(childs.task_named("nobody's"), 0u);
    EXPECT_TRUE(childs.ended);
    ASSERT_EQ(childs.hellos.size(), 1u);
    EXPECT_EQ(childs.hellos[0].pid(), std::stoul(child));
    EXPECT_NE(childs.hellos[0].instance(), parents.hellos.at(0).instance());
    // An id from before the fork means the same place.
    const std::uint64_t task = childs.task_named("child's, of a place from before");
    EXPECT_EQ(childs.stack_text(childs.find("task_created", task).at(0).stack), "before forks.c:2");
}

TEST_F(Emit, TheLibraryMayBeOpenedWhileAProgramRuns) {
    run("emit_late " COROSCOPE_EMIT_LIBRARY);
    const Recording all(path_);
    const std::uint64_t late = all.task_named("late task"), other = all.task_named("on a thread");
    ASSERT_NE(late, 0u);
    ASSERT_NE(other, 0u);
    EXPECT_NE(all.find("task_created", late)[0].thread, all.find("task_created", other)[0].thread);
    EXPECT_TRUE(all.ended);
}

TEST_F(Emit, TwoRuntimesOfAProcessAreOneApp) {
    run("emit_two_runtimes");
    const Recording all(path_);
    ASSERT_EQ(all.hellos.size(), 1u);
    ASSERT_EQ(all.runtimes.size(), 2u);  // the second came after the Hello
    EXPECT_EQ(all.runtimes.at(1).name(), "coroscope");
    EXPECT_EQ(all.runtimes.at(1).language(), "c++");
    EXPECT_EQ(all.runtimes.at(2).name(), "guest");
    const std::uint64_t guest = all.task_named("guest's task"), own = all.task_named("own task");
    ASSERT_NE(guest, 0u);
    ASSERT_NE(own, 0u);
    EXPECT_NE(guest, own);

    // The guest's step lies within the host's.
    const std::uint64_t host = all.find("task_created", own).at(0).argument;
    std::string order;
    for (const Event& event : all.events) {
        if (event.kind != "step_begin" && event.kind != "step_end") continue;
        if (event.subject == host) order += event.kind == "step_begin" ? "host( " : ") ";
        if (event.subject == guest) order += event.kind == "step_begin" ? "guest( " : ") ";
    }
    EXPECT_TRUE(order.starts_with("host( guest( ) ) ")) << order;
    EXPECT_EQ(all.find("task_done", guest).at(0).argument, static_cast<unsigned>(vocabulary::Outcome::ok));
    EXPECT_EQ(all.find("step_end", guest).at(0).argument, vocabulary::pack_wait(vocabulary::Verb::finished));

    // The user's own places are not the library's; a C++ compiler's names are made readable.
    bool found = false;
    for (const auto& [id, site] : all.sites) {
        if (site.file().find("two_runtimes.cpp") == std::string::npos) continue;
        EXPECT_EQ(site.flags() & vocabulary::site_is_library, 0u) << site.function();
        found = found || site.function().ends_with("leaf");
    }
    EXPECT_TRUE(found);
}

TEST_F(Emit, AStallShowsTheStackThatItsRuntimeTells) {
    run("emit_stall", "COROSCOPE_SLOW_STEP=1 COROSCOPE_LOG=off");
    const Recording all(path_);
    const auto told = std::find_if(all.reports.begin(), all.reports.end(), [&](const v2::Report& report) {
        return report.kind() == static_cast<unsigned>(vocabulary::ReportKind::stall) && report.frames_size() == 2 &&
               all.sites.at(report.frames(1)).file() == "slow.snail";
    });
    ASSERT_NE(told, all.reports.end());
    EXPECT_EQ(all.sites.at(told->frames(0)).function(), "hang");  // outermost first
    EXPECT_EQ(all.sites.at(told->frames(1)).function(), "hang.<locals>.inner") << "names are shown as given";
    EXPECT_EQ(all.sites.at(told->frames(1)).line(), 7u);
    // The innermost step is the one that holds up the thread.
    const auto created = all.find("task_created", told->task());
    ASSERT_EQ(created.size(), 1u);
    EXPECT_NE(created[0].argument, 0u);
}

// Versions may be installed side by side: what lies in the folder of the library's own version comes first.
TEST_F(Emit, TheDebugLibraryIsLookedForBesideTheEmitLibrary) {
    const std::string folder = directory_ + "/coroscope-" COROSCOPE_VERSION;
    std::filesystem::copy_file(COROSCOPE_EMIT_LIBRARY, directory_ + "/libcoroscope-emit.so.1");
    std::filesystem::create_directory(folder);
    std::filesystem::create_symlink(COROSCOPE_DEBUG_LIBRARY_FILE, folder + "/libcoroscope-debug.so");
    const std::string output = run("emit_minimal", "LD_DEBUG=files LD_LIBRARY_PATH=" + directory_);
    EXPECT_NE(output.find("file=" + folder + "/libcoroscope-debug.so [0];  dynamically loaded by " + directory_),
              std::string::npos);
    EXPECT_TRUE(Recording(path_).ended);
}

std::set<std::string> declared_functions() {
    const std::string text = text_of_file(COROSCOPE_EMIT_SOURCES "/runtime/include/coroscope/emit.h");
    const std::string code = std::regex_replace(text, std::regex(R"(/\*[^*]*\*+([^/*][^*]*\*+)*/)"), "");
    std::set<std::string> names;
    const std::regex declaration(R"((?:^|\n)(?!static|typedef|enum)[a-z][\w \t*]*[ *](cs_\w+)\([^;{}]*\);)");
    for (auto it = std::sregex_iterator(code.begin(), code.end(), declaration); it != std::sregex_iterator(); ++it)
        names.insert((*it)[1]);
    return names;
}

TEST(EmitLibrary, ExportsExactlyWhatItsHeaderDeclares) {
    const Result symbols = run_command("nm -D --defined-only " COROSCOPE_EMIT_LIBRARY);
    ASSERT_EQ(symbols.status, 0) << symbols.output;
    std::set<std::string> exported;
    std::istringstream lines(symbols.output);
    std::string address, type, name;
    while (lines >> address >> type >> name) {
        if (type == "A") continue;  // the version's own name
        EXPECT_EQ(type, "T") << name << " is no function";
        EXPECT_TRUE(name.ends_with("@@COROSCOPE_EMIT_1")) << name;
        exported.insert(name.substr(0, name.find('@')));
    }
    const auto declared = declared_functions();
    EXPECT_GT(declared.size(), 50u);
    EXPECT_EQ(exported, declared);
}

TEST(EmitLibrary, NeedsNoMoreThanTheLanguagesOwnLibraries) {
    const Result needed = run_command("readelf -d " COROSCOPE_EMIT_LIBRARY);
    ASSERT_EQ(needed.status, 0) << needed.output;
    EXPECT_NE(needed.output.find("soname: [libcoroscope-emit.so.1]"), std::string::npos) << needed.output;
    const std::regex entry(R"(\(NEEDED\)[^\[]*\[([^\]]*)\])");
    for (auto it = std::sregex_iterator(needed.output.begin(), needed.output.end(), entry);
         it != std::sregex_iterator(); ++it) {
        const std::string library = (*it)[1];
        const auto is = [&](std::string_view prefix) { return library.starts_with(prefix); };
        EXPECT_TRUE(is("libstdc++.") || is("libgcc_s.") || is("libc.") || is("libm.") || is("ld-linux")) << library;
    }
}

// Compiled programs have these numbers in them: a change of one is a new major of the ABI.
TEST(EmitLibrary, TheLayoutIsPinned) {
    EXPECT_EQ(CS_ABI_MAJOR, 1u);
    EXPECT_EQ(cs_abi() >> 16, CS_ABI_MAJOR);

    EXPECT_EQ(sizeof(cs_record), 32u);
    EXPECT_EQ(offsetof(cs_record, subject), 8u);
    EXPECT_EQ(offsetof(cs_record, argument), 16u);
    EXPECT_EQ(offsetof(cs_record, stack), 24u);
    EXPECT_EQ(offsetof(cs_record, kind), 28u);

    EXPECT_EQ(offsetof(cs_producer, thread), 4u);
    EXPECT_EQ(offsetof(cs_producer, slots), 8u);
    EXPECT_EQ(offsetof(cs_producer, mask), 16u);
    EXPECT_EQ(offsetof(cs_producer, attention), 24u);
    EXPECT_EQ(offsetof(cs_producer, known_tail), 32u);
    EXPECT_EQ(offsetof(cs_producer, head), 40u);
    EXPECT_EQ(offsetof(cs_producer, depth), 48u);
    EXPECT_EQ(offsetof(cs_producer, steps), 64u);
    EXPECT_EQ(sizeof(cs_step), 16u);
    EXPECT_EQ(sizeof(cs_producer), 64u + 16u * 16u);

    EXPECT_EQ(offsetof(cs_process, on), 8u);
    EXPECT_EQ(offsetof(cs_process, stamps_in_ticks), 12u);
    EXPECT_EQ(offsetof(cs_process, last_task), 16u);
    EXPECT_EQ(offsetof(cs_process, last_loop), 24u);
    EXPECT_EQ(offsetof(cs_process, last_resource), 32u);
    EXPECT_EQ(offsetof(cs_process, last_span), 40u);
    EXPECT_EQ(offsetof(cs_process, snapshot_wanted), 48u);
    EXPECT_EQ(cs_process_state()->size, sizeof(cs_process));

    EXPECT_EQ(sizeof(cs_runtime_info), 88u);
    EXPECT_EQ(offsetof(cs_runtime_info, capabilities), 32u);
    EXPECT_EQ(offsetof(cs_runtime_info, on), 40u);
    EXPECT_EQ(offsetof(cs_runtime_info, stack_of), 72u);
    EXPECT_EQ(offsetof(cs_runtime_info, write_stacks), 80u);
    EXPECT_EQ(sizeof(cs_resource_info), 56u);
    EXPECT_EQ(offsetof(cs_resource_info, created_by), 24u);
    EXPECT_EQ(offsetof(cs_resource_info, system_id), 48u);
    EXPECT_EQ(sizeof(cs_report), 72u);
    EXPECT_EQ(offsetof(cs_report, frames), 24u);
    EXPECT_EQ(offsetof(cs_report, duration_ns), 64u);
}

// An older caller's structs are shorter, a newer caller's longer; another major's are not understood.
TEST(EmitLibrary, StructsMayGrow) {
    cs_runtime_info info{};
    info.abi = CS_ABI;
    info.name = "short";
    info.size = offsetof(cs_runtime_info, on);
    info.on = reinterpret_cast<std::uint32_t*>(8);  // beyond the end of the older struct: must not be looked at
    EXPECT_NE(cs_runtime_add(&info), 0u);
    struct {
        cs_runtime_info known;
        char more[64];
    } newer{};
    newer.known.size = sizeof newer;
    newer.known.abi = CS_ABI;
    EXPECT_NE(cs_runtime_add(&newer.known), 0u);
    newer.known.abi = (CS_ABI_MAJOR + 1) << 16;
    EXPECT_EQ(cs_runtime_add(&newer.known), 0u);
}

// "CS_JOIN" -> 4, of all enumerators of the header.
std::map<std::string, std::uint64_t> enumerators() {
    const std::string text = text_of_file(COROSCOPE_EMIT_SOURCES "/runtime/include/coroscope/emit.h");
    std::map<std::string, std::uint64_t> numbers;
    const std::regex enumerator(R"((CS_[A-Z_]+) = (\d+))");
    for (auto it = std::sregex_iterator(text.begin(), text.end(), enumerator); it != std::sregex_iterator(); ++it)
        EXPECT_TRUE(numbers.emplace((*it)[1], std::stoull((*it)[2])).second) << (*it)[1] << " is there twice";
    return numbers;
}

// The header's numbers are the vocabulary's. It need not name every row: a number can be given as such.
TEST(EmitLibrary, NumbersAreThoseOfTheVocabulary) {
    using namespace vocabulary;
    auto numbers = enumerators();
    const std::map<std::string, std::string> other_names = {{"CS_type_job", "CS_THREAD_JOB"},
                                                            {"CS_type_signal", "CS_SIGNALS"},
                                                            {"CS_outcome_", "CS_ENDED"},
                                                            {"CS_type_unknown", ""},
                                                            {"CS_ROLE_unknown", ""}};
    const auto check = [&](const std::string& table, const std::string& prefix, std::string_view row,
                           std::uint64_t number) {
        std::string name = prefix + std::string(row);
        if (const auto other = other_names.find(table + std::string(row)); other != other_names.end()) {
            name = other->second;
        } else {
            std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
        }
        const auto found = numbers.find(name);
        if (found == numbers.end()) return;
        EXPECT_EQ(found->second, number) << name;
        numbers.erase(found);
    };
    const auto number = [](auto value) { return static_cast<std::uint64_t>(value); };
    for (const auto& row : verbs) check("CS_verb_", "CS_", row.name, number(row.verb));
    for (const auto& row : resource_types) check("CS_type_", "CS_", row.name, number(row.type));
    for (const auto& row : roles) check("CS_ROLE_", "CS_ROLE_", row.name, number(row.role));
    for (const auto& row : outcomes) check("CS_outcome_", "CS_", row.name, number(row.outcome));
    for (const auto& row : report_kinds) check("CS_report_", "CS_", row.name, number(row.kind));
    for (const auto& row : node_kinds) check("CS_node_", "CS_", row.name, number(row.kind));
    for (const auto& row : cancel_origins) check("CS_CANCEL_", "CS_CANCEL_", row.name, number(row.origin));
    for (const auto& row : capabilities) check("CS_HAS_", "CS_HAS_", row.name, number(row.capability));
    EXPECT_EQ(numbers.extract("CS_SITE_LIBRARY").mapped(), number(site_is_library));
    EXPECT_EQ(numbers.extract("CS_SITE_RAW_NAME").mapped(), 2u);  // not on the wire
    for (const auto& [name, value] : numbers) ADD_FAILURE() << name << " is no row of the vocabulary";
    EXPECT_EQ(cs_wait(CS_JOIN, 7), pack_wait(Verb::join, 7));
}

}  // namespace
}  // namespace coroscope
