// map_at_norace.c - values of different keys, used in place by different coroutines.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

static csp_map *ages;
static int *ada;

static void writer(void *arg)
{
    (void)arg;
    *ada = 36; // line: write
    invisible_step();
}

int main(void)
{
    int age;
    ages = csp_map_new_str(sizeof age);
    csp_map_ensure(ages, "grace");
    csp_map_ensure(ages, "ada");
    ada = csp_map_at(ages, "ada");
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_map_get(ages, "grace", &age); // line: read
    return 0;
}
