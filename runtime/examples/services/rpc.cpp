// Calls of functions over TLS. Without arguments it is server and client in one: some hundred calls over a pool of
// connections, calls that pass their deadline, and callers that give up.
//
// To see here: each connection carries any number of calls at a time, which are answered in the order in which they are
// done; an id tells which answer belongs to which call. With a call travels the time that is left for it. A caller that
// gives up, for whatever reason, tells the server so in a destructor, and the server cancels the task that works for
// it.
//
// A message is its length (4 bytes, big endian), a line "KIND ID DEADLINE_MS METHOD", and a body.
#include <coroscope/coroscope.hpp>
#include <coroscope/net.hpp>
#include <coroscope/net/tls.hpp>
#include <csignal>
#include <deque>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "certificate.hpp"
#include "service.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_bytes = 1024 * 1024;  // of a message
constexpr std::size_t most_calls = 1'000;        // at a time on a connection; the server refuses more

class Message {
public:
    Message() {}
    Message(std::string the_kind, std::uint64_t the_id, std::string the_body = {})
        : kind(std::move(the_kind)), id(the_id), body(std::move(the_body)) {}
    std::string kind;  // "call", "answer", "failure", "late", "give-up"
    std::uint64_t id = 0;
    std::int64_t deadline_ms = 0;
    std::string method = "-", body;
};

std::string encode(const Message& message) {
    const std::string text = message.kind + " " + std::to_string(message.id) + " " +
                             std::to_string(message.deadline_ms) + " " + message.method + "\n" + message.body;
    std::string size;
    for (int shift = 24; shift >= 0; shift -= 8) size += static_cast<char>(text.size() >> shift & 0xff);
    return size + text;
}

// Nothing: the end of the stream.
Coro<std::optional<Message>> read_message(StreamReader& reader) {
    if (reader.buffered().empty() && !co_await reader.read_more()) co_return std::nullopt;
    std::size_t size = 0;
    const std::string head = co_await reader.read_exactly(4);
    for (const char byte : head) size = size << 8 | static_cast<unsigned char>(byte);
    if (size > most_bytes) throw std::runtime_error("a message of " + std::to_string(size) + " bytes is too long");
    std::string bytes = co_await reader.read_exactly(size);
    std::istringstream text(std::move(bytes));
    Message message;
    text >> message.kind >> message.id >> message.deadline_ms >> message.method;
    if (!text || text.get() != '\n') throw std::runtime_error("a message without a head");
    message.body.assign(std::istreambuf_iterator<char>(text), {});
    co_return message;
}

// --- The server

using Method = std::function<Coro<std::string>(std::string)>;

// One connection: runs the methods that its client calls.
class Session {
public:
    Session(const std::map<std::string, Method>& methods, StreamReader reader, StreamWriter writer)
        : methods_(methods), reader_(std::move(reader)), writer_(std::move(writer)) {}

    // For with_task_group(): each call is a task.
    Coro<> operator()(TaskGroup& calls) {
        try {
            while (const std::optional<Message> message = co_await read_message(reader_)) begin(*message, calls);
        } catch (const ConnectionError&) {  // the client is gone
        } catch (const std::exception& error) {
            std::cerr << "rpc: " << writer_.peer().text() << ": " << error.what() << '\n';
        }
        calls.cancel();  // nobody is there to be answered
    }

private:
    void begin(const Message& message, TaskGroup& calls) {
        if (message.kind == "give-up") {
            if (const auto call = running_.extract(message.id)) call.mapped().cancel("the caller gave up");
        } else if (running_.size() == most_calls) {
            writer_.write(encode(Message("failure", message.id, "too many calls at a time")));
        } else {
            running_[message.id] = calls.create_task(answer(message), message.method);
        }
    }

    Coro<> answer(Message call) {
        Message reply("answer", call.id);
        try {
            const auto method = methods_.find(call.method);
            if (method == methods_.end()) throw std::runtime_error("there is no method '" + call.method + "'");
            reply.body = co_await with_timeout(std::chrono::milliseconds(call.deadline_ms), method->second(call.body));
        } catch (const TimeoutError&) {
            reply.kind = "late";
        } catch (const std::exception& error) {
            reply.kind = "failure";
            reply.body = error.what();
        }
        running_.erase(call.id);
        writer_.write(encode(reply));
        try {
            co_await writer_.drain();
        } catch (const ConnectionError&) {  // the session reads the end
        }
    }

    const std::map<std::string, Method>& methods_;
    StreamReader reader_;
    StreamWriter writer_;
    std::map<std::uint64_t, Task<>> running_;
};

Coro<> serve_connection(const std::map<std::string, Method>& methods, StreamReader reader, StreamWriter writer) {
    Session session(methods, std::move(reader), std::move(writer));
    co_await with_task_group(std::ref(session));
}

Coro<Server> listen(const std::map<std::string, Method>& methods, std::uint16_t port, TlsContext context) {
    const ConnectionHandler handler = [&methods](StreamReader reader, StreamWriter writer) {
        return serve_connection(methods, std::move(reader), std::move(writer));
    };
    co_return co_await start_tls_server(handler, "localhost", port, context);
}

// --- The client

// A connection with the calls that wait for their answers on it.
struct Link {
    explicit Link(Connection the_connection) : connection(std::move(the_connection)) {}
    Connection connection;
    std::map<std::uint64_t, Future<Message>> waiting;
    bool is_lost = false;
};

Coro<> read_answers(std::shared_ptr<Link> link) {
    std::exception_ptr error =
        std::make_exception_ptr(ConnectionError(ECONNRESET, "the server has closed the connection"));
    try {
        while (const std::optional<Message> message = co_await read_message(link->connection.reader))
            if (const auto call = link->waiting.extract(message->id); call && !call.mapped().done())
                call.mapped().set_result(*message);
    } catch (const std::exception&) {
        error = std::current_exception();
    }
    link->is_lost = true;
    for (const auto& [id, answer] : std::exchange(link->waiting, {}))
        if (!answer.done()) answer.set_exception(error);
}

// Connections to one server, each opened when it is first needed, and anew when it was lost. Calls take turns on them.
class Pool {
public:
    Pool(std::uint16_t port, TlsContext context, std::size_t size)
        : port_(port), context_(std::move(context)), slots_(size) {}

    // Throws TimeoutError, ConnectionError, and std::runtime_error with what the server says.
    Coro<std::string> call(std::string method, std::string body, std::chrono::milliseconds limit) {
        Message message("call", ++last_id_, std::move(body));
        message.method = std::move(method);
        const Message answer = co_await with_timeout(limit, ask(std::move(message)));
        if (answer.kind == "late") throw TimeoutError();
        if (answer.kind != "answer") throw std::runtime_error(answer.body);
        co_return answer.body;
    }

    Coro<> aclose() {
        for (Slot& slot : slots_) {
            if (!slot.link) continue;
            slot.link->connection.writer.close();  // the task that reads then reads the end
            co_await slot.reading;
        }
    }

private:
    struct Slot {
        Lock opening;
        std::shared_ptr<Link> link;
        Task<> reading;
    };
    // A call that waits for its answer. If it goes without one, the server is told.
    struct Waiting {
        Waiting(std::shared_ptr<Link> the_link, std::uint64_t the_id) : link(std::move(the_link)), id(the_id) {
            link->waiting.emplace(id, answer);
        }
        ~Waiting() {
            if (link->waiting.erase(id) != 0) link->connection.writer.write(encode(Message("give-up", id)));
        }
        Waiting(const Waiting&) = delete;
        Waiting& operator=(const Waiting&) = delete;
        std::shared_ptr<Link> link;
        std::uint64_t id;
        Future<Message> answer;
    };

    Coro<Message> ask(Message message) {
        const std::shared_ptr<Link> link = co_await next_link();
        // What is left of the caller's limit, and of limits around it, once there is a connection.
        if (const auto left = time_left())
            message.deadline_ms = std::chrono::ceil<std::chrono::milliseconds>(*left).count();
        const Waiting call(link, message.id);
        link->connection.writer.write(encode(message));
        co_await link->connection.writer.drain();
        co_return co_await call.answer;
    }

    Coro<std::shared_ptr<Link>> next_link() {
        Slot& slot = slots_[next_++ % slots_.size()];
        const auto held = co_await slot.opening.acquire();  // one call opens the connection, the others wait for it
        if (!slot.link || slot.link->is_lost) {
            Connection connection = co_await open_tls_connection("localhost", port_, context_);
            slot.link = std::make_shared<Link>(std::move(connection));
            slot.reading = create_task(read_answers(slot.link), "answers");
        }
        co_return slot.link;
    }

    const std::uint16_t port_;
    const TlsContext context_;
    std::deque<Slot> slots_;
    std::size_t next_ = 0;
    std::uint64_t last_id_ = 0;
};

// --- What the server can do

class Methods {
public:
    Methods() {
        all["add"] = [](std::string numbers) -> Coro<std::string> {
            co_return std::to_string(std::stol(numbers) + std::stol(numbers.substr(numbers.find(' ') + 1)));
        };
        all["hold"] = [this](std::string body) -> Coro<std::string> {  // until "release" is called
            const Count counted(*this);
            co_await released_.wait();
            co_return body;
        };
        all["release"] = [this](std::string) -> Coro<std::string> {
            released_.set();
            co_return "";
        };
    }
    // Until so many calls of "hold" wait.
    Coro<> until_held(int count) {
        for (; held_ != count; changed_.clear()) co_await changed_.wait();
    }

    std::map<std::string, Method> all;

private:
    struct Count {
        explicit Count(Methods& the_methods) : methods(the_methods) { change(1); }
        ~Count() { change(-1); }
        Count(const Count&) = delete;
        Count& operator=(const Count&) = delete;
        void change(int by) {
            methods.held_ += by;
            methods.changed_.set();
        }
        Methods& methods;
    };
    Event released_, changed_;
    int held_ = 0;
};

// --- The demonstration

// What kind of error a call ends with; "": none.
Coro<std::string> outcome(Coro<std::string> call) {
    try {
        co_await std::move(call);
    } catch (const TimeoutError&) {
        co_return "too late";
    } catch (const std::exception& error) {
        co_return error.what();
    }
    co_return "";
}

constexpr int callers = 30, calls_each = 10;

Coro<> add_up(Pool& pool, int caller) {
    for (int i = 0; i < calls_each; ++i) {
        const std::string sum = co_await pool.call("add", std::to_string(caller) + " " + std::to_string(i), 30s);
        require(sum == std::to_string(caller + i), sum + " is the wrong sum");
    }
}

Coro<> converse(Methods& methods, Pool& pool) {
    constexpr int holds = 10;
    TaskGroup group;  // whatever fails: no call outlives the pool
    std::vector<Task<>> sums;
    for (int i = 0; i < callers; ++i) sums.push_back(group.create_task(add_up(pool, i)));
    for (const auto& each : sums) co_await each;

    // The server knows the deadline, and stops, too.
    std::vector<Task<std::string>> late;
    for (int i = 0; i < holds; ++i) late.push_back(group.create_task(outcome(pool.call("hold", "", 100ms))));
    for (const auto& each : late) {
        const std::string ended = co_await each;
        require(ended == "too late", "a late call ends with '" + ended + "'");
    }
    co_await methods.until_held(0);

    // Callers that give up.
    std::vector<Task<std::string>> impatient;
    for (int i = 0; i < holds; ++i) impatient.push_back(group.create_task(pool.call("hold", "", 1h)));
    co_await methods.until_held(holds);
    for (const auto& caller : impatient) caller.cancel();
    co_await wait(impatient);
    co_await methods.until_held(0);

    // On the same connections quick calls are answered while slow ones wait.
    std::vector<Task<std::string>> slow;
    for (int i = 0; i < holds; ++i) slow.push_back(group.create_task(pool.call("hold", std::to_string(i), 30s)));
    co_await methods.until_held(holds);
    for (int i = 0; i < holds; ++i) co_await pool.call("add", "1 2", 30s);
    const auto is_done = [](const Task<std::string>& each) { return each.done(); };
    require(std::ranges::none_of(slow, is_done), "the slow ones still wait");
    co_await pool.call("release", "", 30s);
    for (int i = 0; i < holds; ++i) {
        const std::string answer = co_await slow[i];
        require(answer == std::to_string(i), "a slow call got the answer of another");
    }
    co_await group.join();

    const std::string error = co_await outcome(pool.call("divide", "1 0", 30s));
    std::cout << callers * calls_each << " calls were answered over 3 connections\n"
              << holds << " calls were too late, " << holds
              << " callers gave up: the server has stopped working for them\n"
              << holds << " quick calls overtook " << holds << " slow ones\n"
              << "a wrong call: " << error << '\n';
}

Coro<> demonstrate(Methods& methods) {
    const TemporaryDirectory directory;
    const Certificate certificate = co_await certificate_in(directory.path);
    Server server = co_await listen(methods.all, 0, TlsContext::server(certificate.file, certificate.key));
    Pool pool(server.port(), TlsContext::client().trust(certificate.file), 3);
    const auto body = [&methods](Pool& opened) { return converse(methods, opened); };
    co_await async_with(std::move(pool), body);
    server.close();
    co_await server.wait_closed();
}

Coro<> serve(Methods& methods, std::uint16_t port, std::filesystem::path directory) {
    const Certificate certificate = co_await certificate_in(std::move(directory));
    Server server = co_await listen(methods.all, port, TlsContext::server(certificate.file, certificate.key));
    std::cout << "rpc: port " << server.port() << std::endl;
    co_await wait_for_signal(SIGINT, SIGTERM);
    server.close();
    co_await server.wait_closed();
}

Coro<> call_once(std::uint16_t port, std::filesystem::path directory, std::string method, std::string body) {
    Pool pool(port, TlsContext::client().trust(Certificate(directory).file), 1);
    const auto call = [&](Pool& opened) { return opened.call(method, body, 10s); };
    const std::string answer = co_await async_with(std::move(pool), call);
    std::cout << answer << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    const CommandLine line(
        argc, argv,
        "rpc                                                      a demonstration\n"
        "rpc --port PORT [--certificates DIRECTORY]               serves; makes a certificate there\n"
        "rpc --connect PORT [--certificates DIRECTORY] add '1 2'  calls it\n",
        {"--port", "--connect", "--certificates"});
    const std::string directory = line.text("--certificates", ".");
    const std::vector<std::string>& words = line.words();
    try {
        Methods methods;  // lives longer than the tasks that use it: run() ends them all
        if (line.has("--port"))
            run(serve(methods, line.number<std::uint16_t>("--port", 0), directory));
        else if (line.has("--connect") && !words.empty())
            run(call_once(line.number<std::uint16_t>("--connect", 0), directory, words[0],
                          words.size() > 1 ? words[1] : ""));
        else
            run(demonstrate(methods));
    } catch (const std::exception& error) {
        std::cerr << "rpc: " << error.what() << '\n';
        return 1;
    }
}
