// io_sync.c - option io_sync: descriptors give no order, each its own, or all the same.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --args=same --options=io_sync=0 --status=66 %s
// RUN: %check --args=same --silent %s
// RUN: %check --args=other --options=io_sync=1 --status=66 %s
// RUN: %check --args=other --options=io_sync=2 --silent %s
#define INVISIBLE_THREADS
#include "../race/invisible.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

int value;
static int ends[2], others[2];

static void *writer(void *arg)
{
    value = 1; // line: write
    invisible_use(write(ends[1], "x", 1));
    invisible_step();
    return arg;
}

int main(int argc, char **argv)
{
    if (argc < 2 || pipe(ends) || pipe(others))
        return 1;
    invisible_use(write(others[1], "x", 1));
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    char byte;
    if (read(strcmp(argv[1], "same") ? others[0] : ends[0], &byte, 1) != 1)
        return 1;
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}io_sync.c:[[#read]]:{{[0-9]+}} in main
