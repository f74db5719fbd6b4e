// map_norace.c - a map written and read under a lock.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

static csp_map *ages;
static csp_mutex lock;

static void writer(void *arg)
{
    (void)arg;
    int age = 36;
    csp_mutex_lock(&lock);
    csp_map_set(ages, "ada", &age); // line: write
    csp_mutex_unlock(&lock);
    invisible_step();
}

int main(void)
{
    int age;
    ages = csp_map_new_str(sizeof age); // line: new
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_mutex_lock(&lock);
    csp_map_get(ages, "grace", &age); // line: read
    return 0;
}
