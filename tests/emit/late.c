/* Opens the library while it runs, as an extension module of another language does. argv[1]: the library. */
#define _POSIX_C_SOURCE 200809L
#include <coroscope/emit.h>
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static void* find(void* library, const char* name, size_t size, void* function) {
    void* symbol = dlsym(library, name);
    memcpy(function, &symbol, size); /* C99 has no conversion from an object's pointer to a function's */
    return symbol;
}
#define FIND(name) find(library, #name, sizeof my_##name, &my_##name)

static const char* (*my_cs_open)(const char*, const char*);
static cs_task (*my_cs_task_new)(cs_runtime, cs_task, cs_node);
static void (*my_cs_task_name)(cs_task, const char*);
static cs_producer* (*my_cs_producer_bind)(cs_producer**);
static void (*my_cs_close)(uint32_t);

static __thread cs_producer* cache;

static void* thread(void* result) {
    my_cs_task_name(my_cs_task_new(0, 0, 0), "on a thread");
    *(int*)result = my_cs_producer_bind(&cache) == NULL || cache == NULL;
    return NULL;
}

int main(int argc, char** argv) {
    pthread_t other;
    int failed = 1;
    void* library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (library == NULL || FIND(cs_open) == NULL || FIND(cs_task_new) == NULL || FIND(cs_task_name) == NULL ||
        FIND(cs_producer_bind) == NULL || FIND(cs_close) == NULL)
        return 1;
    if (dlopen("libcoroscope-emit.so.1", RTLD_NOW | RTLD_NOLOAD) != library) return 2;
    if (my_cs_open(NULL, "late") != NULL) return 3;
    my_cs_task_name(my_cs_task_new(0, 0, 0), "late task");
    if (pthread_create(&other, NULL, thread, &failed) != 0 || pthread_join(other, NULL) != 0) return 4;
    my_cs_close(60000);
    dlclose(library); /* it stays: threads and atexit() have its functions */
    return failed;
}
