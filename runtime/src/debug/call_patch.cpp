#include "call_patch.hpp"

#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "proto/words/place.hpp"

namespace coroscope::debug {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t jump_slot = R_X86_64_JUMP_SLOT, global_data = R_X86_64_GLOB_DAT;
#elif defined(__aarch64__)
constexpr std::uint32_t jump_slot = R_AARCH64_JUMP_SLOT, global_data = R_AARCH64_GLOB_DAT;
#else
constexpr std::uint32_t jump_slot = ~0u, global_data = ~0u;
#endif

// The C library and what is below it, and our own libraries: their calls are none of the app's. A sanitizer's runtime
// has functions of its own in the place of these.
bool is_left_alone(std::string_view path) {
    const std::string_view name = words::base_name(path);
    for (const std::string_view start :
         {"libc.so", "libc-", "ld-linux", "ld-2", "linux-vdso", "linux-gate", "libpthread", "libgcc_s", "libcoroscope-",
          "libdw", "libelf", "libasan", "libtsan", "libubsan", "liblsan", "libclang_rt"})
        if (name.starts_with(start)) return true;
    return false;
}

struct Object {
    std::string path;
    std::uintptr_t base = 0;
    const void* dynamic = nullptr;
    std::uintptr_t relro_begin = 0, relro_end = 0;
};

Object object_of(const dl_phdr_info& info) {
    Object object;
    object.path = info.dlpi_name == nullptr ? "" : info.dlpi_name;
    object.base = info.dlpi_addr;
    for (int i = 0; i < info.dlpi_phnum; ++i) {
        const ElfW(Phdr)& header = info.dlpi_phdr[i];
        const std::uintptr_t begin = info.dlpi_addr + header.p_vaddr;
        if (header.p_type == PT_DYNAMIC) object.dynamic = reinterpret_cast<const void*>(begin);
        if (header.p_type == PT_GNU_RELRO) {
            object.relro_begin = begin;
            object.relro_end = begin + header.p_memsz;
        }
    }
    return object;
}

int count_loads(dl_phdr_info* info, std::size_t size, void* to) {
    if (size >= offsetof(dl_phdr_info, dlpi_adds) + sizeof info->dlpi_adds)
        *static_cast<unsigned long long*>(to) = info->dlpi_adds;
    return 1;
}

// What the dynamic section says. glibc relocates the addresses in it on most machines, but not on all.
struct Dynamic {
    const ElfW(Sym) * symbols = nullptr;
    const char* names = nullptr;
    const ElfW(Rela) * plt = nullptr;
    std::size_t plt_bytes = 0;
    const ElfW(Rela) * rela = nullptr;
    std::size_t rela_bytes = 0;
    bool is_rela = true;

    Dynamic(const void* section, std::uintptr_t base) {
        const auto pointer = [base](ElfW(Addr) at) { return at < base ? base + at : at; };
        for (const auto* entry = static_cast<const ElfW(Dyn)*>(section); entry->d_tag != DT_NULL; ++entry) {
            switch (entry->d_tag) {
                case DT_SYMTAB: symbols = reinterpret_cast<const ElfW(Sym)*>(pointer(entry->d_un.d_ptr)); break;
                case DT_STRTAB: names = reinterpret_cast<const char*>(pointer(entry->d_un.d_ptr)); break;
                case DT_JMPREL: plt = reinterpret_cast<const ElfW(Rela)*>(pointer(entry->d_un.d_ptr)); break;
                case DT_PLTRELSZ: plt_bytes = entry->d_un.d_val; break;
                case DT_RELA: rela = reinterpret_cast<const ElfW(Rela)*>(pointer(entry->d_un.d_ptr)); break;
                case DT_RELASZ: rela_bytes = entry->d_un.d_val; break;
                case DT_PLTREL: is_rela = entry->d_un.d_val == DT_RELA; break;
                default: break;
            }
        }
    }
};

// The pages of one entry, writable meanwhile if they are protected after relocation.
class Writable {
public:
    Writable(std::uintptr_t at, std::uintptr_t relro_begin, std::uintptr_t relro_end) {
        static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
        // The loader protects whole pages, rounded down at both ends.
        protect_ = at >= (relro_begin & ~(page - 1)) && at < (relro_end & ~(page - 1));
        page_ = at & ~(page - 1);
        size_ = page;
        ok_ = !protect_ || ::mprotect(reinterpret_cast<void*>(page_), size_, PROT_READ | PROT_WRITE) == 0;
    }
    ~Writable() {
        if (protect_ && ok_) ::mprotect(reinterpret_cast<void*>(page_), size_, PROT_READ);
    }
    Writable(const Writable&) = delete;
    Writable& operator=(const Writable&) = delete;
    bool ok() const noexcept { return ok_; }

private:
    std::uintptr_t page_ = 0, size_ = 0;
    bool protect_ = false, ok_ = false;
};

}  // namespace

CallPatcher::CallPatcher(std::span<const CallToPatch> calls) : calls_(calls) {}

void CallPatcher::patch_new_objects() {
    unsigned long long loads = 0;
    ::dl_iterate_phdr(count_loads, &loads);
    if (loads != 0 && loads == loads_) return;
    loads_ = loads;
    std::vector<std::uintptr_t> known;
    // Within the loader's lock: no object goes while its tables are written.
    const auto look = [&](const dl_phdr_info& info) {
        const Object object = object_of(info);
        known.push_back(object.base);
        const bool is_new = std::find(known_.begin(), known_.end(), object.base) == known_.end();
        if (!is_new || object.dynamic == nullptr || is_left_alone(object.path)) return;
        patch(object.path, object.base, object.dynamic, object.relro_begin, object.relro_end);
    };
    ::dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* to) {
            (*static_cast<decltype(look)*>(to))(*info);
            return 0;
        },
        const_cast<void*>(static_cast<const void*>(&look)));
    known_ = std::move(known);
}

void CallPatcher::patch(const std::string& path, std::uintptr_t base, const void* dynamic, std::uintptr_t relro_begin,
                        std::uintptr_t relro_end) {
    const Dynamic found(dynamic, base);
    if (found.symbols == nullptr || found.names == nullptr) return;
    bool refused = false;
    const auto patch_all = [&](const ElfW(Rela) * first, std::size_t bytes, std::uint32_t type) {
        for (std::size_t i = 0; first != nullptr && i < bytes / sizeof(ElfW(Rela)); ++i) {
            if (ELF64_R_TYPE(first[i].r_info) != type) continue;
            const ElfW(Sym)& symbol = found.symbols[ELF64_R_SYM(first[i].r_info)];
            if (symbol.st_shndx != SHN_UNDEF) continue;  // a function of the object's own
            const char* name = found.names + symbol.st_name;
            const auto call = std::find_if(calls_.begin(), calls_.end(), [&](const CallToPatch& each) {
                return each.real != nullptr && std::strcmp(each.name, name) == 0;
            });
            if (call == calls_.end()) continue;
            const std::uintptr_t at = base + first[i].r_offset;
            auto* entry = reinterpret_cast<void**>(at);
            const void* now = __atomic_load_n(entry, __ATOMIC_RELAXED);
            if (now == call->replacement) continue;
            // Not bound yet: it leads back into the object's own table of stubs, of which nothing else is known than
            // that it is near. An entry that leads elsewhere is bound to another function than we would call.
            const auto distance = static_cast<std::intptr_t>(reinterpret_cast<std::uintptr_t>(now) - at);
            constexpr std::intptr_t near = std::intptr_t{1} << 30;
            const bool unbound =
                type == jump_slot && distance < 0 && distance > -near && reinterpret_cast<std::uintptr_t>(now) >= base;
            if (now != call->real && !unbound) continue;
            const Writable writable(at, relro_begin, relro_end);
            if (!writable.ok()) {
                refused = true;
                continue;
            }
            __atomic_store_n(entry, call->replacement, __ATOMIC_RELEASE);
            ++patched_;
        }
    };
    if (found.is_rela) patch_all(found.plt, found.plt_bytes, jump_slot);
    patch_all(found.rela, found.rela_bytes, global_data);
    if (refused) refused_.push_back(path.empty() ? "the executable" : path);
}

std::vector<std::string> CallPatcher::take_refused() { return std::exchange(refused_, {}); }

}  // namespace coroscope::debug
