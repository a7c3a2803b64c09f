// A file of every released format opens for ever, and says what it said. The files are in golden/, named by their
// version; a new one is written once, by COROSCOPE_WRITE_GOLDEN=PATH container_test --gtest_filter=Golden.*, and never
// changed.
#include "files.hpp"

#include <gtest/gtest.h>

namespace coroscope::trace::test {
namespace {

// What the golden files hold. Never change it: add another list for another version.
std::vector<v2::Frame> frames_2_0() {
    v2::Frame gone;
    gone.set_app(1);
    gone.mutable_disconnected()->set_reason("ended");
    gone.mutable_disconnected()->set_orderly(true);
    return {hello_frame(1, "golden"), batch_frame(1, 1, 1'000), batch_frame(1, 2, 2'000), keyframe_frame(1, 300), gone};
}

void write_2_0(const std::string& path) {
    const auto frames = frames_2_0();
    Writer writer(path);
    for (int i = 0; i < 3; ++i) writer.append(frames[static_cast<std::size_t>(i)]);
    writer.append_keyframes({frames[3]});
    writer.append(frames[4]);
}

TEST(Golden, Format2_0OpensAndSaysWhatItSaid) {
    if (const char* path = std::getenv("COROSCOPE_WRITE_GOLDEN")) write_2_0(path);
    const std::string path = std::string(COROSCOPE_GOLDEN) + "/2.0.cst";
    const auto contents = read_all(path);
    EXPECT_TRUE(contents.ok && contents.whole) << contents.error << contents.warning;
    EXPECT_EQ(read_runs(path), as_bytes(frames_2_0()));
    Reader reader(path);
    ASSERT_EQ(reader.runs().size(), 3u);
    EXPECT_TRUE(reader.runs()[1].keyframe);
    EXPECT_EQ(reader.runs()[0].last_ns, 2'000u);
}

}  // namespace
}  // namespace coroscope::trace::test
