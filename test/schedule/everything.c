// everything.c - one seed, twenty processes: what all kinds of operations do, and when, is the same byte for byte.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: %python %S/Inputs/seeds.py --seeds=1 --again=20 %t
// RUN: %python %S/Inputs/seeds.py --seeds=3 --again=3 --options=schedule=pct %t
// RUN: %python %S/Inputs/seeds.py --seeds=2 --again=3 --options=schedule=pos:schedule_points=all %t
// RUN: %python %S/Inputs/seeds.py --seeds=30 --distinct=25 %t
#include <csp/csp.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static csp_mutex m;
static csp_rwmutex rw;
static csp_cond cond;
static csp_sem sem;
static csp_wg wg;
static csp_once once;
static csp_chan *numbers, *quit;
static csp_syncmap *map;
static atomic_int counter;
static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
static int fds[2], ready;

static void say(const char *what, int n)
{
    csp_mutex_lock(&m);
    printf("%8lld %2llu %s %d\n", (long long)(csp_now() % CSP_SECOND), (unsigned long long)csp_id(), what, n);
    csp_mutex_unlock(&m);
}

static void produce(void *arg)
{
    for (int i = 0; i < 5; i++) {
        int v = atomic_fetch_add(&counter, 1);
        csp_send(numbers, &v);
        if (i % 2)
            csp_sleep((int64_t)(rand() % 3) * CSP_MS);
    }
    say("produced", *(int *)arg);
    csp_wg_done(&wg);
}

static void consume(void *arg)
{
    csp_ticker *t = csp_ticker_new(2 * CSP_MS);
    for (bool more = true; more;) {
        int v = -1;
        csp_case cases[] = {csp_case_recv(numbers, &v, NULL), csp_case_recv(csp_ticker_chan(t), NULL, NULL),
                            csp_case_recv(quit, NULL, NULL)};
        int which = csp_select(cases, 3);
        say("select", which);
        more = which != 2;
        csp_syncmap_store(map, &v, arg);
    }
    csp_ticker_free(t);
    csp_wg_done(&wg);
}

static void first(void *arg)
{
    say("once", *(int *)arg);
}

static void meet(void *arg)
{
    csp_once_do(&once, first, arg);
    csp_sem_acquire(&sem, 1);
    csp_rwmutex_rlock(&rw);
    say("read", ready);
    csp_rwmutex_runlock(&rw);
    csp_sem_release(&sem, 1);
    csp_mutex_lock(&m);
    while (!ready)
        csp_cond_wait(&cond, &m);
    csp_mutex_unlock(&m);
    if (csp_mutex_trylock(&m))
        csp_mutex_unlock(&m);
    say("met", *(int *)arg);
    csp_wg_done(&wg);
}

static void read_pipe(void *arg)
{
    (void)arg;
    char c;
    while (csp_read(fds[0], &c, 1) == 1)
        say("byte", c);
    csp_wg_done(&wg);
}

static void block(void *arg)
{
    pthread_mutex_lock(&plain);
    atomic_fetch_add(&counter, *(int *)arg);
    pthread_mutex_unlock(&plain);
}

static void *run_thread(void *arg)
{
    for (int i = 0; i < 3; i++) {
        pthread_mutex_lock(&plain);
        printf("thread %d: %d\n", *(int *)arg, atomic_load(&counter));
        pthread_mutex_unlock(&plain);
        struct timespec t = {0, 500000};
        nanosleep(&t, NULL);
        int v = -*(int *)arg;
        csp_send(numbers, &v);
    }
    return NULL;
}

static int member(csp_ctx *ctx, void *arg)
{
    (void)ctx;
    csp_blocking(block, arg);
    say("member", *(int *)arg);
    return 0;
}

static bool show(const void *key, void *value, void *arg)
{
    (void)arg;
    printf("[%d %d]", *(const int *)key, *(int *)value);
    return true;
}

static void late(void *arg)
{
    say("timer", *(int *)arg);
}

int main(void)
{
    static int id[] = {0, 1, 2, 3, 4};
    numbers = csp_chan_new(sizeof(int), 2);
    quit = csp_chan_new(0, 0);
    map = csp_syncmap_new(sizeof(int), sizeof(int));
    csp_sem_init(&sem, 1);
    if (pipe(fds))
        return 1;
    unsigned seed;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        return 1;
    srand(seed);
    csp_timer *timer = csp_timer_new(3 * CSP_MS, late, &id[1]);
    csp_wg_add(&wg, 7);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        csp_go(produce, &id[i]);
        csp_go(consume, &id[i]);
        csp_go(meet, &id[i]);
        pthread_create(&threads[i], NULL, run_thread, &id[i + 1]);
    }
    csp_go(read_pipe, NULL);
    csp_group *g = csp_group_new(NULL);
    for (int i = 0; i < 3; i++)
        csp_group_go(g, member, &id[i]);
    csp_group_wait(g);
    csp_group_free(g);
    csp_rwmutex_lock(&rw);
    csp_mutex_lock(&m);
    ready = 1;
    csp_cond_broadcast(&cond);
    csp_mutex_unlock(&m);
    csp_rwmutex_unlock(&rw);
    for (int i = 0; i < 3; i++)
        csp_write(fds[1], &"abc"[i], 1);
    csp_close_fd(fds[1]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    csp_ctx *ctx = csp_ctx_with_timeout(csp_ctx_background(), 20 * CSP_MS);
    csp_recv(csp_ctx_done(ctx), NULL);
    csp_ctx_free(ctx);
    csp_close(quit);
    csp_wg_wait(&wg);
    csp_timer_free(timer);
    csp_syncmap_range(map, show, NULL);
    printf("\n%d %lld %d\n", atomic_load(&counter), (long long)time(NULL), rand());
    return 0;
}
