// The probe's numbers are the wire's numbers.
#include <gtest/gtest.h>

#include <string>

#include "coroscope/detail/wait.hpp"
#include "coroscope/v2/events.pb.h"
#include "runtime/src/probe/definitions.hpp"
#include "runtime/src/probe/record.hpp"
#include "runtime/src/probe/registry.hpp"

namespace coroscope {
namespace {

TEST(Kinds, AreThoseOfTheWire) {
    using probe::EventKind;
    const auto same = [](EventKind ours, v2::EventKind wire) {
        return static_cast<int>(ours) == static_cast<int>(wire);
    };
    EXPECT_TRUE(same(EventKind::task_created, v2::TASK_CREATED));
    EXPECT_TRUE(same(EventKind::task_named, v2::TASK_NAMED));
    EXPECT_TRUE(same(EventKind::task_ready, v2::TASK_READY));
    EXPECT_TRUE(same(EventKind::step_begin, v2::STEP_BEGIN));
    EXPECT_TRUE(same(EventKind::step_end, v2::STEP_END));
    EXPECT_TRUE(same(EventKind::task_done, v2::TASK_DONE));
    EXPECT_TRUE(same(EventKind::cancel_requested, v2::CANCEL_REQUESTED));
    EXPECT_TRUE(same(EventKind::loop_started, v2::LOOP_STARTED));
    EXPECT_TRUE(same(EventKind::loop_stopped, v2::LOOP_STOPPED));
    EXPECT_TRUE(same(EventKind::poll_begin, v2::POLL_BEGIN));
    EXPECT_TRUE(same(EventKind::poll_end, v2::POLL_END));
    EXPECT_TRUE(same(EventKind::callback_begin, v2::CALLBACK_BEGIN));
    EXPECT_TRUE(same(EventKind::callback_end, v2::CALLBACK_END));
    EXPECT_TRUE(same(EventKind::job_begin, v2::JOB_BEGIN));
    EXPECT_TRUE(same(EventKind::job_end, v2::JOB_END));
    EXPECT_TRUE(same(EventKind::snapshot_begin, v2::SNAPSHOT_BEGIN));
    EXPECT_TRUE(same(EventKind::snapshot_task, v2::SNAPSHOT_TASK));
    EXPECT_TRUE(same(EventKind::snapshot_state, v2::SNAPSHOT_STATE));
    EXPECT_TRUE(same(EventKind::snapshot_end, v2::SNAPSHOT_END));
}

TEST(Kinds, WaitsAreThoseOfTheWireInAllThreePlaces) {
    for (int kind = 0; kind < 16; ++kind) {
        if (!v2::WaitKind_IsValid(kind)) continue;
        EXPECT_EQ(probe::Wait(static_cast<probe::WaitKind>(kind), 5).bits,
                  detail::wait_bits(static_cast<detail::WaitKind>(kind), 5));
    }
    EXPECT_EQ(static_cast<int>(detail::WaitKind::yield), v2::WAIT_YIELD);
    EXPECT_EQ(static_cast<int>(probe::WaitKind::queue_get), v2::WAIT_QUEUE_GET);
    EXPECT_EQ(static_cast<int>(probe::Outcome::cancelled), v2::OUTCOME_CANCELLED);
    EXPECT_EQ(static_cast<int>(probe::NodeKind::task), v2::StackNode::TASK);
    EXPECT_EQ(static_cast<int>(probe::Report::Kind::callback_exception), v2::Report::CALLBACK_EXCEPTION);
}

}  // namespace
}  // namespace coroscope
