// CONTRIBUTING.md says which files an addition touches. The lists are held to what they promise: every file is there,
// and no list is longer than it says or than it may be.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Recipe {
    std::size_t most = 0;  // as its heading says
    std::vector<std::string> files;
};

// "### Add a rule: at most 2 files", then "1. `path`: ..." lines.
std::map<std::string, Recipe> recipes_of(std::istream& text) {
    static const std::regex heading(R"(### Add (.+): at most (\d+) files?)"), item(R"(\d+\. `([^`]+)`.*)");
    std::map<std::string, Recipe> recipes;
    Recipe* current = nullptr;
    for (std::string line; std::getline(text, line);) {
        std::smatch match;
        if (line.starts_with("#")) current = nullptr;
        if (std::regex_match(line, match, heading)) {
            current = &recipes[match[1]];
            current->most = std::stoul(match[2]);
        } else if (current != nullptr && std::regex_match(line, match, item)) {
            current->files.push_back(match[1]);
        }
    }
    return recipes;
}

std::map<std::string, Recipe> recipes() {
    std::ifstream text(fs::path(COROSCOPE_SOURCE_DIR) / "CONTRIBUTING.md");
    return recipes_of(text);
}

// NAME stands for the new thing: others of its kind must be in the same place.
bool exists(const std::string& path) {
    const fs::path file = fs::path(COROSCOPE_SOURCE_DIR) / path;
    const std::string name = file.filename().string();
    const std::size_t at = name.find("NAME");
    if (at == std::string::npos) return fs::is_regular_file(file);
    if (!fs::is_directory(file.parent_path())) return false;
    const std::string before = name.substr(0, at), after = name.substr(at + 4);
    for (const auto& entry : fs::directory_iterator(file.parent_path())) {
        const std::string other = entry.path().filename().string();
        if (other.size() > before.size() + after.size() && other.starts_with(before) && other.ends_with(after))
            return true;
    }
    return false;
}

TEST(Recipes, NameFilesThatAreThere) {
    for (const auto& [what, recipe] : recipes())
        for (const std::string& file : recipe.files) EXPECT_TRUE(exists(file)) << what << ": " << file;
}

TEST(Recipes, TouchNoMoreFilesThanTheySay) {
    for (const auto& [what, recipe] : recipes()) {
        EXPECT_FALSE(recipe.files.empty()) << what;
        EXPECT_LE(recipe.files.size(), recipe.most) << what;
    }
}

// What adding a thing may cost, for as long as the design is right.
TEST(Recipes, KeepTheirPromise) {
    const std::map<std::string, std::size_t> promised = {
        {"an event kind", 4}, {"a wait verb or a resource type", 1},
        {"a report kind", 2}, {"a field of an entity", 2},
        {"a rule", 2},        {"a view", 2},
    };
    const auto all = recipes();
    for (const auto& [what, most] : promised) {
        ASSERT_TRUE(all.contains(what)) << "CONTRIBUTING.md has no recipe to add " << what;
        EXPECT_LE(all.at(what).most, most) << what;
    }
}

TEST(Recipes, AreReadAsTheyAreWritten) {
    std::istringstream text(
        "### Add a moon: at most 2 files\n\n1. `sky/NAME.cpp`: it\n2. `sky/list.cpp`: more\n   `no/file.cpp`\n"
        "3. `sky/too_many.cpp`: fails\n\n## Else\n\n1. `not/of/it.cpp`: other\n");
    const auto all = recipes_of(text);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all.at("a moon").most, 2u);
    EXPECT_EQ(all.at("a moon").files, (std::vector<std::string>{"sky/NAME.cpp", "sky/list.cpp", "sky/too_many.cpp"}));
    EXPECT_FALSE(exists("sky/NAME.cpp"));
    EXPECT_FALSE(exists("CONTRIBUTING_NAME.md"));
    EXPECT_TRUE(exists("CONTRIBUTING.md"));
    EXPECT_TRUE(exists("agent/analysis/rules/NAME.cpp"));
}

}  // namespace
