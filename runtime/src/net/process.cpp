#include "coroscope/net/process.hpp"

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "child_exit.hpp"
#include "coroscope/gather.hpp"
#include "spawn.hpp"

namespace coroscope {

namespace detail {

// What a Process and the coroutines that use it share.
class ProcessState {
public:
    // `command`: for the debugger.
    ProcessState(EventLoop& loop, Spawned& spawned, const ProcessOptions& how, const std::string& command)
        : exit(loop, spawned.pid, command), leads_group(how.start_new_session || how.process_group == 0) {
        const StreamOptions& options = how.stream;
        if (spawned.in.get() >= 0) {
            in.emplace(connect_write_pipe(spawned.in.get(), options));
            spawned.in.release();
        }
        if (spawned.out.get() >= 0) {
            out.emplace(connect_read_pipe(spawned.out.get(), options));
            spawned.out.release();
            StreamAccess::state(*out)->belongs_to(exit.ended.resource_id(), "stdout");
        }
        if (spawned.err.get() >= 0) {
            err.emplace(connect_read_pipe(spawned.err.get(), options));
            spawned.err.release();
            StreamAccess::state(*err)->belongs_to(exit.ended.resource_id(), "stderr");
        }
    }
    ProcessState(const ProcessState&) = delete;
    ProcessState& operator=(const ProcessState&) = delete;

    void reference() noexcept { ++references_; }
    void release() noexcept {
        if (--references_ == 0) delete this;
    }

    ChildExit exit;
    const bool leads_group;
    std::optional<StreamWriter> in;
    std::optional<StreamReader> out, err;
    Process::Output read;  // by communicate(), until it has given that

private:
    ~ProcessState() = default;
    std::uint32_t references_ = 1;
};

}  // namespace detail

using detail::ProcessState;
using detail::Ref;

namespace {

Coro<> feed(Ref<ProcessState> state, std::string input) {
    if (!state->in) co_return;
    StreamWriter& in = *state->in;
    try {
        in.write(input);
        co_await in.drain();
        in.close();
        co_await in.wait_closed();
    } catch (const ConnectionError&) {  // the child does not want it
    }
    in.close();
}

Coro<> read_to_the_end(Ref<ProcessState> state, std::optional<StreamReader> ProcessState::* which,
                       std::string Process::Output::* to) {
    constexpr std::size_t at_a_time = 256 * 1024;
    std::optional<StreamReader>& from = (*state).*which;
    if (!from) co_return;
    for (;;) {
        const std::string some = co_await from->read(at_a_time);
        if (some.empty()) co_return;
        (state->read.*to) += some;
    }
}

// As a person would type it, for the debugger; empty while debug mode is off.
std::string command_text(const std::string& program, const std::vector<std::string>& arguments) {
    constexpr std::size_t most = 80;
    if (!detail::debug_enabled()) return {};
    std::string text = program;
    for (const std::string& argument : arguments) text += " " + argument;
    if (text.size() <= most) return text;
    text.resize(most);
    return text += "...";
}

template <class Stream>
Stream& redirected(std::optional<Stream>& stream, const char* name) {
    if (!stream) throw std::logic_error(std::string("the ") + name + " of the subprocess was not redirected to PIPE");
    return *stream;
}

}  // namespace

Process::Process() noexcept = default;
Process::Process(Ref<ProcessState> state) noexcept : state_(std::move(state)) {}
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&&) noexcept = default;
Process::~Process() = default;

pid_t Process::pid() const noexcept { return state_ ? state_->exit.pid() : -1; }

std::optional<int> Process::returncode() const noexcept { return state_ ? state_->exit.returncode() : std::nullopt; }

StreamWriter& Process::in() { return redirected(state_->in, "in"); }
StreamReader& Process::out() { return redirected(state_->out, "out"); }
StreamReader& Process::err() { return redirected(state_->err, "err"); }

Coro<int> Process::wait() {
    const Ref<ProcessState> state = state_;
    co_await state->exit.ended.wait();
    co_return *state->exit.returncode();
}

Coro<Process::Output> Process::communicate(std::string input) {
    const Ref<ProcessState> state = state_;
    if (!input.empty()) redirected(state->in, "in");
    // Tasks of their own, because the child may stop reading until its output is read.
    Coro<> feeding = feed(state, std::move(input));
    Coro<> out = read_to_the_end(state, &ProcessState::out, &Output::out);
    Coro<> err = read_to_the_end(state, &ProcessState::err, &Output::err);
    co_await gather(std::move(feeding), std::move(out), std::move(err));
    co_await state->exit.ended.wait();
    co_return std::exchange(state->read, Output());
}

const Process::Output& Process::output_so_far() const noexcept {
    static const Output nothing;
    return state_ ? state_->read : nothing;
}

void Process::send_signal(int signal) {
    const int error = state_->exit.send_signal(signal);
    if (error != 0)
        throw std::system_error(error, std::generic_category(),
                                "cannot send a signal to process " + std::to_string(pid()));
}

void Process::terminate() { send_signal(SIGTERM); }
void Process::kill() { send_signal(SIGKILL); }

void Process::send_signal_to_group(int signal) {
    if (!state_ || !state_->leads_group)
        throw std::logic_error(
            "the subprocess has no process group of its own: set ProcessOptions::process_group to 0");
    if (::kill(-pid(), signal) != 0)
        throw std::system_error(errno, std::generic_category(),
                                "cannot send a signal to process group " + std::to_string(pid()));
}

void Process::terminate_group() { send_signal_to_group(SIGTERM); }
void Process::kill_group() { send_signal_to_group(SIGKILL); }

Coro<Process> create_subprocess_exec(std::string program, std::vector<std::string> arguments, ProcessOptions options) {
    EventLoop& loop = EventLoop::running();
    detail::Spawned spawned = detail::spawn_program(program, arguments, options);
    co_return Process(Ref<ProcessState>(new ProcessState(loop, spawned, options, command_text(program, arguments))));
}

Coro<Process> create_subprocess_shell(std::string command, ProcessOptions options) {
    std::vector<std::string> arguments = args("-c", std::move(command));
    co_return co_await create_subprocess_exec("/bin/sh", std::move(arguments), std::move(options));
}

}  // namespace coroscope
