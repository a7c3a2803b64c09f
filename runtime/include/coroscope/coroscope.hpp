// All of the runtime's public API but the network (net.hpp, http.hpp).
#pragma once

#include "coroscope/as_completed.hpp"
#include "coroscope/async_with.hpp"
#include "coroscope/barrier.hpp"
#include "coroscope/coro.hpp"
#include "coroscope/error.hpp"
#include "coroscope/future.hpp"
#include "coroscope/gather.hpp"
#include "coroscope/loop.hpp"
#include "coroscope/queue.hpp"
#include "coroscope/run.hpp"
#include "coroscope/sleep.hpp"
#include "coroscope/sync.hpp"
#include "coroscope/task.hpp"
#include "coroscope/task_group.hpp"
#include "coroscope/timeout.hpp"
#include "coroscope/to_thread.hpp"
