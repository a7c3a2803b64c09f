// Application: which handler answers which request.
//
//     Coro<http::Response> handle(http::Request& request) {
//         co_return http::Response::text("Hello, " + request.match_info().get("name", "Anonymous") + "!");
//     }
//     http::Application app;
//     app.add_routes({http::get("/", handle), http::get("/{name}", handle)});
//
// A path is made of segments; "{name}" stands for any one segment that is not empty, and is found in
// request.match_info(). The first route that fits is taken. A handler for GET answers HEAD, too. A path that fits with
// another method only is answered by 405, none by 404. Thread: filled on one, then only read.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "coroscope/coro.hpp"
#include "coroscope/http/message.hpp"

namespace coroscope::http {

// The request lives until the response is made.
using Handler = std::function<Coro<Response>(Request&)>;

class Route {
public:
    Route(std::string the_method, std::string the_path, Handler the_handler)
        : method(std::move(the_method)), path(std::move(the_path)), handler(std::move(the_handler)) {}
    std::string method, path;
    Handler handler;
};

inline Route get(std::string path, Handler handler) { return Route("GET", std::move(path), std::move(handler)); }
inline Route post(std::string path, Handler handler) { return Route("POST", std::move(path), std::move(handler)); }
inline Route put(std::string path, Handler handler) { return Route("PUT", std::move(path), std::move(handler)); }
inline Route del(std::string path, Handler handler) { return Route("DELETE", std::move(path), std::move(handler)); }

class Router;

class Application {
public:
    Application();
    ~Application();
    Application(Application&&) noexcept;
    Application& operator=(Application&&) noexcept;

    // Throw std::invalid_argument: a path that does not begin with "/", a brace within a segment, a route that is there
    // already.
    void add_route(std::string method, std::string path, Handler handler);
    void add_routes(std::initializer_list<Route> routes);
    void add_get(std::string path, Handler handler) { add_route("GET", std::move(path), std::move(handler)); }
    void add_post(std::string path, Handler handler) { add_route("POST", std::move(path), std::move(handler)); }

    // The answer to a request, without a network: for tests. Errors of the handler are thrown, HttpError is not.
    Coro<Response> handle(Request& request) const;

private:
    friend class AppRunner;
    std::unique_ptr<Router> router_;
};

}  // namespace coroscope::http
