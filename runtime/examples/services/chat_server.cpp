// A chat over TCP. A line that a client sends goes to all in its room; "/name NAME", "/join ROOM" and "/quit" are
// commands. Without arguments it talks to itself: eight clients in two rooms, and one that does not read.
//
// To see here: nobody waits for a slow client. Lines for a client go into a bounded queue, from which a task of its own
// sends them; a client whose queue is full is dropped, and told why. SIGTERM and SIGINT end the server in order: it
// accepts nobody any more, everybody gets what is queued and a farewell, and who does not take it in time is cut off.
#include <sys/socket.h>

#include <coroscope/coroscope.hpp>
#include <coroscope/net.hpp>
#include <csignal>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "service.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_waiting = 32;  // lines in a client's queue
constexpr std::size_t most_line = 2'048;  // bytes
constexpr auto farewell_limit = 5s;       // for a client to read what it is still owed

// What the kernel keeps for a connection; by itself it would keep megabytes for a client that does not read.
void set_kernel_buffer(int fd, int which, int bytes) { ::setsockopt(fd, SOL_SOCKET, which, &bytes, sizeof bytes); }

struct Client {
    std::string name, room;
    Queue<std::string> outgoing{most_waiting};
    Event dropped;
    std::string farewell = "goodbye";
};

class Chat {
public:
    Chat() { nobody_.set(); }

    Coro<Server> listen(std::uint16_t port) {
        ServerOptions options;
        options.stream.read_limit = most_line;
        options.stream.high_water = 16 * 1024;
        options.stream.low_water = 4 * 1024;
        options.stream.close_timeout = farewell_limit;
        const ConnectionHandler handler = [this](StreamReader reader, StreamWriter writer) {
            return serve(std::move(reader), std::move(writer));
        };
        co_return co_await start_server(handler, "localhost", port, options);
    }

    Coro<> serve_until_signal(Server& server) {
        co_await wait_for_signal(SIGINT, SIGTERM);
        stopping_ = true;
        server.stop_accepting();
        for (Client* client : clients_) send_away(*client);
        try {
            co_await wait_for(nobody_.wait(), farewell_limit);
        } catch (const TimeoutError&) {
            std::cerr << "chat_server: " << clients_.size() << " clients do not read their farewell: cut off\n";
        }
        server.close();
        co_await server.wait_closed();
    }

    int dropped() const { return dropped_; }

private:
    // One connection, from its begin to its end.
    Coro<> serve(StreamReader reader, StreamWriter writer) {
        set_kernel_buffer(writer.fd(), SO_SNDBUF, 32 * 1024);
        Client client;
        client.name = "guest-" + std::to_string(++guests_);
        const Presence presence(*this, client);
        move(client, "lobby");
        if (stopping_) send_away(client);
        // The first that ends ends the others: the client is done, everything is sent to one that is sent away, or it
        // was dropped.
        co_await first_of(read_lines(client, reader), write_lines(client, writer), client.dropped.wait());
        move(client, "");
        writer.write("* " + client.farewell + "\n");
        writer.close();
        co_await writer.wait_closed();
    }

    Coro<> read_lines(Client& client, StreamReader& reader) {
        try {
            for (;;) {
                const std::string line = co_await reader.read_line();
                if (line.empty() || !obey(client, line.substr(0, line.find_last_not_of("\r\n") + 1))) break;
                co_await yield();  // many lines may have come at once: the others have their turns in between
            }
        } catch (const LimitOverrunError&) {
            client.farewell = "a line has at most " + std::to_string(most_line) + " bytes";
        }
        co_await client.outgoing.join();  // what the client is owed is still sent
    }

    Coro<> write_lines(Client& client, StreamWriter& writer) {
        try {
            for (;;) {
                writer.write(co_await client.outgoing.get());
                co_await writer.drain();
                client.outgoing.task_done();
            }
        } catch (const QueueShutDown&) {  // it was sent away, and has got everything
        }
    }

    // False: it quits.
    bool obey(Client& client, const std::string& line) {
        const std::string command = line.substr(0, line.find(' '));
        const std::string rest = line.size() > command.size() ? line.substr(command.size() + 1) : "";
        if (command == "/quit") return false;
        if (command == "/join" && !rest.empty()) {
            move(client, rest);
        } else if (command == "/name" && !rest.empty()) {
            const auto has_it = [&](const Client* other) { return other->name == rest; };
            if (std::ranges::any_of(clients_, has_it)) {
                send(client, "* somebody is " + rest + " already");
            } else {
                say(client.room, "* " + client.name + " is now " + rest);
                client.name = rest;
            }
        } else if (command.starts_with('/')) {
            send(client, "* /name NAME, /join ROOM, /quit");
        } else if (!line.empty()) {
            say(client.room, "<" + client.name + "> " + line);
        }
        return true;
    }

    void say(const std::string& room, const std::string& line) {
        for (Client* client : rooms_[room]) send(*client, line);
    }

    void send(Client& client, const std::string& line) {
        if (client.outgoing.is_shut_down()) return;
        if (!client.outgoing.full()) return client.outgoing.put_nowait(line + '\n');
        ++dropped_;
        client.farewell = "you read too slowly: " + std::to_string(most_waiting) + " lines wait for you";
        client.outgoing.shutdown(true);
        client.dropped.set();
    }

    // The client gets what is queued, and the farewell.
    static void send_away(Client& client) {
        if (client.outgoing.is_shut_down()) return;
        client.farewell = "the server stops";
        client.outgoing.shutdown();
    }

    void move(Client& client, const std::string& room) {
        if (!client.room.empty()) {
            rooms_[client.room].erase(&client);
            say(client.room, "* " + client.name + " has left " + client.room);
            if (rooms_[client.room].empty()) rooms_.erase(client.room);
        }
        client.room = room;
        if (room.empty()) return;
        rooms_[room].insert(&client);
        say(room, "* " + client.name + " has joined " + room);
    }

    struct Presence {
        Presence(Chat& the_chat, Client& the_client) : chat(the_chat), client(the_client) {
            chat.clients_.insert(&client);
            chat.nobody_.clear();
            counter("clients", static_cast<double>(chat.clients_.size()));
        }
        ~Presence() {
            chat.move(client, "");
            chat.clients_.erase(&client);
            if (chat.clients_.empty()) chat.nobody_.set();
            counter("clients", static_cast<double>(chat.clients_.size()));
        }
        Presence(const Presence&) = delete;
        Presence& operator=(const Presence&) = delete;
        Chat& chat;
        Client& client;
    };

    std::set<Client*> clients_;
    std::map<std::string, std::set<Client*>> rooms_;
    Event nobody_;  // no client is connected
    bool stopping_ = false;
    int guests_ = 0, dropped_ = 0;
};

// --- The demonstration

constexpr int talkers = 8, lines_each = 100;
constexpr std::size_t lines_of_room = talkers / 2 * lines_each;

std::string room_of(int talker) { return talker % 2 == 0 ? "red" : "blue"; }

// A connection to the server, once its room has been told.
Coro<Connection> enter(std::uint16_t port, std::string name, std::string room) {
    Connection server = co_await open_connection("localhost", port);
    server.writer.write("/name " + name + "\n/join " + room + "\n");
    co_await server.writer.drain();
    const std::string welcome = "* " + name + " has joined " + room + "\n";
    for (std::string line; line != welcome;) {
        line = co_await server.reader.read_line();
        require(!line.empty(), name + " was not let in");
    }
    co_return server;
}

struct Heard {
    Heard() {}
    std::vector<std::string> lines;  // what was said in the room
    std::string last;                // the last line that came at all
};

// Says its lines, each when it has heard the one before, and listens to the end.
Coro<Heard> talk(std::uint16_t port, int number, Barrier& stage) {
    const std::string name = "client-" + std::to_string(number);
    Connection server = co_await enter(port, name, room_of(number));
    co_await stage.wait();
    Heard heard;
    for (int said = 0; heard.lines.size() < lines_of_room;) {
        const std::string before = "<" + name + "> " + std::to_string(said) + " ";
        if (said == 0 || (said < lines_each && heard.last.starts_with(before))) {
            server.writer.write(std::to_string(++said) + " " + std::string(1'000, '.') + "\n");
            co_await server.writer.drain();
        }
        heard.last = co_await server.reader.read_line();
        require(!heard.last.empty(), name + " was dropped");
        if (heard.last.starts_with('<')) heard.lines.push_back(heard.last);
    }
    co_await stage.wait();
    AsyncGenerator<std::string> rest = server.reader.lines();
    while (std::optional<std::string> line = co_await rest.next()) heard.last = *line;
    co_return heard;
}

Coro<> converse(const Chat& chat, std::uint16_t port) {
    Connection sloth = co_await enter(port, "sloth", room_of(0));
    set_kernel_buffer(sloth.writer.fd(), SO_RCVBUF, 16 * 1024);
    Barrier stage(talkers + 1);
    TaskGroup group;
    std::vector<Task<Heard>> talks;
    for (int i = 0; i < talkers; ++i)
        talks.push_back(group.create_task(talk(port, i, stage), "talk-" + std::to_string(i)));
    co_await stage.wait();  // all are there
    co_await stage.wait();  // all have heard everything
    std::raise(SIGTERM);
    co_await group.join();
    for (int i = 0; i < talkers; ++i) {
        const Heard& heard = talks[i].result();
        require(heard.lines == talks[i % 2].result().lines, "all in a room hear the same");
        require(heard.last == "* the server stops\n", "everybody gets the farewell, not " + heard.last);
    }
    require(talks[0].result().lines != talks[1].result().lines, "the rooms are two");
    require(chat.dropped() == 1, std::to_string(chat.dropped()) + " clients were dropped");
    const std::string all = co_await sloth.reader.read_all();
    std::cout << talkers << " clients in 2 rooms said " << talkers * lines_each << " lines: each heard the "
              << lines_of_room << " of its room, in one order\n"
              << "one client did not read: " << all.substr(all.rfind('*'))
              << "SIGTERM: everybody got what was queued, and the farewell\n";
}

Coro<> demonstrate(Chat& chat) {
    Server server = co_await chat.listen(0);
    TaskGroup group;
    group.create_task(chat.serve_until_signal(server), "serve");
    group.create_task(converse(chat, server.port()), "converse");
    co_await group.join();
}

Coro<> serve(Chat& chat, std::uint16_t port) {
    Server server = co_await chat.listen(port);
    std::cout << "chat_server: nc localhost " << server.port() << std::endl;
    co_await chat.serve_until_signal(server);
}

}  // namespace

int main(int argc, char** argv) {
    const CommandLine line(argc, argv,
                           "chat_server                a demonstration\n"
                           "chat_server --port PORT    serves on localhost; 0: any free port\n",
                           {"--port"});
    try {
        Chat chat;  // lives longer than the tasks that use it: run() ends them all
        run(line.has("--port") ? serve(chat, line.number<std::uint16_t>("--port", 0)) : demonstrate(chat));
    } catch (const std::exception& error) {
        std::cerr << "chat_server: " << error.what() << '\n';
        return 1;
    }
}
