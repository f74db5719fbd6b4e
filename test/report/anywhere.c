// anywhere.c - a race is reported wherever it is found: in a signal handler that interrupts malloc, in a dl_iterate_phdr
// callback, in a thread that a library's constructor waits for inside dlopen.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 -DLIBRARY -fPIC -shared %s -o %t.so
// RUN: %check_race --args=%t.so --libs='-ldl -rdynamic' %s
#define _GNU_SOURCE
#define INVISIBLE_THREADS
#include "../race/invisible.h"
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#ifdef LIBRARY

static void *write_in_library(void *arg)
{
    *(int *)arg = 2;
    return NULL;
}

extern int of_library;

__attribute__((constructor)) static void construct(void)
{
    pthread_t t;
    pthread_create(&t, NULL, write_in_library, &of_library);
    pthread_join(t, NULL); // inside dlopen
}

#else

int of_handler, of_callback, of_library;

static void *write_first(void *arg)
{
    (void)arg;
    of_handler = of_callback = of_library = 1;
    invisible_step();
    return NULL;
}

static volatile sig_atomic_t handled;

static void on_alarm(int sig)
{
    (void)sig;
    of_handler = 2;
    handled++;
}

static int look(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)info, (void)size, (void)arg;
    of_callback = 2;
    return 1;
}

int main(int argc, char **argv)
{
    pthread_t t;
    if (argc < 2)
        return 3;
    pthread_create(&t, NULL, write_first, NULL);
    invisible_wait(1);
    signal(SIGALRM, on_alarm);
    struct itimerval often = {{0, 200}, {0, 200}};
    setitimer(ITIMER_REAL, &often, NULL);
    while (handled < 20)
        free(malloc(100));
    often = (struct itimerval){{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &often, NULL);
    dl_iterate_phdr(look, NULL);
    if (!dlopen(argv[1], RTLD_NOW))
        return 4;
    pthread_join(t, NULL);
    return 0;
}

#endif

// CHECK-DAG: {{^}}    #0 on_alarm
// CHECK-DAG: {{^}}    #0 look
// CHECK-DAG: {{^}}    #0 write_in_library
// CHECK: reported 3 warnings
