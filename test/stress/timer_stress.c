// timer_stress.c - timers, tickers, timeouts and context trees: stop, reset, cancel and free against firing.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "stress.h"

enum { N = 30 };

// --- timers: each arming either runs the function once or was prevented, never both ------------------------------------------

struct alarm_clock {
    csp_timer *t;
    int ran; // atomic
    unsigned seed;
};

static void ring(void *arg)
{
    __atomic_add_fetch((int *)arg, 1, __ATOMIC_RELEASE);
}

static void timers_count(void *arg)
{
    unsigned seed = *(unsigned *)arg;
    free(arg);
    struct alarm_clock *a = new_zeroed(sizeof *a);
    int armed = 1, prevented = 0;
    a->t = csp_timer_new(rnd(&seed, 100) * CSP_US, ring, &a->ran);
    for (int i = 0; i < 20; i++) {
        switch (rnd(&seed, 3)) {
        case 0:
            prevented += csp_timer_stop(a->t);
            break;
        case 1:
            prevented += csp_timer_reset(a->t, rnd(&seed, 60) * CSP_US);
            armed++;
            break;
        default:
            csp_sleep(rnd(&seed, 40) * CSP_US);
        }
    }
    prevented += csp_timer_stop(a->t);
    csp_timer_free(a->t);
    while (__atomic_load_n(&a->ran, __ATOMIC_ACQUIRE) < armed - prevented)
        csp_yield();
    csp_sleep(200 * CSP_US);
    CHECK(__atomic_load_n(&a->ran, __ATOMIC_ACQUIRE) == armed - prevented);
    free(a);
}

// Several coroutines reset one timer; its last arming is stopped.
static struct alarm_clock shared;
static csp_wg resetters;

static void reset_shared(void *unused)
{
    (void)unused;
    for (int i = 0; i < 200; i++)
        csp_timer_reset(shared.t, i % 50 ? CSP_SECOND : CSP_US);
    csp_wg_done(&resetters);
}

static void one_timer_many_resets(void)
{
    shared.t = csp_timer_new(CSP_US, ring, &shared.ran);
    csp_wg_add(&resetters, 4);
    for (int i = 0; i < 4; i++)
        csp_go(reset_shared, NULL);
    csp_wg_wait(&resetters);
    csp_timer_free(shared.t);
}

// A timer whose function frees it.
static void free_own_timer(void *arg)
{
    csp_timer **t = arg;
    csp_timer *mine;
    while (!(mine = __atomic_load_n(t, __ATOMIC_ACQUIRE)))
        csp_yield();
    csp_timer_free(mine);
    free(t);
}

// --- channels that a timer sends to -----------------------------------------------------------------------------------------

static void afters_and_tickers(void *arg)
{
    unsigned seed = *(unsigned *)arg;
    free(arg);
    for (int i = 0; i < 10; i++) {
        csp_chan *after = csp_after(rnd(&seed, 50) * CSP_US);
        int64_t at;
        if (rnd(&seed, 2))
            CHECK(csp_recv(after, &at) && at <= csp_now());
        csp_chan_free(after);

        csp_ticker *k = csp_ticker_new((1 + rnd(&seed, 20)) * CSP_US);
        for (int n = (int)rnd(&seed, 5); n > 0; n--)
            CHECK(CSP_SELECT(csp_case_recv(csp_ticker_chan(k), NULL, NULL), csp_case_after(10 * CSP_SECOND)) == 0);
        if (rnd(&seed, 3) == 0)
            csp_ticker_reset(k, 15 * CSP_US);
        if (rnd(&seed, 3) == 0)
            csp_ticker_stop(k);
        csp_ticker_free(k);
    }
}

// --- contexts: cancelled from above, by their deadlines, by their last free, all at once -------------------------------------

struct node {
    csp_ctx *ctx;
    unsigned seed;
    int depth;
};

static void use_context(void *arg);

static void start_node(csp_ctx *ctx, unsigned seed, int depth)
{
    struct node *n = new_zeroed(sizeof *n);
    *n = (struct node){ctx, seed, depth};
    csp_go(use_context, n);
}

static csp_ctx *make_child(csp_ctx *parent, unsigned *seed)
{
    static const char key;
    switch (rnd(seed, 4)) {
    case 0:
        return csp_ctx_with_cancel(parent);
    case 1:
        return csp_ctx_with_value(parent, &key, NULL);
    case 2:
        return csp_ctx_with_timeout(parent, (int64_t)rnd(seed, 200) * CSP_US);
    default:
        return csp_ctx_with_timeout(parent, CSP_MINUTE + rnd(seed, 100));
    }
}

// Owns one reference to its context. Whoever has seen it cancelled sees it stay so.
static void use_context(void *arg)
{
    struct node n = *(struct node *)arg;
    free(arg);
    for (int i = 0; i < 3 && n.depth < 4; i++)
        start_node(make_child(n.ctx, &n.seed), n.seed + (unsigned)i, n.depth + 1);
    switch (rnd(&n.seed, 3)) {
    case 0:
        csp_ctx_cancel(n.ctx);
        CHECK(csp_ctx_err(n.ctx) != 0 && !csp_recv(csp_ctx_done(n.ctx), NULL));
        break;
    case 1:
        if (CSP_SELECT(csp_case_recv(csp_ctx_done(n.ctx), NULL, NULL), csp_case_after(rnd(&n.seed, 200) * CSP_US)) == 0)
            CHECK(csp_ctx_err(n.ctx) != 0);
        break;
    default:
        break;
    }
    csp_ctx_free(n.ctx);
}

static void round_(unsigned i)
{
    for (unsigned k = 0; k < N; k++) {
        unsigned *seed = new_zeroed(sizeof *seed);
        *seed = i * 1000 + k;
        csp_timer **own = new_zeroed(sizeof *own);
        csp_timer *t = csp_timer_new(rnd(seed, 2) * CSP_US, free_own_timer, own);
        csp_go(k % 2 ? timers_count : afters_and_tickers, seed);
        __atomic_store_n(own, t, __ATOMIC_RELEASE);
    }
    csp_ctx *root = csp_ctx_with_cancel(NULL);
    for (unsigned k = 0; k < 4; k++)
        start_node(csp_ctx_with_timeout(root, k * 50 * CSP_US), i + k, 0);
    one_timer_many_resets();
    csp_ctx_cancel(root);
    csp_ctx_free(root);
    while (csp_count() > 1)
        csp_sleep(100 * CSP_US);
}

int main(void)
{
    repeat(round_);
}
