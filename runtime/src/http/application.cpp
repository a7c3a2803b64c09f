#include "coroscope/http/application.hpp"

#include <optional>

#include "router.hpp"

namespace coroscope::http {

Application::Application() : router_(std::make_unique<Router>()) {}
Application::~Application() = default;
Application::Application(Application&&) noexcept = default;
Application& Application::operator=(Application&&) noexcept = default;

void Application::add_route(std::string method, std::string path, Handler handler) {
    router_->add(Route(std::move(method), std::move(path), std::move(handler)));
}

void Application::add_routes(std::initializer_list<Route> routes) {
    for (const Route& route : routes) router_->add(route);
}

Coro<Response> Application::handle(Request& request) const {
    std::string allowed;
    try {
        const Handler& handler = router_->find(request, allowed);
        co_return co_await handler(request);
    } catch (const HttpError& error) {
        Response response = Response::text(error.what(), error.status());
        if (error.status() == 405 && !allowed.empty()) response.headers.set("Allow", allowed);
        co_return response;
    }
}

}  // namespace coroscope::http
