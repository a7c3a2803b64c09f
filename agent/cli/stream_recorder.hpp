// Records from a live agent, at the reader's end: what `coroscope run --record` uses, whoever started the agent.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "agent/trace/indexed_writer.hpp"
#include "client.hpp"
#include "coroscope/v2/observe.pb.h"

namespace coroscope::cli {

// Records the apps that appear after its construction, but for those that run on this machine and were started neither
// by this process nor by its descendants. Construct, finish() and destroy on one thread.
class StreamRecorder {
public:
    StreamRecorder(Client& client, const std::string& path);  // throws Failure
    ~StreamRecorder();

    // Waits until the apps of process `pid` have ended in the stream, then completes the file. Says on stderr what is
    // missing.
    void finish(pid_t pid);

private:
    static constexpr unsigned appear_ms = 1'000;  // an app that ended already and has not appeared by then never will
    static constexpr unsigned end_ms = 5'000;     // for what it said last to come through

    void read();
    bool take(const v2::WatchUpdate& update);

    const std::string path_;
    trace::IndexedWriter writer_;
    std::unique_ptr<ClientStream> stream_;

    std::mutex mutex_;
    std::condition_variable changed_;
    bool caught_up_ = false;  // under mutex_, as all below
    bool ended_ = false;      // the stream
    std::string error_;
    std::map<model::AppKey, pid_t> running_;  // recorded apps that are connected
    std::set<pid_t> appeared_;

    std::set<model::AppKey> others_;  // the reading thread's: there before us, or strangers
    std::thread thread_;
};

}  // namespace coroscope::cli
