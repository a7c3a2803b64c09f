// The debug library's door: it serves only an emit library of its own version. A program of its own: one that has the
// wire format's classes itself cannot load the library.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <string>

#include "runtime/src/probe/debug_library.hpp"

namespace coroscope {
namespace {

// What was built from other sources would misread the app's memory.
TEST(Library, ServesOnlyItsOwnVersion) {
    void* library = ::dlopen(COROSCOPE_DEBUG_LIBRARY_FILE, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << ::dlerror();
    const auto find = reinterpret_cast<probe::DebugLibraryFunction>(::dlsym(library, probe::debug_library_name));
    ASSERT_NE(find, nullptr);
    EXPECT_EQ(find((probe::pair_version() + "x").c_str()), nullptr);
    EXPECT_NE(find(probe::pair_version().c_str()), nullptr);
    const auto version = reinterpret_cast<probe::DebugVersionFunction>(::dlsym(library, probe::debug_version_name));
    ASSERT_NE(version, nullptr);
    EXPECT_EQ(version(), probe::pair_version());
}

}  // namespace
}  // namespace coroscope
