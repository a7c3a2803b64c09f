// Who may include whom: the table of ARCHITECTURE.md, checked on every source file.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

// A layer is a folder. It may include itself, the layers named, and the outside libraries named.
struct Layer {
    std::string folder;
    std::set<std::string> layers;
    std::set<std::string> libraries;
};

const std::vector<Layer>& table() {
    static const std::vector<Layer> layers = {
        {"proto/vocabulary", {}, {}},
        {"proto/address", {}, {}},
        {"proto/channel", {"proto/address"}, {"grpc"}},
        {"proto/words", {}, {}},
        {"proto/container", {}, {"protobuf", "messages", "zstd", "xxhash"}},
        {"runtime/include", {"proto/vocabulary"}, {}},
        {"runtime/src/probe", {"runtime/include", "proto/address", "proto/vocabulary", "proto/words"}, {}},
        {"runtime/src/core", {"runtime/include", "runtime/src/probe", "proto/words"}, {}},
        {"runtime/src/net", {"runtime/include", "runtime/src/probe", "runtime/src/core"}, {}},
        {"runtime/src/tls", {"runtime/include"}, {"openssl"}},
        {"runtime/src/http", {"runtime/include"}, {"boost"}},
        {"runtime/src/debug",
         {"runtime/include", "runtime/src/probe", "proto/vocabulary", "proto/address", "proto/channel", "proto/words",
          "proto/container"},
         {"protobuf", "messages", "services", "grpc", "spdlog", "dwarf"}},
        {"runtime/examples", {"runtime/include"}, {"glfw"}},  // one shows a window's loop
        {"agent/model", {"proto/vocabulary", "proto/words"}, {"protobuf", "messages", "boost"}},
        {"agent/words", {"agent/model", "proto/words"}, {}},
        {"agent/analysis", {"agent/model", "agent/words", "proto/words"}, {}},
        {"agent/trace",
         {"agent/model", "agent/words", "proto/words", "proto/container"},
         {"protobuf", "messages", "perfetto"}},
        {"agent/server",
         {"agent/model", "agent/analysis", "agent/trace", "proto/words", "proto/container", "proto/address"},
         {"protobuf", "messages", "services", "grpc", "spdlog"}},
        {"agent/cli",
         {"agent/model", "agent/words", "agent/analysis", "agent/trace", "agent/server", "proto/words",
          "proto/container", "proto/vocabulary", "proto/address", "proto/channel"},
         {"protobuf", "messages", "services", "grpc", "spdlog", "cli11", "json"}},
        {"viewer/layout", {"agent/model", "agent/words", "proto/words"}, {}},
        {"viewer/state", {"agent/model", "agent/words", "agent/analysis", "viewer/layout"}, {}},
        {"viewer/source",
         {"agent/model", "proto/container", "proto/address", "proto/channel"},
         {"protobuf", "messages", "services", "grpc"}},
        {"viewer/ui", {"viewer/layout", "viewer/state", "agent/model", "agent/words", "agent/analysis"}, {"imgui"}},
        {"viewer/views",
         {"viewer/layout", "viewer/state", "viewer/ui", "agent/model", "agent/words", "agent/analysis", "proto/words"},
         {"imgui"}},
        {"viewer/app",
         {"viewer/layout", "viewer/state", "viewer/ui", "viewer/views", "viewer/source", "agent/model",
          "agent/analysis", "proto/address"},
         {"imgui", "glfw", "opengl", "stb", "cli11", "messages", "protobuf"}},
    };
    return layers;
}

// The outside library an include belongs to; nothing for the standard library and the system's headers.
std::optional<std::string> library_of(const std::string& include) {
    static const std::vector<std::pair<std::string, std::string>> prefixes = {
        {"google/protobuf/", "protobuf"},
        {"grpcpp/", "grpc"},
        {"grpc/", "grpc"},
        {"spdlog/", "spdlog"},
        {"fmt/", "spdlog"},
        {"boost/", "boost"},
        {"zstd", "zstd"},
        {"xxhash", "xxhash"},
        {"imgui", "imgui"},
        {"GLFW/", "glfw"},
        {"openssl/", "openssl"},
        {"GL/", "opengl"},
        {"stb", "stb"},
        {"CLI/", "cli11"},
        {"nlohmann/", "json"},
        {"backward", "dwarf"},
        {"elfutils/", "dwarf"},
        {"dwarf.h", "dwarf"},
        {"libelf.h", "dwarf"},
        {"perfetto", "perfetto"},
    };
    if (include.ends_with(".grpc.pb.h")) return "services";
    if (include.find("perfetto") != std::string::npos && include.ends_with(".pb.h")) return "perfetto";
    if (include.ends_with(".pb.h")) return "messages";
    for (const auto& [prefix, library] : prefixes)
        if (include.starts_with(prefix)) return library;
    return std::nullopt;
}

const Layer* layer_of(const std::string& path) {
    const Layer* best = nullptr;
    for (const Layer& layer : table())
        if (path.starts_with(layer.folder + "/") && (best == nullptr || layer.folder.size() > best->folder.size()))
            best = &layer;
    return best;
}

// The file of ours that `include`, written in `from`, names; nothing if it is not ours.
std::optional<std::string> ours(const fs::path& root, const fs::path& from, const std::string& include) {
    const std::vector<fs::path> places = {from.parent_path(), root, root / "runtime/include",
                                          root / "proto/vocabulary"};
    for (const fs::path& place : places) {
        const fs::path file = (place / include).lexically_normal();
        if (fs::exists(file)) return fs::relative(file, root).generic_string();
    }
    return std::nullopt;
}

std::vector<std::string> violations_of(const fs::path& root, const fs::path& file, const Layer& layer) {
    static const std::regex pattern(R"re(^\s*#\s*include\s*[<"]([^>"]+)[>"])re");
    std::vector<std::string> violations;
    std::ifstream in(file);
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
        std::smatch match;
        if (!std::regex_search(line, match, pattern)) continue;
        const std::string include = match[1];
        const std::string where = fs::relative(file, root).generic_string() + ":" + std::to_string(number) + ": ";
        if (const auto target = ours(root, file, include)) {
            const Layer* other = layer_of(*target);
            if (other == nullptr) {
                violations.push_back(where + *target + " is in no layer of the table");
            } else if (other != &layer && !layer.layers.contains(other->folder)) {
                violations.push_back(where + layer.folder + " must not include " + other->folder + " (" + include +
                                     ")");
            }
        } else if (const auto library = library_of(include)) {
            if (!layer.libraries.contains(*library))
                violations.push_back(where + layer.folder + " must not use " + *library + " (" + include + ")");
        }
    }
    return violations;
}

bool is_source(const fs::path& path) { return path.extension() == ".hpp" || path.extension() == ".cpp"; }

TEST(Layering, EveryIncludeIsAllowed) {
    const fs::path root = COROSCOPE_SOURCE_DIR;
    std::size_t files = 0;
    std::string report;
    for (const char* top : {"proto", "runtime", "agent", "viewer"}) {
        for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
            if (!entry.is_regular_file() || !is_source(entry.path())) continue;
            const std::string path = fs::relative(entry.path(), root).generic_string();
            const Layer* layer = layer_of(path);
            if (layer == nullptr) {
                report += path + " is in no layer of the table\n";
                continue;
            }
            ++files;
            for (const std::string& violation : violations_of(root, entry.path(), *layer)) report += violation + "\n";
        }
    }
    EXPECT_EQ(report, "");
    EXPECT_GT(files, 30u) << "the test looked at too few files to mean anything";
}

// The check itself: it must see what it is there to see.
TEST(Layering, ForbiddenIncludesAreSeen) {
    const fs::path root = COROSCOPE_SOURCE_DIR;
    const fs::path directory = fs::temp_directory_path() /
                               ("layering_test." + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) +
                                std::to_string(reinterpret_cast<std::uintptr_t>(&root)));
    fs::create_directories(directory);
    const fs::path file = directory / "bad.cpp";
    std::ofstream(file) << "#include <vector>\n#include <grpcpp/grpcpp.h>\n  #  include "
                           "\"agent/server/x.pb.h\"\n#include \"agent/analysis/problem.hpp\"\n";
    const auto violations = violations_of(root, file, *layer_of("agent/model/model.cpp"));
    fs::remove_all(directory);
    ASSERT_EQ(violations.size(), 2u);
    EXPECT_NE(violations[0].find("must not use grpc"), std::string::npos);
    EXPECT_NE(violations[1].find("must not include agent/analysis"), std::string::npos);
}

}  // namespace
