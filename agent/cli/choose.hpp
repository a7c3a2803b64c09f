// The app and the task that a person means on the command line.
#pragma once

#include <string>

#include "agent/model/session.hpp"

namespace coroscope::cli {

// By name or pid, among the connected apps. Throws Failure if there is none, or more than one.
const model::App& choose_app(const model::Session& session, const std::string& wanted);
// By id or name, among the live tasks. Throws Failure as well.
const model::Task& choose_live_task(const model::App& app, const std::string& wanted);

}  // namespace coroscope::cli
