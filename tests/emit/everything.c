/* Calls every function of the interface before cs_open(), with senseless arguments while it is on, and after
 * cs_close(): none may crash, and only the middle part may leave a trace. */
#include <coroscope/emit.h>
#include <string.h>

static void call_everything(const char* text, uint64_t id, int number) {
    const cs_site site = cs_site_define(text, text, (uint32_t)id, (uint32_t)id, (uint32_t)id);
    const cs_node node = cs_node_of((cs_node)id, (cs_site)id, number);
    cs_resource_info resource = {.size = (uint32_t)id, .type = (uint32_t)id, .name = text};
    cs_report report = {.size = sizeof report,
                        .kind = (uint32_t)id,
                        .task = id,
                        .site = (cs_site)id,
                        .stack = (cs_node)id,
                        .frame_count = (size_t)id,
                        .address_count = (size_t)id,
                        .text = text};
    cs_runtime_info runtime = {.size = (uint32_t)id, .abi = (uint32_t)id};
    cs_producer* producer = NULL;
    cs_runtime_add(NULL);
    cs_runtime_add(&runtime);
    cs_after_fork_in_child(); /* in no child */
    cs_is_on();
    cs_abi();
    cs_node_of(node, site, 0);
    cs_node_of(0xffffffffu, 0xffffffffu, CS_CALL);
    cs_name_of(text);
    cs_value_text(text);
    cs_value_integer((int64_t)id);
    cs_value_real((double)number / 0.0);
    cs_value_bool(number);
    cs_task_new((cs_runtime)id, id, (cs_node)id);
    cs_task_root(id, (cs_node)id);
    cs_task_name(id, text);
    cs_task_ready(id, id);
    cs_step_end(id, id, (cs_node)id);                            /* of a step that never began */
    for (int i = 0; i < 40; ++i) cs_step_begin(id, (cs_node)id); /* deeper than is remembered */
    for (int i = 0; i < 50; ++i) cs_step_end(id, id, (cs_node)id);
    cs_task_done(id, number);
    cs_task_cancel(id, id, (cs_node)id);
    cs_task_uncancel(id, id);
    cs_wait_holder(id, id);
    cs_loop_new((cs_runtime)id);
    cs_loop_started(id);
    cs_loop_stopped(id);
    cs_poll_begin();
    cs_poll_end(id);
    cs_callback_end();
    cs_callback_begin((cs_node)id, id);
    cs_job_begin(id, id);
    cs_job_end(id, id);
    cs_resource_type_define(text, text);
    cs_resource_new(NULL);
    cs_resource_new(&resource);
    cs_resource_name(id, text);
    cs_resource_close(id);
    cs_resource_used(id, id, number, (cs_node)id);
    cs_resource_level(id, id);
    cs_resource_member(id, id);
    cs_attribute(id, (cs_name)id, (cs_value)id);
    cs_resource_attribute(id, (cs_name)id, (cs_value)id);
    cs_span_attribute(id, (cs_name)id, (cs_value)id);
    cs_mark((cs_name)id, (cs_node)id);
    cs_span_begin((cs_name)id, (cs_node)id);
    cs_span_end(id);
    cs_counter((cs_name)id, -1.0 / 0.0);
    cs_report_send(NULL);
    cs_report_send(&report);
    cs_snapshot_wanted();
    cs_lost_events();
    cs_has_room();
    cs_snapshot_begin((cs_runtime)id, id);
    cs_snapshot_task(id, id, (cs_node)id, id, (cs_node)id);
    cs_snapshot_end((cs_runtime)id, id);
    cs_process_state();
    cs_producer_bind(NULL);
    cs_producer_bind(&producer);
    if (producer != NULL) cs_push_slowly(producer, id, 255, id, id, (uint32_t)id);
    cs_push_slowly(NULL, id, 255, id, id, (uint32_t)id);
    cs_internals(text);
}

static const char* long_text(void) {
    static char text[100001];
    memset(text, 'x', sizeof text - 1);
    return text;
}

static void take_message(void* context, int level, const char* text) {
    (void)level;
    (void)text;
    ++*(int*)context;
}

int main(void) {
    static int messages = 0;
    cs_set_log_handler(take_message, &messages);
    cs_log(CS_LOG_INFO, "one");
    cs_log(-7, NULL);
    cs_set_log_handler(NULL, &messages);
    if (messages != 1) return 2;
    call_everything("before", 1, 1);
    if (cs_open(NULL, "everything") != NULL || !cs_is_on()) return 1;
    cs_task_name(cs_task_new(0, 0, 0), "in time");
    for (int number = -2; number <= 5; ++number) {
        call_everything(NULL, (uint64_t)number, number);
        call_everything("\xff\xfe not UTF-8", 0xffffffffffffffffu >> (number + 2), number);
        call_everything(long_text(), 1u << (number + 2), number);
    }
    cs_close(60000);
    call_everything("after", 1, 1);
    return cs_open("1", NULL) == NULL && !cs_is_on() ? 0 : 1;
}
