// access_vla_race.c - the same element of another coroutine's variable-length array.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

static int *shared;

static void writer(void *arg)
{
    (void)arg;
    shared[3] = 1; // line: first
    invisible_step();
}

int main(int argc, char **argv)
{
    (void)argv;
    int items[argc + 7];
    shared = items;
    csp_go(writer, NULL);
    invisible_wait(1);
    shared[3] = 2; // line: second
    invisible_use((long)items);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: {{^}}    #0 main {{.*}}access_vla_race.c:[[#second]]:
// CHECK: {{^}}    #0 writer {{.*}}access_vla_race.c:[[#first]]:
