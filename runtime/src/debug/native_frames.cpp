#include "native_frames.hpp"

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unordered_map>

#include "proto/words/function_name.hpp"
#include "proto/words/place.hpp"
#include "unwind.hpp"

namespace coroscope::debug {

namespace {

constexpr std::size_t most_cached = 10'000;

std::string demangled(const char* name) {
    int status = 0;
    char* text = abi::__cxa_demangle(name, nullptr, nullptr, &status);
    std::string result = status == 0 && text != nullptr ? text : name;
    std::free(text);
    return result;
}

std::string function_of(Dwarf_Die* die) {
    Dwarf_Attribute attribute;
    for (const unsigned int which : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name})
        if (Dwarf_Attribute* found = dwarf_attr_integrate(die, which, &attribute))
            if (const char* name = dwarf_formstring(found)) return words::function_name(demangled(name));
    const char* name = dwarf_diename(die);
    return name == nullptr ? "" : words::function_name(name);
}

struct Line {
    std::string file;
    std::uint32_t line = 0;
};

// The line of an address: of several rows for one address the last counts (dwarf_getsrc_die() may give the first, which
// is the line before a call in what g++ makes of coroutines).
Line line_of(Dwarf_Die* unit, Dwarf_Addr address) {
    Dwarf_Lines* lines = nullptr;
    std::size_t count = 0;
    if (dwarf_getsrclines(unit, &lines, &count) != 0) return {};
    std::size_t low = 0, high = count;
    const auto address_of = [&](std::size_t index) {
        Dwarf_Addr at = 0;
        dwarf_lineaddr(dwarf_onesrcline(lines, index), &at);
        return at;
    };
    while (low < high) {  // the first row behind the address
        const std::size_t middle = low + (high - low) / 2;
        if (address_of(middle) <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    // Within the rows of one address, one without a line (0) says nothing.
    while (low > 0) {
        Dwarf_Line* row = dwarf_onesrcline(lines, --low);
        int number = 0;
        bool end_of_sequence = false;
        dwarf_lineno(row, &number);
        dwarf_lineendsequence(row, &end_of_sequence);
        if (end_of_sequence) return {};
        if (number == 0) continue;
        const char* file = dwarf_linesrc(row, nullptr, nullptr);
        return {file == nullptr ? "" : file, static_cast<std::uint32_t>(number)};
    }
    return {};
}

// Where an inlined function was called.
Line call_of(Dwarf_Die* unit, Dwarf_Die* inlined) {
    Line line;
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &value) == 0)
        line.line = static_cast<std::uint32_t>(value);
    Dwarf_Files* files = nullptr;
    std::size_t count = 0;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &value) == 0 &&
        dwarf_getsrcfiles(unit, &files, &count) == 0 && value < count)
        if (const char* file = dwarf_filesrc(files, value, nullptr, nullptr)) line.file = file;
    return line;
}

// The compilation unit of an address. clang writes no table of them (.debug_aranges): then each says what it covers.
Dwarf_Die* unit_of(Dwfl_Module* module, Dwarf_Addr address, Dwarf_Addr& bias) {
    if (Dwarf_Die* unit = dwfl_module_addrdie(module, address, &bias)) return unit;
    for (Dwarf_Die* unit = nullptr; (unit = dwfl_module_nextcu(module, unit, &bias)) != nullptr;)
        if (dwarf_haspc(unit, address - bias) == 1) return unit;
    return nullptr;
}

std::string executable_path() {
    char path[PATH_MAX];
    const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
    return size <= 0 ? "" : std::string(path, static_cast<std::size_t>(size));
}

// A library of the language, of the system or ours, by its path: with debug symbols installed the names of its sources
// ("./time/clock_nanosleep.c") look like anybody's.
bool is_library_module(std::string_view path) {
    static const std::string& executable = *new std::string(executable_path());  // threads of ours outlive statics
    if (path == executable) return false;
    const std::string_view name = words::base_name(path);
    for (const std::string_view of_language : {"libc.so", "libc-", "libm.so", "libpthread", "libstdc++", "libgcc_s",
                                               "libc++", "ld-linux", "[vdso", "libcoroscope"})
        if (name.starts_with(of_language)) return true;
    return path.starts_with("/usr/lib") || path.starts_with("/lib") || path.starts_with("/usr/libexec");
}

char* no_debug_path = nullptr;  // the default search

// By build id only, on this machine. The standard search would also ask a debuginfod server where one is configured:
// a download, while the rings fill.
const Dwfl_Callbacks callbacks = {dwfl_linux_proc_find_elf, dwfl_build_id_find_debuginfo, nullptr, &no_debug_path};

}  // namespace

struct NativeFrames::State {
    Dwfl* dwfl = nullptr;
    std::unordered_map<void*, std::vector<NativeFrame>> cache;  // bound: most_cached; overflow: emptied

    ~State() {
        if (dwfl != nullptr) dwfl_end(dwfl);
    }

    void read_modules() {
        if (dwfl == nullptr) dwfl = dwfl_begin(&callbacks);
        if (dwfl == nullptr) return;
        dwfl_report_begin(dwfl);
        dwfl_linux_proc_report(dwfl, ::getpid());
        dwfl_report_end(dwfl, nullptr, nullptr);
    }

    const std::vector<NativeFrame>& resolve(void* pointer) {
        if (const auto found = cache.find(pointer); found != cache.end()) return found->second;
        if (cache.size() >= most_cached) cache.clear();
        std::vector<NativeFrame>& frames = cache[pointer];
        const auto address = static_cast<Dwarf_Addr>(reinterpret_cast<std::uintptr_t>(pointer));
        if (dwfl == nullptr) read_modules();
        Dwfl_Module* module = dwfl == nullptr ? nullptr : dwfl_addrmodule(dwfl, address);
        if (module == nullptr && dwfl != nullptr) {  // loaded since
            read_modules();
            module = dwfl_addrmodule(dwfl, address);
        }
        if (module == nullptr) return frames;
        const char* path = dwfl_module_info(module, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
        const bool library = path != nullptr && is_library_module(path);
        // Lines of libraries are of no use, and the debug information of the C library takes long to read.
        if (!library) describe(module, address, frames);
        if (frames.empty()) name_by_symbol(module, address, frames);
        for (NativeFrame& frame : frames) frame.library = library;
        return frames;
    }

    // Modules that were loaded since they were read are missed: the stack ends in the first of them.
    std::vector<void*> unwind(const StackCopy& stack) {
        if (dwfl == nullptr) read_modules();
        if (dwfl == nullptr) return {};
        if (dwfl_addrmodule(dwfl, stack.registers.pc) == nullptr) read_modules();
        return debug::unwind(dwfl, stack);
    }

    static void describe(Dwfl_Module* module, Dwarf_Addr address, std::vector<NativeFrame>& frames) {
        Dwarf_Addr bias = 0;
        if (Dwarf_Die* unit = unit_of(module, address, bias)) {
            Line at = line_of(unit, address - bias);
            // Innermost first. The first call stops at what the innermost was inlined from; the second goes on to where
            // it was inlined to.
            Dwarf_Die* innermost = nullptr;
            Dwarf_Die* scopes = nullptr;
            int count = dwarf_getscopes(unit, address - bias, &innermost);
            if (count > 0) count = dwarf_getscopes_die(innermost, &scopes);
            std::free(innermost);
            for (int i = 0; i < count; ++i) {
                const int tag = dwarf_tag(&scopes[i]);
                if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram) continue;
                frames.push_back({function_of(&scopes[i]), at.file, at.line, false});
                if (tag == DW_TAG_subprogram) break;
                at = call_of(unit, &scopes[i]);
            }
            std::free(scopes);
        }
        if (!frames.empty()) {
            // A coroutine's actor is named after its frame in the symbol table only.
            // So are, without the linkage names that -g1 leaves out, the scopes of a function.
            if (const char* symbol = dwfl_module_addrname(module, address)) {
                const std::string full = words::function_name(demangled(symbol));
                if (frames.back().function.empty() || full.ends_with("::" + frames.back().function) ||
                    is_lambda(frames.back()))
                    frames.back().function = full;
            }
            if (!frames.back().function.empty()) return;
            frames.pop_back();
        }
        name_by_symbol(module, address, frames);
    }

    static bool is_lambda(const NativeFrame& frame) { return frame.function == "operator()"; }

    // Without a symbol, as addr2line wants it: "app+0x12f0".
    static void name_by_symbol(Dwfl_Module* module, Dwarf_Addr address, std::vector<NativeFrame>& frames) {
        if (const char* symbol = dwfl_module_addrname(module, address)) {
            frames.push_back({words::function_name(demangled(symbol)), "", 0, false});
            return;
        }
        Dwarf_Addr start = 0;
        const char* path = dwfl_module_info(module, nullptr, &start, nullptr, nullptr, nullptr, nullptr, nullptr);
        char offset[32];
        std::snprintf(offset, sizeof offset, "+0x%llx", static_cast<unsigned long long>(address - start));
        if (path != nullptr) frames.push_back({std::string(words::base_name(path)) + offset, "", 0, false});
    }
};

NativeFrames::NativeFrames() : state_(std::make_unique<State>()) {}
NativeFrames::~NativeFrames() = default;

std::vector<NativeFrame> NativeFrames::resolve(std::span<void* const> addresses, bool first_is_exact) {
    std::vector<NativeFrame> frames;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        auto* address = static_cast<char*>(addresses[i]);
        if (address == nullptr) continue;
        // A return address may lie behind the end of its line, even of its function: the call is one byte before.
        if (i != 0 || !first_is_exact) --address;
        const auto& resolved = state_->resolve(address);
        frames.insert(frames.end(), resolved.begin(), resolved.end());
    }
    return frames;
}

std::vector<NativeFrame> NativeFrames::resolve(const StackCopy& stack) { return resolve(state_->unwind(stack), true); }

bool is_library_frame(const NativeFrame& frame) {
    return frame.library || words::is_library(frame.function, frame.file);
}

bool is_runtime_frame(const NativeFrame& frame) {
    return words::is_coroscope(frame.function, frame.file) || frame.file.ends_with("/coroutine");
}

std::vector<NativeFrame> creation_call(std::vector<NativeFrame> frames, const std::string& coroutine) {
    const auto end_of_scope = coroutine.rfind("::");
    const std::string unqualified = end_of_scope == std::string::npos ? coroutine : coroutine.substr(end_of_scope + 2);
    const auto is_itself = [&](const NativeFrame& frame) {
        return frame.function == coroutine || frame.function == unqualified;
    };
    // Innermost come the promise's functions, then the coroutine's own start: the call is next.
    auto at = std::find_if(frames.begin(), frames.end(), is_itself);
    if (at == frames.end()) at = frames.begin();
    while (at != frames.end() && (is_itself(*at) || is_runtime_frame(*at) || at->line == 0)) ++at;
    const auto loop = std::find_if(at, frames.end(), [](const NativeFrame& frame) { return is_runtime_frame(frame); });
    return {at, loop};
}

std::vector<NativeFrame> stalled_call(std::vector<NativeFrame> frames) {
    const auto loop = std::find_if(frames.begin(), frames.end(), [](const NativeFrame& frame) {
        return frame.function.find("EventLoop::run_step") != std::string::npos ||
               frame.function.find("EventLoop::run_callback") != std::string::npos;
    });
    frames.erase(loop, frames.end());
    // The innermost frames of the standard library and the system only say how it blocks; they stay, the site is chosen
    // later.
    std::erase_if(frames, [](const NativeFrame& frame) { return is_runtime_frame(frame) || frame.function.empty(); });
    return frames;
}

}  // namespace coroscope::debug
