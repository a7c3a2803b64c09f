// coroscope-viewer.
#include <exception>
#include <iostream>

#include "application.hpp"

int main(int argc, char** argv) {
    using namespace coroscope::viewer;
    Options options;
    int exit_code = 0;
    if (!parse_options(argc, argv, options, exit_code)) return exit_code;
    try {
        Application application(options);
        if (options.screenshot.empty()) {
            application.run();
        } else {
            application.run_screenshot();
        }
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "coroscope-viewer: " << error.what() << '\n';
        return exit_failure;
    }
}
