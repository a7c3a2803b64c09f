// Which coroutine a task runs, for its colour: tasks of one coroutine look alike everywhere.
#pragma once

#include "agent/model/model.hpp"

namespace coroscope::viewer {

// The site of the task's coroutine. 0: unknown.
model::SiteId coroutine_site(const model::Model& model, model::TaskId task);

}  // namespace coroscope::viewer
