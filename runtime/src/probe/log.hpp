// The app's log handler (cs_set_log_handler()), for all parts of the library.
#pragma once

namespace coroscope::probe {

bool has_log_handler() noexcept;
// False: there is no handler, or it is what logs just now on this thread. The text is not gone to anybody then.
bool tell_log_handler(int level, const char* text) noexcept;

}  // namespace coroscope::probe
