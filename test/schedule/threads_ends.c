// threads_ends.c - the ends of a process are as without control: main leaves by pthread_exit, another thread calls exit, main returns.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: %python %S/Inputs/same.py --seeds=6 --expect=%t.expected %t -- main
// RUN: FileCheck --check-prefix=MAIN %s < %t.expected
// RUN: %python %S/Inputs/same.py --seeds=4 --status=3 --expect=%t.expected %t -- exit
// RUN: FileCheck --check-prefix=EXIT %s < %t.expected
// RUN: %python %S/Inputs/same.py --seeds=4 --status=4 --expect=%t.expected %t -- return
// RUN: FileCheck --check-prefix=RETURN %s < %t.expected
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_t main_thread;

static void *sleep_long(void *arg)
{
    sleep(5);
    printf("slept\n");
    return arg;
}

static void *join_main(void *arg)
{
    printf("joined main: %d\n", pthread_join(main_thread, NULL));
    return arg;
}

static void *call_exit(void *arg)
{
    sleep(1);
    printf("exit\n");
    exit(3);
    return arg;
}

static void *wait_for_ever(void *arg)
{
    pause();
    return arg;
}

static void tell(void)
{
    printf("last\n");
    fflush(stdout);
}

static void start(void *(*fn)(void *))
{
    pthread_t t;
    pthread_create(&t, NULL, fn, NULL);
    pthread_detach(t);
}

// MAIN: joined main: 0
// MAIN-NEXT: slept
// MAIN-NEXT: last
// EXIT: exit
// EXIT-NEXT: last
// RETURN-NOT: slept
// RETURN: last
int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    main_thread = pthread_self();
    atexit(tell);
    if (!strcmp(how, "main")) {
        start(sleep_long);
        start(join_main);
        pthread_exit(NULL);
    }
    start(wait_for_ever);
    if (!strcmp(how, "exit")) {
        start(call_exit);
        pause();
    }
    start(sleep_long);
    return 4;
}
