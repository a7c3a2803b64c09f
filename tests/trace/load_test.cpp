// A trace file is the same session as the stream that it recorded, and exports reach their files.
#include "agent/trace/load.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "agent/trace/chrome_export.hpp"
#include "agent/trace/export.hpp"
#include "agent/trace/perfetto_export.hpp"
#include "app_builder.hpp"
#include "coroscope/v2/keyframe.pb.h"
#include "proto/container/trace_file.hpp"
#include "tests/support/temporary_directory.hpp"

namespace coroscope::trace::test {
namespace {

class Load : public ::testing::Test {
protected:
    std::string file(const std::string& name) const { return directory_.file(name); }

private:
    const coroscope::test::TemporaryDirectory directory_;
};

std::string state(const model::Session& session) {
    std::string bytes;
    for (const auto& [key, app] : session.apps()) {
        v2::Keyframe keyframe;
        app.model.save_keyframe(keyframe);
        bytes += keyframe.SerializeAsString();
    }
    return bytes;
}

TEST_F(Load, FoldOfTheRecordingEqualsFoldOfTheStream) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        model::Session live;
        std::vector<v2::Frame> frames = random_app(1, seed, seed % 2 == 0);
        for (const auto& frame : random_app(2, seed + 50)) frames.push_back(frame);
        fold(live, frames);
        {
            Writer writer(file("t.cst"));
            for (const auto& frame : frames) ASSERT_TRUE(writer.append(frame)) << writer.error();
        }
        const Loaded loaded = load(file("t.cst"));
        EXPECT_EQ(loaded.error, "");
        EXPECT_EQ(loaded.warning, "");
        ASSERT_EQ(loaded.session.apps().size(), 2u);
        EXPECT_EQ(state(loaded.session), state(live));
    }
}

TEST_F(Load, CutFileLoadsWithAWarningThatNamesIt) {
    {
        Writer writer(file("t.cst"));
        for (const auto& frame : small_app()) writer.append(frame), writer.flush();
    }
    std::filesystem::resize_file(file("t.cst"), std::filesystem::file_size(file("t.cst")) - 5);
    const Loaded loaded = load(file("t.cst"));
    EXPECT_EQ(loaded.error, "");
    EXPECT_TRUE(loaded.warning.starts_with(file("t.cst") + ": ")) << loaded.warning;
    ASSERT_NE(loaded.session.app(1), nullptr);
    EXPECT_EQ(loaded.session.app(1)->model.tasks_created(), 3u);
}

TEST_F(Load, FramesWithoutSenseAreCountedInTheWarning) {
    {
        Writer writer(file("t.cst"));
        for (const auto& frame : small_app()) writer.append(frame);
        v2::Frame nonsense;
        nonsense.set_app(1);
        nonsense.set_batch("\xff\xff\xff");
        writer.append(nonsense);
    }
    const Loaded loaded = load(file("t.cst"));
    EXPECT_EQ(loaded.warning, file("t.cst") + ": 1 frame made no sense and was skipped");
    EXPECT_EQ(loaded.session.app(1)->model.tasks_created(), 3u);
}

TEST_F(Load, WhatIsNoTraceFileIsAnError) {
    std::ofstream(file("t.txt")) << "hello";
    EXPECT_NE(load(file("t.txt")).error.find("is not a coroscope trace file"), std::string::npos);
    EXPECT_NE(load(file("absent")).error.find(file("absent")), std::string::npos);
}

TEST_F(Load, EveryFormatHasANameAndWritesAFile) {
    model::Session session;
    fold(session, small_app());
    EXPECT_EQ(format_names(), "chrome, perfetto, speedscope, folded");
    EXPECT_FALSE(format_named("chrom"));
    for (const char* name : {"chrome", "perfetto", "speedscope", "folded"}) {
        const auto format = format_named(name);
        ASSERT_TRUE(format);
        EXPECT_EQ(export_file(session, {}, *format, file(name)), "");
        EXPECT_GT(std::filesystem::file_size(file(name)), 0u) << name;
    }
    std::string in_memory;
    {
        Output out(in_memory);
        export_chrome(session, {}, out);
    }
    std::ifstream in(file("chrome"), std::ios::binary);
    EXPECT_EQ(in_memory, std::string(std::istreambuf_iterator<char>(in), {}));
}

TEST_F(Load, ExportsThatCannotBeWrittenSayWhy) {
    model::Session session;
    fold(session, small_app());
    EXPECT_EQ(export_file(session, {}, ExportFormat::chrome, "/dev/full"), "no space left on device (/dev/full)");
    EXPECT_EQ(export_file(session, {}, ExportFormat::chrome, file("absent/x")),
              "cannot write " + file("absent/x") + ": No such file or directory");
}

}  // namespace
}  // namespace coroscope::trace::test
