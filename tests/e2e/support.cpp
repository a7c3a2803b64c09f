#include "support.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

extern char** environ;

namespace coroscope::e2e {

bool wait_until(const std::function<bool()>& holds, std::chrono::milliseconds deadline) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
}

std::string binary(const std::string& name) { return std::string(COROSCOPE_BINARIES) + "/" + name; }
std::string example(const std::string& name) { return binary("examples/" + name); }

bool contains(const Json& text, const std::string& part) {
    return text.get<std::string>().find(part) != std::string::npos;
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

namespace {

std::vector<std::string> environment_with(const std::vector<std::string>& more) {
    std::vector<std::string> all = more;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        if (std::string_view(*entry).substr(0, 9) != "COROSCOPE") all.emplace_back(*entry);
    }
    return all;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> list;
    for (std::string& text : strings) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
}

}  // namespace

Process::Process(const TemporaryDirectory& directory, std::vector<std::string> arguments,
                 std::vector<std::string> environment) {
    static std::atomic<int> last{0};
    const std::string number = std::to_string(++last);
    out_ = directory.path("out." + number);
    err_ = directory.path("err." + number);

    std::vector<std::string> variables = environment_with(environment);
    const std::vector<char*> argv = pointers(arguments), envp = pointers(variables);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&files, 1, out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::posix_spawn_file_actions_addopen(&files, 2, err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int error = ::posix_spawn(&pid_, argv[0], &files, nullptr, argv.data(), envp.data());
    ::posix_spawn_file_actions_destroy(&files);
    if (error != 0) throw std::runtime_error("cannot start " + arguments.front() + ": " + std::strerror(error));
}

Process::~Process() { kill_hard(); }

bool Process::running() {
    if (!reaped_ && ::waitpid(pid_, &status_, WNOHANG) == pid_) reaped_ = true;
    return !reaped_;
}

void Process::signal(int number) const {
    if (!reaped_) ::kill(pid_, number);
}

int Process::wait(std::chrono::milliseconds deadline) {
    if (!wait_until([this] { return !running(); }, deadline)) return -1;
    return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
}

void Process::kill_hard() {
    if (!running()) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
    reaped_ = true;
}

Result coroscope(const TemporaryDirectory& directory, const std::vector<std::string>& arguments,
                 const std::vector<std::string>& environment) {
    std::vector<std::string> all{binary("coroscope")};
    all.insert(all.end(), arguments.begin(), arguments.end());
    Process process(directory, all, environment);
    Result result;
    result.code = process.wait();
    result.out = process.out();
    result.err = process.err();
    return result;
}

Json coroscope_json(const TemporaryDirectory& directory, const std::vector<std::string>& arguments) {
    const Result result = coroscope(directory, arguments);
    EXPECT_EQ(result.code, 0) << result.err;
    Json json = Json::parse(result.out, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << result.out;
    return json;
}

namespace {

std::vector<std::string> agent_arguments(const std::string& address, std::vector<std::string> more) {
    std::vector<std::string> all{binary("coroscope"), "agent", "--listen", address};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

}  // namespace

AgentProcess::AgentProcess(const TemporaryDirectory& directory, std::vector<std::string> more_arguments)
    : address_("unix:" + directory.path("agent.sock").string()),
      process_(directory, agent_arguments(address_, std::move(more_arguments))) {
    const bool ready =
        wait_until([this] { return process_.out().find("listening on ") != std::string::npos || !process_.running(); });
    if (!ready || !process_.running()) throw std::runtime_error("the agent did not start: " + process_.err());
}

Json find_app(const Json& ps, pid_t pid) {
    if (!ps.is_object()) return nullptr;
    for (const Json& app : ps.value("apps", Json::array())) {
        if (app.at("pid") == pid) return app;
    }
    return nullptr;
}

}  // namespace coroscope::e2e
