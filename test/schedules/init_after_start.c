// init_after_start.c - a thread is started and then told what it works on.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: the thread may look before it has been told.
// Order: the new thread's first millisecond passes before its creator's next line.
// Depth: 1. Shows as: crash.
// Source: Mozilla's nsThread, figure 5 of Lu et al., ASPLOS 2008: order violation. POSIX threads only.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static _Atomic(const char *) task;

static void *run(void *arg)
{
    usleep(1000); // opens its log
    assert(atomic_load(&task) != NULL);
    return arg;
}

int main(void)
{
    pthread_t thread;
#ifdef FIXED
    atomic_store(&task, "render");
    pthread_create(&thread, NULL, run, NULL);
#else
    pthread_create(&thread, NULL, run, NULL);
    atomic_store(&task, "render");
#endif
    pthread_join(thread, NULL);
    return 0;
}
