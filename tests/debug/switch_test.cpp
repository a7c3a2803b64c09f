// Debug mode switched on by the environment: real programs, the real library. Whatever is wrong, the app runs on.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

#include "coroscope/v2/events.pb.h"
#include "coroscope/v2/session.pb.h"
#include "coroscope/vocabulary.hpp"
#include "proto/container/trace_file.hpp"
#include "tests/support/temporary_directory.hpp"

namespace coroscope {
namespace {

struct Result {
    std::string output;  // both streams
    int status = -1;
};

Result run(const std::string& environment, const std::string& program) {
    Result result;
    FILE* pipe = ::popen(("env " + environment + " " COROSCOPE_EXAMPLES "/" + program + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return result;
    std::array<char, 4096> buffer;
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe))
        result.output.append(buffer.data(), size);
    result.status = ::pclose(pipe);
    return result;
}

class Switch : public ::testing::Test {
protected:
    const test::TemporaryDirectory directory_;
};

TEST_F(Switch, OffByDefault) {
    const Result result = run("-u COROSCOPE", "greet");
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.output.find("coroscope"), std::string::npos) << result.output;
}

TEST_F(Switch, NonsenseIsToldInOneLine) {
    const Result result = run("COROSCOPE=nonsense", "greet");
    EXPECT_EQ(result.status, 0);
    EXPECT_NE(result.output.find("use 1 (the default agent), unix:PATH, HOST:PORT, file:PATH or standby"),
              std::string::npos)
        << result.output;
    EXPECT_NE(result.output.find("Goodbye, Bob!"), std::string::npos);
}

TEST_F(Switch, AMissingLibraryIsToldInOneLine) {
    const Result result = run("COROSCOPE=1 COROSCOPE_DEBUG_LIBRARY=" + directory_.file("none.so"), "greet");
    EXPECT_EQ(result.status, 0);
    EXPECT_NE(result.output.find("debug mode stays off"), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("Goodbye, Bob!"), std::string::npos);
}

TEST_F(Switch, AnotherLibraryIsToldInOneLine) {
    const Result result = run("COROSCOPE=1 COROSCOPE_DEBUG_LIBRARY=libm.so.6", "greet");
    EXPECT_EQ(result.status, 0);
    EXPECT_NE(result.output.find("libm.so.6 is not coroscope's, or of another version"), std::string::npos)
        << result.output;
    EXPECT_NE(result.output.find("Goodbye, Bob!"), std::string::npos);
}

TEST_F(Switch, AFileThatCannotBeWrittenIsToldInOneLine) {
    const Result result = run("COROSCOPE=file:" + directory_.file("no/such/place.cst"), "greet");
    EXPECT_EQ(result.status, 0);
    EXPECT_NE(result.output.find("the trace file cannot be written"), std::string::npos) << result.output;
}

TEST_F(Switch, NoAgentIsToldInOneLineAndTheAppRunsOn) {
    const Result result = run("COROSCOPE=unix:" + directory_.file("nobody.sock"), "greet");
    EXPECT_EQ(result.status, 0);
    EXPECT_NE(result.output.find("no agent answers at"), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("Goodbye, Bob!"), std::string::npos);
}

TEST_F(Switch, AFileGetsTheWholeStory) {
    const std::string path = directory_.file("t.cst");
    const Result result = run("COROSCOPE=file:" + path, "debug_mode");
    EXPECT_EQ(result.status, 0);
    EXPECT_NE(result.output.find("was never awaited"), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("slow step: task 'blocking' (block_the_loop)"), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("nobody is listening"), std::string::npos) << result.output;

    trace::Reader reader(path);
    ASSERT_TRUE(reader.ok()) << reader.error();
    int hellos = 0, ends = 0, created = 0, done = 0, reports = 0;
    std::uint64_t sequence = 0;
    EXPECT_TRUE(reader.read([&](const v2::Frame& frame) {
        if (frame.has_hello()) {
            ++hellos;
            EXPECT_EQ(frame.hello().name(), "debug_mode");
        }
        if (frame.has_disconnected()) {
            ++ends;
            EXPECT_TRUE(frame.disconnected().orderly());
        }
        if (frame.frame_case() != v2::Frame::kBatch) return true;
        v2::Batch batch;
        EXPECT_TRUE(batch.ParseFromString(frame.batch()));
        EXPECT_EQ(batch.sequence(), ++sequence);
        EXPECT_EQ(batch.dropped_total(), 0u);
        reports += batch.reports_size();
        for (const v2::Lane& lane : batch.lanes()) {
            for (const char kind : lane.kinds()) {
                created += kind == static_cast<char>(vocabulary::EventKind::task_created) ? 1 : 0;
                done += kind == static_cast<char>(vocabulary::EventKind::task_done) ? 1 : 0;
            }
        }
        return true;
    })) << reader.warning();
    EXPECT_EQ(hellos, 1);
    EXPECT_EQ(ends, 1);
    EXPECT_EQ(created, 4);
    EXPECT_EQ(done, 4);
    EXPECT_GE(reports, 2);
}

}  // namespace
}  // namespace coroscope
