// What a Server and its tasks share: listeners, the tasks it owns, when all of them have ended. Thread: the loop's.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "coroscope/net/server.hpp"

namespace coroscope::detail {

class ServerState : public std::enable_shared_from_this<ServerState> {
public:
    ServerState(ConnectionHandler handler, ServerOptions options)
        : handler_(std::move(handler)), options_(options), loop_(EventLoop::running()) {}

    void add(Socket socket);  // bound; accepts after start_serving()
    void start_serving();
    void remove_at_close(std::string path);  // the file of the unix socket that listens
    void stop_accepting() noexcept;
    void close() noexcept;
    void close_clients() noexcept;
    void abort_clients() noexcept;
    bool is_serving() const noexcept { return serving_; }
    bool is_closed() const noexcept { return closed_; }

    const std::vector<Address>& addresses() const noexcept { return addresses_; }
    std::size_t connections() const noexcept { return connections_.size(); }
    Event ended{ResourceType::server, Verb::exit};  // closed, and no task of the server is left

private:
    // A task of the server. Not a handle: while the task lives, the loop keeps it; when it is done, on_done takes this
    // away. The task's first frame holds a reference to the server; one that is cancelled before it begins may drop the
    // last one, and with it this, before it is done.
    struct Child : DoneHook {
        Child() = default;
        Child(const Child&) = delete;
        Child& operator=(const Child&) = delete;
        ~Child() { TaskControl::remove_hook(*this); }
        ServerState* server = nullptr;
        Ref<StreamState> stream;  // of a connection
        std::list<Child>* home = nullptr;
        std::list<Child>::iterator place;
    };

    static Coro<> accept_connections(std::shared_ptr<ServerState> server, Ref<SocketState> listener);
    static Coro<> serve(std::shared_ptr<ServerState> server, Ref<StreamState> stream);
    Child& own(std::list<Child>& home, const AnyTask& task);
    void connected(int fd, const Address& peer);
    void tell_of_refusal(int error);
    void see_whether_ended() noexcept;
    bool is_full() const noexcept {
        return options_.most_connections != 0 && connections_.size() >= options_.most_connections;
    }

    const ConnectionHandler handler_;
    const ServerOptions options_;
    EventLoop& loop_;
    std::vector<Address> addresses_;
    std::vector<Ref<SocketState>> listeners_;
    std::list<Child> acceptors_, connections_;
    Event room_{ResourceType::server, Verb::put};  // fewer than most_connections
    std::string unix_path_;
    std::uint64_t unix_inode_ = 0;
    std::uint64_t told_ns_ = 0;  // when it was last said that connections are refused
    bool closed_ = false;
    bool serving_ = false;
};

}  // namespace coroscope::detail
