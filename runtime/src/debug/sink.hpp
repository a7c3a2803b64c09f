// Where the emitter's batches go: to an agent, or into a file. Called on the emitter's thread; must not block it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace coroscope::v2 {
class Hello;
class Command;
class CommandResult;
}  // namespace coroscope::v2

namespace coroscope::debug {

struct EncodedBatch {
    std::string bytes;                  // a serialised Batch
    std::uint64_t events = 0;           // in it
    bool complete_definitions = false;  // it carries all definitions of the process, not only the new ones
};

class Sink {
public:
    virtual ~Sink() = default;
    // False: the receiver starts anew. The batch was not taken; the next one must have complete definitions, and the
    // live tasks should be listed anew.
    virtual bool offer(EncodedBatch&& batch) = 0;
    // A new receiver waits for complete definitions, even if nothing happens.
    virtual bool wants_complete_definitions() = 0;
    // False: nobody would get a batch now. The events need no encoding; they count as lost.
    virtual bool wants_batches() = 0;
    virtual void count_unsent(std::uint64_t events) = 0;
    virtual void tick() {}  // now and then
    // False: debug mode is switched off, and the app runs on. Set before finish().
    bool app_ends = true;
    // Sends what is left, for at most so long, and ends. `crashed`: by what; "": the app ends in order.
    virtual void finish(std::chrono::milliseconds most, const std::string& crashed) = 0;
    virtual std::uint64_t batches_lost() const = 0;  // so far
    virtual std::uint64_t events_lost() const = 0;   // with them
};

using CommandHandler = std::function<v2::CommandResult(const v2::Command&)>;

// gRPC has been started in this process, or in one that it was forked from.
bool grpc_was_used() noexcept;

// Throws AddressError if `address` is none.
std::unique_ptr<Sink> make_agent_sink(const std::string& address, const v2::Hello& hello, CommandHandler on_command);
// nullptr and `error` set: the file cannot be written.
std::unique_ptr<Sink> make_file_sink(const std::string& path, const v2::Hello& hello, std::string& error);

}  // namespace coroscope::debug
