// TLS streams: our client and our server, over real sockets, with certificates made here.
#include "coroscope/net/tls.hpp"

#include <sys/socket.h>

#include <algorithm>

#include "authority.hpp"
#include "runtime/src/tls/context.hpp"
#include "tests/runtime/net_support.hpp"

namespace coroscope::test {
namespace {

TlsContext client_context() { return TlsContext::client().trust(authority().file()); }

Coro<> echo(StreamReader reader, StreamWriter writer) {
    for (;;) {
        const std::string data = co_await reader.read(16 * 1024);
        if (data.empty()) break;
        writer.write(data);
        co_await writer.drain();
    }
    writer.close();
    co_await writer.wait_closed();
}

// What the connection attempt ends with.
Coro<std::string> error_of_connecting(Server& server, TlsContext context, std::string host = "localhost") {
    co_return co_await error_of<TlsError>(open_tls_connection(std::move(host), server.port(), std::move(context)));
}

TEST(Tls, BothEndsUnderstandEachOther) {
    run_test([]() -> Coro<> {
        Server server = co_await start_tls_server(echo, "localhost", 0, server_context());
        Connection client = co_await open_tls_connection("localhost", server.port(), client_context());
        client.writer.write("hello over TLS\n");
        co_await client.writer.drain();
        EXPECT_EQ(co_await client.reader.read_line(), "hello over TLS\n");
        client.writer.write("and more");
        EXPECT_EQ(co_await client.reader.read_exactly(8), "and more");
    });
}

TEST(Tls, TellsWhatWasAgreedOn) {
    run_test([]() -> Coro<> {
        Server server = co_await start_tls_server(echo, "localhost", 0, server_context());
        Connection client = co_await open_tls_connection("localhost", server.port(), client_context());
        const auto info = tls_info(client.writer);
        EXPECT_TRUE(info.has_value());
        if (!info) co_return;
        EXPECT_EQ(info->version, "TLSv1.3");
        EXPECT_NE(info->cipher.find("TLS_"), std::string::npos) << info->cipher;
        EXPECT_EQ(info->peer_subject, "CN=localhost");
        EXPECT_EQ(info->alpn, "");
        Server plain = co_await start_server(echo, "localhost", 0);
        Connection without = co_await open_connection("localhost", plain.port());
        EXPECT_FALSE(tls_info(without.writer));
    });
}

TEST(Tls, AnUnknownAuthorityIsRefusedBeforeAnythingIsSent) {
    run_test([]() -> Coro<> {
        Server server = co_await start_tls_server(echo, "localhost", 0, server_context());
        const std::string error = co_await error_of_connecting(server, TlsContext::client());
        EXPECT_NE(error.find("certificate verify failed"), std::string::npos) << error;
        EXPECT_NE(error.find("TlsContext::trust()"), std::string::npos) << error;
        Authority stranger("Stranger");
        EXPECT_NE(co_await error_of_connecting(server, TlsContext::client().trust(stranger.file())), "");
        Connection good = co_await open_tls_connection("localhost", server.port(), client_context());
    });
}

// In a process of its own: the system's authorities are loaded once.
TEST(TlsDeathTest, TheSystemsAuthoritiesAreTrustedAndSharedByAllContexts) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto connect_twice = [] {
        ::setenv("SSL_CERT_FILE", authority().file().c_str(), 1);
        bool shared = false;
        run_test([&]() -> Coro<> {
            Server server = co_await start_tls_server(echo, "localhost", 0, server_context());
            TlsContext one = TlsContext::client(), other = TlsContext::client();
            Connection first = co_await open_tls_connection("localhost", server.port(), one);
            Connection second = co_await open_tls_connection("localhost", server.port(), other);
            shared = ::SSL_CTX_get_cert_store(one.state().context.get()) ==
                     ::SSL_CTX_get_cert_store(other.state().context.get());
        });
        std::_Exit(shared ? 0 : 1);
    };
    EXPECT_EXIT(connect_twice(), testing::ExitedWithCode(0), "");
}

TEST(Tls, ACertificateForAnotherNameIsRefused) {
    run_test([]() -> Coro<> {
        const CertificateFiles other = authority().issue("example.com", {"DNS:example.com"});
        Server server =
            co_await start_tls_server(echo, "localhost", 0, TlsContext::server(other.certificate, other.key));
        const std::string error = co_await error_of_connecting(server, client_context());
        EXPECT_NE(error.find("hostname mismatch"), std::string::npos) << error;
        EXPECT_NE(error.find("a name that the certificate is for"), std::string::npos) << error;
    });
}

TEST(Tls, AnIpAddressIsANameToo) {
    run_test([]() -> Coro<> {
        Server server = co_await start_tls_server(echo, "127.0.0.1", 0, server_context());
        Connection client = co_await open_tls_connection("127.0.0.1", server.port(), client_context());
        client.writer.write("x");
        EXPECT_EQ(co_await client.reader.read_exactly(1), "x");
        const CertificateFiles no_ip = authority().issue("localhost", {"DNS:localhost"});
        Server other =
            co_await start_tls_server(echo, "127.0.0.1", 0, TlsContext::server(no_ip.certificate, no_ip.key));
        EXPECT_NE(co_await error_of_connecting(other, client_context(), "127.0.0.1"), "");
    });
}

TEST(Tls, AnExpiredCertificateIsRefused) {
    run_test([]() -> Coro<> {
        const CertificateFiles old = authority().issue("localhost", {"DNS:localhost"}, -7200, -3600);
        Server server = co_await start_tls_server(echo, "localhost", 0, TlsContext::server(old.certificate, old.key));
        const std::string error = co_await error_of_connecting(server, client_context());
        EXPECT_NE(error.find("certificate has expired"), std::string::npos) << error;
    });
}

TEST(Tls, VerificationCanBeTurnedOffByName) {
    run_test([]() -> Coro<> {
        Server server = co_await start_tls_server(echo, "localhost", 0, server_context());
        TlsContext careless = TlsContext::client().disable_verification_and_accept_anybody();
        Connection client = co_await open_tls_connection("localhost", server.port(), careless);
        client.writer.write("x");
        EXPECT_EQ(co_await client.reader.read_exactly(1), "x");
    });
}

TEST(Tls, AClientHasToShowItsCertificateWhereTheServerWantsOne) {
    run_test([]() -> Coro<> {
        TlsContext strict = server_context().require_client_certificate(authority().file());
        Server server = co_await start_tls_server(echo, "localhost", 0, strict);
        const CertificateFiles alice = authority().issue("alice", {});
        TlsContext known = client_context().certificate(alice.certificate, alice.key);
        Connection client = co_await open_tls_connection("localhost", server.port(), known);
        client.writer.write("x");
        EXPECT_EQ(co_await client.reader.read_exactly(1), "x");
        // In TLS 1.3 the client learns of it with its first read.
        Connection nobody = co_await open_tls_connection("localhost", server.port(), client_context());
        EXPECT_NE(co_await error_of<ConnectionError>(nobody.reader.read(1)), "");
    });
}

TEST(Tls, TheFirstProtocolInCommonIsSpoken) {
    run_test([]() -> Coro<> {
        Server server = co_await start_tls_server(echo, "localhost", 0, server_context().alpn("h2, http/1.1"));
        Connection client =
            co_await open_tls_connection("localhost", server.port(), client_context().alpn("http/1.1, x"));
        EXPECT_EQ(tls_info(client.writer)->alpn, "http/1.1");
        EXPECT_NE(co_await error_of_connecting(server, client_context().alpn("spdy")), "");
    });
}

TEST(Tls, AnOldVersionIsRefused) {
    run_test([]() -> Coro<> {
        Server server =
            co_await start_tls_server(echo, "localhost", 0, server_context().minimum_version(TlsVersion::tls_1_3));
        Connection client = co_await open_tls_connection("localhost", server.port(), client_context());
        EXPECT_EQ(tls_info(client.writer)->version, "TLSv1.3");
    });
}

TEST(Tls, MuchGoesInBothDirectionsAtOnceWithBoundedMemory) {
    run_test([]() -> Coro<> {
        Server server = co_await start_tls_server(echo, "localhost", 0, server_context());
        Connection client = co_await open_tls_connection("localhost", server.port(), client_context());
        constexpr std::size_t total = 16 * 1024 * 1024, chunk = 64 * 1024;
        auto send = [](StreamWriter& writer) -> Coro<> {
            std::string data(chunk, '\0');
            for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 31);
            for (std::size_t sent = 0; sent < total; sent += chunk) {
                writer.write(data);
                co_await writer.drain();
                EXPECT_LE(writer.unsent(), 512u * 1024);
            }
            writer.write_eof();
        };
        Task<> sending = create_task(send(client.writer));
        std::size_t received = 0;
        bool right = true;
        for (;;) {
            const std::string data = co_await client.reader.read(chunk);
            if (data.empty()) break;
            for (std::size_t i = 0; i < data.size(); ++i)
                right = right && data[i] == static_cast<char>((received + i) % chunk * 31);
            received += data.size();
        }
        co_await sending;
        EXPECT_EQ(received, total);
        EXPECT_TRUE(right);
    });
}

TEST(Tls, CloseIsTheEndOfTheStreamForThePeer) {
    run_test([]() -> Coro<> {
        auto say_and_close = [](StreamReader, StreamWriter writer) -> Coro<> {
            writer.write("bye");
            co_await writer.drain();
        };
        Server server = co_await start_tls_server(say_and_close, "localhost", 0, server_context());
        Connection client = co_await open_tls_connection("localhost", server.port(), client_context());
        EXPECT_EQ(co_await client.reader.read_all(), "bye");
        EXPECT_TRUE(client.reader.at_eof());
    });
}

TEST(Tls, AConnectionThatIsCutOffIsAnError) {
    run_test([]() -> Coro<> {
        auto cut_off = [](StreamReader, StreamWriter writer) -> Coro<> {
            writer.write("half a mess");
            co_await writer.drain();
            ::shutdown(writer.fd(), SHUT_RDWR);  // no close_notify
            writer.abort();
        };
        Server server = co_await start_tls_server(cut_off, "localhost", 0, server_context());
        Connection client = co_await open_tls_connection("localhost", server.port(), client_context());
        EXPECT_EQ(co_await client.reader.read_exactly(11), "half a mess");
        const std::string error = co_await error_of<TlsError>(client.reader.read(1));
        EXPECT_NE(error.find("close_notify"), std::string::npos) << error;
    });
}

TEST(Tls, AfterWriteEofReadingGoesOn) {
    run_test([]() -> Coro<> {
        auto answer_at_the_end = [](StreamReader reader, StreamWriter writer) -> Coro<> {
            const std::string all = co_await reader.read_all();
            writer.write("got " + all);
            co_await writer.drain();
        };
        Server server = co_await start_tls_server(answer_at_the_end, "localhost", 0, server_context());
        Connection client = co_await open_tls_connection("localhost", server.port(), client_context());
        client.writer.write("it");
        client.writer.write_eof();
        EXPECT_EQ(co_await client.reader.read_all(), "got it");
    });
}

TEST(Tls, APlainPeerIsToldApart) {
    run_test([]() -> Coro<> {
        auto speak_plainly = [](StreamReader, StreamWriter writer) -> Coro<> {
            writer.write("220 mail.example.com ready\r\n");
            co_await writer.drain();
            co_await sleep(10s);
        };
        Server server = co_await start_server(speak_plainly, "localhost", 0);
        const std::string error = co_await error_of_connecting(server, client_context());
        EXPECT_NE(error.find("does the other side speak TLS on this port?"), std::string::npos) << error;
        server.close();
        co_await server.wait_closed();
    });
}

TEST(Tls, APlainClientNeverReachesTheHandler) {
    run_test([]() -> Coro<> {
        bool reached = false;
        auto handler = [&reached](StreamReader, StreamWriter) -> Coro<> {
            reached = true;
            co_return;
        };
        ConnectionHandler kept = handler;
        Server server = co_await start_tls_server(kept, "localhost", 0, server_context());
        Connection client = co_await open_connection("localhost", server.port());
        client.writer.write("GET / HTTP/1.0\r\n\r\n");
        try {
            co_await client.reader.read_all();  // an alert, and the end
        } catch (const ConnectionError&) {
        }
        EXPECT_FALSE(reached);
    });
}

TEST(Tls, AHandshakeThatDoesNotGoOnTimesOut) {
    run_test([]() -> Coro<> {
        ConnectionHandler handler = tls_handler(echo, server_context(), 50ms);
        Server server = co_await start_server(handler, "localhost", 0);
        Connection silent = co_await open_connection("localhost", server.port());
        EXPECT_EQ(co_await silent.reader.read(1), "") << "the server gives up";
    });
}

TEST(Tls, AHandshakeCanBeCancelled) {
    run_test([]() -> Coro<> {
        auto stay_silent = [](StreamReader reader, StreamWriter) -> Coro<> { co_await reader.read_all(); };
        Server server = co_await start_server(stay_silent, "localhost", 0);
        Task<Connection> connecting = create_task(open_tls_connection("localhost", server.port(), client_context()));
        co_await until([&] { return server.connections() == 1; });
        connecting.cancel();
        bool cancelled = false;
        try {
            co_await connecting;
        } catch (const Cancelled&) {
            cancelled = true;
        }
        EXPECT_TRUE(cancelled);
    });
}

TEST(Tls, ACancelledReadLosesNothing) {
    run_test([]() -> Coro<> {
        Server server = co_await start_tls_server(echo, "localhost", 0, server_context());
        Connection client = co_await open_tls_connection("localhost", server.port(), client_context());
        EXPECT_NE(co_await error_of<TimeoutError>(wait_for(client.reader.read(1), 10ms)), "");
        client.writer.write("later");
        EXPECT_EQ(co_await client.reader.read_exactly(5), "later");
    });
}

TEST(Tls, AnOpenConnectionCanBeUpgraded) {
    run_test([]() -> Coro<> {
        auto start_tls_on_demand = [](StreamReader reader, StreamWriter writer) -> Coro<> {
            EXPECT_EQ(co_await reader.read_line(), "STARTTLS\n");
            writer.write("go ahead\n");
            co_await start_tls_as_server(writer, server_context());
            writer.write("secret " + co_await reader.read_line());
            co_await writer.drain();
        };
        Server server = co_await start_server(start_tls_on_demand, "localhost", 0);
        Connection client = co_await open_connection("localhost", server.port());
        client.writer.write("STARTTLS\n");
        EXPECT_EQ(co_await client.reader.read_line(), "go ahead\n");
        co_await start_tls_as_client(client.writer, client_context(), "localhost");
        client.writer.write("word\n");
        EXPECT_EQ(co_await client.reader.read_line(), "secret word\n");
        EXPECT_NE(co_await error_of<std::logic_error>(start_tls_as_client(client.writer, client_context(), "x")), "")
            << "twice";
    });
}

TEST(Tls, ManyConnectionsAtOnce) {
    run_test([]() -> Coro<> {
        Server server = co_await start_tls_server(echo, "localhost", 0, server_context());
        const TlsContext context = client_context();
        auto one = [](TlsContext with, std::uint16_t port, int number) -> Coro<bool> {
            Connection client = co_await open_tls_connection("localhost", port, with);
            const std::string text = "number " + std::to_string(number);
            client.writer.write(text);
            co_return co_await client.reader.read_exactly(text.size()) == text;
        };
        std::vector<Task<bool>> tasks;
        for (int i = 0; i < 100; ++i) tasks.push_back(create_task(one(context, server.port(), i)));
        const std::vector<bool> right = co_await gather(std::move(tasks));
        EXPECT_EQ(std::count(right.begin(), right.end(), true), 100);
    });
}

TEST(Tls, FilesThatCannotBeUsedAreNamed) {
    const auto error_of_call = [](auto call) -> std::string {
        try {
            call();
        } catch (const TlsError& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_NE(
        error_of_call([] { TlsContext::server("/no/such/cert.pem", "/no/such/key.pem"); }).find("/no/such/cert.pem"),
        std::string::npos);
    EXPECT_NE(error_of_call([] { TlsContext::server(localhost().certificate, authority().file()); }).find("ca.pem"),
              std::string::npos);
    EXPECT_NE(error_of_call([] { TlsContext::client().trust("/dev/null"); }).find("/dev/null"), std::string::npos);
    const CertificateFiles other = authority().issue("other", {});
    EXPECT_NE(error_of_call([&] { TlsContext::server(localhost().certificate, other.key); }), "")
        << "keys do not match";
}

}  // namespace
}  // namespace coroscope::test
