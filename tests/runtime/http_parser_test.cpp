// What is a request, what is not, and the values it is made of.
#include <gtest/gtest.h>

#include "runtime/src/http/request_reader.hpp"
#include "runtime/src/http/serialize.hpp"

namespace coroscope::http {
namespace {

// Feeds the text in pieces of `step` bytes, as a connection does; what is left over is put into `rest`.
Request parse(const std::string& text, std::size_t step, std::string* rest = nullptr) {
    RequestReader reader(16 * 1024, 1024 * 1024);
    std::string buffer;
    for (std::size_t at = 0; at < text.size() && !reader.done(); at += step) {
        buffer += text.substr(at, step);
        buffer.erase(0, reader.feed(buffer));
    }
    if (!reader.done()) throw std::logic_error("incomplete");
    if (rest != nullptr) *rest = buffer;
    return reader.take();
}

int status_of(const std::string& text, std::size_t step = 1 << 20) {
    try {
        parse(text, step);
    } catch (const HttpError& error) {
        return error.status();
    }
    return 200;
}

TEST(HttpRequest, IsTheSameHoweverItIsCutIntoPieces) {
    const std::string text =
        "POST /a%20b?x=1&y=2 HTTP/1.1\r\nHost: example\r\nX-Thing: one\r\nx-thing: two\r\nContent-Length: "
        "11\r\n\r\nhello world";
    for (const std::size_t step : {1, 2, 7, 64, 1000}) {
        const Request request = parse(text, step);
        EXPECT_EQ(request.method(), "POST");
        EXPECT_EQ(request.target(), "/a%20b?x=1&y=2");
        EXPECT_EQ(request.path(), "/a%20b");
        EXPECT_EQ(request.query_string(), "x=1&y=2");
        EXPECT_EQ(request.version(), 11);
        EXPECT_EQ(request.headers().get("x-THING"), "one");
        EXPECT_EQ(request.headers().count("X-Thing"), 2u);
        EXPECT_EQ(request.headers().get("absent", "none"), "none");
        EXPECT_EQ(request.body(), "hello world");
        EXPECT_TRUE(request.keep_alive());
    }
}

TEST(HttpRequest, ChunksArePutTogether) {
    const std::string text =
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;ext=1\r\n "
        "world\r\n0\r\nTrailer: t\r\n\r\n";
    for (const std::size_t step : {1, 3, 1000}) EXPECT_EQ(parse(text, step).body(), "hello world");
}

TEST(HttpRequest, TheNextOneIsLeftAlone) {
    std::string rest;
    parse("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\n", 1000, &rest);
    EXPECT_EQ(rest, "GET /2 HTTP/1.1\r\n");
}

TEST(HttpRequest, KnowsWhetherTheConnectionIsKept) {
    EXPECT_FALSE(parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 1000).keep_alive());
    EXPECT_FALSE(parse("GET / HTTP/1.0\r\n\r\n", 1000).keep_alive());
    EXPECT_TRUE(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 1000).keep_alive());
}

TEST(HttpRequest, MalformedOnesAreRefused) {
    for (
        const char* text : {
            "garbage\r\n\r\n",
            "GET\r\n\r\n",
            "GET  HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",  // no Host
            "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",  // smuggling
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        }) {
        EXPECT_EQ(status_of(text), 400) << text;
        EXPECT_EQ(status_of(text, 1), 400) << text;
    }
    EXPECT_EQ(status_of("GET / HTTP/2.0\r\nHost: x\r\n\r\n"), 505);
    EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"), 501);
}

TEST(HttpRequest, HeaderAndBodyAreBounded) {
    const std::string long_value(17 * 1024, 'x');
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\nA: " + long_value + "\r\n\r\n"), 431);
    EXPECT_EQ(status_of("GET /" + long_value + " HTTP/1.1\r\n", 1), 431);
    const std::string near_limit(15 * 1024, 'x');
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\nA: " + near_limit + "\r\n\r\n"), 200);
    EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n"), 413);
    EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n"), 400);
    std::string chunks = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 11; ++i) chunks += "19000\r\n" + std::string(0x19000, 'c') + "\r\n";
    EXPECT_EQ(status_of(chunks, 10'000), 413);
}

TEST(HttpHeaders, RefuseWhatWouldSplitAResponse) {
    Headers headers;
    EXPECT_THROW(headers.add("X", "a\r\nSet-Cookie: b"), std::invalid_argument);
    EXPECT_THROW(headers.add("X Y", "a"), std::invalid_argument);
    EXPECT_THROW(headers.add("", "a"), std::invalid_argument);
    headers.add("X", "a\tb \xc3\xa9");
    headers.set("x", "only");
    EXPECT_EQ(headers.count("X"), 1u);
}

TEST(HttpResponse, IsSerialisedWithItsFraming) {
    Response response = Response::text("hi", 404);
    response.headers.set("Content-Length", "99");  // the server's business
    std::string out;
    Framing framing;
    framing.keep_alive = false;
    serialize(response, framing, out);
    EXPECT_TRUE(out.starts_with("HTTP/1.1 404 Not Found\r\n")) << out;
    EXPECT_NE(out.find("\r\nContent-Length: 2\r\n"), std::string::npos) << out;
    EXPECT_EQ(out.find("99"), std::string::npos) << out;
    EXPECT_NE(out.find("\r\nConnection: close\r\n"), std::string::npos) << out;
    EXPECT_NE(out.find(" GMT\r\n"), std::string::npos) << out;
    EXPECT_TRUE(out.ends_with("\r\n\r\nhi")) << out;
}

}  // namespace
}  // namespace coroscope::http
