// Rows that say the same are folded.
#include "agent/cli/alike.hpp"

#include <gtest/gtest.h>

#include "tests/model/batches.hpp"

namespace coroscope::cli {
namespace {

using model::test::BatchBuilder;

class Alike : public testing::Test {
protected:
    // Task 1 is app_main; it created `count` workers at main.cpp:11, which have not run.
    void workers(std::uint64_t count) {
        BatchBuilder b(1);
        model::test::define_program(b);
        b.loop_started(1000, 7).created(1000, 1, 0, 1);
        for (std::uint64_t i = 0; i < count; ++i) b.created(1001 + i, 2 + i, 1, 3);
        model_.apply(b);
    }
    std::vector<Shown> rows(model::TaskId must_show = 0) {
        return fold_alike(model_.live_tasks(), [=](const model::Task& task) { return task.id == must_show; });
    }

    model::Model model_;
};

TEST_F(Alike, OfManyAFewAreShownAndTheOthersCounted) {
    workers(3'000);
    const std::vector<Shown> shown = rows();
    ASSERT_EQ(shown.size(), 5u);
    EXPECT_EQ(shown[0].task->id, 1u);
    EXPECT_EQ(shown[3].left_out, 0u);
    EXPECT_EQ(shown[4].left_out, 2'997u);
    EXPECT_EQ(left_out_text(model_, shown[4]), "2997 more like this: worker, created at main.cpp:11 in app_main");
}

TEST_F(Alike, AFewAreAllShown) {
    workers(12);
    EXPECT_EQ(rows().size(), 13u);
}

TEST_F(Alike, WhatMustBeShownIs) {
    workers(100);
    const std::vector<Shown> shown = rows(50);
    ASSERT_EQ(shown.size(), 6u);
    EXPECT_EQ(shown.back().task->id, 50u);
    EXPECT_EQ(shown[4].left_out, 96u);
}

TEST_F(Alike, WhatWaitsElsewhereIsNotAlike) {
    workers(100);
    BatchBuilder b(2);
    b.begin(5000, 60).end(5001, 60, vocabulary::Verb::timer, 0, 5);
    model_.apply(b);
    const std::vector<Shown> shown = rows();
    ASSERT_EQ(shown.size(), 6u);
    EXPECT_EQ(shown.back().task->id, 60u);
}

}  // namespace
}  // namespace coroscope::cli
