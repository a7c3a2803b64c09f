// coroscope ps: the tasks of every app, as a table or JSON.
#include <array>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "agent/model/tables.hpp"
#include "agent/words/annotation.hpp"
#include "agent/words/ending.hpp"
#include "agent/words/hotspot.hpp"
#include "agent/words/task.hpp"
#include "alike.hpp"
#include "app_link.hpp"
#include "command.hpp"
#include "describe.hpp"
#include "output.hpp"
#include "proto/words/amount.hpp"
#include "source.hpp"

namespace coroscope::cli {

namespace {

struct PsOptions {
    SourceOptions source;
    bool json = false, all = false, library = false, each = false;
};

Json cell_json(const model::Cell& cell, model::CellType type) {
    return std::visit(
        [&](const auto& value) -> Json {
            using Value = std::decay_t<decltype(value)>;
            // What JSON calls none is null.
            if constexpr (std::is_same_v<Value, std::span<const std::uint32_t>>)
                return Json(std::vector<std::uint32_t>(value.begin(), value.end()));
            else if constexpr (std::is_same_v<Value, std::string_view>)
                return type == model::CellType::word && value.empty() ? Json(nullptr) : Json(std::string(value));
            else
                return Json(value);
        },
        cell);
}

// Calls explain(id, json) with each row of a table: all its fields by their names, the last word of which is the unit.
template <typename Explain>
Json rows_json(const model::Model& model, std::string_view name, Explain explain) {
    Json rows = Json::array();
    const model::Table table(model, name);
    const std::vector<model::ColumnInfo>& columns = table.info().columns;
    const std::size_t id = table.info().column("id").value();
    for (std::size_t row = 0; row < table.rows(); ++row) {
        Json json = Json::object();
        for (std::size_t i = 0; i < columns.size(); ++i)
            if (!columns[i].internal)
                json[std::string(columns[i].name)] = cell_json(table.cell(row, i), columns[i].type);
        if (explain(std::get<std::uint64_t>(table.cell(row, id)), json)) rows.push_back(std::move(json));
    }
    return rows;
}

// A task as others refer to it; null: none.
Json name_json(const model::Model& model, model::TaskId id) {
    if (id == 0) return nullptr;
    return {{"id", id}, {"name", words::task_name(model, id)}};
}

// What a task ended with, from where, and who looked at it; null: no error.
Json error_json(const model::Model& model, const model::Task& task) {
    if (task.error == 0 && task.error_at == 0) return nullptr;
    Json json{{"text", std::string(model.error_text(task))},
              {"where", where_json(words::where(model, task.error_at))},
              {"stack", stack_json(model.stack(task.error_at))},
              {"retrieved", task.retrieved_ns != 0}};
    if (task.retrieved_ns == 0) return json;
    json["retrieved_by"] = name_json(model, task.retrieved_by);
    json["retrieved_where"] = where_json(words::where(model, task.retrieved_at));
    json["retrieved_ns"] = task.retrieved_ns;
    return json;
}

// Who asked last to cancel a task, why, and what came of it; null: nobody has.
Json cancellation_json(const model::Model& model, const model::Task& task) {
    if (task.cancelled_ns == 0) return nullptr;
    const auto origin = static_cast<std::uint32_t>(task.cancel_origin);
    const auto time = [](std::uint64_t ns) { return ns == 0 ? Json(nullptr) : Json(ns); };
    return {{"origin", std::string(model.term(vocabulary::Table::cancel_origin, origin))},
            {"by", name_json(model, task.cancelled_by)},
            {"where", where_json(words::where(model, task.cancelled_at))},
            {"message", std::string(model.cancel_message(task))},
            {"story", "cancelled " + words::cancelled_by(model, task)},
            {"requests", task.cancel_requests},
            {"asked_ns", task.cancelled_ns},
            {"thrown_ns", time(task.cancel_thrown_ns)},
            {"thrown_where", where_json(words::where(model, task.cancel_thrown_at))},
            {"swallowed_ns", time(task.cancel_swallowed_ns)}};
}

// Fields that those two hold.
constexpr std::array told_elsewhere{
    "error_at",          "retrieved_by",     "retrieved_at",     "retrieved_ns",        "cancel_origin",
    "cancel_message",    "cancel_thrown_at", "cancel_thrown_ns", "cancel_swallowed_ns", "cancel_swallowed_at",
    "cancel_repeated_ns"};

Json value_json(const model::Value* value) {
    struct ToJson {
        Json operator()(std::monostate) const { return nullptr; }
        Json operator()(const std::string& text) const { return text; }
        Json operator()(std::int64_t number) const { return number; }
        Json operator()(double number) const { return number; }
        Json operator()(bool truth) const { return truth; }
    };
    return value == nullptr ? Json(nullptr) : std::visit(ToJson(), *value);
}

// What the app said about a task, a resource or a span.
Json attributes_json(const model::Model& model, model::Model::Of of, std::uint64_t id) {
    Json json = Json::object();
    for (const model::Attribute& each : model.attributes(of, id))
        json[std::string(model.name(each.key))] = value_json(model.value(each.value));
    return json;
}

Json span_json(const model::Model& model, const model::Span& span) {
    return {{"name", std::string(model.name(span.name))},
            {"task", name_json(model, span.task)},
            {"where", where_json(words::where(model, span.at))},
            {"begin_ns", span.begin_ns},
            {"end_ns", span.end_ns == 0 ? Json(nullptr) : Json(span.end_ns)},
            {"attributes", attributes_json(model, model::Model::Of::span, span.id)}};
}

// Spans that have ended, by end, then those that last; and marks.
Json spans_json(const model::Model& model, bool marks) {
    Json json = Json::array();
    for (const model::Span& span : model.spans())
        if (span.mark == marks) json.push_back(span_json(model, span));
    if (marks) return json;
    for (const model::Span* span : model.open_spans()) json.push_back(span_json(model, *span));
    return json;
}

Json counters_json(const model::Model& model) {
    Json json = Json::array();
    for (const model::Counter* counter : model.counters())
        json.push_back({{"name", std::string(model.name(counter->name))},
                        {"value", counter->value},
                        {"time_ns", counter->time_ns},
                        {"samples", counter->samples}});
    return json;
}

// What fields refer to is put into words; the running step counts.
Json tasks_json(const model::Model& model, bool with_done) {
    return rows_json(model, "task", [&](model::TaskId id, Json& json) {
        const model::Task& task = *model.task(id);
        if (!with_done && task.state == model::State::done) return false;
        json["name"] = model.task_name(task);
        json["coroutine"] = model.coroutine(task);
        json["waits_on"] = {
            {"verb", json["wait_verb"]}, {"operand", json["wait_operand"]}, {"holder", json["wait_holder"]}};
        for (const char* part : {"wait_verb", "wait_operand", "wait_holder"}) json.erase(part);
        json["where"] = where_json(words::where(model, task));
        json["await_stack"] = stack_json(model.await_stack(task));
        json["created_at"] = stack_json(model.creation_stack(task));
        json["busy_ns"] = model.busy_ns(task);
        json["error"] = error_json(model, task);
        json["cancellation"] = cancellation_json(model, task);
        json["attributes"] = attributes_json(model, model::Model::Of::task, id);
        for (const char* part : told_elsewhere) json.erase(part);
        return true;
    });
}

// A task as others refer to it; null: none, or one that is not known any more.
Json task_reference(const model::Model& model, model::TaskId id) {
    const model::Task* task = model.task(id);
    if (task == nullptr) return nullptr;
    return {{"id", id},
            {"name", model.task_name(*task)},
            {"where", where_json(words::where(model, *task))},
            {"await_stack", stack_json(model.await_stack(*task))}};
}

Json resources_json(const model::Model& model, bool with_closed) {
    return rows_json(model, "resource", [&](model::ResourceId id, Json& json) {
        const model::Resource& resource = *model.resource(id);
        if (!with_closed && resource.closed_ns != 0) return false;
        json["created_at"] = stack_json(model.stack(resource.created_at));
        json["owner"] = task_reference(model, model.owner(resource));
        json["attributes"] = attributes_json(model, model::Model::Of::resource, id);
        json["waiters"] = Json::array();
        for (const model::TaskId waiter : model.waiters(id)) json["waiters"].push_back(task_reference(model, waiter));
        return true;
    });
}

Json sites_json(const std::vector<model::Site>& sites) {
    Json json = Json::array();
    for (const model::Site& site : sites)
        json.push_back(
            {{"function", site.function}, {"file", site.file}, {"line", site.line}, {"library", site.is_library()}});
    return json;
}

// Calls that blocked a loop's thread within steps, by place, the most time first.
Json blocking_calls_json(const model::Model& model) {
    Json json = Json::array();
    for (const model::Hotspot* hotspot : model.hotspots(model::ReportKind::blocked_calls)) {
        const model::Site site = words::hot_site(model, *hotspot);
        json.push_back({{"function", hotspot->function},
                        {"site", {{"function", site.function}, {"file", site.file}, {"line", site.line}}},
                        {"task", name_json(model, hotspot->task)},
                        {"count", hotspot->count},
                        {"total_ns", hotspot->total_ns},
                        {"longest_ns", hotspot->longest_ns},
                        {"in_slow_steps_ns", hotspot->slow_ns},
                        {"did_not_block", hotspot->quick},
                        {"stack", sites_json(words::hot_stack(model, *hotspot))}});
    }
    return json;
}

// Samples of CPU time within steps, by place, the most first.
Json cpu_samples_json(const model::Model& model) {
    Json json = Json::array();
    for (const model::Hotspot* hotspot : model.hotspots(model::ReportKind::cpu_samples)) {
        const model::Site site = words::hot_site(model, *hotspot);
        json.push_back({{"site", {{"function", site.function}, {"file", site.file}, {"line", site.line}}},
                        {"task", name_json(model, hotspot->task)},
                        {"count", hotspot->count},
                        {"total_ns", hotspot->total_ns},
                        {"stack", sites_json(words::hot_stack(model, *hotspot))}});
    }
    return json;
}

Json latency_json(const model::Histogram& histogram) {
    return {{"count", histogram.count()},
            {"p50_ns", histogram.quantile_ns(0.5)},
            {"p99_ns", histogram.quantile_ns(0.99)},
            {"max_ns", histogram.max_ns()}};
}

Json loops_json(const model::Model& model) {
    return rows_json(model, "loop", [&](model::LoopId id, Json& json) {
        for (const auto& loop : model.loops()) {
            if (loop->id != id) continue;
            json["iteration_latency"] = latency_json(loop->iteration_lengths);
            json["wake_to_run"] = latency_json(loop->wake_to_run);
        }
        return true;
    });
}

Json app_json(const model::App& app, bool with_done) {
    return {
        {"name", app.name},
        {"pid", app.pid},
        {"connected", app.connected},
        {"dropped", app.model.dropped()},
        {"batches_lost", app.model.batches_lost()},
        {"host", app.host},
        {"connections", app.connections},
        {"disconnect_reason", app.connected ? Json(nullptr) : Json(app.disconnect_reason)},
        {"tasks", tasks_json(app.model, with_done)},
        {"resources", resources_json(app.model, with_done)},
        {"loops", loops_json(app.model)},
        {"blocking_calls", blocking_calls_json(app.model)},
        {"cpu_samples", cpu_samples_json(app.model)},
        {"spans", spans_json(app.model, false)},
        {"marks", spans_json(app.model, true)},
        {"counters", counters_json(app.model)},
    };
}

std::vector<const model::Task*> tasks_of(const model::App& app, bool with_done) {
    return with_done ? app.model.all_tasks() : app.model.live_tasks();
}

// Of a task that is done: what it failed with, or who cancelled it.
std::string wait_or_end(const model::Model& model, const model::Task& task) {
    return task.state == model::State::done ? words::ending(model, task) : words::wait(model, task);
}

void print_counters(const model::Model& model) {
    std::string line;
    for (const model::Counter* counter : model.counters())
        line += (line.empty() ? "  counters: " : ", ") + words::annotation_name(model, counter->name) + " " +
                words::value_text(counter->value);
    if (!line.empty()) print(line + "\n");
}

void print_app(const model::App& app, bool with_done, const PsOptions& options) {
    const model::Model& model = app.model;
    std::string title = styled(app_title(app), Style::bold) + "  " +
                        styled(app_state(app), app.connected || app.orderly ? Style::plain : Style::yellow) + "  " +
                        words::counted(model.live_tasks().size(), app.connected ? "live task" : "task alive at the end",
                                       app.connected ? "live tasks" : "tasks alive at the end");
    if (model.dropped() != 0) title += "  " + styled(std::to_string(model.dropped()) + " events lost", Style::yellow);
    print(title + "\n");

    if (const std::string cpu = words::cpu_text(model); !cpu.empty()) print("  " + cpu + "\n");
    print_counters(model);

    const words::OpenSpans spans(model);
    std::vector<std::vector<std::string>> rows;
    const auto must_show = [&](const model::Task&) { return options.each; };
    for (const Shown& shown : fold_alike(tasks_of(app, with_done), must_show)) {
        const model::Task* task = shown.task;
        if (shown.left_out != 0) {
            rows.push_back({"", styled(left_out_text(model, shown), Style::dim)});
            continue;
        }
        rows.push_back({std::to_string(task->id), words::task_name(model, task->id), words::coroutine(model, *task),
                        styled(words::state(task->state, task->outcome), state_style(*task)),
                        at_least(words::duration(model.busy_ns(*task)), *task),
                        at_least(std::to_string(task->steps), *task), wait_or_end(model, *task),
                        words::where_text(shown_place(model, *task, options.library)), spans.text(*task)});
    }
    if (rows.empty()) return;
    rows.insert(rows.begin(), {"ID", "NAME", "COROUTINE", "STATE", "BUSY", "STEPS",
                               with_done ? "WAITS FOR, OR ENDED" : "WAITS FOR", "AT", "SAID BY THE APP"});
    if (std::all_of(rows.begin() + 1, rows.end(), [](const auto& row) { return row.size() < 9 || row[8].empty(); }))
        for (auto& row : rows) row.resize(std::min<std::size_t>(row.size(), 8));
    print_table(rows, "  ");
    print_left_out(model);
}

// What runs on this machine, can be asked, and is not in debug mode.
std::vector<AppState> in_standby() {
    std::vector<AppState> all;
    for (const pid_t pid : listening_processes())
        if (auto app = glance_at(pid); app && !app->on) all.push_back(std::move(*app));
    return all;
}

void print_standby(const std::vector<AppState>& all) {
    std::vector<std::vector<std::string>> rows;
    rows.reserve(all.size());
    for (const AppState& app : all)
        rows.push_back({styled(title(app), Style::bold), "standby: coroscope attach " + std::to_string(app.pid)});
    print_table(rows);
}

Json standby_json(const std::vector<AppState>& all) {
    Json json = Json::array();
    for (const AppState& app : all) json.push_back({{"name", app.name}, {"pid", app.pid}});
    return json;
}

// Without an agent, processes in standby are still worth a list.
int run_without_agent(const PsOptions& options, const std::vector<AppState>& standby, const Failure& failure) {
    if (standby.empty() || options.json) throw failure;
    print_standby(standby);
    finish_output();
    throw failure;
}

int run_ps(const PsOptions& options) {
    const bool asks_default_agent = options.source.source.empty() && options.source.agent.empty();
    const std::vector<AppState> standby = asks_default_agent ? in_standby() : std::vector<AppState>();
    Source source;
    try {
        source = load(options.source);
    } catch (const Failure& failure) {
        return run_without_agent(options, standby, failure);
    }
    const bool with_done = options.all || !source.live;
    if (options.json) {
        Json apps = Json::array();
        for (const auto& [key, app] : source.session.apps()) apps.push_back(app_json(app, with_done));
        print_json({{"apps", std::move(apps)}, {"standby", standby_json(standby)}});
        return exit_ok;
    }
    bool first = true;
    for (const auto& [key, app] : source.session.apps()) {
        if (!std::exchange(first, false)) print("\n");
        print_app(app, with_done, options);
    }
    if (!first && !standby.empty()) print("\n");
    print_standby(standby);
    if (first && standby.empty())
        print("no app: start one with `coroscope run PROGRAM`, or with COROSCOPE=1 in its environment\n");
    return exit_ok;
}

}  // namespace

void add_ps(Command root) {
    auto options = std::make_shared<PsOptions>();
    Command command =
        root.subcommand("ps", "List the tasks of every app: state, time spent, where each one waits and on what");
    add_source(command, options->source);
    add_moment(command, options->source);
    command.flag("--json", options->json, "Print JSON");
    command.flag("-a,--all", options->all,
                 "Of a live agent: tasks that have ended, too (a trace file's are always shown)");
    add_library_flag(command, options->library);
    add_each_flag(command, options->each);
    command.footer(
        "Examples:\n"
        "  coroscope ps                              what runs under the default agent\n"
        "  coroscope ps --json | jq '.apps[].name'   for scripts\n"
        "  coroscope ps t.cst                        all tasks of a trace file");
    command.runs([options] { return run_ps(*options); });
}

}  // namespace coroscope::cli
