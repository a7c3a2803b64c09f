/* A process that is observed forks; the child is silent until it asks, then an app of its own. Prints the child's pid.
 */
#define _POSIX_C_SOURCE 200809L
#include <coroscope/emit.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void name_task(const char* name) {
    const cs_site site = cs_site_define(name, "forks.c", 1, 0, 0);
    cs_task_name(cs_task_new(0, 0, cs_node_of(0, site, CS_TASK)), name);
}

int main(void) {
    int status = -1;
    pid_t child;
    cs_node from_before;
    if (cs_open(NULL, "forks") != NULL || !cs_is_on()) return 1;
    name_task("parent's first");
    from_before = cs_node_of(0, cs_site_define("before", "forks.c", 2, 0, 0), CS_TASK);
    child = fork();
    if (child == 0) {
        if (cs_is_on()) _exit(2);
        name_task("nobody's");
        if (cs_after_fork_in_child() != NULL || !cs_is_on()) _exit(3);
        name_task("child's");
        cs_task_name(cs_task_new(0, 0, from_before), "child's, of a place from before");
        cs_close(60000);
        exit(0); /* leaves the parent's file alone */
    }
    if (child < 0 || waitpid(child, &status, 0) != child) return 4;
    name_task("parent's second");
    cs_close(60000);
    printf("%ld\n", (long)child);
    return status;
}
