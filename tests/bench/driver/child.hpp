// A child process of the benchmark driver: started with an environment of its own, its stdout read line by line, ended
// at the latest with the driver. Thread: the driver's only one.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace coroscope::bench {

using Environment = std::map<std::string, std::string>;  // added to the driver's own; an empty value removes

class Child {
public:
    // stderr goes to the driver's log file. Throws std::runtime_error if the program cannot be started.
    Child(const std::vector<std::string>& command, const Environment& environment, const std::string& log_path);
    ~Child();  // kills it if it still runs
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    pid_t pid() const { return pid_; }
    // The next line without its end; nothing at the end of the output or when the time is over.
    std::optional<std::string> line(std::chrono::milliseconds most);
    // Everything up to the end of the output. Throws std::runtime_error past the deadline.
    std::string rest(std::chrono::milliseconds most);
    void terminate();  // SIGTERM, then wait(); SIGKILL after 5 s
    // Waits for the end; the exit code, 128 + signal if it died by one. Throws std::runtime_error past the deadline.
    int wait(std::chrono::milliseconds most);

private:
    bool fill(std::chrono::steady_clock::time_point deadline);  // false: end of output, or too late

    pid_t pid_ = -1;
    int output_ = -1;
    bool ended_ = false;
    int code_ = 0;
    bool end_of_output_ = false;
    std::string pending_;
    std::string name_;
};

// Runs the command to its end and returns what it printed. Throws std::runtime_error if it fails or takes longer.
std::string run_child(const std::vector<std::string>& command, const Environment& environment,
                      const std::string& log_path, std::chrono::milliseconds most = std::chrono::seconds(60));

}  // namespace coroscope::bench
