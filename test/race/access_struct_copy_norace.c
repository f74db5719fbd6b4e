// access_struct_copy_norace.c - copies of different structs do not conflict.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

typedef struct big {
    long fields[40];
} big;
big shared, spare, source;

static void other(void *arg)
{
    (void)arg;
    spare = source;
    invisible_step();
}

int main(void)
{
    csp_go(other, NULL);
    invisible_wait(1);
    invisible_use(shared.fields[39]); // line: read
    return 0;
}
