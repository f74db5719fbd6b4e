// everything.c - one call of each kind, by a program whose compiler may be another one than the library's.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>

#include <stdio.h>

CSP_CHAN_TYPE(ints, int)
CSP_MAP_TYPE(ages, const char *, int)
CSP_SYNCMAP_TYPE(squares, int, long)

#define EXPECT(x)                                                                                                      \
    do {                                                                                                               \
        if (!(x))                                                                                                      \
            printf("line %d: %s\n", __LINE__, #x);                                                                     \
    } while (0)

struct shared {
    csp_mutex lock;
    csp_rwmutex rw;
    csp_wg wg;
    csp_once once;
    csp_cond cond;
    csp_sem sem;
    int counter, inits;
    squares map;
};

static void init(void *arg)
{
    ((struct shared *)arg)->inits++;
}

static void worker(void *arg)
{
    struct shared *s = arg;
    csp_once_do(&s->once, init, s);
    csp_sem_acquire(&s->sem, 1);
    csp_mutex_lock(&s->lock);
    int n = s->counter++;
    csp_cond_signal(&s->cond);
    csp_mutex_unlock(&s->lock);
    csp_sem_release(&s->sem, 1);
    csp_rwmutex_rlock(&s->rw);
    squares_store(s->map, n, (long)n * n);
    csp_rwmutex_runlock(&s->rw);
    csp_wg_done(&s->wg);
}

static void produce(void *c)
{
    for (int i = 0; i < 10; i++)
        ints_send((ints)c, i);
    ints_close((ints)c);
}

static bool add(int key, long *value, void *sum)
{
    EXPECT(*value == (long)key * key);
    *(long *)sum += *value;
    return true;
}

int main(void)
{
    struct shared s = {.map = squares_new()};
    csp_sem_init(&s.sem, 2);
    csp_wg_add(&s.wg, 20);
    for (int i = 0; i < 20; i++)
        csp_go(worker, &s);
    csp_mutex_lock(&s.lock);
    while (s.counter < 20)
        csp_cond_wait(&s.cond, &s.lock);
    csp_mutex_unlock(&s.lock);
    csp_wg_wait(&s.wg);
    long sum = 0;
    squares_range(s.map, add, &sum);
    EXPECT(sum == 2470 && s.inits == 1);
    squares_free(s.map);

    ints c = ints_new(3);
    csp_go(produce, c);
    int v, total = 0;
    CSP_RANGE(v, c)
    total += v;
    EXPECT(total == 45);
    bool ok = true;
    EXPECT(CSP_SELECT(ints_case_recv(c, &v, &ok), csp_case_after(CSP_SECOND)) == 0 && !ok);
    ints_free(c);

    csp_ctx *ctx = csp_ctx_with_timeout(NULL, CSP_MS);
    EXPECT(!csp_recv(csp_ctx_done(ctx), NULL) && csp_ctx_err(ctx) == ETIMEDOUT);
    csp_ctx_free(ctx);
    csp_chan *after = csp_after(CSP_MS);
    int64_t at;
    EXPECT(csp_recv(after, &at) && at <= csp_now());
    csp_chan_free(after);

    ages m = ages_new();
    ages_set(m, "ada", 36);
    EXPECT(*ages_at(m, "ada") == 36 && ages_len(m) == 1);
    ages_free(m);
    return 0;
}
