// Jobs on pool threads in words: for the rules and for `why`.
#pragma once

#include <string>
#include <vector>

#include "problem.hpp"

namespace coroscope::analysis {

// The jobs that were begun and have not returned, of the pool (0: of any), by when they were begun.
std::vector<const model::Resource*> running_jobs(const model::Model& model, model::ResourceId pool);
// The jobs of the pool that no thread has begun, by when they were made.
std::vector<const model::Resource*> waiting_jobs(const model::Model& model, model::ResourceId pool);

// "a job begun at lookup.cpp:12 in fetch by task 'fetch' (fetch) runs since 1.2 s on thread 4711"
Part job_part(const model::Model& model, const model::Resource& job);
// One part for each place that jobs come from: "6 jobs from report.cpp:9 in report: the first runs since 8 s".
std::vector<Part> job_parts(const model::Model& model, const std::vector<const model::Resource*>& jobs);

}  // namespace coroscope::analysis
