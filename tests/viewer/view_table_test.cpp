// A view is one row: with a table of its own, to which a row was added, everything that lists views knows the new one.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "screen.hpp"
#include "viewer/app/options.hpp"
#include "viewer/ui/widgets.hpp"

namespace coroscope::viewer::views {

namespace {

void draw_moon(Context&, const Box& area) {
    ui::begin_panel("moon", area);
    ui::text("it is full");
    ui::end_panel();
}

std::size_t count_craters(const Context&) { return 17; }

constexpr std::array table{
    View{.name = "tasks", .title = "Tasks", .key = '1', .shows = "the tree", .draw = draw_tasks},
    View{.name = "moon",
         .title = "The moon",
         .key = '9',
         .shows = "the moon above the service",
         .draw = draw_moon,
         .count = count_craters},
};

}  // namespace

// In place of viewer/views/view_table.cpp, which the linker then leaves out.
std::span<const View> all_views() { return table; }

}  // namespace coroscope::viewer::views

namespace coroscope::viewer {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// What parse_options() prints and answers for one command line.
struct Parsed {
    Options options;
    bool goes_on = false;
    std::string out, errors;
};
Parsed parse(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "coroscope-viewer");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    Parsed parsed;
    int exit_code = 0;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    parsed.goes_on = parse_options(static_cast<int>(argv.size()), argv.data(), parsed.options, exit_code);
    parsed.out = testing::internal::GetCapturedStdout();
    parsed.errors = testing::internal::GetCapturedStderr();
    return parsed;
}

TEST(AViewMoreInTheTable, IsInTheMenuWithItsNumber) {
    Screen screen(1600, 1000);
    screen.show(test::small_scene());
    screen.frame();
    const std::string text = screen.text();
    EXPECT_TRUE(has(text, "The moon  17")) << text;
    EXPECT_FALSE(has(text, "Dashboard")) << "the menu has the rows of the table and no others";
}

TEST(AViewMoreInTheTable, IsShownByItsKeyAndDraws) {
    Screen screen(1600, 1000);
    screen.show(test::small_scene());
    screen.frame();
    EXPECT_EQ(screen.state().view->name, "tasks") << "the first is shown at the start";
    screen.press('9');
    EXPECT_EQ(screen.state().view->name, "moon");
    EXPECT_TRUE(has(screen.text(), "it is full"));
}

TEST(AViewMoreInTheTable, IsInTheListOfKeys) {
    Screen screen(1600, 1000);
    screen.show(test::small_scene());
    const std::string text = screen.help_text();
    EXPECT_TRUE(has(text, "the moon above the service")) << text;
    EXPECT_TRUE(has(text, "find a task")) << "the other keys are there, too";
}

TEST(AViewMoreInTheTable, IsAnOptionOfTheCommandLine) {
    EXPECT_TRUE(has(parse({"--help"}).out, "tasks, moon"));
    const Parsed moon = parse({"--view", "moon", "t.cst"});
    EXPECT_TRUE(moon.goes_on);
    EXPECT_EQ(moon.options.view, views::find_view("moon"));
    EXPECT_EQ(parse({"t.cst"}).options.view, &views::all_views().front());
    EXPECT_TRUE(has(parse({"--view", "sun"}).errors, "tasks, moon"));
}

TEST(AViewMoreInTheTable, IsFoundByItsName) {
    for (const View& view : views::all_views()) EXPECT_EQ(views::find_view(view.name), &view);
    EXPECT_EQ(views::find_view("sun"), nullptr);
}

}  // namespace
}  // namespace coroscope::viewer
