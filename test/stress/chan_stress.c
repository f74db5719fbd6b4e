// chan_stress.c - channels: every value arrives once, storms of selects, close and free at the earliest legal moment.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "stress.h"

enum { N = 40, CHANS = 3 };

// --- each value arrives exactly once, through sends, selects and tries ------------------------------------------------------

struct storm {
    csp_chan *c[CHANS];
    csp_chan *stop;
    csp_wg senders, receivers;
    int sent, got; // atomic
    long sum_sent, sum_got;
};

struct role {
    struct storm *s;
    unsigned seed;
};

static struct role *role(struct storm *s, unsigned seed)
{
    struct role *r = new_zeroed(sizeof *r);
    *r = (struct role){s, seed};
    return r;
}

static void storm_sender(void *arg)
{
    struct role r = *(struct role *)arg;
    free(arg);
    for (int i = 0; i < 20; i++) {
        long v = (long)rnd(&r.seed, 1000000), w = v + 1, u = v + 2, sent;
        csp_chan **c = r.s->c;
        switch (rnd(&r.seed, 4)) {
        case 0:
            csp_send(c[rnd(&r.seed, CHANS)], &v);
            sent = v;
            break;
        case 1:
            if (!csp_try_send(c[rnd(&r.seed, CHANS)], &v))
                continue;
            sent = v;
            break;
        case 2: { // two cases on one channel
            int k = CSP_SELECT(csp_case_send(c[0], &v), csp_case_send(c[1], &w), csp_case_send(c[0], &u));
            sent = v + (k == 1) + 2 * (k == 2);
            break;
        }
        default: {
            int k =
                CSP_SELECT(csp_case_send(c[2], &v), csp_case_after(rnd(&r.seed, 50) * CSP_US), csp_case_send(c[1], &w));
            if (k == 1)
                continue;
            sent = v + (k == 2);
        }
        }
        __atomic_add_fetch(&r.s->sent, 1, __ATOMIC_RELAXED);
        __atomic_add_fetch(&r.s->sum_sent, sent, __ATOMIC_RELAXED);
    }
    csp_wg_done(&r.s->senders);
}

static void storm_receiver(void *arg)
{
    struct role r = *(struct role *)arg;
    free(arg);
    for (;;) {
        long v[CHANS] = {-1, -1, -1};
        bool ok[CHANS] = {0};
        int k = CSP_SELECT(csp_case_recv(r.s->c[2], &v[2], &ok[2]), csp_case_recv(r.s->c[1], &v[1], &ok[1]),
                           csp_case_recv(r.s->c[0], &v[0], &ok[0]), csp_case_recv(r.s->stop, NULL, NULL),
                           csp_case_after(rnd(&r.seed, 100) * CSP_US));
        if (k == 3)
            break;
        if (k == 4)
            continue;
        CHECK(ok[2 - k] && v[2 - k] >= 0 && v[(3 - k) % CHANS] == -1);
        __atomic_add_fetch(&r.s->got, 1, __ATOMIC_RELAXED);
        __atomic_add_fetch(&r.s->sum_got, v[2 - k], __ATOMIC_RELAXED);
    }
    csp_wg_done(&r.s->receivers);
}

static void storm(unsigned i)
{
    struct storm *s = new_zeroed(sizeof *s);
    for (int k = 0; k < CHANS; k++)
        s->c[k] = csp_chan_new(sizeof(long), (size_t)k);
    s->stop = csp_chan_new(0, 0);
    csp_wg_add(&s->senders, N);
    csp_wg_add(&s->receivers, N);
    for (unsigned k = 0; k < N; k++) {
        csp_go(storm_receiver, role(s, i * 1000 + k));
        csp_go(storm_sender, role(s, i * 1000 + k + 500));
    }
    csp_wg_wait(&s->senders);
    while (__atomic_load_n(&s->got, __ATOMIC_RELAXED) < s->sent)
        csp_yield();
    csp_close(s->stop);
    csp_wg_wait(&s->receivers);
    CHECK(s->got == s->sent && s->sum_got == s->sum_sent);
    for (int k = 0; k < CHANS; k++) {
        CHECK(csp_len(s->c[k]) == 0);
        csp_chan_free(s->c[k]);
    }
    csp_chan_free(s->stop);
    free(s);
}

// --- a receiver frees the channel as soon as it has the last value ----------------------------------------------------------

static void send_one(void *c)
{
    int v = 7;
    csp_send(c, &v);
}

static void select_one(void *c)
{
    int v = 7;
    CHECK(CSP_SELECT(csp_case_send(c, &v), csp_case_recv(NULL, NULL, NULL), csp_case_after(CSP_MINUTE)) == 0);
}

static void close_it(void *c)
{
    csp_close(c);
}

static void receive_and_free(unsigned i)
{
    for (unsigned k = 0; k < 60; k++) {
        int v = 0;
        csp_chan *c = csp_chan_new(sizeof v, k % 2), *other = csp_chan_new(0, 0);
        static void (*const partners[])(void *) = {send_one, select_one, close_it};
        unsigned p = (i + k / 4) % 3;
        csp_go(partners[p], c);
        bool ok = true;
        if (k & 2)
            ok = csp_recv(c, &v);
        else
            CHECK(CSP_SELECT(csp_case_recv(other, NULL, NULL), csp_case_recv(c, &v, &ok)) == 1);
        CHECK(ok == (p < 2) && v == (ok ? 7 : 0));
        csp_chan_free(c);
        csp_chan_free(other);
    }
}

// --- close against everything that can wait; the losers of a select leave their queues while the channel is freed ------------

struct closing {
    csp_chan *c, *never;
    csp_wg done;
    int values; // atomic
};

static void wait_for_close(void *arg)
{
    struct closing *s = arg;
    for (bool ok = true; ok;) {
        int v = 0;
        CSP_SELECT(csp_case_recv(s->never, NULL, NULL), csp_case_recv(s->c, &v, &ok), csp_case_recv(s->c, &v, &ok));
        CHECK(v == (ok ? 9 : 0));
        if (ok)
            __atomic_add_fetch(&s->values, 1, __ATOMIC_RELAXED);
    }
    csp_wg_done(&s->done);
}

static void close_against_select(unsigned i)
{
    struct closing *s = new_zeroed(sizeof *s);
    s->c = csp_chan_new(sizeof(int), i % 3);
    s->never = csp_chan_new(0, 0);
    csp_wg_add(&s->done, N);
    for (int k = 0; k < N; k++)
        csp_go(wait_for_close, s);
    int v = 9;
    for (int k = 0; k < N; k++)
        csp_send(s->c, &v);
    csp_close(s->c);
    csp_chan *never = s->never;
    // never's waiters all belong to selects that the close decides: free waits for them to leave.
    while (csp_try_recv(s->c, NULL) == 1)
        ;
    csp_wg_wait(&s->done);
    csp_chan_free(never);
    csp_chan_free(s->c);
    CHECK(s->values <= N);
    free(s);
}

// --- free of a channel whose last select waiter was just decided elsewhere --------------------------------------------------

struct pair {
    csp_chan *a, *b, *left;
};

static void select_pair(void *arg)
{
    struct pair *p = arg;
    CHECK(CSP_SELECT(csp_case_recv(p->a, NULL, NULL), csp_case_recv(p->b, NULL, NULL)) == 0);
    csp_send(p->left, NULL);
}

static void free_the_loser(unsigned i)
{
    (void)i;
    for (int k = 0; k < 50; k++) {
        struct pair p = {csp_chan_new(0, 0), csp_chan_new(0, 0), csp_chan_new(0, 0)};
        csp_go(select_pair, &p);
        csp_send(p.a, NULL); // decides the select; its waiter on b may still be there
        csp_chan_free(p.b);
        csp_chan_free(p.a);
        csp_recv(p.left, NULL);
        csp_chan_free(p.left);
    }
}

static void round_(unsigned i)
{
    static void (*const parts[])(unsigned) = {storm, receive_and_free, close_against_select, free_the_loser};
    parts[i % 4](i);
}

int main(void)
{
    repeat(round_);
}
