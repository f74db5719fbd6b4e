// mutex_unlocked_by_another_race.c - what it did after unlocking another's lock is not ordered.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static csp_mutex m;

static void uses_it(void *arg)
{
    (void)arg;
    csp_mutex_lock(&m);
    csp_mutex_unlock(&m);
    invisible_step();
}

static void unlocks_it(void *arg)
{
    (void)arg;
    invisible_wait(2);
    csp_mutex_unlock(&m);
    value = 1; // line: write
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

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: {{^}}    #0 main {{.*}}mutex_unlocked_by_another_race.c:[[#read]]:
// CHECK: {{^}}    #0 unlocks_it {{.*}}mutex_unlocked_by_another_race.c:[[#write]]:
