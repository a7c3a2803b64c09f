// Writes a scene into a trace file: make_scene NAME OUT.cst. What the screenshot tests open; handy to look at by hand.
#include <iostream>
#include <string>

#include "proto/container/trace_file.hpp"
#include "scenes.hpp"

int main(int argc, char** argv) {
    using namespace coroscope;
    const std::string name = argc == 3 ? argv[1] : "";
    test::Frames frames;
    if (name == "small") {
        frames = test::small_scene();
    } else if (name == "service") {
        frames = test::service_scene();
    } else if (name == "moment") {
        frames = test::service_scene(1, 0.15);
    } else if (name == "crowd") {
        frames = test::crowd_scene(100'000);
    } else if (name != "empty") {
        std::cerr << "make_scene empty|small|service|moment|crowd OUT.cst\n";
        return 2;
    }
    trace::Writer writer(argv[2]);
    for (const v2::Frame& frame : frames) writer.append(frame);
    if (writer.finish()) return 0;
    std::cerr << writer.error() << '\n';
    return 1;
}
