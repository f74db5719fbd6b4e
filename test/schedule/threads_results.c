// threads_results.c - results of pthreads' and C11 threads' functions: the same under a controlled schedule as without one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t -lrt
// RUN: env CSPTHREAD_OPTIONS=report_mutex_bugs=0:detect_deadlocks=0 %t > %t.plain
// RUN: env CSPTHREAD_OPTIONS=report_mutex_bugs=0:detect_deadlocks=0:schedule=random:seed=1 %t > %t.1
// RUN: env CSPTHREAD_OPTIONS=report_mutex_bugs=0:detect_deadlocks=0:schedule=pct:seed=2 %t > %t.2
// RUN: diff %t.plain %t.1
// RUN: diff %t.plain %t.2
// RUN: FileCheck %s < %t.1
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static const char *name(int error)
{
    return error ? strerrorname_np(error) : "0";
}

#define SHOW(call) printf("%s = %s\n", #call, name(call))

// What another thread gets.
typedef struct question {
    int (*ask)(void *);
    void *arg;
    int answer;
} question;

static void *answer(void *arg)
{
    question *q = arg;
    q->answer = q->ask(q->arg);
    return NULL;
}

static int elsewhere(int (*ask)(void *), void *arg)
{
    question q = {ask, arg, 0};
    pthread_t t;
    pthread_create(&t, NULL, answer, &q);
    pthread_join(t, NULL);
    return q.answer;
}

static struct timespec in_ms(clockid_t clock, long ms)
{
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static const struct timespec wrong = {1, 1000000000};

#define ASKS(what, call)                                                                                               \
    static int what(void *p)                                                                                           \
    {                                                                                                                  \
        return call;                                                                                                   \
    }
ASKS(try_mutex, pthread_mutex_trylock(p))
ASKS(unlock_mutex, pthread_mutex_unlock(p))
ASKS(lock_mutex, pthread_mutex_lock(p))
ASKS(try_read, pthread_rwlock_tryrdlock(p))
ASKS(try_write, pthread_rwlock_trywrlock(p))
ASKS(spin_try, pthread_spin_trylock(p))

static int mutex_until(void *p)
{
    struct timespec t = in_ms(CLOCK_REALTIME, 3);
    return pthread_mutex_timedlock(p, &t);
}

static int mutex_until_wrong(void *p)
{
    return pthread_mutex_timedlock(p, &wrong);
}

static int mutex_until_monotonic(void *p)
{
    struct timespec t = in_ms(CLOCK_MONOTONIC, 3);
    return pthread_mutex_clocklock(p, CLOCK_MONOTONIC, &t);
}

static int read_until(void *p)
{
    struct timespec t = in_ms(CLOCK_REALTIME, 3);
    return pthread_rwlock_timedrdlock(p, &t);
}

static int write_until(void *p)
{
    struct timespec t = in_ms(CLOCK_MONOTONIC, 3);
    return pthread_rwlock_clockwrlock(p, CLOCK_MONOTONIC, &t);
}

static void test_mutexes(void)
{
    static const int types[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK,
                                PTHREAD_MUTEX_ADAPTIVE_NP};
    for (int i = 0; i < 4; i++) {
        pthread_mutexattr_t attr;
        pthread_mutex_t m;
        pthread_mutexattr_init(&attr);
        pthread_mutexattr_settype(&attr, types[i]);
        pthread_mutex_init(&m, &attr);
        printf("type %d\n", types[i]);
        SHOW(pthread_mutex_lock(&m));
        SHOW(pthread_mutex_trylock(&m));
        SHOW(elsewhere(try_mutex, &m));
        SHOW(elsewhere(mutex_until, &m));
        SHOW(elsewhere(mutex_until_wrong, &m));
        SHOW(elsewhere(mutex_until_monotonic, &m));
        SHOW(pthread_mutex_clocklock(&m, CLOCK_BOOTTIME, &wrong));
        if (types[i] == PTHREAD_MUTEX_RECURSIVE || types[i] == PTHREAD_MUTEX_ERRORCHECK) {
            SHOW(pthread_mutex_lock(&m));
            SHOW(elsewhere(unlock_mutex, &m));
            SHOW(mutex_until(&m));
            SHOW(mutex_until_wrong(&m));
        }
        int unlocks = 0;
        while (elsewhere(try_mutex, &m) == EBUSY && unlocks < 10)
            pthread_mutex_unlock(&m), unlocks++;
        printf("%d unlocks\n", unlocks);
    }
}

static void test_robust(void)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t m;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&m, &attr);
    SHOW(elsewhere(lock_mutex, &m));
    SHOW(pthread_mutex_lock(&m));
    SHOW(pthread_mutex_consistent(&m));
    SHOW(pthread_mutex_unlock(&m));
    SHOW(elsewhere(lock_mutex, &m));
    SHOW(pthread_mutex_trylock(&m));
    SHOW(pthread_mutex_unlock(&m));
    SHOW(pthread_mutex_lock(&m));
}

static void test_rwlocks(void)
{
    pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
    SHOW(pthread_rwlock_rdlock(&l));
    SHOW(pthread_rwlock_rdlock(&l));
    SHOW(elsewhere(try_read, &l));
    SHOW(elsewhere(try_write, &l));
    SHOW(elsewhere(write_until, &l));
    SHOW(pthread_rwlock_unlock(&l));
    SHOW(pthread_rwlock_unlock(&l));
    SHOW(pthread_rwlock_unlock(&l)); // the other thread's
    SHOW(pthread_rwlock_wrlock(&l));
    SHOW(pthread_rwlock_wrlock(&l));
    SHOW(pthread_rwlock_rdlock(&l));
    SHOW(pthread_rwlock_trywrlock(&l));
    SHOW(elsewhere(try_read, &l));
    SHOW(elsewhere(read_until, &l));
    SHOW(pthread_rwlock_timedwrlock(&l, &wrong));
    SHOW(pthread_rwlock_unlock(&l));
    SHOW(elsewhere(try_write, &l));
}

static void test_conditions(void)
{
    pthread_condattr_t attr;
    pthread_cond_t c = PTHREAD_COND_INITIALIZER, by_monotonic;
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&by_monotonic, &attr);
    struct timespec soon = in_ms(CLOCK_REALTIME, 3), soon_monotonic = in_ms(CLOCK_MONOTONIC, 3), over = {-1, 0};
    pthread_mutex_lock(&m);
    SHOW(pthread_cond_timedwait(&c, &m, &soon));
    SHOW(pthread_cond_timedwait(&by_monotonic, &m, &soon_monotonic));
    SHOW(pthread_cond_clockwait(&c, &m, CLOCK_MONOTONIC, &soon_monotonic));
    SHOW(pthread_cond_timedwait(&c, &m, &over));
    SHOW(pthread_cond_timedwait(&c, &m, &wrong));
    SHOW(pthread_cond_wait(&c, &checked));
    SHOW(elsewhere(try_mutex, &m));
    pthread_mutex_unlock(&m);
    SHOW(pthread_cond_signal(&c));
    SHOW(pthread_cond_broadcast(&c));
    SHOW(pthread_cond_destroy(&c));
}

static int shown_errno(int result)
{
    return result ? errno : 0;
}

static void test_semaphores(void)
{
    sem_t s;
    struct timespec soon = in_ms(CLOCK_REALTIME, 3);
    sem_init(&s, 0, 2);
    SHOW(shown_errno(sem_wait(&s)));
    SHOW(shown_errno(sem_trywait(&s)));
    SHOW(shown_errno(sem_trywait(&s)));
    SHOW(shown_errno(sem_timedwait(&s, &soon)));
    SHOW(shown_errno(sem_timedwait(&s, &wrong)));
    SHOW(shown_errno(sem_post(&s)));
    SHOW(shown_errno(sem_timedwait(&s, &soon)));
    sem_init(&s, 0, 0x7fffffff);
    SHOW(shown_errno(sem_post(&s)));
}

static void test_spin(void)
{
    static pthread_spinlock_t l;
    pthread_spin_init(&l, 0);
    SHOW(pthread_spin_lock(&l));
    SHOW(elsewhere(spin_try, (void *)&l));
    SHOW(pthread_spin_unlock(&l));
    SHOW(elsewhere(spin_try, (void *)&l));
}

static void *nothing(void *arg)
{
    return arg;
}

static void *wait_for_unit(void *arg)
{
    sem_wait(arg);
    return arg;
}

static void test_joins(void)
{
    pthread_t t;
    sem_t s;
    void *result;
    sem_init(&s, 0, 0);
    struct timespec soon = in_ms(CLOCK_REALTIME, 3);
    pthread_create(&t, NULL, wait_for_unit, &s);
    SHOW(pthread_tryjoin_np(t, &result));
    SHOW(pthread_timedjoin_np(t, &result, &soon));
    sem_post(&s);
    SHOW(pthread_join(t, &result));
    printf("result %d\n", result == &s);
    SHOW(pthread_join(pthread_self(), NULL));
    SHOW(pthread_tryjoin_np(pthread_self(), NULL));
    pthread_create(&t, NULL, nothing, &t);
    pthread_detach(t);
}

static int c11_thread(void *arg)
{
    mtx_t *m = arg;
    int first = mtx_trylock(m);
    thrd_sleep(&(struct timespec){0, 1000}, NULL);
    thrd_yield();
    return first == thrd_busy ? 42 : 0;
}

static void test_c11(void)
{
    mtx_t m;
    cnd_t c;
    thrd_t t;
    int result;
    struct timespec soon = in_ms(CLOCK_REALTIME, 3);
    mtx_init(&m, mtx_timed);
    cnd_init(&c);
    printf("mtx_lock %d\n", mtx_lock(&m) == thrd_success);
    printf("mtx_timedlock %d\n", mtx_timedlock(&m, &soon) == thrd_timedout);
    printf("cnd_timedwait %d\n", cnd_timedwait(&c, &m, &soon) == thrd_timedout);
    printf("thrd_create %d\n", thrd_create(&t, c11_thread, &m) == thrd_success);
    printf("thrd_join %d", thrd_join(t, &result) == thrd_success);
    printf(" result %d\n", result);
    printf("mtx_unlock %d\n", mtx_unlock(&m) == thrd_success);
    printf("cnd_signal %d\n", cnd_signal(&c) == thrd_success);
}

static void *cancelled(void *arg)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
    pthread_mutex_lock(&m);
    pthread_cleanup_push((void (*)(void *))pthread_mutex_unlock, &m);
    sem_post(arg);
    for (;;)
        pthread_cond_wait(&c, &m);
    pthread_cleanup_pop(1);
    return arg;
}

static void *spins(void *arg)
{
    for (;;)
        pthread_testcancel();
    return arg;
}

static void *sleeps(void *arg)
{
    sleep(1000);
    return arg;
}

static void test_cancel(void)
{
    static void *(*const fns[])(void *) = {cancelled, spins, sleeps, wait_for_unit};
    for (int i = 0; i < 4; i++) {
        pthread_t t;
        sem_t s;
        void *result;
        sem_init(&s, 0, 0);
        pthread_create(&t, NULL, fns[i], &s);
        if (i == 0)
            sem_wait(&s);
        SHOW(pthread_cancel(t));
        pthread_join(t, &result);
        printf("cancelled %d\n", result == PTHREAD_CANCELED);
    }
}

int main(void)
{
    test_mutexes();
    test_robust();
    test_rwlocks();
    test_conditions();
    test_semaphores();
    test_spin();
    test_joins();
    test_c11();
    test_cancel();
    printf("end\n"); // CHECK: end
    return 0;
}
