// Why an app is not connected any more, where it said so itself.
#pragma once

namespace coroscope::words {

inline constexpr const char* app_ended = "ended";
inline constexpr const char* app_detached = "debug mode was switched off";  // and the app runs on

}  // namespace coroscope::words
