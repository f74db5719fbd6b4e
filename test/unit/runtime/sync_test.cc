// sync_test.cc - mutex, rwmutex, wait group, once, condition, semaphore: exclusion, order, fairness, misuse, freeing.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "child.h"

#include <atomic>
#include <thread>
#include <vector>

static_assert(sizeof(csp_mutex) <= 128 && sizeof(csp_rwmutex) <= 128 && sizeof(csp_wg) <= 128, "part of the interface");
static_assert(alignof(csp_mutex) == 8 && alignof(csp_rwmutex) == 8 && alignof(csp_sem) == 8, "part of the interface");

// Runs n coroutines and waits for them.
static void all(int n, const std::function<void(int)> &f)
{
    csp_wg wg = {};
    csp_wg_add(&wg, n);
    for (int i = 0; i < n; i++)
        go([&, i] {
            f(i);
            csp_wg_done(&wg);
        });
    csp_wg_wait(&wg);
}

// --- mutex ----------------------------------------------------------------------------------------------------------------

TEST(Mutex, CountsExactly)
{
    expect_ok([] {
        csp_mutex m = {};
        long counter = 0; // plain on purpose: the lock is all that protects it
        all(10, [&](int) {
            for (int i = 0; i < 3000; i++) {
                csp_mutex_lock(&m);
                long seen = counter;
                if (i % 100 == 0)
                    csp_yield(); // others run into the locked mutex
                counter = seen + 1;
                csp_mutex_unlock(&m);
            }
        });
        EXPECT_EQ(counter, 30000);
    });
}

TEST(Mutex, TryLock)
{
    expect_ok([] {
        csp_mutex m = {};
        EXPECT_TRUE(csp_mutex_trylock(&m));
        EXPECT_FALSE(csp_mutex_trylock(&m));
        csp_mutex_unlock(&m);
        EXPECT_TRUE(csp_mutex_trylock(&m));
        csp_mutex_unlock(&m);
    });
}

// What sync.h does inline and the functions themselves go together, whichever a caller was compiled to use.
TEST(Mutex, InlineAndCalledAreOne)
{
    expect_ok([] {
        csp_mutex m = {};
        csp_rwmutex rw = {};
        void (*volatile lock)(csp_mutex *) = csp_mutex_lock;
        void (*volatile unlock)(csp_mutex *) = csp_mutex_unlock;
        void (*volatile rlock)(csp_rwmutex *) = csp_rwmutex_rlock;
        void (*volatile runlock)(csp_rwmutex *) = csp_rwmutex_runlock;
        lock(&m);
        EXPECT_FALSE(csp_mutex_trylock(&m));
        csp_mutex_unlock(&m);
        csp_mutex_lock(&m);
        EXPECT_FALSE(csp_mutex_trylock(&m));
        unlock(&m);
        rlock(&rw);
        csp_rwmutex_rlock(&rw);
        csp_rwmutex_runlock(&rw);
        EXPECT_FALSE(csp_rwmutex_trylock(&rw));
        csp_rwmutex_rlock(&rw);
        runlock(&rw);
        runlock(&rw);
        EXPECT_TRUE(csp_rwmutex_trylock(&rw) && csp_mutex_trylock(&m));
    });
}

TEST(Mutex, MayBeUnlockedByAnother)
{
    expect_ok([] {
        csp_mutex m = {};
        csp_mutex_lock(&m);
        go([&] {
            settle();
            csp_mutex_unlock(&m);
        });
        csp_mutex_lock(&m);
        csp_mutex_unlock(&m);
    });
}

// One that takes the lock again at once must not keep the other out: after 1 ms the lock is handed over.
TEST(Mutex, WaiterIsNotStarved)
{
    expect_ok([] {
        csp_mutex m = {};
        std::atomic<bool> stop{false};
        go([&] {
            while (!stop) {
                csp_mutex_lock(&m);
                csp_sleep(200 * CSP_US);
                csp_mutex_unlock(&m);
            }
        });
        settle();
        int64_t start = csp_now();
        for (int i = 0; i < 10; i++) {
            csp_mutex_lock(&m);
            csp_mutex_unlock(&m);
        }
        EXPECT_LT(csp_now() - start, 5 * CSP_SECOND);
        stop = true;
        EXPECT_EVENTUALLY(csp_count() == 1);
    });
}

TEST(Mutex, PthreadsMayTakePart)
{
    expect_ok([] {
        csp_mutex m = {};
        long counter = 0;
        auto work = [&] {
            for (int i = 0; i < 2000; i++) {
                csp_mutex_lock(&m);
                counter++;
                csp_mutex_unlock(&m);
            }
        };
        std::thread a(work), b(work);
        work();
        all(2, [&](int) { work(); });
        a.join(), b.join();
        EXPECT_EQ(counter, 10000);
    });
}

// "The lock was taken and released" proves that the other is done: the object may go.
TEST(Mutex, MayBeFreedOnceTakenAfterTheOther)
{
    expect_ok([] {
        std::vector<std::atomic<bool>> was_locked(2000);
        for (int i = 0; i < 2000; i++) {
            auto *m = static_cast<csp_mutex *>(calloc(1, sizeof(csp_mutex)));
            auto &locked = was_locked[(size_t)i];
            go([&, m, i] {
                csp_mutex_lock(m);
                locked = true;
                if (i % 2)
                    csp_yield();
                csp_mutex_unlock(m);
            });
            while (!locked)
                csp_yield();
            csp_mutex_lock(m);
            csp_mutex_unlock(m);
            memset(m, 0xff, sizeof *m); // a late touch would see a locked mutex with wild waiters
            free(m);
        }
    });
}

TEST(Mutex, Misuse)
{
    expect_dies("fatal error: sync: unlock of unlocked mutex", [] {
        csp_mutex m = {};
        csp_mutex_unlock(&m);
    });
    expect_dies("fatal error: all coroutines are asleep - deadlock!", [] {
        csp_mutex m = {};
        csp_mutex_lock(&m);
        csp_mutex_lock(&m);
    });
}

// --- rwmutex --------------------------------------------------------------------------------------------------------------

TEST(RwMutex, ReadersShareWritersExclude)
{
    expect_ok([] {
        csp_rwmutex m = {};
        std::atomic<int> readers{0}, writers{0};
        long a = 0, b = 0;
        all(9, [&](int id) {
            for (int i = 0; i < 1000; i++) {
                if (id < 3) {
                    csp_rwmutex_lock(&m);
                    EXPECT_EQ(writers++, 0);
                    EXPECT_EQ(readers, 0);
                    a++;
                    if (i % 50 == 0)
                        csp_yield();
                    b++;
                    writers--;
                    csp_rwmutex_unlock(&m);
                } else {
                    csp_rwmutex_rlock(&m);
                    readers++;
                    EXPECT_EQ(writers, 0);
                    EXPECT_EQ(a, b);
                    if (i % 50 == 0)
                        csp_yield();
                    readers--;
                    csp_rwmutex_runlock(&m);
                }
            }
        });
        EXPECT_EQ(a, 3000);
        std::atomic<bool> both{false};
        csp_rwmutex_rlock(&m);
        go([&] {
            csp_rwmutex_rlock(&m);
            both = true;
            csp_rwmutex_runlock(&m);
        });
        EXPECT_EVENTUALLY(both);
        csp_rwmutex_runlock(&m);
    });
}

TEST(RwMutex, Try)
{
    expect_ok([] {
        csp_rwmutex m = {};
        EXPECT_TRUE(csp_rwmutex_tryrlock(&m));
        EXPECT_TRUE(csp_rwmutex_tryrlock(&m));
        EXPECT_FALSE(csp_rwmutex_trylock(&m));
        csp_rwmutex_runlock(&m), csp_rwmutex_runlock(&m);
        EXPECT_TRUE(csp_rwmutex_trylock(&m));
        EXPECT_FALSE(csp_rwmutex_tryrlock(&m));
        EXPECT_FALSE(csp_rwmutex_trylock(&m));
        csp_rwmutex_unlock(&m);
    });
}

// A waiting writer keeps new readers out, and the readers that waited for it go before the next writer.
TEST(RwMutex, OrderOfWaiters)
{
    expect_ok([] {
        csp_rwmutex m = {};
        csp_chan *order = csp_chan_new(sizeof(char), 8);
        auto writer = [&](char name) {
            go([&, name] {
                csp_rwmutex_lock(&m);
                csp_send(order, &name);
                settle();
                csp_rwmutex_unlock(&m);
            });
            settle();
        };
        csp_rwmutex_rlock(&m);
        writer('w');
        EXPECT_FALSE(csp_rwmutex_tryrlock(&m));
        writer('x');
        for (int i = 0; i < 2; i++)
            go([&] {
                csp_rwmutex_rlock(&m);
                char r = 'r';
                csp_send(order, &r);
                csp_rwmutex_runlock(&m);
            });
        settle();
        EXPECT_EQ(csp_len(order), 0u);
        csp_rwmutex_runlock(&m);
        std::string seen;
        for (int i = 0; i < 4; i++) {
            char c = 0;
            csp_recv(order, &c);
            seen += c;
        }
        EXPECT_EQ(seen, "wrrx");
    });
}

TEST(RwMutex, Misuse)
{
    expect_dies("fatal error: sync: Unlock of unlocked RWMutex", [] {
        csp_rwmutex m = {};
        csp_rwmutex_rlock(&m);
        csp_rwmutex_unlock(&m);
    });
    expect_dies("fatal error: sync: RUnlock of unlocked RWMutex", [] {
        csp_rwmutex m = {};
        csp_rwmutex_lock(&m);
        csp_rwmutex_runlock(&m);
    });
}

// --- wait group -----------------------------------------------------------------------------------------------------------

TEST(Wg, WaitsForAllAndMayBeUsedAgain)
{
    expect_ok([] {
        csp_wg wg = {};
        csp_wg_wait(&wg); // 0: returns at once
        for (int round = 0; round < 200; round++) {
            std::atomic<int> done{0};
            csp_wg_add(&wg, 5);
            for (int i = 0; i < 5; i++)
                go([&] {
                    done++;
                    csp_wg_done(&wg);
                });
            csp_wg_wait(&wg);
            EXPECT_EQ(done, 5);
        }
    });
}

TEST(Wg, ManyWaiters)
{
    expect_ok([] {
        csp_wg work = {};
        std::atomic<int> passed{0};
        csp_wg_add(&work, 2);
        for (int i = 0; i < 10; i++)
            go([&] {
                csp_wg_wait(&work);
                passed++;
            });
        settle();
        csp_wg_done(&work);
        settle();
        EXPECT_EQ(passed, 0);
        csp_wg_add(&work, -1);
        EXPECT_EVENTUALLY(passed == 10);
    });
}

TEST(Wg, MayBeFreedOnceWaitReturns)
{
    expect_ok([] {
        for (int i = 0; i < 3000; i++) {
            auto *wg = static_cast<csp_wg *>(calloc(1, sizeof(csp_wg)));
            csp_wg_add(wg, 1);
            go([=] { csp_wg_done(wg); });
            csp_wg_wait(wg);
            memset(wg, 0xff, sizeof *wg);
            free(wg);
        }
    });
}

TEST(Wg, Misuse)
{
    expect_dies("panic: sync: negative WaitGroup counter", [] {
        csp_wg wg = {};
        csp_wg_add(&wg, 1);
        csp_wg_done(&wg);
        csp_wg_done(&wg);
    });
}

// --- once -----------------------------------------------------------------------------------------------------------------

TEST(Once, RunsOnceAndEverybodyWaitsForIt)
{
    expect_ok([] {
        static csp_once once;
        static std::atomic<int> runs, finished;
        all(20, [&](int) {
            csp_once_do(
                &once,
                [](void *arg) {
                    EXPECT_EQ(arg, &once);
                    runs++;
                    settle();
                    finished = 1;
                },
                &once);
            EXPECT_EQ(finished, 1);
        });
        csp_once_do(&once, [](void *) { runs++; }, nullptr);
        EXPECT_EQ(runs, 1);
    });
}

// --- condition ------------------------------------------------------------------------------------------------------------

TEST(Cond, PingPong)
{
    expect_ok([] {
        csp_mutex m = {};
        csp_cond cond = {};
        int turn = 0, steps = 0;
        all(2, [&](int me) {
            for (int i = 0; i < 1000; i++) {
                csp_mutex_lock(&m);
                while (turn != me)
                    csp_cond_wait(&cond, &m);
                steps++;
                turn = 1 - me;
                csp_cond_signal(&cond);
                csp_mutex_unlock(&m);
            }
        });
        EXPECT_EQ(steps, 2000);
    });
}

TEST(Cond, SignalWakesOneBroadcastAll)
{
    expect_ok([] {
        csp_mutex m = {};
        csp_cond cond = {};
        std::atomic<int> woken{0};
        csp_cond_signal(&cond); // nobody waits: not remembered
        for (int i = 0; i < 6; i++)
            go([&] {
                csp_mutex_lock(&m);
                csp_cond_wait(&cond, &m);
                woken++;
                csp_mutex_unlock(&m);
            });
        settle();
        EXPECT_EQ(woken, 0);
        csp_cond_signal(&cond);
        settle();
        EXPECT_EQ(woken, 1);
        csp_cond_broadcast(&cond);
        EXPECT_EVENTUALLY(woken == 6);
    });
}

TEST(Cond, Misuse)
{
    expect_dies("fatal error: sync: unlock of unlocked mutex", [] {
        csp_mutex m = {};
        csp_cond cond = {};
        csp_cond_wait(&cond, &m);
    });
}

// --- semaphore ------------------------------------------------------------------------------------------------------------

TEST(Sem, LimitsHowManyAreInside)
{
    expect_ok([] {
        csp_sem s = {};
        csp_sem_init(&s, 3);
        std::atomic<int> inside{0}, most{0};
        all(12, [&](int) {
            for (int i = 0; i < 200; i++) {
                csp_sem_acquire(&s, 1);
                int n = ++inside, seen = most;
                EXPECT_LE(n, 3);
                while (n > seen && !most.compare_exchange_weak(seen, n)) {
                }
                csp_yield();
                inside--;
                csp_sem_release(&s, 1);
            }
        });
        EXPECT_EQ(most, 3);
        EXPECT_TRUE(csp_sem_tryacquire(&s, 3));
        EXPECT_FALSE(csp_sem_tryacquire(&s, 1));
    });
}

// The large request at the head is not passed by a small one that would fit.
TEST(Sem, ServesInOrder)
{
    expect_ok([] {
        csp_sem s = {}; // zeroed: no permits
        csp_chan *order = csp_chan_new(sizeof(int), 4);
        EXPECT_FALSE(csp_sem_tryacquire(&s, 1));
        EXPECT_TRUE(csp_sem_tryacquire(&s, 0));
        for (int64_t k : {3, 1})
            go([&, k] {
                csp_sem_acquire(&s, k);
                int v = (int)k;
                csp_send(order, &v);
            }),
                settle();
        csp_sem_release(&s, 2);
        settle();
        EXPECT_EQ(csp_len(order), 0u);
        EXPECT_FALSE(csp_sem_tryacquire(&s, 1));
        csp_sem_release(&s, 2);
        int first = 0, second = 0;
        csp_recv(order, &first), csp_recv(order, &second);
        EXPECT_EQ(first + second, 4);
        EXPECT_EQ(s.permits, 0);
    });
}

TEST(Sem, Misuse)
{
    for (int kind = 0; kind < 4; kind++)
        expect_dies("panic: csp_sem: negative number of permits", [=] {
            csp_sem s = {};
            switch (kind) {
            case 0:
                csp_sem_init(&s, -1);
                break;
            case 1:
                csp_sem_acquire(&s, -1);
                break;
            case 2:
                csp_sem_tryacquire(&s, -1);
                break;
            default:
                csp_sem_release(&s, -1);
            }
        });
    expect_dies("panic: csp_sem: too many permits", [] {
        csp_sem s = {};
        csp_sem_init(&s, INT64_MAX);
        csp_sem_release(&s, 1);
    });
}
