#include "find_library.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "coroscope/emit.h"

namespace coroscope::probe {

namespace {

std::string folder_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? "." : std::string(path.substr(0, slash));
}

std::string executable_folder() {
    char path[PATH_MAX];
    const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path - 1);
    return size <= 0 ? "" : folder_of({path, static_cast<std::size_t>(size)});
}

// Of libcoroscope-emit itself.
std::string own_folder() {
    Dl_info info{};
    if (::dladdr(reinterpret_cast<void*>(&cs_open), &info) == 0 || info.dli_fname == nullptr) return "";
    return folder_of(info.dli_fname);
}

// Several versions may be installed side by side: each in a folder of its version, beside its libcoroscope-emit.
std::vector<std::string> places() {
    const std::string own = own_folder(), executable = executable_folder();
    std::vector<std::string> all;
    all.push_back(own + "/coroscope-" COROSCOPE_VERSION "/" + library_name);
    all.push_back(own + "/" + library_name);
    for (const char* beside : {"/", "/../lib/", "/../../lib/"}) all.push_back(executable + beside + library_name);
    all.emplace_back(library_name);  // the system's search
    return all;
}

// nullptr: it does not load, or is not of this version.
const DebugLibrary* load(const std::string& place, std::string& why_not) {
    void* library = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char* error = ::dlerror();
        why_not = error == nullptr ? place + " does not load" : error;
        return nullptr;
    }
    // dlsym gives an object pointer; POSIX promises that it converts.
    const auto find = reinterpret_cast<DebugLibraryFunction>(::dlsym(library, debug_library_name));
    if (find == nullptr) {
        why_not = place + " is not coroscope's, or of another version";
        return nullptr;
    }
    if (const DebugLibrary* found = find(pair_version().c_str())) return found;
    const auto version = reinterpret_cast<DebugVersionFunction>(::dlsym(library, debug_version_name));
    why_not = place + " is of version " + (version == nullptr ? "?" : version()) + ", and libcoroscope-emit of " +
              pair_version() + ": install both from the same package";
    return nullptr;
}

}  // namespace

std::string variable(const char* name) {
    const char* value = ::secure_getenv(name);
    return value == nullptr ? "" : value;
}

const DebugLibrary* find_library(std::string& why_not) {
    const std::string named = variable("COROSCOPE_DEBUG_LIBRARY");
    if (!named.empty()) return load(named, why_not);
    for (const std::string& place : places()) {
        // One that is there but does not load says why; one that is not there is no news.
        const bool is_path = place.find('/') != std::string::npos;
        if (is_path && ::access(place.c_str(), F_OK) != 0) continue;
        std::string why_not_this;
        if (const DebugLibrary* library = load(place, why_not_this)) return library;
        if (is_path || why_not.empty()) why_not = why_not_this;
    }
    return nullptr;
}

}  // namespace coroscope::probe
