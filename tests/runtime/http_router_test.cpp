// Which handler answers which path.
#include "http_support.hpp"
#include "runtime/src/http/request_reader.hpp"
#include "runtime/src/http/router.hpp"

namespace coroscope::test {
namespace {

http::Request request_for(const std::string& method, const std::string& target) {
    http::RequestReader reader(16 * 1024, 1024);
    reader.feed(method + " " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return reader.take();
}

Coro<http::Response> answer(const http::Application& app, std::string method, std::string target) {
    http::Request request = request_for(method, target);
    co_return co_await app.handle(request);
}

TEST(HttpRouter, FindsTheRouteAndItsNames) {
    run_test([]() -> Coro<> {
        const http::Application app = test_application();
        const auto text = [&](std::string target) -> Coro<std::string> {
            http::Response response = co_await answer(app, "GET", std::move(target));
            co_return std::to_string(response.status) + " " + response.body;
        };
        EXPECT_EQ(co_await text("/"), "200 Hello, Anonymous!");
        EXPECT_EQ(co_await text("/Alice"), "200 Hello, Alice!");
        EXPECT_EQ(co_await text("/Alice?x=/y"), "200 Hello, Alice!");
        EXPECT_EQ(co_await text("/J%C3%B6rg%20B"), "200 Hello, J\xc3\xb6rg B!");
        EXPECT_EQ(co_await text("/a%2Fb"), "200 Hello, a/b!");
        EXPECT_EQ(co_await text("http://host:80/Bob"), "200 Hello, Bob!");
        EXPECT_EQ(co_await text("http://host"), "200 Hello, Anonymous!");
        EXPECT_EQ((co_await text("/a/b")).substr(0, 3), "404");
        EXPECT_EQ((co_await text("/a/")).substr(0, 3), "404");
        EXPECT_EQ((co_await text("//")).substr(0, 3), "404");
        EXPECT_EQ((co_await text("/%4")).substr(0, 3), "400");
        EXPECT_EQ((co_await text("/%zz")).substr(0, 3), "400");
    });
}

TEST(HttpRouter, AnotherMethodIs405WithWhatIsAllowed) {
    run_test([]() -> Coro<> {
        const http::Application app = test_application();
        http::Response post = co_await answer(app, "POST", "/");
        EXPECT_EQ(post.status, 405);
        EXPECT_EQ(post.headers.get("Allow"), "GET, HEAD");
        http::Response head = co_await answer(app, "HEAD", "/");
        EXPECT_EQ(head.status, 200);
    });
}

TEST(HttpRouter, RoutesThatMakeNoSenseAreRefused) {
    http::Application app;
    EXPECT_THROW(app.add_get("no-slash", hello), std::invalid_argument);
    EXPECT_THROW(app.add_get("/user-{id}", hello), std::invalid_argument);
    EXPECT_THROW(app.add_get("/{}", hello), std::invalid_argument);
    EXPECT_THROW(app.add_get("/{1x}", hello), std::invalid_argument);
    EXPECT_THROW(app.add_get("/x", nullptr), std::invalid_argument);
    app.add_get("/twice", hello);
    EXPECT_THROW(app.add_get("/twice", hello), std::invalid_argument);
    app.add_post("/twice", hello);
}

TEST(HttpRouter, PercentDecoding) {
    std::string decoded;
    EXPECT_TRUE(http::percent_decode("a%41%7a+", decoded));
    EXPECT_EQ(decoded, "aAz+");
    for (const char* bad : {"%", "%4", "%4g", "a%"}) EXPECT_FALSE(http::percent_decode(bad, decoded)) << bad;
}

}  // namespace
}  // namespace coroscope::test
