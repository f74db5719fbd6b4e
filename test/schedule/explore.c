// explore.c - csp_explore: schedules in this process, each a function of its seed; findings once, with the seed; leftovers dropped.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: %t clean 2>&1 | FileCheck %s --check-prefix=CLEAN
// RUN: not %t race > %t.out 2>&1 && FileCheck %s --check-prefix=RACE --input-file=%t.out
// RUN: not %t leak > %t.out 2>&1 && FileCheck %s --check-prefix=LEAK --input-file=%t.out
// RUN: not %t deadlock > %t.out 2>&1 && FileCheck %s --check-prefix=DEADLOCK --input-file=%t.out
// RUN: not %t panic 2>&1 | FileCheck %s --check-prefix=PANIC
// RUN: not %t nested 2>&1 | FileCheck %s --check-prefix=NESTED
// RUN: not %t coroutine 2>&1 | FileCheck %s --check-prefix=COROUTINE
// RUN: env CSPTHREAD_OPTIONS=schedule=pct:seed=5 %t once | FileCheck %s --check-prefix=ONCE
// RUN: %cspcc -g %s -o %t.plain && %t.plain plain | FileCheck %s --check-prefix=PLAIN
#include <csp/csp.h>
#include <csp/explore.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(x) ((x) ? (void)0 : (printf("wrong at line %d: %s\n", __LINE__, #x), exit(1)))

// --- nothing to report -----------------------------------------------------------------------------------------------------

typedef struct account {
    csp_mutex m;
    csp_wg wg;
    int n;
} account;

static int lost;

static void deposit(void *arg)
{
    account *a = arg;
    csp_mutex_lock(&a->m);
    int n = a->n;
    csp_mutex_unlock(&a->m);
    csp_mutex_lock(&a->m);
    a->n = n + 1;
    csp_mutex_unlock(&a->m);
    csp_wg_done(&a->wg);
}

static void lose(void *unused)
{
    account a = {.n = 0};
    (void)unused;
    csp_wg_add(&a.wg, 2);
    csp_go(deposit, &a);
    csp_go(deposit, &a);
    csp_wg_wait(&a.wg);
    lost += a.n != 2;
}

static csp_mutex order_lock;
static char order[8];
static int n_order;

static void write_name(void *name)
{
    for (int i = 0; i < 2; i++) {
        csp_mutex_lock(&order_lock);
        order[n_order++] = *(const char *)name;
        csp_mutex_unlock(&order_lock);
    }
}

// Ends before those it has started, which the next schedule must not meet.
static void write_order(void *to)
{
    n_order = 0;
    csp_go(write_name, "a");
    csp_go(write_name, "b");
    csp_sleep(CSP_SECOND);
    csp_mutex_lock(&order_lock);
    memcpy(to, order, sizeof order);
    csp_mutex_unlock(&order_lock);
    int64_t now = csp_now();
    CHECK(now > 0);
    *(int64_t *)((char *)to + 8) = now;
    csp_go(write_name, "c");
}

static void *add_one(void *arg)
{
    __atomic_fetch_add((int *)arg, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void with_threads(void *unused)
{
    int n = 0;
    pthread_t threads[2];
    (void)unused;
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, add_one, &n) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(n == 2);
}

// CLEAN-NOT: WARNING
// CLEAN: all is well
static void explore_clean(void)
{
    csp_explore_result r = csp_explore(lose, NULL, &(csp_explore_options){.seed = 100, .count = 500});
    CHECK(r.schedules == 500 && r.failing == 0 && r.findings == 0);
    CHECK(r.tasks == 3 && r.points > 8 && r.interleavings > 10 && r.interleavings < 500);
    CHECK(r.bound > 0 && r.bound <= 1);
    CHECK(lost > 20 && lost < 480);
    char first[16], again[16], orders = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        csp_explore(write_order, first, &(csp_explore_options){.strategy = "random", .seed = seed, .count = 1});
        csp_explore(lose, NULL, &(csp_explore_options){.seed = seed, .count = 3});
        csp_explore(write_order, again, &(csp_explore_options){.strategy = "random", .seed = seed, .count = 1});
        CHECK(!memcmp(first, again, sizeof first)); // the clock, too
        orders |= memcmp(first, "abab", 4) ? 1 : 2;
    }
    CHECK(orders == 3);
    r = csp_explore(with_threads, NULL, &(csp_explore_options){.count = 100});
    CHECK(r.schedules == 100 && r.findings == 0 && r.tasks == 3);
    r = csp_explore(lose, NULL, &(csp_explore_options){.time_ns = 20 * CSP_MS});
    CHECK(r.schedules > 0 && r.seconds > 0.01);
    puts("all is well");
}

// --- findings ----------------------------------------------------------------------------------------------------------------

static int racy;

static void increment(void *wg)
{
    racy++;
    csp_wg_done(wg);
}

static void race(void *unused)
{
    csp_wg wg = {0};
    (void)unused;
    racy = 0; // after whoever was there before
    csp_wg_add(&wg, 2);
    csp_go(increment, &wg);
    csp_go(increment, &wg);
    csp_wg_wait(&wg);
}

// RACE: csp_explore: strategy rr, seed 0:
// RACE: WARNING: CspThreadSanitizer: data race
// RACE: #{{[0-9]}} csp_explore <null>
// RACE: in increment
// RACE-NOT: WARNING
// RACE: reported 1 warnings

static void send_one(void *ch)
{
    csp_send(ch, &(int){1});
}

// Whoever is not received from is left behind, in every schedule. What both send on is nobody else's.
static void leave_one(void *unused)
{
    csp_chan *ch = csp_chan_new(sizeof(int), 0);
    (void)unused;
    csp_go(send_one, ch);
    csp_go(send_one, ch);
    csp_recv(ch, NULL);
}

// LEAK: csp_explore: strategy rr, seed 0:
// LEAK: WARNING: CspThreadSanitizer: coroutine leak
// LEAK: is parked in chan send
// LEAK: in send_one
// LEAK-NOT: WARNING
// LEAK: reported 1 warnings

typedef struct pair {
    csp_mutex a, b;
} pair;

static void lock_ab(void *arg)
{
    pair *p = arg;
    csp_mutex_lock(&p->a);
    csp_mutex_lock(&p->b);
    csp_mutex_unlock(&p->b);
    csp_mutex_unlock(&p->a);
}

static void lock_ba(void *arg)
{
    pair *p = arg;
    csp_mutex_lock(&p->b);
    csp_mutex_lock(&p->a);
    csp_mutex_unlock(&p->a);
    csp_mutex_unlock(&p->b);
}

static void deadlock(void *unused)
{
    pair *p = calloc(1, sizeof *p);
    (void)unused;
    csp_go(lock_ab, p);
    csp_go(lock_ba, p);
    csp_sleep(CSP_MS);
}

// DEADLOCK: csp_explore: strategy {{[a-z]+}}, seed {{[0-9]+}}:
// DEADLOCK: WARNING: CspThreadSanitizer: deadlock

static void panic_sometimes(void *unused)
{
    int before = lost;
    lose(unused);
    if (lost != before)
        csp_panic("lost");
}

// PANIC: panic: lost
// PANIC: csp_explore: that was strategy {{[a-z]+}}, seed {{[0-9]+}}
// NESTED: panic: csp_explore: called inside csp_explore
// COROUTINE: panic: csp_explore: called by another coroutine than main
// ONCE: 1 schedules
// PLAIN: 7 schedules, 0 findings
static void nested(void *unused)
{
    csp_explore(lose, unused, NULL);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    csp_explore_options many = {.count = 300};
    if (!strcmp(what, "clean")) {
        explore_clean();
    } else if (!strcmp(what, "race")) {
        csp_explore_result r = csp_explore(race, NULL, &many);
        CHECK(r.findings == 1 && r.failing == 300 && r.first_seed == 0);
        r = csp_explore(race, NULL, &many);
        CHECK(r.findings == 0 && r.failing == 300); // told already
    } else if (!strcmp(what, "leak")) {
        csp_explore_result r = csp_explore(leave_one, NULL, &many);
        CHECK(r.findings == 1 && r.failing == 300);
    } else if (!strcmp(what, "deadlock")) {
        csp_explore_result r = csp_explore(deadlock, NULL, &many);
        CHECK(r.findings > 0 && r.failing > 10 && r.failing < 300);
    } else if (!strcmp(what, "panic")) {
        csp_explore(panic_sometimes, NULL, NULL);
    } else if (!strcmp(what, "nested")) {
        csp_explore(nested, NULL, NULL);
    } else if (!strcmp(what, "coroutine")) {
        csp_go(nested, NULL);
        csp_sleep(CSP_MS);
    } else if (!strcmp(what, "once")) {
        printf("%d schedules\n", (int)csp_explore(lose, NULL, &many).schedules);
    } else {
        csp_explore_result r = csp_explore(lose, NULL, &(csp_explore_options){.count = 7});
        printf("%d schedules, %d findings\n", (int)r.schedules, (int)r.findings);
    }
    return 0;
}
