// CustomResource: something of the app's own that tasks wait on, for the debugger: a pool of connections, a rate limit.
// It does nothing but show: in the place of the future or the event that a task waits on, it shows this.
//
//     CustomResource connections("database connections", 20);
//
//     Coro<Connection> Pool::take() {
//         const CustomResource::Waiting waiting(connections);   // what this task awaits until the end of the scope
//         co_await free_connection_.wait();
//         ...
//     }
//
// Thread: the loop's. It must outlive the scopes that name it. Not a cancellation point. Locks, queues and the like
// need no such object: they are shown by themselves, and have set_name().
#pragma once

#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

#include "coroscope/detail/resource.hpp"

namespace coroscope {

class CustomResource {
public:
    // `capacity`, 0: none. `where`: the place of the construction; leave it to its default.
    explicit CustomResource(std::string_view name, std::int64_t capacity = 0,
                            const std::source_location& where = std::source_location::current())
        : name_(name), capacity_(capacity) {
        resource_.constructed(traits(), where);
    }
    CustomResource(const CustomResource&) = delete;
    CustomResource& operator=(const CustomResource&) = delete;

    // While it lives, what the current task waits on is shown as this resource. Scopes nest: the innermost one is
    // shown. Must be destroyed by the task that made it; outside of tasks it does nothing.
    class [[nodiscard("it ends at once")]] Waiting {
    public:
        explicit Waiting(CustomResource& resource)
            : task_(detail::current_task), before_(task_ != nullptr ? task_->show_wait_on(&resource) : nullptr) {}
        ~Waiting() {
            if (task_ != nullptr) task_->show_wait_on(before_);
        }
        Waiting(const Waiting&) = delete;
        Waiting& operator=(const Waiting&) = delete;

    private:
        detail::TaskControl* task_;
        CustomResource* before_;
    };

    // For the runtime: as Resource::wait().
    std::uint64_t wait(const detail::TaskControl& waiter) noexcept {
        return resource_.wait(detail::Verb::unknown, waiter, traits());
    }

private:
    detail::ResourceTraits traits() const noexcept {
        return {.type = detail::ResourceType::custom, .capacity = capacity_, .name = name_};
    }

    const std::string name_;
    const std::int64_t capacity_;
    detail::Resource resource_;
};

}  // namespace coroscope
