// giveup_stress.c - grants that meet giving up: nothing is lost, nothing is granted twice, objects freed at the earliest moment.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "stress.h"

enum { N = 24, STEPS = 40 };

// Limits around the time that things take here, so that both outcomes are frequent.
static int64_t some_instant(unsigned *seed)
{
    return csp_now() + (rnd(seed, 4) ? (int64_t)rnd(seed, 60) * CSP_US : 20 * CSP_MS);
}

struct all {
    csp_mutex m;
    csp_rwmutex rw;
    csp_sem sem;
    csp_wg users, cycle;
    csp_chan *c, *buffered;
    csp_ctx *ctx;
    long in_m, in_rw_writers;   // plain: what they guard
    int readers, in_sem;        // atomic
    int sent, received;         // atomic
    int granted[6], gave_up[6]; // atomic
};

struct user {
    struct all *a;
    unsigned seed;
};

static void count(struct all *a, unsigned what, bool granted)
{
    __atomic_add_fetch(granted ? &a->granted[what] : &a->gave_up[what], 1, __ATOMIC_RELAXED);
}

static void linger(unsigned *seed)
{
    if (rnd(seed, 3) == 0)
        csp_yield();
}

// Some wait without a limit: a wake-up lost to one that gives up hangs them.
static bool is_patient(unsigned *seed)
{
    return rnd(seed, 4) == 0;
}

static void use_mutex(struct all *a, unsigned *seed)
{
    bool taken = true;
    if (is_patient(seed))
        csp_mutex_lock(&a->m);
    else
        taken = rnd(seed, 3) ? csp_mutex_lock_until(&a->m, some_instant(seed)) : csp_mutex_lock_ctx(&a->m, a->ctx);
    count(a, 0, taken);
    if (!taken)
        return;
    CHECK(a->in_m++ == 0);
    linger(seed);
    a->in_m--;
    csp_mutex_unlock(&a->m);
}

static void use_writer(struct all *a, unsigned *seed)
{
    bool taken = true;
    if (is_patient(seed))
        csp_rwmutex_lock(&a->rw);
    else
        taken =
            rnd(seed, 3) ? csp_rwmutex_lock_until(&a->rw, some_instant(seed)) : csp_rwmutex_lock_ctx(&a->rw, a->ctx);
    count(a, 1, taken);
    if (!taken)
        return;
    CHECK(a->in_rw_writers++ == 0 && __atomic_load_n(&a->readers, __ATOMIC_RELAXED) == 0);
    linger(seed);
    a->in_rw_writers--;
    csp_rwmutex_unlock(&a->rw);
}

static void use_reader(struct all *a, unsigned *seed)
{
    bool taken = true;
    if (is_patient(seed))
        csp_rwmutex_rlock(&a->rw);
    else
        taken =
            rnd(seed, 3) ? csp_rwmutex_rlock_until(&a->rw, some_instant(seed)) : csp_rwmutex_rlock_ctx(&a->rw, a->ctx);
    count(a, 2, taken);
    if (!taken)
        return;
    __atomic_add_fetch(&a->readers, 1, __ATOMIC_RELAXED);
    CHECK(a->in_rw_writers == 0);
    linger(seed);
    __atomic_sub_fetch(&a->readers, 1, __ATOMIC_RELAXED);
    csp_rwmutex_runlock(&a->rw);
}

static void use_sem(struct all *a, unsigned *seed)
{
    int k = 1 + (int)rnd(seed, 4);
    bool taken = true;
    if (is_patient(seed))
        csp_sem_acquire(&a->sem, k);
    else
        taken = rnd(seed, 3) ? csp_sem_acquire_until(&a->sem, k, some_instant(seed))
                             : csp_sem_acquire_ctx(&a->sem, k, a->ctx);
    count(a, 3, taken);
    if (!taken)
        return;
    CHECK(__atomic_add_fetch(&a->in_sem, k, __ATOMIC_RELAXED) <= 4);
    linger(seed);
    __atomic_sub_fetch(&a->in_sem, k, __ATOMIC_RELAXED);
    csp_sem_release(&a->sem, k);
}

static void use_chan(struct all *a, unsigned *seed)
{
    csp_chan *c = rnd(seed, 2) ? a->c : a->buffered;
    bool sends = rnd(seed, 2), limited = rnd(seed, 3);
    bool happened;
    if (sends)
        happened = limited ? csp_send_until(c, NULL, some_instant(seed)) : csp_send_ctx(c, NULL, a->ctx);
    else
        happened = limited ? csp_recv_until(c, NULL, some_instant(seed)) : csp_recv_ctx(c, NULL, a->ctx);
    count(a, 4, happened);
    __atomic_add_fetch(sends ? &a->sent : &a->received, happened, __ATOMIC_RELAXED);
}

static void use_wg(struct all *a, unsigned *seed)
{
    count(a, 5, csp_wg_wait_until(&a->cycle, some_instant(seed)));
}

static void use(void *arg)
{
    struct user u = *(struct user *)arg;
    free(arg);
    static void (*const uses[])(struct all *, unsigned *) = {use_mutex, use_writer, use_reader,
                                                             use_sem,   use_chan,   use_wg};
    for (int i = 0; i < STEPS; i++) {
        uses[rnd(&u.seed, 6)](u.a, &u.seed);
        if (i == STEPS - 8 && rnd(&u.seed, N) == 0)
            csp_ctx_cancel(u.a->ctx);
    }
    csp_wg_done(&u.a->cycle);
    csp_wg_done(&u.a->users);
}

static void everything_at_once(unsigned i)
{
    struct all *a = new_zeroed(sizeof *a);
    csp_sem_init(&a->sem, 4);
    a->c = csp_chan_new(0, 0);
    a->buffered = csp_chan_new(0, 3);
    a->ctx = csp_ctx_with_timeout(NULL, 50 * CSP_MS);
    csp_wg_add(&a->users, N);
    csp_wg_add(&a->cycle, N);
    for (unsigned k = 0; k < N; k++) {
        struct user *u = new_zeroed(sizeof *u);
        *u = (struct user){a, i * 1000 + k};
        csp_go(use, u);
    }
    csp_wg_wait(&a->users);
    CHECK(csp_mutex_trylock(&a->m) && csp_rwmutex_trylock(&a->rw) && csp_sem_tryacquire(&a->sem, 4));
    CHECK(csp_wg_wait_until(&a->cycle, 0));
    CHECK(a->sent == a->received + (int)csp_len(a->buffered));
    csp_chan_free(a->c);
    csp_chan_free(a->buffered);
    csp_ctx_free(a->ctx);
    free(a);
}

// --- a wake-up that meets giving up is not lost: somebody who waits without a limit is behind ------------------------------------

struct chain {
    csp_mutex m;
    csp_cond cond;
    csp_sem sem;
    csp_wg done;
    int turns, signalled; // under m
};

static void take_patiently(void *arg)
{
    struct chain *c = arg;
    csp_sem_acquire(&c->sem, 1);
    csp_mutex_lock(&c->m);
    c->turns++;
    csp_mutex_unlock(&c->m);
    csp_sem_release(&c->sem, 1);
    csp_wg_done(&c->done);
}

static void take_impatiently(void *arg)
{
    struct chain *c = arg;
    unsigned seed = (unsigned)(uintptr_t)&seed + (unsigned)csp_id();
    if (csp_sem_acquire_until(&c->sem, 2, some_instant(&seed)))
        csp_sem_release(&c->sem, 2);
    if (csp_mutex_lock_until(&c->m, some_instant(&seed)))
        csp_mutex_unlock(&c->m);
    csp_wg_done(&c->done);
}

static void wait_for_signals(void *arg)
{
    struct chain *c = arg;
    unsigned seed = (unsigned)csp_id() * 77777;
    csp_mutex_lock(&c->m);
    int turns = ++c->turns;
    if (turns % 3)
        while (!c->signalled)
            csp_cond_wait(&c->cond, &c->m);
    else
        while (!c->signalled && csp_cond_wait_until(&c->cond, &c->m, some_instant(&seed)))
            ;
    csp_mutex_unlock(&c->m);
    csp_wg_done(&c->done);
}

static void wake_ups_are_passed_on(unsigned i)
{
    struct chain *c = new_zeroed(sizeof *c);
    csp_sem_init(&c->sem, 2);
    csp_wg_add(&c->done, 2 * N);
    for (int k = 0; k < N; k++) {
        csp_go(k % 2 ? take_patiently : take_impatiently, c);
        csp_go(k % 2 ? take_impatiently : take_patiently, c);
    }
    csp_wg_wait(&c->done);
    CHECK(c->turns == N);
    csp_wg_add(&c->done, N);
    for (int k = 0; k < N; k++)
        csp_go(wait_for_signals, c);
    csp_sleep(i % 3 * 30 * CSP_US);
    csp_mutex_lock(&c->m);
    c->signalled = 1;
    csp_cond_broadcast(&c->cond);
    csp_mutex_unlock(&c->m);
    csp_wg_wait(&c->done);
    free(c);
}

// --- freed by the one who knows, while a limit of the other is about to strike -----------------------------------------------------

struct mortal {
    csp_mutex m;
    csp_rwmutex rw;
    csp_sem sem;
    csp_chan *c;
    int users; // under the lock in question
    unsigned kind;
};

static bool enter(struct mortal *o, unsigned *seed)
{
    int64_t at = some_instant(seed);
    switch (o->kind % 4) {
    case 0:
        return csp_mutex_lock_until(&o->m, at);
    case 1:
        return csp_rwmutex_lock_until(&o->rw, at);
    case 2:
        return csp_sem_acquire_until(&o->sem, 1, at);
    default:
        return csp_recv_until(o->c, NULL, at);
    }
}

static void leave(struct mortal *o, bool last)
{
    csp_chan *c = o->c;
    switch (o->kind % 4) {
    case 0:
        csp_mutex_unlock(&o->m);
        break;
    case 1:
        csp_rwmutex_unlock(&o->rw);
        break;
    case 2:
        csp_sem_release(&o->sem, 1);
        break;
    default:
        if (!last)
            csp_send(c, NULL);
    }
    if (last) {
        csp_chan_free(c);
        free(o);
    }
}

static void enter_and_leave(void *arg)
{
    struct mortal *o = arg;
    unsigned seed = (unsigned)csp_id() * 31;
    while (!enter(o, &seed))
        ;
    leave(o, --o->users == 0);
}

static void free_early(unsigned i)
{
    for (unsigned k = 0; k < 40; k++) {
        struct mortal *o = new_zeroed(sizeof *o);
        csp_sem_init(&o->sem, 1);
        o->c = csp_chan_new(0, k / 4 % 2);
        o->users = 4;
        o->kind = i + k;
        csp_chan *c = o->c;
        bool is_chan = o->kind % 4 == 3;
        for (int u = 0; u < 4; u++)
            csp_go(enter_and_leave, o);
        if (is_chan)
            csp_send(c, NULL); // the token that goes round; the last one who has it frees the channel
    }
}

// --- two who come at the same time with limits far away meet: neither may overlook the other while it arms its limit ------------

struct meeting {
    csp_chan *c;
    csp_wg done;
};

static void come_and_send(void *arg)
{
    struct meeting *m = arg;
    for (int i = 0; i < 400; i++)
        CHECK(csp_send_until(m->c, NULL, csp_now() + CSP_MINUTE * 10));
    csp_wg_done(&m->done);
}

static void meet(unsigned i)
{
    (void)i;
    struct meeting m = {.c = csp_chan_new(0, 0)};
    csp_wg_add(&m.done, 1);
    csp_go(come_and_send, &m);
    csp_case k[] = {csp_case_recv(m.c, NULL, NULL), csp_case_recv(NULL, NULL, NULL)};
    for (int n = 0; n < 400; n++)
        CHECK(csp_select_until(k, 2, csp_now() + CSP_MINUTE * 10) == 0);
    CHECK(csp_wg_wait_until(&m.done, csp_now() + CSP_MINUTE * 10));
    csp_chan_free(m.c);
}

static void round_(unsigned i)
{
    static void (*const parts[])(unsigned) = {everything_at_once, wake_ups_are_passed_on, free_early, meet};
    parts[i % 4](i);
}

int main(void)
{
    repeat(round_);
}
