// Async stacks: paths of the calling-context tree as coroutines with the lines where they stand.
#include <gtest/gtest.h>

#include "batches.hpp"

namespace coroscope::model::test {
namespace {

using Frames = std::vector<std::string>;

Frames text(const std::vector<Model::StackFrame>& frames) {
    Frames all;
    for (const auto& frame : frames)
        all.push_back(std::string(frame.function) + " " + std::string(frame.file) + ":" + std::to_string(frame.line));
    return all;
}

class Stacks : public ::testing::Test {
protected:
    Stacks() {
        BatchBuilder b(1);
        define_program(b);
        b.loop_started(1, 1).created(1000, 1, 0, 1).created(1001, 2, 1, 3);
        model_.apply(b);
    }
    Model model_;
};

TEST_F(Stacks, EachCoroutineStandsWhereItAwaitsTheNext) {
    EXPECT_EQ(text(model_.stack(7)), (Frames{"worker worker.cpp:22", "helper worker.cpp:33"}));
}

TEST_F(Stacks, AFrameWithoutAPlaceStandsAtItsDefinition) {
    EXPECT_EQ(text(model_.stack(6)), (Frames{"worker worker.cpp:22", "helper worker.cpp:30"}));
    EXPECT_EQ(text(model_.stack(3)), (Frames{"worker worker.cpp:20"}));
}

TEST_F(Stacks, TheNodeOfAFrameIsThePlaceWhereItStands) {
    const auto frames = model_.stack(7);
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_EQ(frames[0].node, 5u);
    EXPECT_EQ(frames[1].node, 7u);
}

TEST_F(Stacks, OfATask) {
    const Task& worker = *model_.task(2);
    EXPECT_EQ(text(model_.await_stack(worker)), (Frames{"worker worker.cpp:20"}));
    EXPECT_EQ(text(model_.creation_stack(worker)), (Frames{"app_main main.cpp:11"}));
    EXPECT_TRUE(model_.creation_stack(*model_.task(1)).empty());
    model_.apply(BatchBuilder(2).begin(2000, 2).end(2001, 2, vocabulary::Verb::timer, 0, 7));
    EXPECT_EQ(text(model_.await_stack(worker)), (Frames{"worker worker.cpp:22", "helper worker.cpp:33"}));
    model_.apply(BatchBuilder(3).ready(2002, 2));
    EXPECT_EQ(model_.await_stack(worker).size(), 2u) << "it stands there still";
    model_.apply(BatchBuilder(4).begin(2003, 2));
    EXPECT_EQ(text(model_.await_stack(worker)), (Frames{"worker worker.cpp:20"})) << "it runs, nobody knows where";
}

TEST_F(Stacks, APlaceOutsideOfAnyCoroutineIsAFrameOfItsOwn) {
    model_.apply(BatchBuilder(2)
                     .site(20, "main", "main.cpp", 90)
                     .node(20, 0, 20, vocabulary::NodeKind::call)
                     .node(21, 20, 4, vocabulary::NodeKind::task)
                     .created(2000, 5, 0, 21));
    EXPECT_EQ(text(model_.stack(20)), (Frames{"main main.cpp:90"}));
    EXPECT_EQ(text(model_.creation_stack(*model_.task(5))), (Frames{"main main.cpp:90"}));
}

TEST_F(Stacks, UnknownNodesAndSitesAreNoError) {
    EXPECT_TRUE(model_.stack(0).empty());
    EXPECT_TRUE(model_.stack(999).empty());
    model_.apply(
        BatchBuilder(2).node(30, 29, 4, vocabulary::NodeKind::frame).node(31, 30, 999, vocabulary::NodeKind::call));
    EXPECT_EQ(text(model_.stack(31)), (Frames{"worker :0"}));
    EXPECT_EQ(model_.site(0), nullptr);
    EXPECT_EQ(model_.site(999), nullptr);
    EXPECT_EQ(model_.node(999), nullptr);
    EXPECT_EQ(model_.name(999), "");
    EXPECT_EQ(model_.coroutine(Task{}), "?");
}

TEST_F(Stacks, ACycleCannotBeDefined) {
    model_.apply(BatchBuilder(2)
                     .node(40, 41, 1, vocabulary::NodeKind::frame)
                     .node(41, 40, 1, vocabulary::NodeKind::frame)
                     .node(42, 42, 1, vocabulary::NodeKind::frame));
    EXPECT_EQ(model_.anomalies(), 2u);
    EXPECT_EQ(model_.node(40), nullptr);
    EXPECT_EQ(model_.stack(41).size(), 1u);
}

TEST_F(Stacks, AStackIsBounded) {
    BatchBuilder b(2);
    for (NodeId id = 100; id < 5000; ++id) b.node(id, id - 1, 4, vocabulary::NodeKind::frame);
    model_.apply(b);
    EXPECT_EQ(model_.stack(4999).size(), Model::max_stack_frames);
}

}  // namespace
}  // namespace coroscope::model::test
