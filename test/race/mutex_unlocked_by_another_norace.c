// mutex_unlocked_by_another_norace.c - every earlier unlock is before a lock, whoever made the last one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_mutex m;

static void uses_it(void *arg)
{
    (void)arg;
    csp_mutex_lock(&m);
    value = 1;
    csp_mutex_unlock(&m);
    invisible_step();
}

static void unlocks_it(void *arg)
{
    (void)arg;
    invisible_wait(2);
    csp_mutex_unlock(&m);
    invisible_step();
}

static void keeps_it(void *arg)
{
    (void)arg;
    invisible_wait(1);
    csp_mutex_lock(&m);
    invisible_step();
}

int main(void)
{
    csp_go(uses_it, NULL);
    csp_go(unlocks_it, NULL);
    csp_go(keeps_it, NULL);
    invisible_wait(3);
    csp_mutex_lock(&m);
    invisible_use(value); // line: read
    csp_mutex_unlock(&m);
    return 0;
}
