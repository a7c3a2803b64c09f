// Resources in the fold: who holds them, who waits, who used them, how full they are; and annotations.
#include <gtest/gtest.h>

#include "tests/model/batches.hpp"

namespace coroscope::model {
namespace {

using test::BatchBuilder;
using vocabulary::EventKind;
using vocabulary::pack_use;

class Resources : public testing::Test {
protected:
    // A loop that runs tasks 1, 2 and 3.
    Resources() {
        BatchBuilder b = next();
        test::define_program(b);
        b.loop_started(1000, 7);
        for (TaskId id = 1; id <= 3; ++id) b.created(1000 + id, id, id == 1 ? 0 : 1, id == 1 ? 1 : 3);
        model_.apply(b);
    }
    BatchBuilder next() { return BatchBuilder(++sequence_); }
    static void define(BatchBuilder& b, ResourceId id, ResourceType type, const std::string& name = {}) {
        v2::Resource& resource = *b.batch().add_resources();
        resource.set_id(id);
        resource.set_type(static_cast<std::uint32_t>(type));
        resource.set_name(name);
        resource.set_created_at(2);
        resource.set_created_by(1);
        resource.set_created_ns(1100);
    }
    const Resource& resource(ResourceId id) { return *model_.resource(id); }

    Model model_;
    std::uint64_t sequence_ = 0;
};

TEST_F(Resources, ADefinitionIsKept) {
    BatchBuilder b = next();
    define(b, 5, ResourceType::queue, "jobs");
    b.batch().mutable_resources(0)->set_capacity(64);
    model_.apply(b);
    EXPECT_EQ(resource(5).type, ResourceType::queue);
    EXPECT_EQ(resource(5).name, "jobs");
    EXPECT_EQ(resource(5).created_at, 2u);
    EXPECT_EQ(resource(5).created_by, 1u);
    EXPECT_EQ(resource(5).created_ns, 1100u);
    EXPECT_EQ(resource(5).capacity, 64);
    EXPECT_EQ(model_.resources().size(), 1u);
    EXPECT_EQ(model_.resource(6), nullptr);
}

TEST_F(Resources, TheHolderTravelsWithTheWaitAndTheLockIsHandedOn) {
    BatchBuilder b = next();
    define(b, 5, ResourceType::lock);
    b.begin(1200, 2).event(1290, EventKind::wait_holder).subject(2).argument(1).end(1290, 2, Verb::acquire, 5, 5);
    b.begin(1300, 3).event(1390, EventKind::wait_holder).subject(3).argument(1).end(1390, 3, Verb::acquire, 5, 5);
    model_.apply(b);
    EXPECT_EQ(model_.task(2)->wait.holder, 1u);
    EXPECT_EQ(model_.owner(resource(5)), 1u);
    EXPECT_EQ(model_.waiters(5), (std::vector<TaskId>{2, 3}));

    model_.apply(next().ready(1500, 2, 1));  // released by task 1: handed over to task 2
    EXPECT_EQ(model_.owner(resource(5)), 2u);
    EXPECT_EQ(model_.waiters(5), (std::vector<TaskId>{3}));

    model_.apply(next().ready(1600, 3, 2));
    EXPECT_EQ(model_.owner(resource(5)), 0u) << "nobody waits: its holder need not say when it lets go";
}

TEST_F(Resources, ATaskThatIsWokenToBeCancelledDoesNotGetTheLock) {
    BatchBuilder b = next();
    define(b, 5, ResourceType::lock);
    b.begin(1200, 2).event(1290, EventKind::wait_holder).subject(2).argument(1).end(1290, 2, Verb::acquire, 5, 5);
    b.begin(1300, 3).event(1390, EventKind::wait_holder).subject(3).argument(1).end(1390, 3, Verb::acquire, 5, 5);
    b.cancel(1500, 2, 1).ready(1500, 2, 1);
    model_.apply(b);
    EXPECT_EQ(model_.owner(resource(5)), 1u);
}

TEST_F(Resources, AHolderBelongsToOneWaitOnly) {
    BatchBuilder b = next();
    define(b, 5, ResourceType::lock);
    b.begin(1200, 2).event(1290, EventKind::wait_holder).subject(2).argument(1).end(1290, 2, Verb::acquire, 5, 5);
    b.ready(1400, 2, 1).begin(1500, 2).end(1600, 2, Verb::timer, 0, 5);
    model_.apply(b);
    EXPECT_EQ(model_.task(2)->wait.holder, 0u);
}

TEST_F(Resources, UsersLevelsAndMembers) {
    BatchBuilder b = next();
    define(b, 5, ResourceType::queue);
    define(b, 6, ResourceType::task_group);
    b.event(1200, EventKind::resource_used).subject(5).argument(pack_use(Role::put, 2)).stack(5);
    b.event(1210, EventKind::resource_used).subject(5).argument(pack_use(Role::get, 3)).stack(0);
    b.event(1220, EventKind::resource_used).subject(5).argument(pack_use(Role::put, 2)).stack(5);
    b.event(1230, EventKind::resource_level).subject(5).argument(9);
    b.event(1240, EventKind::resource_level).subject(5).argument(4);
    b.event(1250, EventKind::member).subject(6).argument(2).event(1251, EventKind::member).subject(6).argument(3);
    model_.apply(b);
    ASSERT_EQ(resource(5).users.size(), 2u);
    EXPECT_EQ(resource(5).users[0].task, 2u);
    EXPECT_EQ(resource(5).users[0].role, Role::put);
    EXPECT_EQ(resource(5).users[0].first_ns, 1200u);
    EXPECT_EQ(resource(5).level, 4u);
    EXPECT_EQ(resource(5).high_water, 9u);
    EXPECT_EQ(resource(6).members, (std::vector<TaskId>{2, 3}));
}

TEST_F(Resources, ClosedOnesAreKeptUpToTheLimit) {
    Limits limits;
    limits.closed_resources = 2;
    Model model(limits);
    for (ResourceId id = 1; id <= 4; ++id) {
        BatchBuilder b = next();
        define(b, id, ResourceType::event);
        v2::ClosedResource& closed = *b.batch().add_closed_resources();
        closed.set_id(id);
        closed.set_closed_ns(2000 + id);
        model.apply(b);
    }
    EXPECT_EQ(model.resource(2), nullptr);
    ASSERT_NE(model.resource(4), nullptr);
    EXPECT_EQ(model.resource(4)->closed_ns, 2004u);
}

TEST_F(Resources, LiveOnesAreBoundedAndCounted) {
    Limits limits;
    limits.resources = 2;
    Model model(limits);
    BatchBuilder b = next();
    for (ResourceId id = 1; id <= 5; ++id) define(b, id, ResourceType::event);
    model.apply(b);
    EXPECT_EQ(model.resources().size(), 2u);
    EXPECT_EQ(model.resources_refused(), 3u);
}

TEST_F(Resources, JobsRunOnTheirPool) {
    BatchBuilder b = next();
    define(b, 5, ResourceType::thread_pool);
    define(b, 6, ResourceType::job);
    b.batch().mutable_resources(1)->set_parent(5);
    b.thread(2).event(1500, EventKind::job_begin).subject(6).argument(2);
    model_.apply(b);
    EXPECT_EQ(resource(6).begun_ns, 1500u);
    EXPECT_EQ(resource(6).thread, 2u);
    EXPECT_EQ(resource(6).job_of, 2u);
    EXPECT_EQ(resource(5).level, 1u) << "running jobs";
    model_.apply(next().thread(2).event(1700, EventKind::job_end).subject(6).argument(2));
    EXPECT_EQ(resource(6).ended_ns, 1700u);
    EXPECT_EQ(resource(5).level, 0u);
    EXPECT_EQ(resource(5).high_water, 1u);
}

TEST_F(Resources, AFinishedStepKeepsWhatItWentToWaitFor) {
    model_.apply(next().begin(1200, 2).end(1300, 2, Verb::get, 5, 5));
    EXPECT_EQ(model_.loops()[0]->slices.back().wait, vocabulary::pack_wait(Verb::get, 5));
}

TEST_F(Resources, AttributesSpansMarksAndCounters) {
    BatchBuilder b = next();
    b.name(10, "order").name(11, "db").name(12, "rows");
    v2::Value& text = *b.batch().add_values();
    text.set_id(1);
    text.set_text("A-17");
    v2::Value& number = *b.batch().add_values();
    number.set_id(2);
    number.set_integer(-3);
    b.event(1200, EventKind::task_attribute).subject(2).argument(vocabulary::pack_attribute(10, 1));
    b.begin(1300, 2).event(1310, EventKind::span_begin).subject(1).argument(11).stack(5);
    b.event(1320, EventKind::span_attribute).subject(1).argument(vocabulary::pack_attribute(12, 2));
    b.event(1330, EventKind::mark).subject(2).argument(11).stack(5);
    b.event(1340, EventKind::counter).subject(12).argument(std::bit_cast<std::uint64_t>(2.5));
    model_.apply(b);
    const auto attributes = model_.attributes(Model::Of::task, 2);
    ASSERT_EQ(attributes.size(), 1u);
    EXPECT_EQ(model_.name(attributes[0].key), "order");
    EXPECT_EQ(std::get<std::string>(*model_.value(attributes[0].value)), "A-17");
    ASSERT_EQ(model_.open_spans().size(), 1u);
    EXPECT_EQ(model_.open_spans()[0]->task, 2u);
    EXPECT_EQ(std::get<std::int64_t>(*model_.value(model_.attributes(Model::Of::span, 1)[0].value)), -3);
    model_.apply(next().event(1350, EventKind::span_end).subject(1));
    ASSERT_EQ(model_.spans().size(), 2u);
    EXPECT_TRUE(model_.spans()[0].mark);
    EXPECT_EQ(model_.spans()[1].end_ns, 1350u);
    ASSERT_EQ(model_.counters().size(), 1u);
    EXPECT_EQ(model_.counters()[0]->value, 2.5);
    ASSERT_EQ(model_.counters()[0]->recent.size(), 1u);
    EXPECT_EQ(model_.counters()[0]->recent[0].time_ns, 1340u);
}

TEST_F(Resources, ANestedStepPausesTheOuterOne) {
    model_.apply(next().begin(1200, 2).begin(1300, 3).end(1400, 3, Verb::timer, 0, 5).end(1450, 2, Verb::timer, 0, 5));
    EXPECT_EQ(model_.anomalies(), 0u);
    const Loop& loop = *model_.loops()[0];
    ASSERT_EQ(loop.slices.size(), 3u);
    EXPECT_EQ(loop.slices[0].task, 2u);
    EXPECT_TRUE(loop.slices[0].continues);
    EXPECT_EQ(loop.slices[1].task, 3u);
    EXPECT_EQ(loop.slices[2].task, 2u);
    EXPECT_EQ(loop.steps_total, 2u);
    EXPECT_EQ(loop.busy_ns, 250u);
    EXPECT_EQ(model_.task(2)->busy_ns, 150u) << "without the step nested in it";
    EXPECT_EQ(model_.task(3)->busy_ns, 100u);
    EXPECT_FALSE(model_.task(2)->incomplete);
}

TEST_F(Resources, WaitsAndOutcomesMayBeUnknown) {
    BatchBuilder b = next();
    b.begin(1200, 2).end(1300, 2, Verb::unknown, 0, 0).begin(1400, 3).done(1450, 3, Outcome::unknown).finish(1500, 3);
    model_.apply(b);
    EXPECT_EQ(model_.anomalies(), 0u);
    EXPECT_EQ(model_.task(2)->state, State::suspended);
    EXPECT_EQ(model_.task(2)->suspended_at, model_.task(2)->root);
    EXPECT_EQ(model_.task(3)->state, State::done);
    EXPECT_EQ(model_.task(3)->outcome, Outcome::unknown);
    EXPECT_FALSE(model_.task(3)->incomplete);
}

TEST_F(Resources, NoNameIsMadeUpForWhatAWaitDoesNotSay) {
    EXPECT_EQ(model_.wait_words({}), "something");
    EXPECT_EQ(model_.wait_words({Verb::join, 0, 0}), "tasks");
    EXPECT_EQ(model_.wait_words({Verb::join, 2, 0}), "Task-2");
    EXPECT_EQ(model_.wait_words({Verb::acquire, 0, 0}), "a lock or semaphore");
}

TEST_F(Resources, AHeartbeatMovesTheClockOnly) {
    const std::uint64_t last_event_ns = model_.last_event_ns();
    BatchBuilder b = next();
    b.batch().set_time_ns(9'000);
    b.batch().set_backlog(3);
    model_.apply(b);
    EXPECT_EQ(model_.now_ns(), 9'000u);
    EXPECT_EQ(model_.last_event_ns(), last_event_ns);
    EXPECT_EQ(model_.backlog(), 3u);
}

TEST_F(Resources, AListOfAllTasksOfTheProcessEndsThoseThatAreNotInIt) {
    BatchBuilder b = next();
    b.thread(2).snapshot_begin(2000, 0).snapshot(2001, 2, 1, 3, Verb::timer, 0, 5).created(2002, 9, 0, 1);
    b.snapshot_end(2003, 0);
    model_.apply(b);
    EXPECT_EQ(model_.task(1)->state, State::done);
    EXPECT_EQ(model_.task(2)->state, State::suspended);
    EXPECT_EQ(model_.task(3)->state, State::done);
    EXPECT_EQ(model_.task(9)->state, State::created) << "created since";
}

}  // namespace
}  // namespace coroscope::model
