// Whatever an app sends: what is made of it is valid UTF-8, on one line, without control characters.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/utf8.hpp"
#include "tests/model/batches.hpp"
#include "tests/model/history.hpp"

namespace coroscope::words::test {
namespace {

std::string random_text(std::mt19937_64& random) {
    std::string text;
    for (std::uint64_t length = random() % 20; length > 0; --length)
        text += static_cast<char>(random() % 3 == 0 ? random() % 256 : 0x20 + random() % 0x5f);
    return text;
}

// Protobuf refuses text that is no UTF-8 when it reads it, not when it is set: the model meets any bytes.
void spoil(v2::Batch& batch, std::mt19937_64& random) {
    for (v2::Site& site : *batch.mutable_sites()) {
        site.set_function(random_text(random));
        site.set_file(random_text(random));
    }
    for (v2::Name& name : *batch.mutable_names()) name.set_text(random_text(random));
}

void expect_printable(const std::string& text) { EXPECT_EQ(printable(text), text); }

TEST(Words, AreValidAndSteerNothingWhateverTheAppSends) {
    std::size_t tasks = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        std::mt19937_64 random(seed);
        model::Model model;
        for (v2::Batch batch : model::test::random_history(seed)) {
            spoil(batch, random);
            model.apply(batch);
        }
        for (const model::Task* task : model.all_tasks()) {
            ++tasks;
            const Where at = where(model, *task);
            for (const std::string& text :
                 {task_name(model, task->id), coroutine(model, *task), short_coroutine(model, *task),
                  task_title(model, *task), task_phrase(model, task->id), wait(model, task->wait), status(model, *task),
                  place(at), where_text(at), at_text(at), waits_text(model, *task, at),
                  where_text(innermost(model, *task))})
                expect_printable(text);
        }
    }
    EXPECT_GT(tasks, 100u) << "too few to mean anything";
}

}  // namespace
}  // namespace coroscope::words::test
