#include "jobs.hpp"

#include <algorithm>

#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "evidence.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis {

namespace {

template <class Is>
std::vector<const model::Resource*> jobs(const model::Model& model, Is is, std::uint64_t model::Resource::* since) {
    std::vector<const model::Resource*> all;
    for (const model::Resource* each : model.resources())
        if (each->type == model::ResourceType::job && each->closed_ns == 0 && is(*each)) all.push_back(each);
    std::ranges::sort(all, {}, since);
    return all;
}

std::string since_text(const model::Model& model, const model::Resource& job) {
    if (job.ended_ns != 0) return "ran for " + words::duration(job.ended_ns - job.begun_ns);
    const std::uint64_t since = job.begun_ns != 0 ? job.begun_ns : job.created_ns;
    const std::string time = words::duration(model.now_ns() - std::min(since, model.now_ns()));
    return (job.begun_ns != 0 ? "runs since " : "waits for a thread since ") + time;
}

}  // namespace

std::vector<const model::Resource*> running_jobs(const model::Model& model, model::ResourceId pool) {
    const auto runs = [&](const model::Resource& job) {
        return job.begun_ns != 0 && job.ended_ns == 0 && (pool == 0 || job.parent == pool);
    };
    return jobs(model, runs, &model::Resource::begun_ns);
}

std::vector<const model::Resource*> waiting_jobs(const model::Model& model, model::ResourceId pool) {
    const auto waits = [&](const model::Resource& job) { return job.begun_ns == 0 && job.parent == pool; };
    return jobs(model, waits, &model::Resource::created_ns);
}

Part job_part(const model::Model& model, const model::Resource& job) {
    Part part{job.created_by, user_place(model, job.created_at), "a job", 1};
    if (job.created_at != 0) part.text += " begun " + words::at_text(words::where(model, job.created_at));
    if (job.created_by != 0) part.text += " by " + words::task_phrase(model, job.created_by);
    part.text += " " + since_text(model, job);
    return part;
}

std::vector<Part> job_parts(const model::Model& model, const std::vector<const model::Resource*>& jobs) {
    std::vector<Part> parts;
    for (const model::Resource* job : jobs) {
        const Place site = user_place(model, job->created_at);
        const auto same = std::ranges::find_if(
            parts, [&](const Part& part) { return part.site.line == site.line && part.site.file == site.file; });
        if (same != parts.end())
            ++same->count;
        else
            parts.push_back(job_part(model, *job));
    }
    for (Part& part : parts)
        if (part.count > 1) part.text = words::counted(part.count, "job", "jobs") + ", the first: " + part.text;
    return parts;
}

}  // namespace coroscope::analysis
