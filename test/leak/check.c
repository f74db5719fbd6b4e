// check.c - csp_leak_check and csp_leak_check_scope: what they find, what they leave out, with the sanitizer and without.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace --options='detect_leaks=0' %s
// RUN: %check_plain %s
#include <csp/csp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature) && __has_feature(thread_sanitizer)
#define PROVES 1
#else
#define PROVES 0
#endif

#define EXPECT(x)                                                                                                      \
    do {                                                                                                               \
        if (!(x)) {                                                                                                    \
            fprintf(stderr, "line %d: %s\n", __LINE__, #x);                                                            \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static csp_chan *kept, *gate;

static void sender(void *ch)
{
    csp_send(ch, NULL);
    csp_yield(); // no jump to csp_send
}

static void sleeper(void *unused)
{
    (void)unused;
    csp_sleep(2 * CSP_MS);
}

static void passer(void *unused)
{
    (void)unused;
    csp_recv(gate, NULL);
}

static void starter(void *ch)
{
    csp_go(sender, ch);
}

static void leak_one(void *unused)
{
    (void)unused;
    csp_go(sender, csp_chan_new(0, 0));
    csp_go(sleeper, NULL);
}

static void leak_two_below(void *unused)
{
    (void)unused;
    csp_go(starter, csp_chan_new(0, 0));
    csp_go(starter, csp_chan_new(0, 0));
}

static void leave_reachable(void *unused)
{
    (void)unused;
    kept = csp_chan_new(0, 0);
    csp_go(sender, kept);
}

static void clean(void *unused)
{
    (void)unused;
    csp_go(sleeper, NULL);
    csp_go(sleeper, NULL);
}

static void nested(void *n)
{
    csp_leak leak;
    *(size_t *)n = csp_leak_check_scope(leak_one, NULL, NULL, &leak, 1);
    leak_two_below(NULL);
}

static void stay_a_daemon(void *unused)
{
    (void)unused;
    csp_go_with(&(csp_go_options){.daemon = true}, sender, csp_chan_new(0, 0));
}

static const csp_leak_options ignore_sender = {.ignore_top = (const char *const[]){"sender", NULL}};
static const csp_leak_options ignore_any = {.ignore_any = (const char *const[]){"nothing", "sender", NULL}};
static const csp_leak_options ignore_creator = {.ignore_created_by = (const char *const[]){"leak_one", NULL}};
static const csp_leak_options ignore_others = {.ignore_created_by = (const char *const[]){"no_such_function", NULL}};

// A stale word somewhere may make one of a few leaks look reachable, hence several tries.
static bool is_told_stuck(void)
{
    csp_leak leak = {0};
    for (int i = 0; i < 10; i++)
        if (csp_leak_check_scope(leak_one, NULL, NULL, &leak, 1) == 1 &&
            leak.verdict == (PROVES ? CSP_LEAK_STUCK : CSP_LEAK_PARKED))
            return true;
    return false;
}

static void check_scopes(void)
{
    csp_leak leaks[4] = {0};
    EXPECT(csp_leak_check_scope(clean, NULL, NULL, leaks, 4) == 0);
    EXPECT(csp_leak_check_scope(leak_one, NULL, NULL, leaks, 4) == 1);
    EXPECT(is_told_stuck());
    EXPECT(leaks[0].count == 1 && !strcmp(leaks[0].waiting, "chan send") && !strcmp(leaks[0].function, "sender"));
    EXPECT(!strcmp(leaks[0].created_by, "leak_one") && leaks[0].bytes >= 256);
    EXPECT(csp_leak_check_scope(leave_reachable, NULL, NULL, leaks, 4) == 1);
    EXPECT(leaks[0].verdict == CSP_LEAK_PARKED);
    csp_recv(kept, NULL);
    leaks[1].count = 0;
    EXPECT(csp_leak_check_scope(leak_two_below, NULL, NULL, leaks, 4) == 2);
    EXPECT(leaks[0].count + leaks[1].count == 2);
    size_t inner = 0;
    EXPECT(csp_leak_check_scope(nested, &inner, NULL, leaks, 4) == 3 && inner == 1);
    EXPECT(csp_leak_check_scope(stay_a_daemon, NULL, NULL, leaks, 4) == 0);
    EXPECT(!csp_label("csp.scope"));
}

static void check_ignoring(void)
{
    EXPECT(csp_leak_check_scope(leak_one, NULL, &ignore_sender, NULL, 0) == 0);
    EXPECT(csp_leak_check_scope(leak_one, NULL, &ignore_any, NULL, 0) == 0);
    EXPECT(csp_leak_check_scope(leak_one, NULL, &ignore_creator, NULL, 0) == 0);
    EXPECT(csp_leak_check_scope(leak_one, NULL, &ignore_others, NULL, 0) == 1);
    csp_leak_options since = {.parked_too = true, .since_id = csp_leak_mark()};
    EXPECT(csp_leak_check(&since, NULL, 0) == 0);
    csp_go(passer, NULL);
    csp_sleep(CSP_MS);
    for (size_t n; (n = csp_leak_check(&since, NULL, 0)) != 1; csp_yield()) // it has not parked yet
        EXPECT(n == 0);
}

// Others that leak meanwhile are none of this scope's business.
static void check_beside(void *ok)
{
    for (int i = 0; i < 5; i++)
        EXPECT(csp_leak_check_scope(clean, NULL, &(csp_leak_options){.grace_ns = 50 * CSP_MS}, NULL, 0) == 0);
    for (int i = 0; i < 5; i++)
        EXPECT(csp_leak_check_scope(leak_one, NULL, &(csp_leak_options){.grace_ns = 50 * CSP_MS}, NULL, 0) == 1);
    csp_wg_done(ok);
}

int main(void)
{
    gate = csp_chan_new(0, 0);
    EXPECT(csp_leak_check(NULL, NULL, 0) == 0);
    check_scopes();
    check_ignoring();
    csp_wg wg = {0};
    csp_wg_add(&wg, 3);
    for (int i = 0; i < 3; i++)
        csp_go(check_beside, &wg);
    csp_wg_wait(&wg);
    return 0;
}
