// Coroutines that wait for one thing each.
#pragma once

#include "coroscope/barrier.hpp"
#include "coroscope/coro.hpp"
#include "coroscope/future.hpp"
#include "coroscope/queue.hpp"

namespace coroscope::test {

inline Coro<> wait_future(Future<int> future) { co_await future; }
inline Coro<> wait_barrier(Barrier& barrier) { co_await barrier.wait(); }
inline Coro<> get(Queue<int>& queue) { co_await queue.get(); }
inline Coro<> put(Queue<int>& queue) { co_await queue.put(2); }
inline Coro<> join_queue(Queue<int>& queue) { co_await queue.join(); }

}  // namespace coroscope::test
