// lock_held_long: a lock that is held for long while others wait for it.
#include <gtest/gtest.h>

#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

using vocabulary::EventKind;
using vocabulary::Verb;

constexpr std::uint64_t lock_id = 9;

void define_lock(BatchBuilder& b) {
    v2::Resource& lock = *b.batch().add_resources();
    lock.set_id(lock_id);
    lock.set_type(static_cast<std::uint32_t>(vocabulary::ResourceType::lock));
    lock.set_name("accounts");
    lock.set_created_ns(1000);
}

// Task 2 holds the lock and waits for a timer at worker.cpp:33; task 1 waits for the lock at main.cpp:12.
AppUnderTest held() {
    AppUnderTest app;
    BatchBuilder b = app.next();
    define_lock(b);
    b.ready(2000, 1).begin(2001, 1);
    b.event(2002, EventKind::wait_holder).subject(1).argument(2);
    app.apply(b.end(2002, 1, Verb::acquire, lock_id, 4));
    return app;
}

TEST(LockHeldLong, WhileItLasts) {
    AppUnderTest app = held();
    app.apply(app.next().thread(2).job(3000, 2000 + 1500 * ms, 0));
    const auto found = app.problems("lock_held_long");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].task, 2u);
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:33");
    EXPECT_TRUE(contains(found[0].summary, "lock 'accounts'")) << found[0].summary;
    EXPECT_TRUE(contains(found[0].summary, "1 task waited")) << found[0].summary;
    EXPECT_TRUE(contains(found[0].evidence, "main.cpp:12")) << found[0].evidence;
}

TEST(LockHeldLong, WhenItIsOver) {
    AppUnderTest app = held();
    BatchBuilder b = app.next();
    std::uint64_t t = 2 * s;
    b.ready(t, 2).begin(t + 1, 2).ready(t + 2, 1, 2).end(t + 3, 2, Verb::timer, 0, 5).begin(t + 4, 1);
    app.apply(b.end(t + 5, 1, Verb::timer, 0, 4));
    const auto found = app.problems("lock_held_long");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].task, 2u);
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:33");
    EXPECT_EQ(found[0].duration_ns / ms, 1999u);
}

TEST(LockHeldLong, SilentBelowTheLimit) {
    AppUnderTest app = held();
    app.apply(app.next().thread(2).job(3000, 900 * ms, 0));
    EXPECT_TRUE(app.problems("lock_held_long").empty());
}

TEST(LockHeldLong, SilentWhereManyHoldItForShort) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    define_lock(b);
    b.created(1500, 3, 1, 3).begin(1501, 3).event(1502, EventKind::wait_holder).subject(3).argument(2);
    b.end(1502, 3, Verb::acquire, lock_id, 5);
    b.ready(2000, 1).begin(2001, 1).event(2002, EventKind::wait_holder).subject(1).argument(2);
    b.end(2002, 1, Verb::acquire, lock_id, 4);
    // Task 2 lets go after 0.6 s, task 3 has it for 0.6 s: task 1 waits for 1.2 s, but for two of them.
    std::uint64_t t = 600 * ms;
    b.ready(t, 2).begin(t + 1, 2).ready(t + 2, 3, 2).end(t + 3, 2, Verb::timer, 0, 7).begin(t + 4, 3);
    b.end(t + 5, 3, Verb::timer, 0, 5);
    t = 1200 * ms;
    b.ready(t, 3).begin(t + 1, 3).ready(t + 2, 1, 3).end(t + 3, 3, Verb::timer, 0, 5).begin(t + 4, 1);
    app.apply(b.end(t + 5, 1, Verb::timer, 0, 4));
    EXPECT_TRUE(app.problems("lock_held_long").empty());
}

TEST(LockHeldLong, SilentWhereEventsOfTheOwnerWereLost) {
    AppUnderTest app = held();
    app.apply(app.next().gap(1, 3, 3000, 4000));
    app.apply(app.next().thread(2).job(5000, 3 * s, 0));
    EXPECT_TRUE(app.problems("lock_held_long").empty());
}

}  // namespace
}  // namespace coroscope::analysis::test
