#include "log.hpp"

#include <cstdarg>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "coroscope/emit.h"
#include "proto/words/utf8.hpp"

namespace coroscope {

namespace {

void call(void* context, int level, const char* text) {
    try {
        (*static_cast<LogHandler*>(context))(static_cast<LogLevel>(level), text);
    } catch (...) {  // a logger that fails must not end the program
    }
}

}  // namespace

void set_log_handler(LogHandler handler) {
    if (!handler) return cs_set_log_handler(nullptr, nullptr);
    cs_set_log_handler(call, std::make_unique<LogHandler>(std::move(handler)).release());  // it stays: see the header
}

namespace detail {

void log_line(LogLevel level, const char* format, ...) noexcept {
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    try {
        cs_log(static_cast<int>(level), words::printable(text).c_str());
    } catch (...) {  // out of memory
        cs_log(static_cast<int>(level), "a message is lost for want of memory");
    }
}

}  // namespace detail

}  // namespace coroscope
