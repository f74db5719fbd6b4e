// sync_stress.c - locks, conditions, semaphores, wait groups and once under contention, and freed at the earliest moment.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "stress.h"

#include <pthread.h>

enum { N = 24, STEPS = 60 };

struct all {
    csp_mutex m;
    csp_rwmutex rw;
    csp_sem sem;
    csp_cond not_empty;
    csp_once once;
    csp_wg wg;
    long in_m, in_rw_writers, once_runs; // plain: what they guard
    int readers, in_sem;                 // atomic
    long queue, produced, consumed;      // under m
    unsigned seeds;                      // atomic
};

static void run_once(void *arg)
{
    struct all *a = arg;
    csp_yield();
    a->once_runs++;
}

static void step(struct all *a, unsigned *seed)
{
    switch (rnd(seed, 6)) {
    case 0:
        csp_mutex_lock(&a->m);
        CHECK(a->in_m++ == 0);
        if (rnd(seed, 4) == 0)
            csp_yield();
        a->in_m--;
        csp_mutex_unlock(&a->m);
        break;
    case 1:
        if (!csp_mutex_trylock(&a->m))
            break;
        CHECK(a->in_m++ == 0);
        a->in_m--;
        csp_mutex_unlock(&a->m);
        break;
    case 2:
        csp_rwmutex_lock(&a->rw);
        CHECK(a->in_rw_writers++ == 0 && __atomic_load_n(&a->readers, __ATOMIC_RELAXED) == 0);
        if (rnd(seed, 4) == 0)
            csp_yield();
        a->in_rw_writers--;
        csp_rwmutex_unlock(&a->rw);
        break;
    case 3:
        if (rnd(seed, 2))
            csp_rwmutex_rlock(&a->rw);
        else if (!csp_rwmutex_tryrlock(&a->rw))
            break;
        __atomic_add_fetch(&a->readers, 1, __ATOMIC_RELAXED);
        CHECK(a->in_rw_writers == 0);
        if (rnd(seed, 4) == 0)
            csp_yield();
        __atomic_sub_fetch(&a->readers, 1, __ATOMIC_RELAXED);
        csp_rwmutex_runlock(&a->rw);
        break;
    case 4: {
        int k = 1 + (int)rnd(seed, 3);
        csp_sem_acquire(&a->sem, k);
        CHECK(__atomic_add_fetch(&a->in_sem, k, __ATOMIC_RELAXED) <= 4);
        csp_yield();
        __atomic_sub_fetch(&a->in_sem, k, __ATOMIC_RELAXED);
        csp_sem_release(&a->sem, k);
        break;
    }
    default:
        csp_once_do(&a->once, run_once, a);
        CHECK(a->once_runs == 1);
    }
}

static void worker(void *arg)
{
    struct all *a = arg;
    unsigned seed = __atomic_add_fetch(&a->seeds, 77777, __ATOMIC_RELAXED);
    for (int i = 0; i < STEPS; i++)
        step(a, &seed);
    csp_wg_done(&a->wg);
}

static void *worker_thread(void *arg)
{
    worker(arg);
    return NULL;
}

static void producer(void *arg)
{
    struct all *a = arg;
    for (int i = 0; i < STEPS; i++) {
        csp_mutex_lock(&a->m);
        CHECK(a->in_m == 0);
        a->queue++;
        a->produced++;
        csp_mutex_unlock(&a->m);
        if (i % 8)
            csp_cond_signal(&a->not_empty);
        else
            csp_cond_broadcast(&a->not_empty);
    }
    csp_wg_done(&a->wg);
}

static void consumer(void *arg)
{
    struct all *a = arg;
    for (int i = 0; i < STEPS; i++) {
        csp_mutex_lock(&a->m);
        while (a->queue == 0)
            csp_cond_wait(&a->not_empty, &a->m);
        CHECK(a->in_m == 0);
        a->queue--;
        a->consumed++;
        csp_mutex_unlock(&a->m);
    }
    csp_wg_done(&a->wg);
}

static void everything_at_once(unsigned i)
{
    struct all *a = new_zeroed(sizeof *a);
    csp_sem_init(&a->sem, 4);
    a->seeds = i;
    csp_wg_add(&a->wg, 3 * N + 2);
    pthread_t threads[2];
    for (int k = 0; k < 2; k++)
        CHECK(pthread_create(&threads[k], NULL, worker_thread, a) == 0);
    for (int k = 0; k < N; k++) {
        csp_go(worker, a);
        csp_go(k % 2 ? producer : consumer, a);
        csp_go(k % 2 ? consumer : producer, a);
    }
    csp_wg_wait(&a->wg);
    CHECK(a->in_m == 0 && a->readers == 0 && a->in_sem == 0 && a->produced == a->consumed && a->queue == 0);
    free(a); // nobody may touch it any more
    for (int k = 0; k < 2; k++)
        pthread_join(threads[k], NULL);
}

// --- the one who gets through last frees the object: nobody touches it after having let that one through ---------------------

struct mortal {
    csp_mutex m;
    csp_rwmutex rw;
    csp_sem sem;
    csp_once once;
    csp_wg wg;
    int users; // under the lock in question, or atomic
};

static void leave_mutex(void *arg)
{
    struct mortal *o = arg;
    csp_mutex_lock(&o->m);
    bool last = --o->users == 0;
    csp_mutex_unlock(&o->m);
    if (last)
        free(o);
}

static void leave_rwmutex(void *arg)
{
    struct mortal *o = arg;
    csp_rwmutex_lock(&o->rw);
    bool last = --o->users == 0;
    csp_rwmutex_unlock(&o->rw);
    if (last)
        free(o);
}

static void leave_sem(void *arg)
{
    struct mortal *o = arg;
    csp_sem_acquire(&o->sem, 1);
    bool last = --o->users == 0;
    csp_sem_release(&o->sem, 1);
    if (last)
        free(o);
}

static void done_only(void *arg)
{
    struct mortal *o = arg;
    csp_wg_done(&o->wg);
}

static void once_and_free(void *arg)
{
    struct mortal *o = arg;
    csp_once_do(&o->once, NULL, NULL); // has begun: this waits for its end
    free(o);
}

static void let_free(void *arg)
{
    static unsigned n; // atomic
    csp_go(once_and_free, arg);
    if (__atomic_add_fetch(&n, 1, __ATOMIC_RELAXED) % 2)
        csp_yield(); // it parks; or it comes while we end
}

static void run_and_forget(void *arg)
{
    struct mortal *o = arg;
    csp_once_do(&o->once, let_free, o);
}

static void free_early(unsigned i)
{
    for (int k = 0; k < 40; k++) {
        static void (*const leavers[])(void *) = {leave_mutex, leave_rwmutex, leave_sem};
        struct mortal *o = new_zeroed(sizeof *o);
        csp_sem_init(&o->sem, 1);
        o->users = 3;
        for (int u = 0; u < 3; u++)
            csp_go(leavers[(i + (unsigned)k) % 3], o);

        o = new_zeroed(sizeof *o);
        csp_wg_add(&o->wg, 2);
        csp_go(done_only, o);
        csp_go(done_only, o);
        csp_wg_wait(&o->wg);
        free(o);

        csp_go(run_and_forget, new_zeroed(sizeof *o));
        csp_yield();
    }
}

static void round_(unsigned i)
{
    (i % 2 ? free_early : everything_at_once)(i);
}

int main(void)
{
    repeat(round_);
}
