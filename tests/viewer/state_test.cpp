// What is derived from a session: the tree's rows, lanes, wait chains, the finder, navigation.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "proto/words/function_name.hpp"
#include "scenes.hpp"
#include "script.hpp"
#include "viewer/layout/task_lane.hpp"
#include "viewer/layout/task_tree.hpp"
#include "viewer/state/derived.hpp"
#include "viewer/state/finder.hpp"
#include "viewer/state/view_state.hpp"

namespace coroscope::viewer {
namespace {

model::Session session_of(const test::Frames& frames) {
    model::Session session;
    for (const v2::Frame& frame : frames) EXPECT_TRUE(session.apply(frame));
    return session;
}

const model::Model& model_of(const model::Session& session) { return session.app(1)->model; }

std::vector<std::string> names(const model::Model& model, const TaskTree& tree) {
    std::vector<std::string> result;
    for (const TreeRow& row : tree.rows()) {
        const std::string indent(row.depth, ' ');
        result.push_back(
            indent + (row.group ? "group of " + std::to_string(row.count) : model.task_name(*model.task(row.task))));
    }
    return result;
}

TEST(TaskTree, ShowsWhoSpawnedWhom) {
    const model::Session session = session_of(test::small_scene());
    TaskTree tree;
    tree.build(model_of(session), {}, {});
    EXPECT_EQ(names(model_of(session), tree), (std::vector<std::string>{"main", " Alice", " Bob"}));
    EXPECT_TRUE(tree.rows()[0].expandable);
    EXPECT_FALSE(tree.rows()[1].expandable);
}

TEST(TaskTree, ClosesAndOpens) {
    const model::Session session = session_of(test::small_scene());
    TaskTree tree;
    Toggled toggled;
    tree.build(model_of(session), {}, toggled);
    toggle(toggled, tree.rows()[0]);
    tree.build(model_of(session), {}, toggled);
    EXPECT_EQ(names(model_of(session), tree), (std::vector<std::string>{"main"}));
    toggle(toggled, tree.rows()[0]);
    tree.build(model_of(session), {}, toggled);
    EXPECT_EQ(tree.rows().size(), 3u);
}

TEST(TaskTree, FilterKeepsTheWayToWhatMatches) {
    const model::Session session = session_of(test::small_scene());
    TaskTree tree;
    TreeOptions options;
    options.filter = "bob";
    tree.build(model_of(session), options, {});
    EXPECT_EQ(names(model_of(session), tree), (std::vector<std::string>{"main", " Bob"}));
    EXPECT_TRUE(tree.rows()[0].context);
    EXPECT_FALSE(tree.rows()[1].context);
    EXPECT_EQ(tree.matching(), 1u);
    options.filter = "greet done";  // a word of the coroutine, one of the state
    tree.build(model_of(session), options, {});
    EXPECT_EQ(tree.matching(), 2u);
    options.filter = "nothing-like-this";
    tree.build(model_of(session), options, {});
    EXPECT_TRUE(tree.rows().empty());
}

TEST(TaskTree, FilterLooksAtFilesAndWaits) {
    const model::Session session = session_of(test::service_scene());
    TaskTree tree;
    TreeOptions options;
    options.fold = false;
    options.filter = "pipeline.cpp item";
    tree.build(model_of(session), options, {});
    std::set<std::string> found;
    for (const TreeRow& row : tree.rows()) {
        if (!row.context) found.insert(model_of(session).task_name(*model_of(session).task(row.task)));
    }
    for (const std::string& name : found) EXPECT_EQ(name.substr(0, 8), "consumer");
    EXPECT_FALSE(found.empty());
}

TEST(TaskTree, HidesWhatIsDone) {
    const model::Session session = session_of(test::service_scene());
    TaskTree tree;
    TreeOptions options;
    options.show_done = false;
    options.fold = false;
    tree.build(model_of(session), options, {});
    EXPECT_EQ(tree.matching(), model_of(session).live_tasks().size());
    for (const TreeRow& row : tree.rows()) {
        EXPECT_TRUE(row.context || model_of(session).task(row.task)->state != model::State::done);
    }
}

TEST(TaskTree, FoldsByCreationSite) {
    const model::Session session = session_of(test::crowd_scene(10'000));
    const model::Model& model = model_of(session);
    TaskTree tree;
    Toggled toggled;
    tree.build(model, {}, toggled);
    ASSERT_EQ(names(model, tree), (std::vector<std::string>{"main", " group of 2500", " group of 7500"}));
    std::uint32_t sum = 0;
    for (const std::uint32_t count : tree.rows()[1].states) sum += count;
    EXPECT_EQ(sum, 2500u);
    toggle(toggled, tree.rows()[2]);
    tree.build(model, {}, toggled);
    EXPECT_EQ(tree.rows().size(), 3u + 7500);
    EXPECT_EQ(tree.rows()[3].depth, 2);
    TreeOptions flat;
    flat.fold = false;
    tree.build(model, flat, {});
    EXPECT_EQ(tree.rows().size(), 10'001u);
}

TEST(TaskTree, RevealOpensWhatHidesATask) {
    const model::Session session = session_of(test::crowd_scene(1'000));
    const model::Model& model = model_of(session);
    TaskTree tree;
    Toggled toggled;
    tree.build(model, {}, toggled);
    toggle(toggled, tree.rows()[0]);  // main is closed, too
    const model::TaskId wanted = 777;
    reveal(model, {}, toggled, wanted);
    tree.build(model, {}, toggled);
    EXPECT_TRUE(std::any_of(tree.rows().begin(), tree.rows().end(),
                            [&](const TreeRow& row) { return !row.group && row.task == wanted; }));
}

TEST(TaskTree, SortsSiblings) {
    const model::Session session = session_of(test::service_scene());
    const model::Model& model = model_of(session);
    TaskTree tree;
    for (const SortBy by : {SortBy::busy, SortBy::steps, SortBy::age, SortBy::name, SortBy::state, SortBy::coroutine,
                            SortBy::waits_for}) {
        for (const bool descending : {false, true}) {
            TreeOptions options;
            options.fold = false;
            options.sort = by;
            options.descending = descending;
            tree.build(model, options, {});
            EXPECT_EQ(tree.rows().size(), model.all_tasks().size());
            if (by != SortBy::busy) continue;
            std::uint64_t before = descending ? ~0ull : 0;
            for (const TreeRow& row : tree.rows()) {
                if (row.depth != 1) continue;
                const std::uint64_t busy = model.task(row.task)->busy_ns;
                EXPECT_TRUE(descending ? busy <= before : busy >= before);
                before = busy;
            }
        }
    }
}

TEST(Why, TheChainOfTheSelectedTaskIsKept) {
    const model::Session session = session_of(test::service_scene());
    const model::Model& model = model_of(session);
    model::TaskId a = 0, b = 0;
    for (const model::Task* task : model.live_tasks()) {
        if (model.task_name(*task) == "transfer-a") a = task->id;
        if (model.task_name(*task) == "transfer-b") b = task->id;
    }
    ASSERT_NE(a, 0u);
    EXPECT_EQ(model.awaiters(a), (std::vector<model::TaskId>{b}));
    ViewState state;
    state.app = 1;
    state.task = a;
    Derived derived;
    derived.update(session, state, 1);
    ASSERT_GE(derived.why().size(), 2u);
    EXPECT_EQ(derived.why()[0].task, a);
    EXPECT_EQ(derived.why()[1].task, b);
    EXPECT_NE(derived.why().back().text.find("circle"), std::string::npos) << derived.why().back().text;
    state.task = 999'999;
    derived.update(session, state, 2);
    EXPECT_TRUE(derived.why().empty());
}

// Spans of a lane are in order, do not overlap, and at full zoom add up to the task's busy time.
TEST(TaskLane, SpansTellTheTasksStory) {
    const model::Session session = session_of(test::service_scene());
    const model::Model& model = model_of(session);
    LaneIndex index;
    std::vector<Lane> all;
    for (const model::Task* task : model.all_tasks()) all.push_back({task->id, 0, 1});
    index.update(model, all);
    int compared = 0;
    for (const model::Task* task : model.all_tasks()) {
        const TaskSlices* lane = index.find(task->id);
        ASSERT_NE(lane, nullptr);
        for (const float width : {1e9f, 900.0f}) {
            const TimeAxis axis{history(model), 0, width};
            double busy = 0, before = 0;
            for (const Span& span : spans(model, *task, *lane, axis)) {
                EXPECT_GE(span.begin_ns, before - 1);
                EXPECT_GT(span.end_ns, span.begin_ns);
                before = span.end_ns;
                busy += span.busy_ns;
            }
            if (width < 1e6f || task->state == model::State::running) continue;
            EXPECT_NEAR(busy, static_cast<double>(task->busy_ns), 1e3) << model.task_name(*task);
            ++compared;
        }
    }
    EXPECT_GT(compared, 20);
}

TEST(TaskLane, IndexFollowsAGrowingModel) {
    const test::Frames frames = test::service_scene();
    const model::NodeId root = model_of(session_of(frames)).task(13)->root;  // of the connections
    model::Session session;
    LaneIndex growing;
    for (const v2::Frame& frame : frames) {
        session.apply(frame);
        growing.update(session.app(1)->model, {{3, 0, 1}, {5, 0, 1}, {7, 0, 1}, {0, root, 1}});
    }
    LaneIndex whole;
    whole.update(model_of(session), {{3, 0, 1}, {5, 0, 1}, {7, 0, 1}, {0, root, 1}});
    for (const model::TaskId id : {3, 5, 7}) {
        ASSERT_NE(growing.find(id), nullptr);
        ASSERT_EQ(growing.find(id)->slices.size(), whole.find(id)->slices.size());
        EXPECT_FALSE(whole.find(id)->slices.empty());
    }
    std::size_t steps = 0;
    for (const model::Task* task : model_of(session).all_tasks()) steps += task->root == root ? task->steps : 0;
    ASSERT_NE(growing.find_group(root), nullptr);
    EXPECT_EQ(growing.find_group(root)->slices.size(), steps);
    EXPECT_EQ(whole.find_group(root)->slices.size(), steps);
    growing.update(model_of(session), {{5, 0, 1}});
    EXPECT_EQ(growing.find_group(root), nullptr);
    EXPECT_EQ(growing.find(3), nullptr);
    EXPECT_NE(growing.find(5), nullptr);
}

TEST(TaskLane, WakesConnectTheProducerWithTheConsumer) {
    const model::Session session = session_of(test::service_scene());
    const model::Model& model = model_of(session);
    std::vector<Lane> shown;
    model::TaskId consumer = 0;
    for (const model::Task* task : model.live_tasks()) {
        const std::string name = model.task_name(*task);
        if (name.starts_with("producer") || name.starts_with("consumer")) shown.push_back({task->id, 0, 1});
        if (name == "consumer-1") consumer = task->id;
    }
    LaneIndex index;
    index.update(model, shown);
    const std::vector<Wake> all = wakes(index, consumer, shown, history(model), 1'000'000);
    ASSERT_FALSE(all.empty());
    for (const Wake& wake : all) {
        EXPECT_EQ(wake.to, consumer);
        EXPECT_TRUE(model.task_name(*model.task(wake.from)).starts_with("producer"));
        EXPECT_LE(wake.from_ns, wake.to_ns);
    }
    EXPECT_TRUE(wakes(index, consumer, shown, history(model), 3).empty()) << "too many to be of use";
}

TEST(Busiest, LongestFirstAndCrowdsTogether) {
    const model::Session session = session_of(test::service_scene());
    const model::Model& model = model_of(session);
    const std::vector<Lane> lanes = busiest_lanes(model, history(model), 100);
    std::size_t groups = 0, tasks = 0;
    std::uint64_t before = ~0ull;
    for (const Lane& lane : lanes) {
        tasks += lane.tasks;
        if (lane.group()) {
            ++groups;
            EXPECT_EQ(words::short_function_name(model.site_of(lane.root)->function), "handle_connection");
            continue;
        }
        EXPECT_LE(model.task(lane.task)->busy_ns, before);
        before = model.task(lane.task)->busy_ns;
    }
    EXPECT_EQ(groups, 1u);
    EXPECT_EQ(tasks, model.all_tasks().size());
    EXPECT_EQ(busiest_lanes(model, history(model), 3).size(), 3u);
    for (const Lane& lane : busiest_lanes(model, history(model), 100, 1'000)) EXPECT_FALSE(lane.group());
}

TEST(Finder, RanksExactOverScattered) {
    EXPECT_GT(fuzzy_score("consumer-1", "consumer"), fuzzy_score("consumer-1", "csm"));
    EXPECT_GT(fuzzy_score("consumer-1", "csm"), 0);
    EXPECT_EQ(fuzzy_score("consumer-1", "xyz"), 0);
    EXPECT_GT(fuzzy_score("handle_connection", "hc"), fuzzy_score("the_second", "hc")) << "begins of words count more";
    const model::Session session = session_of(test::service_scene());
    const auto found = find_tasks(model_of(session), "prod1", 5);
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(model_of(session).task_name(*model_of(session).task(found[0].task)), "producer-1");
}

TEST(Navigation, BackForwardAndUndo) {
    Navigation way;
    EXPECT_EQ(way.back(), 0u);
    for (const model::TaskId id : {1, 2, 2, 3}) way.visit(id);
    EXPECT_EQ(way.back(), 2u);
    EXPECT_EQ(way.back(), 1u);
    EXPECT_FALSE(way.can_go_back());
    EXPECT_EQ(way.forward(), 2u);
    way.visit(9);
    EXPECT_FALSE(way.can_go_forward());
    EXPECT_EQ(way.back(), 2u);
    for (model::TaskId id = 1; id < 1000; ++id) way.visit(id);
    int steps = 0;
    while (way.can_go_back()) way.back(), ++steps;
    EXPECT_LT(steps, 201);
    EXPECT_FALSE(way.undo());
    way.left({1, 2});
    way.left({1, 2});
    way.left({3, 4});
    EXPECT_EQ(way.undo()->begin_ns, 3);
    EXPECT_EQ(way.undo()->begin_ns, 1);
    EXPECT_FALSE(way.undo());
}

TEST(ViewState, FollowsTheNewestUntilPanned) {
    const test::Frames frames = test::service_scene();
    model::Session session;
    ViewState state;
    for (const v2::Frame& frame : frames) {
        session.apply(frame);
        state.advance(session.app(1)->model, 0.033, true);
        if (session.app(1)->model.now_ns() == 0) continue;
        EXPECT_TRUE(state.timeline.range.shown().contains(static_cast<double>(session.app(1)->model.now_ns())));
    }
    state.jump_to(static_cast<double>(model_of(session).first_ns()) + 1e9, 1e9);
    EXPECT_FALSE(state.timeline.follow);
    while (state.advance(model_of(session), 0.033, true)) {
    }
    EXPECT_NEAR(state.timeline.range.shown().middle_ns(), static_cast<double>(model_of(session).first_ns()) + 1e9, 1e6);
    state.undo_range();
    EXPECT_TRUE(state.timeline.range.target().contains(static_cast<double>(model_of(session).now_ns())));
}

TEST(ViewState, AFileIsShownWhole) {
    const model::Session session = session_of(test::service_scene());
    ViewState state;
    state.advance(model_of(session), 0.033, false);
    EXPECT_LE(state.timeline.range.shown().begin_ns, history(model_of(session)).begin_ns);
    EXPECT_GE(state.timeline.range.shown().end_ns, history(model_of(session)).end_ns);
}

// An app that is started again is followed, unless something in the one before is being looked at.
TEST(ViewState, FollowsTheNextRunOfAnApp) {
    model::Session session = session_of(test::small_scene());
    ViewState state;
    state.choose_some_app(session);
    EXPECT_EQ(state.app, 1u);
    v2::Frame gone;
    gone.set_app(1);
    gone.mutable_disconnected()->set_orderly(true);
    ASSERT_TRUE(session.apply(gone));
    state.choose_some_app(session);
    EXPECT_EQ(state.app, 1u);
    ViewState looking = state;
    looking.select(model_of(session), 2);
    for (v2::Frame frame : test::small_scene()) {
        frame.set_app(2);
        session.apply(frame);
    }
    state.choose_some_app(session);
    looking.choose_some_app(session);
    EXPECT_EQ(state.app, 2u);
    EXPECT_EQ(looking.app, 1u);
}

TEST(Throttle, OwnChoicesAtOnceOthersInTime) {
    Throttle throttle(0.5);
    EXPECT_TRUE(throttle.due(0, 1, 1));
    throttle.took(0, 0.001);
    EXPECT_FALSE(throttle.due(0.1, 1, 1));
    EXPECT_FALSE(throttle.waiting());
    EXPECT_FALSE(throttle.due(0.1, 2, 1));
    EXPECT_TRUE(throttle.waiting());
    EXPECT_TRUE(throttle.due(0.1, 2, 2)) << "the user's own choice does not wait";
    throttle.took(0.1, 0.1);  // costly: at most a twentieth of the time
    EXPECT_FALSE(throttle.due(1.0, 3, 2));
    EXPECT_TRUE(throttle.due(2.2, 3, 2));
}

TEST(Derived, ChoosesAnAppAndFindsItsLanes) {
    const model::Session session = session_of(test::service_scene());
    ViewState state;
    Derived derived;
    state.choose_some_app(session);
    EXPECT_EQ(state.app, 1u);
    state.advance(model_of(session), 0, false);
    state.select(model_of(session), 5);
    derived.update(session, state, 1);
    ASSERT_FALSE(derived.shown_lanes().empty());
    EXPECT_EQ(derived.shown_lanes().front().task, 5u);
    EXPECT_FALSE(derived.tree().rows().empty());
    EXPECT_FALSE(derived.problems().empty());
}

TEST(Problems, AreRecognisedWhenTheListChanges) {
    analysis::Problem slow, deadlock;
    slow.kind = "slow_step";
    slow.site = {"f", "a.cpp", 3};
    deadlock.kind = "deadlock";
    const std::string chosen = identity(slow);
    EXPECT_EQ(index_of({slow}, chosen, 0), 0u);
    EXPECT_EQ(index_of({deadlock, slow}, chosen, 0), 1u);
    EXPECT_EQ(index_of({deadlock}, chosen, 5), 0u) << "gone";
    EXPECT_EQ(index_of({deadlock, slow}, "", 1), 1u) << "nothing was chosen";
    EXPECT_EQ(index_of({}, chosen, 1), 0u);
}

}  // namespace
}  // namespace coroscope::viewer
