// tls_library_norace.c - thread-locals of a library loaded by dlopen: coroutines of one OS thread use them in its order; the loader
// frees those of ended threads when it likes, in threads that know nothing of them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 -fPIC -shared %S/Inputs/tls_library.c -o %t.so
// RUN: %check_norace --args=%t.so --libs=-ldl %s
#include "invisible.h"

#include <dlfcn.h>
#include <pthread.h>

static void (*tls_use)(int i);
static csp_wg done;

static void coroutine(void *arg)
{
    (void)arg;
    for (int i = 0; i < 50; i++) {
        tls_use(i);
        csp_yield();
    }
    csp_wg_done(&done);
}

static void *thread(void *arg)
{
    tls_use(1);
    return arg;
}

// Each knows the ends of its own threads only.
static void *starter(void *arg)
{
    pthread_t threads[12];
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 12; i++)
            pthread_create(&threads[i], NULL, thread, NULL);
        for (int i = 0; i < 12; i++)
            pthread_join(threads[i], NULL);
    }
    return arg;
}

int main(int argc, char **argv)
{
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (!library)
        return 1;
    tls_use = (void (*)(int))dlsym(library, "tls_use");
    csp_wg_add(&done, 8);
    for (int i = 0; i < 8; i++)
        csp_go(coroutine, NULL);
    csp_wg_wait(&done);
    pthread_t starters[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&starters[i], NULL, starter, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(starters[i], NULL);
    return 0;
}
