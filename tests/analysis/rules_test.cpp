// What holds for every rule: it is in the list, it describes itself, and it has tests.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "agent/analysis/rule.hpp"
#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

namespace fs = std::filesystem;

// "slow_step" -> "SlowStep": the test suite of a rule.
std::string suite_of(std::string_view rule) {
    std::string suite;
    bool begin = true;
    for (const char c : rule) {
        if (c != '_') suite += begin ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        begin = c == '_';
    }
    return suite;
}

bool has_tests(const std::string& suite) {
    const testing::UnitTest& tests = *testing::UnitTest::GetInstance();
    for (int i = 0; i < tests.total_test_suite_count(); ++i)
        if (tests.GetTestSuite(i)->name() == suite) return tests.GetTestSuite(i)->total_test_count() > 0;
    return false;
}

TEST(Rules, AreThoseOfTheFiles) {
    const auto rule_of_file = [](const fs::path& file) { return file.stem().string(); };
    std::set<std::string> of_files, listed;
    for (const auto& entry : fs::directory_iterator(fs::path(COROSCOPE_SOURCE_DIR) / "agent/analysis/rules"))
        of_files.insert(rule_of_file(entry.path()));
    for (const Rule& rule : rules_of_files()) listed.emplace(rule.name);
    EXPECT_EQ(listed, of_files) << "each file in rules/ defines the rule of its name";
    EXPECT_FALSE(of_files.empty());
}

TEST(Rules, OfFilesAndReportsMakeTheList) {
    EXPECT_EQ(rules().size(), rules_of_files().size() + report_rules().size());
    EXPECT_TRUE(std::ranges::is_sorted(rules(), std::ranges::greater{}, &Rule::severity)) << "the worst first";
}

TEST(Rules, DescribeThemselves) {
    std::set<std::string_view> names;
    for (const Rule& rule : rules()) {
        SCOPED_TRACE(rule.name);
        EXPECT_TRUE(names.insert(rule.name).second) << "a name of its own";
        EXPECT_FALSE(rule.name.empty());
        for (const char c : rule.name) EXPECT_TRUE(c == '_' || (c >= 'a' && c <= 'z'));
        EXPECT_FALSE(rule.finds.empty());
        EXPECT_FALSE(to_string(rule.severity).empty());
        EXPECT_NE(rule.check, nullptr);
    }
}

// Task 2 waits for task 1, which waits for task 2, in an app whose runtimes can report `capabilities`.
std::size_t deadlocks(const std::vector<std::uint32_t>& capabilities) {
    AppUnderTest app;
    app.apply(app.next().ready(2000, 2).begin(2001, 2).end(2002, 2, vocabulary::Verb::join, 1, 7));
    BatchBuilder b = app.next();
    for (const std::uint32_t each : capabilities) {
        v2::Runtime& runtime = *b.batch().add_runtimes();
        runtime.set_id(static_cast<std::uint32_t>(b.batch().runtimes_size()));
        runtime.set_capabilities(each);
    }
    app.apply(b);
    return app.problems("deadlock").size();
}

TEST(Rules, AreSilentIfNoRuntimeReportsWhatTheyNeed) {
    EXPECT_EQ(deadlocks({}), 1u) << "nothing is known of what it can report";
    EXPECT_EQ(deadlocks({vocabulary::all_capabilities}), 1u);
    EXPECT_EQ(deadlocks({vocabulary::all_capabilities & ~std::uint32_t{vocabulary::has_waits}}), 0u);
    EXPECT_EQ(deadlocks({0, vocabulary::has_waits}), 1u) << "one of the runtimes can";
}

TEST(Rules, HaveTests) {
    for (const Rule& rule : rules())
        EXPECT_TRUE(has_tests(suite_of(rule.name))) << "tests/analysis has no TEST(" << suite_of(rule.name) << ", ...)";
    EXPECT_FALSE(has_tests("NoSuchRule"));
}

}  // namespace
}  // namespace coroscope::analysis::test
