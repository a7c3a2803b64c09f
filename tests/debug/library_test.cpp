// The debug library's door: it refuses an app of other sources. A program of its own: one that has the wire format's
// classes itself cannot load the library.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <string>

#include "runtime/src/probe/debug_abi.hpp"
#include "runtime/src/probe/registry.hpp"

namespace coroscope {
namespace {

// What was built from other sources would misread the app's memory.
TEST(Library, RefusesAnAppOfOtherSources) {
    void* library = ::dlopen(COROSCOPE_DEBUG_LIBRARY_FILE, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << ::dlerror();
    const auto start = reinterpret_cast<probe::DebugStartFunction>(::dlsym(library, probe::debug_start_name));
    ASSERT_NE(start, nullptr);
    probe::DebugStart options;
    options.layout = probe::layout_sum() + 1;
    options.target = "unix:nobody.sock";
    const char* error = start(&probe::registry(), &options);
    ASSERT_NE(error, nullptr);
    EXPECT_NE(std::string(error).find("built from other sources"), std::string::npos) << error;
}

}  // namespace
}  // namespace coroscope
