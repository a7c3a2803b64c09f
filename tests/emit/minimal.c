/* A minimal emitter: a server spawns a worker and joins it; the worker waits for a lock that the server holds. */
#include <coroscope/emit.h>
#include <stdio.h>

int main(void) {
    const cs_runtime_info about = {
        .size = sizeof about,
        .abi = CS_ABI,
        .language = "c",
        .name = "minimal",
        .capabilities = CS_HAS_STACKS | CS_HAS_LINES | CS_HAS_WAITS | CS_HAS_HOLDERS | CS_HAS_PARENTS};
    const cs_runtime runtime = cs_runtime_add(&about);
    const char* why_not = cs_open(NULL, "minimal"); /* reads COROSCOPE */
    if (why_not != NULL) fprintf(stderr, "coroscope: %s\n", why_not);

    /* Places, each defined once, and stacks of them: a task's root, and lines that it awaits at. */
    const cs_site serve = cs_site_define("serve", "server.c", 10, 0, 0);
    const cs_site join_line = cs_site_define("serve", "server.c", 14, 0, 0);
    const cs_site work = cs_site_define("work", "worker.c", 20, 0, 0);
    const cs_site lock_line = cs_site_define("work", "worker.c", 22, 0, 0);
    const cs_node server_root = cs_node_of(0, serve, CS_TASK);
    const cs_node server_at = cs_node_of(server_root, join_line, CS_CALL);
    const cs_node worker_root = cs_node_of(server_at, work, CS_TASK);
    const cs_node worker_at = cs_node_of(worker_root, lock_line, CS_CALL);
    const cs_task server = cs_task_new(runtime, 0, server_root);
    cs_step_begin(server, 0);
    const cs_resource_info lock_info = {
        .size = sizeof lock_info, .type = CS_LOCK, .name = "the lock", .created_at = server_at, .created_by = server};
    const cs_resource lock = cs_resource_new(&lock_info);
    const cs_task worker = cs_task_new(runtime, server, worker_root);
    cs_task_name(worker, "worker 1");
    cs_attribute(worker, cs_name_of("request"), cs_value_text("GET /"));
    cs_step_end(server, cs_wait(CS_JOIN, worker), server_at);

    cs_step_begin(worker, 0);
    cs_wait_holder(worker, server);
    cs_step_end(worker, cs_wait(CS_ACQUIRE, lock), worker_at);
    cs_close(10000); /* sends what is left; at exit it has one second */
    return 0;
}
