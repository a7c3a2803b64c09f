// The program itself under Xvfb: real window, real OpenGL, a PNG of what was drawn; and its errors.
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#include <stb_image.h>
#pragma GCC diagnostic pop

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>

#include "tests/support/temporary_directory.hpp"
#include "viewer/views/views.hpp"

namespace coroscope::viewer {
namespace {

struct Ran {
    int exit_code = -1;
    std::string output;  // both streams
};

Ran run(const std::string& command) {
    Ran ran;
    FILE* pipe = ::popen(("exec 2>&1; " + command).c_str(), "r");
    std::array<char, 4096> buffer{};
    for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
        ran.output.append(buffer.data(), n);
    const int status = ::pclose(pipe);
    if (WIFEXITED(status)) ran.exit_code = WEXITSTATUS(status);
    return ran;
}

const std::string viewer = COROSCOPE_VIEWER, make_scene = COROSCOPE_MAKE_SCENE;
// Mesa's drivers leave a little behind when they are unloaded; that is not the viewer's.
const std::string no_display = "env -u DISPLAY -u WAYLAND_DISPLAY ASAN_OPTIONS=detect_leaks=0 ";

// An X server of its own, on the first display number that is free. (xvfb-run fails now and then when it tidies up.)
class XServer {
public:
    XServer() {
        int number[2];
        if (::pipe(number) != 0) throw std::runtime_error("no pipe");
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::dup2(number[1], 1);
            ::close(number[0]);
            ::execl("/usr/bin/Xvfb", "Xvfb", "-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp",
                    nullptr);
            ::_exit(127);
        }
        ::close(number[1]);
        char digit = 0;
        while (::read(number[0], &digit, 1) == 1 && digit != '\n') display_ += digit;
        ::close(number[0]);
    }
    ~XServer() {
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
    }
    XServer(const XServer&) = delete;
    XServer& operator=(const XServer&) = delete;
    // In front of a command.
    std::string with() const { return no_display + "DISPLAY=:" + display_ + " "; }

private:
    pid_t pid_ = -1;
    std::string display_;  // empty: it did not start
};

struct Picture {
    int width = 0, height = 0;
    std::map<std::uint32_t, std::size_t> colors;  // how many pixels of each

    explicit Picture(const std::string& path) {
        int channels = 0;
        unsigned char* data = stbi_load(path.c_str(), &width, &height, &channels, 3);
        if (data == nullptr) return;
        for (int i = 0; i < width * height; ++i)
            ++colors[static_cast<std::uint32_t>(data[3 * i] << 16 | data[3 * i + 1] << 8 | data[3 * i + 2])];
        stbi_image_free(data);
    }
    std::size_t count(std::uint32_t rgb) const {
        const auto at = colors.find(rgb);
        return at == colors.end() ? 0 : at->second;
    }
};

constexpr std::uint32_t window = 0x0d1117, panel = 0x151a22, text = 0xd9e0ea, bad = 0xf0605d;

class Screenshot : public testing::TestWithParam<View> {};

TEST_P(Screenshot, ShowsTheView) {
    const coroscope::test::TemporaryDirectory directory;
    ASSERT_EQ(run(make_scene + " service " + directory.file("t.cst")).exit_code, 0);
    const XServer x;
    const Ran ran = run(x.with() + viewer + " " + directory.file("t.cst") + " --screenshot " + directory.file("t.png") +
                        " --size 1200x800 --view " + std::string(GetParam().name));
    ASSERT_EQ(ran.exit_code, 0) << ran.output;
    EXPECT_EQ(ran.output, "");
    const Picture picture(directory.file("t.png"));
    EXPECT_EQ(picture.width, 1200);
    EXPECT_EQ(picture.height, 800);
    EXPECT_GT(picture.colors.size(), 100u) << "text is drawn with soft edges: many shades";
    EXPECT_GT(picture.count(panel), 50'000u);
    EXPECT_GT(picture.count(window), 1'000u);
    EXPECT_GT(picture.count(text), 20u) << "the full colour of text, inside its strokes";
    EXPECT_LT(picture.count(panel) + picture.count(window), 1200u * 800 * 99 / 100) << "almost blank";
}

INSTANTIATE_TEST_SUITE_P(Views, Screenshot, testing::ValuesIn(views::all_views().begin(), views::all_views().end()),
                         [](const auto& which) { return std::string(which.param.name); });

TEST(Screenshot, TheDashboardShowsWhatIsWrong) {
    const coroscope::test::TemporaryDirectory directory;
    ASSERT_EQ(run(make_scene + " service " + directory.file("t.cst")).exit_code, 0);
    const XServer x;
    const Ran ran = run(x.with() + viewer + " " + directory.file("t.cst") + " --screenshot " + directory.file("t.png") +
                        " --problem 1");
    ASSERT_EQ(ran.exit_code, 0) << ran.output;
    const Picture picture(directory.file("t.png"));
    EXPECT_EQ(picture.width, 1600);
    EXPECT_EQ(picture.height, 1000);
    EXPECT_GT(picture.count(bad), 200u);
}

TEST(Screenshot, WithoutAnAgentSaysWhatToDo) {
    const coroscope::test::TemporaryDirectory directory;
    const XServer x;
    const Ran ran = run(x.with() + viewer + " unix:" + directory.file("none.sock") + " --screenshot " +
                        directory.file("t.png") + " --size 900x600");
    ASSERT_EQ(ran.exit_code, 0) << ran.output;
    const Picture picture(directory.file("t.png"));
    EXPECT_EQ(picture.width, 900);
    EXPECT_GT(picture.colors.size(), 50u);
    EXPECT_GT(picture.count(0xffffff), 50u) << "the heading";
}

TEST(CommandLine, ErrorsAsAUserExpects) {
    const coroscope::test::TemporaryDirectory directory;
    const auto fails = [&](const std::string& arguments, int exit_code, const std::string& says,
                           const std::string& with = "") {
        const Ran ran = run(with + viewer + " " + arguments);
        EXPECT_EQ(ran.exit_code, exit_code) << arguments;
        EXPECT_NE(ran.output.find(says), std::string::npos) << arguments << ": " << ran.output;
        EXPECT_EQ(ran.output.find("coroscope-viewer: "), 0u) << ran.output;
    };
    ASSERT_EQ(run(make_scene + " small " + directory.file("t.cst")).exit_code, 0);
    fails(directory.file("missing.cst"), 1, "missing.cst");
    fails("--view nonsense", 2, "dashboard, tasks");
    fails("--size 12", 2, "1600x1000");
    fails("--size 5x5", 2, "200");
    fails("--no-such-option", 2, "--help");
    fails("--after -3", 2, "--help");
    fails(directory.file("t.cst") + " --screenshot " + directory.file("t.png"), 1, "xvfb-run", no_display);
    fails(directory.file("t.cst") + " --screenshot " + directory.file("no/such/folder.png"), 1, "No such file",
          XServer().with());
    EXPECT_FALSE(std::filesystem::exists(directory.file("t.png")));
}

TEST(CommandLine, HelpAndVersion) {
    const Ran help = run(viewer + " --help"), version = run(viewer + " --version");
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_NE(help.output.find("--screenshot"), std::string::npos);
    EXPECT_EQ(version.exit_code, 0);
    EXPECT_EQ(version.output.find("coroscope-viewer "), 0u);
}

}  // namespace
}  // namespace coroscope::viewer
