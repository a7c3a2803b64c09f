// A function that stands in for another has its type, and gives the arguments on as they are. It is no noexcept
// function even where the real one is: a thread that is cancelled within the call unwinds through it. Then, and after
// a longjmp() out of the call, the call is not measured.
#include "blocking_functions.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace coroscope::debug::calls {

namespace {

constexpr std::size_t most_functions = 192;
void* g_real[most_functions] = {};  // written before anything is patched

template <std::size_t index, class Function>
struct StandIn;
template <std::size_t index, class Result, class... Arguments>
struct StandIn<index, Result(Arguments...)> {
    static Result call(Arguments... arguments) {
        const auto real = reinterpret_cast<Result (*)(Arguments...)>(g_real[index]);
        cs_producer* const producer = begin();
        if (producer == nullptr) return real(arguments...);
        const probe::Stamp began = probe::stamp_now();
        if constexpr (std::is_void_v<Result>) {
            real(arguments...);
            end(*producer, index, __builtin_return_address(0), began);
        } else {
            const Result result = real(arguments...);
            end(*producer, index, __builtin_return_address(0), began);
            return result;
        }
    }
};
template <std::size_t index, class Result, class... Arguments>
struct StandIn<index, Result(Arguments...) noexcept> : StandIn<index, Result(Arguments...)> {};

// Functions with a variable number of arguments get as many as they can use: on all machines that this library knows,
// those that the caller did not give are read from registers, or from its frame, and mean nothing to the real function.
using OpenType = int(const char*, int, mode_t);
using OpenAtType = int(int, const char*, int, mode_t);
using FcntlType = int(int, int, long);
using SyscallType = long(long, long, long, long, long, long, long);

struct Function {
    const char* symbol;
    const char* name;  // for a person
    void* stand_in;
};

template <std::size_t index, class Type>
void* stand_in() {
    return reinterpret_cast<void*>(&StandIn<index, Type>::call);
}

enum : std::size_t { first_number = __COUNTER__ + 1 };
#define COROSCOPE_TYPED(symbol, name, type) \
    Function { #symbol, name, stand_in<__COUNTER__ - first_number, type>() }
#define COROSCOPE_CALL(symbol) COROSCOPE_TYPED(symbol, #symbol, decltype(::symbol))

// The type without the attributes that the header gives some functions.
const auto& all_functions() {
    static const auto all = std::to_array<Function>({
        // Time.
        COROSCOPE_CALL(sleep),
        COROSCOPE_CALL(usleep),
        COROSCOPE_CALL(nanosleep),
        COROSCOPE_CALL(clock_nanosleep),
        // Readiness.
        COROSCOPE_CALL(poll),
        COROSCOPE_CALL(ppoll),
        COROSCOPE_CALL(select),
        COROSCOPE_CALL(pselect),
        COROSCOPE_CALL(epoll_wait),
        COROSCOPE_CALL(epoll_pwait),
        COROSCOPE_TYPED(__poll_chk, "poll", int(pollfd*, nfds_t, int, std::size_t)),
        // Descriptors.
        COROSCOPE_CALL(read),
        COROSCOPE_CALL(pread),
        COROSCOPE_CALL(pread64),
        COROSCOPE_CALL(readv),
        COROSCOPE_CALL(preadv),
        COROSCOPE_CALL(write),
        COROSCOPE_CALL(pwrite),
        COROSCOPE_CALL(pwrite64),
        COROSCOPE_CALL(writev),
        COROSCOPE_CALL(pwritev),
        COROSCOPE_CALL(sendfile),
        COROSCOPE_CALL(sendfile64),
        COROSCOPE_CALL(splice),
        COROSCOPE_CALL(tee),
        COROSCOPE_CALL(copy_file_range),
        COROSCOPE_CALL(close),
        COROSCOPE_TYPED(__read_chk, "read", ssize_t(int, void*, std::size_t, std::size_t)),
        COROSCOPE_TYPED(__pread_chk, "pread", ssize_t(int, void*, std::size_t, off_t, std::size_t)),
        COROSCOPE_TYPED(__pread64_chk, "pread", ssize_t(int, void*, std::size_t, off64_t, std::size_t)),
        // Sockets.
        COROSCOPE_CALL(recv),
        COROSCOPE_CALL(recvfrom),
        COROSCOPE_CALL(recvmsg),
        COROSCOPE_CALL(recvmmsg),
        COROSCOPE_CALL(send),
        COROSCOPE_CALL(sendto),
        COROSCOPE_CALL(sendmsg),
        COROSCOPE_CALL(sendmmsg),
        COROSCOPE_CALL(accept),
        COROSCOPE_CALL(accept4),
        COROSCOPE_CALL(connect),
        COROSCOPE_TYPED(__recv_chk, "recv", ssize_t(int, void*, std::size_t, std::size_t, int)),
        COROSCOPE_TYPED(__recvfrom_chk, "recvfrom",
                        ssize_t(int, void*, std::size_t, std::size_t, int, sockaddr*, socklen_t*)),
        // Files and folders.
        COROSCOPE_TYPED(open, "open", OpenType),
        COROSCOPE_TYPED(open64, "open", OpenType),
        COROSCOPE_TYPED(openat, "openat", OpenAtType),
        COROSCOPE_TYPED(openat64, "openat", OpenAtType),
        COROSCOPE_TYPED(__open_2, "open", int(const char*, int)),
        COROSCOPE_TYPED(__open64_2, "open", int(const char*, int)),
        COROSCOPE_CALL(creat),
        COROSCOPE_CALL(creat64),
        COROSCOPE_TYPED(stat, "stat", int(const char*, struct stat*)),
        COROSCOPE_TYPED(lstat, "lstat", int(const char*, struct stat*)),
        COROSCOPE_TYPED(fstat, "fstat", int(int, struct stat*)),
        COROSCOPE_TYPED(fstatat, "fstatat", int(int, const char*, struct stat*, int)),
        COROSCOPE_TYPED(stat64, "stat", int(const char*, struct stat64*)),
        COROSCOPE_TYPED(lstat64, "lstat", int(const char*, struct stat64*)),
        COROSCOPE_TYPED(fstat64, "fstat", int(int, struct stat64*)),
        COROSCOPE_TYPED(fstatat64, "fstatat", int(int, const char*, struct stat64*, int)),
        COROSCOPE_TYPED(statx, "statx", int(int, const char*, int, unsigned, void*)),
        COROSCOPE_TYPED(statvfs, "statvfs", int(const char*, struct statvfs*)),
        COROSCOPE_CALL(access),
        COROSCOPE_CALL(faccessat),
        COROSCOPE_CALL(realpath),
        COROSCOPE_CALL(readlink),
        COROSCOPE_CALL(rename),
        COROSCOPE_CALL(renameat),
        COROSCOPE_CALL(unlink),
        COROSCOPE_CALL(unlinkat),
        COROSCOPE_CALL(link),
        COROSCOPE_CALL(symlink),
        COROSCOPE_CALL(mkdir),
        COROSCOPE_CALL(rmdir),
        COROSCOPE_CALL(opendir),
        COROSCOPE_CALL(readdir),
        COROSCOPE_CALL(readdir64),
        COROSCOPE_CALL(scandir),
        COROSCOPE_CALL(truncate),
        COROSCOPE_CALL(truncate64),
        COROSCOPE_CALL(ftruncate),
        COROSCOPE_CALL(ftruncate64),
        COROSCOPE_CALL(fallocate),
        COROSCOPE_CALL(posix_fallocate),
        COROSCOPE_CALL(fsync),
        COROSCOPE_CALL(fdatasync),
        COROSCOPE_CALL(sync),
        COROSCOPE_CALL(syncfs),
        COROSCOPE_CALL(sync_file_range),
        COROSCOPE_CALL(msync),
        COROSCOPE_CALL(flock),
        COROSCOPE_CALL(lockf),
        COROSCOPE_TYPED(fcntl, "fcntl", FcntlType),
        COROSCOPE_TYPED(fcntl64, "fcntl", FcntlType),
        // Streams of the C library.
        COROSCOPE_CALL(fopen),
        COROSCOPE_CALL(fopen64),
        COROSCOPE_CALL(freopen),
        COROSCOPE_CALL(fclose),
        COROSCOPE_CALL(fread),
        COROSCOPE_CALL(fwrite),
        COROSCOPE_CALL(fgets),
        COROSCOPE_CALL(fgetc),
        COROSCOPE_CALL(getc),
        COROSCOPE_CALL(getchar),
        COROSCOPE_CALL(getline),
        COROSCOPE_CALL(getdelim),
        COROSCOPE_CALL(fputs),
        COROSCOPE_CALL(puts),
        COROSCOPE_CALL(fflush),
        COROSCOPE_CALL(popen),
        COROSCOPE_CALL(pclose),
        COROSCOPE_TYPED(__fread_chk, "fread", std::size_t(void*, std::size_t, std::size_t, std::size_t, FILE*)),
        COROSCOPE_TYPED(__fgets_chk, "fgets", char*(char*, std::size_t, int, FILE*)),
        // Names of hosts and users.
        COROSCOPE_CALL(getaddrinfo),
        COROSCOPE_CALL(getnameinfo),
        COROSCOPE_CALL(gethostbyname),
        COROSCOPE_CALL(gethostbyname2),
        COROSCOPE_CALL(gethostbyname_r),
        COROSCOPE_CALL(gethostbyname2_r),
        COROSCOPE_CALL(gethostbyaddr),
        COROSCOPE_CALL(gethostbyaddr_r),
        COROSCOPE_CALL(getpwnam),
        COROSCOPE_CALL(getpwuid),
        COROSCOPE_CALL(getpwnam_r),
        COROSCOPE_CALL(getpwuid_r),
        COROSCOPE_CALL(getgrnam),
        COROSCOPE_CALL(getgrgid),
        COROSCOPE_CALL(getgrnam_r),
        COROSCOPE_CALL(getgrgid_r),
        // Threads.
        COROSCOPE_CALL(pthread_mutex_lock),
        COROSCOPE_CALL(pthread_mutex_timedlock),
        COROSCOPE_TYPED(pthread_mutex_clocklock, "pthread_mutex_clocklock",
                        int(pthread_mutex_t*, clockid_t, const timespec*)),
        COROSCOPE_CALL(pthread_cond_wait),
        COROSCOPE_CALL(pthread_cond_timedwait),
        COROSCOPE_TYPED(pthread_cond_clockwait, "pthread_cond_clockwait",
                        int(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*)),
        COROSCOPE_CALL(pthread_rwlock_rdlock),
        COROSCOPE_CALL(pthread_rwlock_wrlock),
        COROSCOPE_CALL(pthread_rwlock_timedrdlock),
        COROSCOPE_CALL(pthread_rwlock_timedwrlock),
        COROSCOPE_TYPED(pthread_rwlock_clockrdlock, "pthread_rwlock_clockrdlock",
                        int(pthread_rwlock_t*, clockid_t, const timespec*)),
        COROSCOPE_TYPED(pthread_rwlock_clockwrlock, "pthread_rwlock_clockwrlock",
                        int(pthread_rwlock_t*, clockid_t, const timespec*)),
        COROSCOPE_CALL(pthread_barrier_wait),
        COROSCOPE_CALL(pthread_join),
        COROSCOPE_CALL(pthread_timedjoin_np),
        COROSCOPE_TYPED(pthread_clockjoin_np, "pthread_clockjoin_np",
                        int(pthread_t, void**, clockid_t, const timespec*)),
        COROSCOPE_CALL(sem_wait),
        COROSCOPE_CALL(sem_timedwait),
        COROSCOPE_TYPED(sem_clockwait, "sem_clockwait", int(sem_t*, clockid_t, const timespec*)),
        COROSCOPE_TYPED(syscall, "syscall", SyscallType),  // std::atomic::wait() is one
        // Processes and signals.
        COROSCOPE_CALL(wait),
        COROSCOPE_CALL(waitpid),
        COROSCOPE_CALL(waitid),
        COROSCOPE_CALL(wait3),
        COROSCOPE_CALL(wait4),
        COROSCOPE_CALL(system),
        COROSCOPE_CALL(posix_spawn),
        COROSCOPE_CALL(posix_spawnp),
        COROSCOPE_CALL(pause),
        COROSCOPE_CALL(sigsuspend),
        COROSCOPE_CALL(sigwait),
        COROSCOPE_CALL(sigwaitinfo),
        COROSCOPE_CALL(sigtimedwait),
        COROSCOPE_CALL(msgrcv),
        COROSCOPE_CALL(msgsnd),
        COROSCOPE_CALL(semop),
        COROSCOPE_CALL(semtimedop),
    });
    static_assert(std::tuple_size_v<std::remove_cvref_t<decltype(all)>> <= most_functions);
    return all;
}

#undef COROSCOPE_CALL
#undef COROSCOPE_TYPED

}  // namespace

std::span<const CallToPatch> functions() {
    static const auto all = [] {
        std::array<CallToPatch, std::tuple_size_v<std::remove_cvref_t<decltype(all_functions())>>> made{};
        for (std::size_t i = 0; i < made.size(); ++i) {
            const Function& each = all_functions()[i];
            // As the loader finds it for the app: an interposed one before the C library's.
            g_real[i] = ::dlsym(RTLD_DEFAULT, each.symbol);
            made[i] = {each.symbol, each.stand_in, g_real[i]};
        }
        return made;
    }();
    return all;
}

const char* function_name(std::size_t index) noexcept { return all_functions()[index].name; }

}  // namespace coroscope::debug::calls
