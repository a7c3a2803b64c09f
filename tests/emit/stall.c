/* A runtime that can tell the stack of a thread of its own, which hangs until it was asked twice. */
#define _POSIX_C_SOURCE 200809L
#include <coroscope/emit.h>
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t asked = PTHREAD_COND_INITIALIZER;
static int times;
static cs_site inner, outer;

static size_t stack_of(void* self, uint64_t tid, cs_site* innermost_first, size_t most) {
    if (self != &times || tid == 0 || most < 2) return 0;
    innermost_first[0] = inner;
    innermost_first[1] = outer;
    pthread_mutex_lock(&mutex);
    ++times;
    pthread_cond_signal(&asked);
    pthread_mutex_unlock(&mutex);
    return 2;
}

int main(void) {
    const cs_runtime_info about = {
        .size = sizeof about, .abi = CS_ABI, .language = "snail", .name = "slow", .self = &times, .stack_of = stack_of};
    const cs_runtime runtime = cs_runtime_add(&about);
    alarm(60); /* instead of hanging for ever if nobody asks */
    if (cs_open(NULL, "stall") != NULL || !cs_is_on()) return 1;
    inner = cs_site_define("hang.<locals>.inner", "slow.snail", 7, 0, 0);
    outer = cs_site_define("hang", "slow.snail", 3, 0, 0);
    const cs_task outer_task = cs_task_new(runtime, 0, 0), task = cs_task_new(runtime, outer_task, 0);
    cs_step_begin(outer_task, 0);
    cs_step_begin(task, 0); /* an eager task: within the step of the task that creates it */
    pthread_mutex_lock(&mutex);
    while (times < 2) pthread_cond_wait(&asked, &mutex); /* the second time, the first answer has been taken */
    pthread_mutex_unlock(&mutex);
    cs_step_end(task, cs_wait(CS_TIMER, 0), 0);
    cs_task_done(outer_task, CS_ENDED);
    cs_close(60000);
    return 0;
}
