// How a task ended, or is to end: what failed in it, and who cancelled it, from where and why.
#pragma once

#include <string>
#include <vector>

#include "agent/model/model.hpp"

namespace coroscope::words {

// "std::runtime_error: no route", made visible; "an error of unknown type" if the app did not say.
std::string error(const model::Model& model, const model::Task& task);

// The tasks that its error came through, as far as is known: the one that threw it first, then each that was given the
// error of the one before where its own came from; `task` itself last. Of several errors that came at one place, the
// first. At most 16. A pass over the retained tasks for each.
std::vector<const model::Task*> error_path(const model::Model& model, const model::Task& task);

// Where its error came from, to go on with after "thrown": "in fetch, after client.cpp:12" or, of a coroutine that had
// not awaited yet, "in fetch, client.cpp:10, before its first await"; "at an unknown place".
std::string thrown_text(const model::Model& model, const model::Task& task);
// The same for the first task of such a path, and the others: "in load, at or after its await at a.cpp:5, of task 'B'
// (load); it came through task 'import' (inner)".
std::string thrown_text(const model::Model& model, const std::vector<const model::Task*>& path);

// Who cancelled it last, after "was cancelled": "by task 'janitor' (janitor) at janitor.cpp:9 in drop_session, with the
// message 'session expired'"; "by the timeout at client.cpp:12 in fetch". Of a request that a task passed on to the one
// that it waits for, what began it: O(length of that chain), which ends after 16 tasks. "" if nobody has.
std::string cancelled_by(const model::Model& model, const model::Task& task);

// The task at which such a chain began: `task` itself, if nobody passed the request on.
const model::Task& first_cancelled(const model::Model& model, const model::Task& task);

// Of a task that is done, for a row: "std::runtime_error: no route"; "by the end of run(), ..."; "" if it returned.
std::string ending(const model::Model& model, const model::Task& task);

}  // namespace coroscope::words
