// An app as a web server's: the user's main starts a server of the library; a task for each connection waits in the
// library, or runs the user's handler.
#pragma once

#include "tests/model/batches.hpp"

namespace coroscope::words::test {

struct WebApp {
    static constexpr model::TaskId main = 1, server = 2, idle = 3, busy = 4;
    static constexpr model::ResourceId jobs = 5;
    static constexpr model::NodeId main_at = 2;  // in the user's main, starting the server

    WebApp() {
        using vocabulary::NodeKind;
        using vocabulary::Verb;
        model::test::BatchBuilder b(1);
        b.site(1, "async_main", "examples/web.cpp", 20).site(2, "async_main", "examples/web.cpp", 27);
        b.site(3, "coroscope::net::accept_loop", "runtime/src/net/server.cpp", 40);
        b.site(4, "coroscope::net::accept_loop", "runtime/src/net/server.cpp", 44);
        b.site(5, "coroscope::http::serve_client", "runtime/src/http/runner.cpp", 17);
        b.site(6, "coroscope::http::serve_client", "runtime/src/http/runner.cpp", 30);
        b.site(7, "coroscope::Stream::read", "runtime/src/net/stream.cpp", 70);
        b.site(8, "coroscope::Stream::read", "runtime/src/net/stream.cpp", 75);
        b.site(9, "coroscope::http::serve_client", "runtime/src/http/runner.cpp", 33);
        b.site(10, "handle", "examples/web.cpp", 10).site(11, "handle", "examples/web.cpp", 14);
        b.node(1, 0, 1, NodeKind::task).node(2, 1, 2, NodeKind::call);        // async_main, at line 27
        b.node(3, 2, 3, NodeKind::task).node(4, 3, 4, NodeKind::call);        // accept_loop, created there; at 44
        b.node(5, 4, 5, NodeKind::task).node(6, 5, 6, NodeKind::call);        // serve_client, created there; at 30
        b.node(7, 6, 7, NodeKind::frame).node(8, 7, 8, NodeKind::call);       // Stream::read, at 75
        b.node(9, 5, 9, NodeKind::call).node(10, 9, 10, NodeKind::frame);     // serve_client at 33: handle
        b.node(11, 10, 11, NodeKind::call).node(12, 11, 7, NodeKind::frame);  // handle at 14: Stream::read
        b.node(13, 12, 8, NodeKind::call);                                    // at 75
        b.name(1, "idle").name(2, "bu\x1b[31msy");
        v2::Resource& queue = *b.batch().add_resources();
        queue.set_id(jobs);
        queue.set_type(static_cast<std::uint32_t>(vocabulary::ResourceType::queue));
        queue.set_name(
            "jo\x1b"
            "bs");
        b.loop_started(100, 7).created(100, main, 0, 1).begin(101, main).created(102, server, main, 3);
        b.end(103, main, Verb::join, server, 2).begin(104, server);
        b.created(105, idle, server, 5).named(105, idle, 1).created(106, busy, server, 5).named(106, busy, 2);
        b.end(107, server, Verb::descriptor_read, 3, 4);
        b.begin(108, idle).end(109, idle, Verb::descriptor_read, 9, 8);
        b.begin(110, busy).end(111, busy, Verb::get, 5, 13);
        model.apply(b);
    }

    const model::Task& task(model::TaskId id) const { return *model.task(id); }

    model::Model model;
};

}  // namespace coroscope::words::test
