// mutex_trylock_norace.c - a try-lock that succeeds is ordered after the last unlock.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_mutex lock;

static void writer(void *arg)
{
    (void)arg;
    csp_mutex_lock(&lock);
    value = 1; // line: write
    csp_mutex_unlock(&lock);
    invisible_step();
    invisible_wait(2);
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    bool locked = csp_mutex_trylock(&lock);
    invisible_use(value); // line: read
    if (locked)
        csp_mutex_unlock(&lock);
    invisible_step();
    return 0;
}
