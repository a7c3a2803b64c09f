#include "server_state.hpp"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include "coroscope/sleep.hpp"
#include "runtime/src/core/log.hpp"

namespace coroscope::detail {

namespace {

// Errors of accept() that pass: no file descriptors or memory at the moment.
bool is_shortage(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

}  // namespace

void ServerState::add(Socket socket) {
    addresses_.push_back(socket.local());
    const int fd = socket.release_fd();
    listeners_.push_back(Ref<SocketState>(new SocketState(loop_, fd)));
    listeners_.back()->show_as(ResourceType::server);
}

void ServerState::start_serving() {
    if (serving_) return;
    if (closed_ || listeners_.empty() || !listeners_.front()->is_open()) throw std::logic_error("the server is closed");
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
        if (::listen(listeners_[i]->fd, options_.backlog) != 0)
            throw std::system_error(errno, std::generic_category(), "cannot listen on " + addresses_[i].text());
    }
    serving_ = true;
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
        const Task<> task =
            create_task(accept_connections(shared_from_this(), listeners_[i]), "server " + addresses_[i].text());
        own(acceptors_, task);
    }
}

void ServerState::remove_at_close(std::string path) {
    struct stat file{};
    if (::stat(path.c_str(), &file) != 0) return;
    unix_inode_ = file.st_ino;
    unix_path_ = std::move(path);
}

ServerState::Child& ServerState::own(std::list<Child>& home, const AnyTask& task) {
    Child& child = home.emplace_back();
    child.server = this;
    child.home = &home;
    child.place = std::prev(home.end());
    child.on_done = [](DoneHook& hook, TaskControl&) noexcept {
        auto& done = static_cast<Child&>(hook);
        ServerState& server = *done.server;
        done.home->erase(done.place);
        server.room_.set();
        server.see_whether_ended();
    };
    task.control()->add_hook(child);
    return child;
}

Coro<> ServerState::accept_connections(std::shared_ptr<ServerState> server, Ref<SocketState> listener) {
    for (;;) {
        if (listener->turn_is_over()) co_await yield();
        while (server->is_full()) {
            server->room_.clear();
            co_await server->room_.wait();
        }
        sockaddr_storage storage;
        socklen_t size = sizeof storage;
        int fd = -1;
        const IoResult result = listener->try_accept(reinterpret_cast<sockaddr*>(&storage), &size, &fd);
        if (result.kind == IoResult::Kind::done) {
            server->connected(fd, Address(reinterpret_cast<const sockaddr*>(&storage), size));
        } else if (result.kind == IoResult::Kind::would_block) {
            co_await listener->incoming();
        } else if (result.kind == IoResult::Kind::closed) {
            co_return;
        } else if (is_shortage(result.error)) {
            server->tell_of_refusal(result.error);
            co_await sleep(std::chrono::milliseconds(100));  // no event says when there are file descriptors again
        } else {
            throw std::system_error(result.error, std::generic_category(), "cannot accept connections");
        }
    }
}

void ServerState::connected(int fd, const Address& peer) {
    const FdKind kind = peer.family() == AF_INET || peer.family() == AF_INET6 ? FdKind::tcp : FdKind::socket;
    Ref<StreamState> stream(new StreamState(loop_, fd, peer, options_.stream, kind));  // owns fd from here on
    const Task<> task = create_task(serve(shared_from_this(), stream), "connection " + peer.text());
    own(connections_, task).stream = std::move(stream);
}

Coro<> ServerState::serve(std::shared_ptr<ServerState> server, Ref<StreamState> stream) {
    struct AbortUnlessClosed {
        explicit AbortUnlessClosed(StreamState& the_stream) : stream(the_stream) {}
        ~AbortUnlessClosed() { stream.abort(); }
        StreamState& stream;
    };
    const AbortUnlessClosed at_end(*stream);  // cancelled: nothing lingers
    try {
        Coro<> handling = server->handler_(StreamReader(stream), StreamWriter(stream));
        co_await std::move(handling);
    } catch (const ConnectionError&) {
        if (stream->error == 0) throw;  // it is about another connection
    }
    co_await stream->closed.wait();  // what was written is being sent; or the handler gave the writer to somebody
}

void ServerState::tell_of_refusal(int error) {
    constexpr std::uint64_t once_in_ns = 10'000'000'000;
    const std::uint64_t now = loop_.time_ns();
    if (told_ns_ != 0 && now - told_ns_ < once_in_ns) return;
    told_ns_ = now;
    log_line(LogLevel::warning, "server %s: connections have to wait: %s, %zu connections are open%s",
             addresses_.front().text().c_str(), std::strerror(error), connections_.size(),
             error == EMFILE ? "; raise the limit of open files (ulimit -n)" : "");
}

void ServerState::close_clients() noexcept {
    for (Child& connection : connections_) connection.stream->finish();
}

void ServerState::abort_clients() noexcept {
    for (Child& connection : connections_) connection.stream->abort();
}

void ServerState::stop_accepting() noexcept {
    serving_ = false;
    for (const Ref<SocketState>& listener : listeners_) listener->close();
    for (Child& acceptor : acceptors_) acceptor.task->cancel({}, std::source_location::current());
    if (unix_path_.empty()) return;
    struct stat file{};
    if (::stat(unix_path_.c_str(), &file) == 0 && file.st_ino == unix_inode_) ::unlink(unix_path_.c_str());
    unix_path_.clear();
}

void ServerState::close() noexcept {
    if (closed_) return;
    closed_ = true;
    stop_accepting();
    for (Child& connection : connections_)
        connection.task->cancel("the server closes", std::source_location::current());
    see_whether_ended();
}

void ServerState::see_whether_ended() noexcept {
    if (closed_ && acceptors_.empty() && connections_.empty()) ended.set();
}

}  // namespace coroscope::detail
