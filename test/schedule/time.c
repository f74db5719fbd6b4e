// time.c - time is virtual: an hour takes none, a timeout may come early by what tasks can be held up, and by no more.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An hour of real time would be this test's end.
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: %python %S/Inputs/seeds.py --seeds=4 --seen=slept --only %t sleep
// RUN: %python %S/Inputs/seeds.py --seeds=80 --seen=result --seen=timeout --only %t 5
// RUN: %python %S/Inputs/seeds.py --seeds=30 --seen=result --only %t 5000
// RUN: %python %S/Inputs/seeds.py --seeds=30 --seen=result --only --options=schedule=random:schedule_delay_ms=0 %t 5
// RUN: %python %S/Inputs/seeds.py --seeds=40 --seen=12 --seen=21 --only %t ties
#include <csp/csp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static csp_chan *results;

static void work(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10; i++)
        csp_yield();
    int v = 1;
    csp_send(results, &v);
}

static int wait_for_result(int64_t limit)
{
    results = csp_chan_new(sizeof(int), 1);
    csp_go(work, NULL);
    int v = 0;
    csp_case cases[] = {csp_case_recv(results, &v, NULL), csp_case_after(limit)};
    puts(csp_select(cases, 2) == 0 ? "result" : "timeout");
    return 0;
}

static int sleep_long(void)
{
    int64_t before = csp_now();
    csp_sleep(3600 * CSP_SECOND);
    int64_t slept = csp_now() - before;
    puts(slept >= 3600 * CSP_SECOND && slept < 3601 * CSP_SECOND ? "slept" : "not slept");
    return 0;
}

static int fire_two(void)
{
    int64_t at = csp_now() + CSP_SECOND;
    csp_ctx *first = csp_ctx_with_deadline(csp_ctx_background(), at);
    csp_ctx *second = csp_ctx_with_deadline(csp_ctx_background(), at);
    csp_case cases[] = {csp_case_recv(csp_ctx_done(first), NULL, NULL),
                        csp_case_recv(csp_ctx_done(second), NULL, NULL)};
    puts(csp_select(cases, 2) == 0 ? "12" : "21");
    csp_ctx_free(first);
    csp_ctx_free(second);
    return 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    if (!strcmp(argv[1], "sleep"))
        return sleep_long();
    if (!strcmp(argv[1], "ties"))
        return fire_two();
    return wait_for_result(atoi(argv[1]) * CSP_MS);
}
