// Keyframes in files: what they may take, when they come, and how a file that has none gets them.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "agent/model/dump.hpp"
#include "agent/trace/file_frames.hpp"
#include "agent/trace/index_file.hpp"
#include "agent/trace/indexed_writer.hpp"
#include "agent/trace/load.hpp"
#include "app_builder.hpp"

namespace coroscope::trace::test {
namespace {

class IndexTest : public ::testing::Test {
protected:
    IndexTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "coroscope-index-XXXXXX").string();
        directory = ::mkdtemp(pattern.data());
    }
    ~IndexTest() override { std::filesystem::remove_all(directory); }
    std::string file(const std::string& name) const { return (directory / name).string(); }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory), {}));
    }

    std::filesystem::path directory;
};

std::string slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// `batches` batches of an app that creates `tasks` tasks in each; they end in the next, or never.
std::vector<v2::Frame> history_of(std::uint64_t batches, std::uint64_t tasks, bool ending) {
    std::vector<v2::Frame> frames{hello(1, "app", 4242)};
    std::mt19937_64 random(1);
    for (std::uint64_t number = 1; number <= batches; ++number) {
        std::uint64_t t = number * 1'000'000;
        BatchBuilder b(number, 1, t);
        if (number == 1) b.loop_started(++t, 1);
        for (std::uint64_t i = 0; i < tasks; ++i) {
            const std::uint64_t id = number * tasks + i;
            b.created(t += 1 + random() % 300, id, 0, 0);
            if (ending && number > 1) b.done(t += 1 + random() % 300, id - tasks, vocabulary::Outcome::ok);
        }
        frames.push_back(b.frame(1));
    }
    return frames;
}

void write_plain(const std::string& path, const std::vector<v2::Frame>& frames) {
    Writer writer(path);
    for (const v2::Frame& frame : frames) ASSERT_TRUE(writer.append(frame)) << writer.error();
    ASSERT_TRUE(writer.finish()) << writer.error();
}

std::string state(const model::Session& session) {
    std::string text;
    for (const auto& [key, app] : session.apps()) text += dump(app.model);
    return text;
}

std::size_t keyframe_runs(const std::string& path) {
    Reader reader(path);
    std::size_t count = 0;
    for (const Reader::Run& run : reader.runs()) count += run.keyframe;
    return count;
}

TEST_F(IndexTest, KeyframesTakeAtMostATwentiethOfTheFileAndAFloor) {
    for (const bool ending : {true, false}) {  // a small state, and one that grows with the file
        SCOPED_TRACE(ending ? "tasks end" : "tasks live for ever");
        IndexedWriter::Settings settings;
        settings.keyframe_every_bytes = 50'000;
        settings.most_beside_bytes = 4'000;
        IndexedWriter writer(file("t.cst"), settings);
        for (const v2::Frame& frame : history_of(2'000, 100, ending)) {
            ASSERT_TRUE(writer.append(frame)) << writer.error();
            ASSERT_LE(writer.keyframe_bytes(), writer.bytes() / 20 + 4'000);
        }
        ASSERT_TRUE(writer.finish());
        // A state that takes about as much as all of the file never fits: then there is none.
        EXPECT_GE(writer.keyframe_blocks(), ending ? 3u : 0u);
        EXPECT_EQ(keyframe_runs(file("t.cst")), writer.keyframe_blocks());
    }
}

TEST_F(IndexTest, AFileWithKeyframesLoadsAsOneWithout) {
    const auto frames = history_of(500, 50, true);
    write_plain(file("plain.cst"), frames);
    IndexedWriter::Settings settings;
    settings.keyframe_every_bytes = 10'000;
    settings.most_beside_bytes = 1u << 20;
    settings.limits.done_tasks = 5;
    IndexedWriter writer(file("indexed.cst"), settings);
    for (const v2::Frame& frame : frames) ASSERT_TRUE(writer.append(frame));
    ASSERT_TRUE(writer.finish());
    ASSERT_GT(writer.keyframe_blocks(), 5u);
    EXPECT_EQ(state(load(file("indexed.cst")).session), state(load(file("plain.cst")).session));
}

TEST_F(IndexTest, AHistoryOverAFileSeeksByItsKeyframes) {
    const auto frames = history_of(500, 50, true);
    IndexedWriter::Settings settings;
    settings.keyframe_every_bytes = 10'000;
    settings.most_beside_bytes = 1u << 20;
    {
        IndexedWriter writer(file("t.cst"), settings);
        for (const v2::Frame& frame : frames) ASSERT_TRUE(writer.append(frame));
        ASSERT_TRUE(writer.finish());
    }
    Reader reader(file("t.cst"));
    FileFrames source(reader);
    model::History history(source);
    for (const std::uint64_t t_ns : {450'005'000u, 200'004'321u, 3'000u, 200'004'500u, 1'000'100u, 499'000'000u}) {
        SCOPED_TRACE(t_ns);
        model::Session direct(model::moment_limits());
        for (const v2::Frame& frame : frames)
            if (direct.apply(frame, t_ns) != model::Folding::whole) break;
        const model::App* app = history.at(1, t_ns);
        ASSERT_NE(app, nullptr);
        EXPECT_EQ(dump(app->model), dump(direct.app(1)->model));
    }
    EXPECT_GE(history.statistics().keyframes_loaded, 3u);
}

TEST_F(IndexTest, IndexFileAddsKeyframesAndKeepsEveryFrame) {
    write_plain(file("t.cst"), history_of(3'000, 500, true));
    ::chmod(file("t.cst").c_str(), 0640);
    const std::string before = state(load(file("t.cst")).session);
    ASSERT_EQ(keyframe_runs(file("t.cst")), 0u);
    const Indexed done = index_file(file("t.cst"));
    EXPECT_EQ(done.error, "");
    EXPECT_EQ(done.warning, "");
    EXPECT_FALSE(done.had_index);
    EXPECT_GT(done.keyframe_blocks, 0u);
    EXPECT_EQ(keyframe_runs(file("t.cst")), done.keyframe_blocks);
    EXPECT_EQ(std::filesystem::file_size(file("t.cst")), done.bytes_after);
    EXPECT_EQ(state(load(file("t.cst")).session), before);
    struct stat status{};
    ASSERT_EQ(::stat(file("t.cst").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0640u);
    EXPECT_EQ(files(), 1u);

    const std::string bytes = slurp(file("t.cst"));
    EXPECT_TRUE(index_file(file("t.cst")).had_index);
    EXPECT_EQ(slurp(file("t.cst")), bytes);
    EXPECT_FALSE(index_file(file("t.cst"), false, true).had_index);
    EXPECT_EQ(keyframe_runs(file("t.cst")), done.keyframe_blocks) << "the old keyframes must not stay";
}

TEST_F(IndexTest, ACutFileIsIndexedUpToItsCutAndItSaysSo) {
    write_plain(file("t.cst"), history_of(300, 500, true));
    std::filesystem::resize_file(file("t.cst"), std::filesystem::file_size(file("t.cst")) * 2 / 3);
    const std::string before = state(load(file("t.cst")).session);
    const Indexed done = index_file(file("t.cst"));
    EXPECT_EQ(done.error, "");
    EXPECT_NE(done.warning.find("cut off after"), std::string::npos) << done.warning;
    EXPECT_EQ(load(file("t.cst")).warning, "") << "it is whole now";
    EXPECT_EQ(state(load(file("t.cst")).session), before);
}

TEST_F(IndexTest, ADamagedFileIsRefusedAndStaysAsItIs) {
    write_plain(file("t.cst"), history_of(300, 500, true));
    std::string bytes = slurp(file("t.cst"));
    bytes[bytes.size() / 2] ^= 1;
    std::ofstream(file("t.cst"), std::ios::binary) << bytes;
    const Indexed refused = index_file(file("t.cst"));
    EXPECT_NE(refused.error.find("1 damaged block left out"), std::string::npos) << refused.error;
    EXPECT_NE(refused.error.find("--accept-damage"), std::string::npos) << refused.error;
    EXPECT_EQ(slurp(file("t.cst")), bytes);
    EXPECT_EQ(files(), 1u);

    const Indexed done = index_file(file("t.cst"), true);
    EXPECT_EQ(done.error, "");
    EXPECT_NE(done.warning.find("1 damaged block left out"), std::string::npos);
    EXPECT_EQ(load(file("t.cst")).warning, "");
}

TEST_F(IndexTest, AFileThatIsBeingWrittenIsRefused) {
    write_plain(file("t.cst"), history_of(10, 10, true));
    const std::string bytes = slurp(file("t.cst"));
    std::ofstream writing(file("t.cst"), std::ios::app);
    const Indexed refused = index_file(file("t.cst"));
    EXPECT_NE(refused.error.find("is still being written"), std::string::npos) << refused.error;
    EXPECT_EQ(slurp(file("t.cst")), bytes);
    EXPECT_EQ(files(), 1u);
}

TEST_F(IndexTest, AnotherOnesNewFileIsNotTouched) {
    write_plain(file("t.cst"), history_of(10, 10, true));
    std::ofstream(file("t.cst.indexing")) << "another's";
    const Indexed refused = index_file(file("t.cst"));
    EXPECT_NE(refused.error.find("is there already"), std::string::npos) << refused.error;
    EXPECT_EQ(slurp(file("t.cst.indexing")), "another's");
}

TEST_F(IndexTest, WhatIsNoTraceFileIsAnError) {
    std::ofstream(file("t.txt")) << "hello";
    EXPECT_NE(index_file(file("t.txt")).error.find("is not a coroscope trace file"), std::string::npos);
    EXPECT_NE(index_file(file("absent")).error.find("absent"), std::string::npos);
    EXPECT_EQ(slurp(file("t.txt")), "hello");
}

TEST_F(IndexTest, LoadAtIsTheStateOfAllAppsThen) {
    auto frames = history_of(100, 5, false);
    for (v2::Frame frame : history_of(100, 5, false)) {  // on another machine: its clock began elsewhere
        frame.set_app(2);
        frames.push_back(frame);
    }
    frames[0].mutable_hello()->set_wall_unix_ns(5'000'000'000);
    frames[0].mutable_hello()->set_wall_at_ns(0);
    frames[101].mutable_hello()->set_wall_unix_ns(5'010'000'000);
    frames[101].mutable_hello()->set_wall_at_ns(0);
    write_plain(file("t.cst"), frames);
    const Loaded loaded = load_at(file("t.cst"), {When::From::unix_epoch, 5'050'500'000});
    EXPECT_EQ(loaded.error, "");
    ASSERT_EQ(loaded.session.apps().size(), 2u);
    EXPECT_EQ(loaded.session.app(1)->model.tasks_created(), 250u);
    EXPECT_EQ(loaded.session.app(2)->model.tasks_created(), 200u);

    const std::uint64_t first_ns = load(file("t.cst")).session.app(1)->model.first_ns();
    const Loaded since_start = load_at(file("t.cst"), {When::From::recording_start, 50'500'000 - first_ns});
    EXPECT_EQ(state(since_start.session), state(loaded.session));

    EXPECT_NE(load_at(file("t.cst"), {When::From::unix_epoch, 1}).error.find("no app at that time"), std::string::npos);
}

}  // namespace
}  // namespace coroscope::trace::test
