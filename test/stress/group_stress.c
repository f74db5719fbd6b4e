// group_stress.c - groups with limits, contexts with waiters, functions run on cancel, signals: all against all.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "stress.h"

#include <errno.h>
#include <signal.h>

enum { N = 12 };

// --- groups: every function that was started has ended when the wait returns --------------------------------------------------

struct batch {
    csp_group *g;
    int started, ended; // atomic
    unsigned seed;
};

static int work(csp_ctx *ctx, void *arg)
{
    struct batch *b = arg;
    unsigned seed = b->seed + (unsigned)__atomic_add_fetch(&b->started, 1, __ATOMIC_RELAXED);
    int result = 0;
    switch (rnd(&seed, 6)) {
    case 0:
        csp_yield();
        break;
    case 1:
        if (!csp_sleep_ctx(rnd(&seed, 50) * CSP_US, ctx))
            result = errno;
        break;
    case 2:
        result = rnd(&seed, 8) == 0 ? 77 : 0;
        break;
    case 3:
        __atomic_add_fetch(&b->ended, 1, __ATOMIC_RELAXED);
        csp_exit();
    case 4:
        if (!csp_sleep_ctx(CSP_MINUTE, ctx))
            result = errno; // somebody will fail or cancel: see run_batch
        break;
    default:
        break;
    }
    __atomic_add_fetch(&b->ended, 1, __ATOMIC_RELAXED);
    return result;
}

static void run_batch(void *arg)
{
    unsigned seed = *(unsigned *)arg;
    free(arg);
    csp_ctx *parent = csp_ctx_with_timeout(NULL, (1 + rnd(&seed, 30)) * 10 * CSP_US);
    struct batch b = {.g = csp_group_new(parent), .seed = seed};
    csp_group_limit(b.g, rnd(&seed, 4));
    int n = 0;
    for (int i = 0; i < 20; i++) {
        switch (rnd(&seed, 4)) {
        case 0:
            n += csp_group_try_go(b.g, work, &b);
            break;
        case 1:
            n += csp_group_go_until(b.g, work, &b, csp_now() + rnd(&seed, 20) * CSP_US);
            break;
        case 2:
            n += csp_group_go_ctx(b.g, work, &b, csp_group_ctx(b.g));
            break;
        default:
            csp_group_go(b.g, work, &b);
            n++;
        }
    }
    int result = -1;
    if (!csp_group_wait_until(b.g, &result, csp_now() + rnd(&seed, 40) * CSP_US)) {
        CHECK(result == -1 && errno == ETIMEDOUT);
        result = csp_group_wait(b.g);
    }
    CHECK(b.started == n && b.ended == n);
    CHECK(result == 0 || result == 77 || result == ETIMEDOUT || result == ECANCELED);
    CHECK(csp_ctx_err(csp_group_ctx(b.g)) != 0 && csp_group_wait(b.g) == result);
    csp_group_free(b.g);
    csp_ctx_free(parent);
}

// --- functions run on cancel: run or prevented, never both --------------------------------------------------------------------

static void count(void *n)
{
    __atomic_add_fetch((int *)n, 1, __ATOMIC_RELEASE);
}

static void arrange_calls(void *arg)
{
    unsigned seed = *(unsigned *)arg;
    free(arg);
    for (int i = 0; i < 10; i++) {
        int ran = 0, prevented = 0;
        csp_ctx *root = csp_ctx_with_cancel(NULL), *ctx = csp_ctx_with_timeout(root, rnd(&seed, 60) * CSP_US);
        csp_ctx_call *calls[4];
        for (int k = 0; k < 4; k++)
            calls[k] = csp_ctx_after(k % 2 ? ctx : root, count, &ran);
        csp_sleep_ctx(rnd(&seed, 40) * CSP_US, ctx);
        for (int k = 0; k < 3; k++)
            prevented += csp_ctx_call_stop(calls[k]);
        csp_ctx_free(ctx);
        csp_ctx_free(root); // the last references: cancel
        while (__atomic_load_n(&ran, __ATOMIC_ACQUIRE) + prevented < 4)
            csp_yield();
        for (int k = 0; k < 4; k++)
            csp_ctx_call_free(calls[k]);
    }
}

// --- signals: listeners come and go while they come -----------------------------------------------------------------------------

static void listen_a_while(void *arg)
{
    unsigned seed = *(unsigned *)arg;
    free(arg);
    for (int i = 0; i < 5; i++) {
        csp_chan *c = csp_chan_new(sizeof(int), rnd(&seed, 3));
        csp_ctx *ctx = csp_signal_ctx(NULL, SIGUSR2);
        csp_signal_notify(c, SIGUSR1);
        raise(SIGUSR1);
        if (rnd(&seed, 2))
            raise(SIGUSR2); // may come after ctx has stopped listening: main listens, too
        int sig = SIGUSR1;
        if (csp_recv_until(c, &sig, csp_now() + 20 * CSP_US) == 1)
            CHECK(sig == SIGUSR1);
        if (rnd(&seed, 2))
            csp_signal_stop(c);
        csp_chan_free(c);
        csp_ctx_free(ctx);
    }
}

static void round_(unsigned i)
{
    static void (*const kinds[])(void *) = {run_batch, arrange_calls, listen_a_while};
    csp_chan *always = csp_chan_new(sizeof(int), 1);
    csp_signal_notify(always, SIGUSR1);
    csp_signal_notify(always, SIGUSR2);
    for (unsigned k = 0; k < N; k++) {
        unsigned *seed = new_zeroed(sizeof *seed);
        *seed = i * 1000 + k;
        csp_go(kinds[k % 3], seed);
    }
    while (csp_count() > 1)
        csp_sleep(100 * CSP_US);
    csp_chan_free(always);
}

int main(void)
{
    repeat(round_);
}
