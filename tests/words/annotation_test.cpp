// What an app said about itself, in words: also where a span's end was lost, or where its task has ended in it.
#include "agent/words/annotation.hpp"

#include <gtest/gtest.h>

#include "tests/model/batches.hpp"

namespace coroscope::words::test {
namespace {

using model::test::BatchBuilder;
using vocabulary::EventKind;

class AnnotationWords : public ::testing::Test {
protected:
    AnnotationWords() {
        BatchBuilder b(1);
        b.name(1, "pri\nce").name(2, "user").name(3, "later").value(1, "an\x1bn");
        b.loop_started(50, 1).created(100, 7).created(100, 8).begin(200, 7);
        b.event(210, EventKind::task_attribute).subject(7).argument(vocabulary::pack_attribute(2, 1));
        b.event(1000, EventKind::span_begin).subject(1).argument(1).stack(0);
        b.event(2000, EventKind::span_begin).subject(2).argument(3).stack(0);
        b.ready(5000, 8);
        model_.apply(b);
    }

    std::string text(model::TaskId task) const { return OpenSpans(model_).text(*model_.task(task)); }

    model::Model model_;
};

TEST_F(AnnotationWords, AttributesThenTheSpansThatATaskIsIn) {
    EXPECT_EQ(text(7), "user=an\\x1bn, in span 'pri ce' for 4.00 us, in span 'later' for 3.00 us");
    EXPECT_EQ(text(8), "");
}

TEST_F(AnnotationWords, ASpanThatEndedIsNotTold) {
    model_.apply(BatchBuilder(2).event(6000, EventKind::span_end).subject(1));
    EXPECT_EQ(text(7), "user=an\\x1bn, in span 'later' for 4.00 us");
}

TEST_F(AnnotationWords, WhereEventsWereLostTheEndMayBeAmongThem) {
    BatchBuilder lossy(2);
    lossy.batch().set_dropped_total(17);
    model_.apply(lossy.event(6000, EventKind::span_end).subject(1));
    EXPECT_EQ(text(7), "user=an\\x1bn, in span 'later' for 4.00 us, unless its end was lost");
}

TEST_F(AnnotationWords, ATaskThatIsDoneIsInNoSpan) {
    model_.apply(BatchBuilder(2).finish(6000, 7).done(6000, 7));
    EXPECT_EQ(text(7), "user=an\\x1bn");
}

}  // namespace
}  // namespace coroscope::words::test
