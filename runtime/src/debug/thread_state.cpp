#include "thread_state.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <climits>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "proto/words/utf8.hpp"

namespace coroscope::debug {

namespace {

// A small file of a thread, as text; "": it cannot be read.
std::string read_file(std::uint64_t tid, const char* name) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/self/task/%" PRIu64 "/%s", tid, name);
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return {};
    char text[4096];
    std::size_t size = 0;
    while (size < sizeof text) {
        const ssize_t count = ::read(fd, text + size, sizeof text - size);
        if (count <= 0) break;
        size += static_cast<std::size_t>(count);
    }
    ::close(fd);
    return {text, size};
}

struct SchedStat {
    std::uint64_t cpu_ns = 0, queued_ns = 0, times = 0;
    bool known = false;
};

SchedStat sched_stat(std::uint64_t tid) {
    SchedStat stat;
    stat.known = std::sscanf(read_file(tid, "schedstat").c_str(), "%" SCNu64 " %" SCNu64 " %" SCNu64, &stat.cpu_ns,
                             &stat.queued_ns, &stat.times) == 3;
    return stat;
}

// The state letter follows the last ')' of the line: the name before it may contain anything.
char state_letter(std::uint64_t tid) {
    const std::string line = read_file(tid, "stat");
    const std::size_t at = line.rfind(')');
    return at == std::string::npos || at + 2 >= line.size() ? '?' : line[at + 2];
}

struct CallName {
    long number;
    const char* name;
    bool on_descriptor;  // its first argument is one
};

// Calls that can block a thread for long.
constexpr CallName call_names[] = {
    {SYS_read, "read", true},
    {SYS_write, "write", true},
    {SYS_readv, "readv", true},
    {SYS_writev, "writev", true},
    {SYS_pread64, "pread", true},
    {SYS_pwrite64, "pwrite", true},
    {SYS_recvfrom, "recv", true},
    {SYS_recvmsg, "recvmsg", true},
    {SYS_recvmmsg, "recvmmsg", true},
    {SYS_sendto, "send", true},
    {SYS_sendmsg, "sendmsg", true},
    {SYS_sendmmsg, "sendmmsg", true},
    {SYS_accept, "accept", true},
    {SYS_accept4, "accept", true},
    {SYS_connect, "connect", true},
    {SYS_fsync, "fsync", true},
    {SYS_fdatasync, "fdatasync", true},
    {SYS_flock, "flock", true},
    {SYS_fcntl, "fcntl", true},
    {SYS_ioctl, "ioctl", true},
    {SYS_close, "close", true},
    {SYS_ftruncate, "ftruncate", true},
    {SYS_fallocate, "fallocate", true},
    {SYS_getdents64, "getdents", true},
    {SYS_syncfs, "syncfs", true},
    {SYS_sync_file_range, "sync_file_range", true},
    {SYS_sendfile, "sendfile", true},
    {SYS_splice, "splice", true},
    {SYS_copy_file_range, "copy_file_range", true},
    {SYS_fstat, "fstat", true},
    {SYS_epoll_pwait, "epoll_wait", true},
    {SYS_epoll_pwait2, "epoll_wait", true},
    {SYS_io_uring_enter, "io_uring_enter", true},
    {SYS_ppoll, "poll", false},
    {SYS_pselect6, "select", false},
    {SYS_nanosleep, "nanosleep", false},
    {SYS_clock_nanosleep, "clock_nanosleep", false},
    {SYS_futex, "futex", false},
    {SYS_futex_waitv, "futex_waitv", false},
    {SYS_wait4, "wait4", false},
    {SYS_waitid, "waitid", false},
    {SYS_openat, "open", false},
    {SYS_newfstatat, "stat", false},
    {SYS_statx, "stat", false},
    {SYS_unlinkat, "unlink", false},
    {SYS_renameat2, "rename", false},
    {SYS_mkdirat, "mkdir", false},
    {SYS_faccessat, "access", false},
    {SYS_statfs, "statfs", false},
    {SYS_sync, "sync", false},
    {SYS_msync, "msync", false},
    {SYS_munmap, "munmap", false},
    {SYS_mmap, "mmap", false},
    {SYS_semtimedop, "semop", false},
    {SYS_msgrcv, "msgrcv", false},
    {SYS_msgsnd, "msgsnd", false},
    {SYS_mq_timedreceive, "mq_receive", false},
    {SYS_mq_timedsend, "mq_send", false},
    {SYS_rt_sigtimedwait, "sigwait", false},
    {SYS_rt_sigsuspend, "sigsuspend", false},
    {SYS_execve, "execve", false},
    {SYS_restart_syscall, "a system call that goes on after a stop", false},
#if defined(__x86_64__)
    {SYS_poll, "poll", false},
    {SYS_select, "select", false},
    {SYS_epoll_wait, "epoll_wait", true},
    {SYS_open, "open", false},
    {SYS_stat, "stat", false},
    {SYS_lstat, "stat", false},
    {SYS_access, "access", false},
    {SYS_rename, "rename", false},
    {SYS_unlink, "unlink", false},
    {SYS_mkdir, "mkdir", false},
    {SYS_pause, "pause", false},
    {SYS_semop, "semop", false},
    {SYS_vfork, "vfork", false},
#endif
};

// " on fd 5 (a pipe)"
std::string descriptor_words(std::uint64_t descriptor) {
    const int fd = static_cast<int>(descriptor);
    if (fd < 0) return {};
    std::string text = " on fd " + std::to_string(fd);
    char path[32], target[PATH_MAX];
    std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const ssize_t size = ::readlink(path, target, sizeof target);
    if (size <= 0) return text;
    const std::string_view what(target, static_cast<std::size_t>(size));
    if (what.starts_with("socket:")) return text + " (a socket)";
    if (what.starts_with("pipe:")) return text + " (a pipe)";
    return what.starts_with('/') ? text + " (" + words::valid_utf8(std::string(what)) + ")" : text;
}

}  // namespace

ThreadState state_of(std::uint64_t tid) {
    ThreadState state;
    const char letter = state_letter(tid);
    if (letter == 'T' || letter == 't') return state;  // stopped: it neither runs nor waits for anything
    state.times_on_cpu = sched_stat(tid).times;
    // "syscall" is exact, but not every system has it.
    const std::string line = read_file(tid, "syscall");
    if (line.starts_with("running")) {
        state.what = ThreadState::What::runs;
        return state;
    }
    auto& a = state.arguments;
    if (std::sscanf(line.c_str(),
                    "%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64,
                    &state.call, &a[0], &a[1], &a[2], &a[3], &a[4], &a[5], &state.sp, &state.pc) == 9 ||
        std::sscanf(line.c_str(), "-1 %" SCNx64 " %" SCNx64, &state.sp, &state.pc) == 2) {
        state.what = ThreadState::What::blocked;
        return state;
    }
    state.call = ThreadState::no_call;
    if (letter == 'R') state.what = ThreadState::What::runs;
    if (letter == 'S' || letter == 'D') state.what = ThreadState::What::blocked;
    return state;
}

std::optional<std::uint64_t> voluntary_switches(std::uint64_t tid) {
    const std::string text = read_file(tid, "status");
    constexpr std::string_view name = "\nvoluntary_ctxt_switches:";
    const std::size_t at = text.find(name);
    std::uint64_t count = 0;
    if (at == std::string::npos || std::sscanf(text.c_str() + at + name.size(), "%" SCNu64, &count) != 1)
        return std::nullopt;
    return count;
}

// The kernel's numbering, which pthread_getcpuclockid() gives for a pthread_t: MAKE_THREAD_CPUCLOCK(tid, SCHED).
int cpu_clock_of(std::uint64_t tid) noexcept { return static_cast<int>((~static_cast<std::uint32_t>(tid) << 3) | 6u); }

ThreadTimes times_of(std::uint64_t tid) {
    ThreadTimes times;
    timespec cpu{};
    if (::clock_gettime(cpu_clock_of(tid), &cpu) == 0)
        times.cpu_ns =
            static_cast<std::uint64_t>(cpu.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(cpu.tv_nsec);
    if (const SchedStat stat = sched_stat(tid); stat.known) times.queued_ns = stat.queued_ns;
    return times;
}

std::string call_words(const ThreadState& blocked) {
    if (blocked.sp == 0) return "a system call";  // the kernel does not say which
    if (blocked.call == ThreadState::no_call) return "a page fault";
    const auto* known =
        std::ranges::find_if(call_names, [&](const CallName& each) { return each.number == blocked.call; });
    if (known == std::end(call_names)) return "system call " + std::to_string(blocked.call);
    return known->on_descriptor ? known->name + descriptor_words(blocked.arguments[0]) : known->name;
}

}  // namespace coroscope::debug
