// Real processes for tests: started, watched, killed. Nothing sleeps for luck: wait_until() polls a condition with a
// deadline.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.hpp"

namespace coroscope::e2e {

using Json = nlohmann::json;

inline constexpr std::chrono::seconds patience{30};  // for a condition that holds soon on an idle machine

// True as soon as `holds`; false if it does not within `deadline`.
bool wait_until(const std::function<bool()>& holds, std::chrono::milliseconds deadline = patience);

using test::TemporaryDirectory;

// <build>/bin/NAME
std::string binary(const std::string& name);
std::string example(const std::string& name);

std::string read_file(const std::filesystem::path& path);
// Of a JSON text.
bool contains(const Json& text, const std::string& part);

// A program that runs. Its output goes to files, so it never waits for the test. The destructor kills it.
class Process {
public:
    // `environment` is NAME=VALUE on top of the test's own, of which COROSCOPE variables are removed.
    Process(const TemporaryDirectory& directory, std::vector<std::string> arguments,
            std::vector<std::string> environment = {});
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    pid_t pid() const { return pid_; }
    std::string out() const { return read_file(out_); }
    std::string err() const { return read_file(err_); }
    bool running();
    void signal(int number) const;
    // The exit code, 128 + signal if one killed it; -1 if it still runs after `deadline`.
    int wait(std::chrono::milliseconds deadline = patience);
    void kill_hard();  // SIGKILL, and reaped

private:
    pid_t pid_ = -1;
    bool reaped_ = false;
    int status_ = 0;
    std::filesystem::path out_, err_;
};

struct Result {
    int code = -1;
    std::string out, err;
};

// Runs `coroscope ARGUMENTS...` to its end.
Result coroscope(const TemporaryDirectory& directory, const std::vector<std::string>& arguments,
                 const std::vector<std::string>& environment = {});
// The same, expecting success and JSON.
Json coroscope_json(const TemporaryDirectory& directory, const std::vector<std::string>& arguments);

// `coroscope agent` on a socket of the test's own, ready.
class AgentProcess {
public:
    explicit AgentProcess(const TemporaryDirectory& directory, std::vector<std::string> more_arguments = {});
    const std::string& address() const { return address_; }
    Process& process() { return process_; }
    std::string environment() const { return "COROSCOPE=" + address_; }

private:
    std::string address_;
    Process process_;
};

// An app in the JSON of ps by pid; null when it is not there.
Json find_app(const Json& ps, pid_t pid);

}  // namespace coroscope::e2e
