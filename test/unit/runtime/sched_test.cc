// sched_test.cc - the scheduler: spawning, yielding, parking across threads, pthreads, errno, panics, all asleep, exit, fork.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "sched.h"

#include "csp/csp.h"

#include <gtest/gtest.h>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cfenv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace
{

void wait_until_alone()
{
    while (csp_count() > 1)
        csp_yield();
}

// Runs `body` in a fresh process with so many workers; gtest's own process keeps its count.
int run_with(const char *maxprocs, void (*body)())
{
    testing::FLAGS_gtest_death_test_style = "fast";
    fflush(nullptr);
    pid_t pid = fork();
    if (pid == 0) {
        setenv("CSP_MAXPROCS", maxprocs, 1);
        alarm(60);
        body();
        exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// A test below that starts the runtime in gtest's own process would make run_with's children one-worker forks of it, so all
// bodies run through run_with or a threadsafe death test.
struct Sched : testing::TestWithParam<const char *> {
    void run(void (*body)())
    {
        EXPECT_EQ(run_with(GetParam(), body), 0);
    }
};
INSTANTIATE_TEST_SUITE_P(Workers, Sched, testing::Values("1", "2", "8"));

TEST_P(Sched, MainIsOneAndCountsAreRight)
{
    run([] {
        EXPECT_EQ(csp_id(), 1u);
        EXPECT_EQ(csp_count(), 1u);
        static std::atomic<uint64_t> id;
        static std::atomic<bool> counted;
        csp_go(
            [](void *) {
                id = csp_id();
                while (!counted)
                    csp_yield();
            },
            nullptr);
        EXPECT_EQ(csp_count(), 2u);
        counted = true;
        wait_until_alone();
        EXPECT_EQ(id, 2u);
    });
}

TEST_P(Sched, ThousandsYieldAndAllEnd)
{
    run([] {
        static std::atomic<int> steps;
        for (int i = 0; i < 3000; i++)
            csp_go(
                [](void *) {
                    for (int j = 0; j < 20; j++) {
                        steps++;
                        csp_yield();
                    }
                },
                nullptr);
        wait_until_alone();
        EXPECT_EQ(steps, 60000);
    });
}

TEST_P(Sched, YieldIsFair)
{
    run([] {
        // Two that only yield; main sees both make progress. With one worker this needs the queue to be fair.
        static std::atomic<bool> stop;
        static std::atomic<long> turns[2];
        for (intptr_t i = 0; i < 2; i++)
            csp_go(
                [](void *n) {
                    while (!stop) {
                        turns[reinterpret_cast<intptr_t>(n)]++;
                        csp_yield();
                    }
                },
                reinterpret_cast<void *>(i));
        while (turns[0] < 1000 || turns[1] < 1000)
            csp_yield();
        stop = true;
        wait_until_alone();
    });
}

TEST_P(Sched, PingPongDoesNotStarveOthers)
{
    run([] {
        static csp_chan *a, *b;
        static std::atomic<bool> stop;
        a = csp_chan_new(0, 0);
        b = csp_chan_new(0, 0);
        csp_go(
            [](void *) {
                while (csp_recv(a, nullptr))
                    csp_send(b, nullptr);
                csp_close(b);
            },
            nullptr);
        csp_go(
            [](void *) {
                while (!stop) {
                    csp_send(a, nullptr);
                    csp_recv(b, nullptr);
                }
                csp_close(a);
            },
            nullptr);
        for (int i = 0; i < 1000; i++) // each of main's turns must come
            csp_yield();
        csp_sleep(CSP_MS); // and timers
        stop = true;
        wait_until_alone();
    });
}

TEST_P(Sched, ErrnoAndRoundingModeAreTheCoroutinesOwn)
{
    run([] {
        static std::atomic<int> wrong;
        for (intptr_t i = 1; i <= 200; i++)
            csp_go(
                [](void *n) {
                    int mine = static_cast<int>(reinterpret_cast<intptr_t>(n));
                    int mode = mine % 2 ? FE_UPWARD : FE_DOWNWARD;
                    errno = mine; // csp.h's errno: right though the address changes under the compiler's hands
                    fesetround(mode);
                    for (int j = 0; j < 50; j++) {
                        if (j % 10 == 0)
                            csp_sleep(10 * CSP_US);
                        else
                            csp_yield();
                        wrong += errno != mine || fegetround() != mode;
                    }
                },
                reinterpret_cast<void *>(i));
        errno = 77;
        csp_sleep(CSP_MS);
        EXPECT_EQ(errno, 77);
        wait_until_alone();
        EXPECT_EQ(errno, 77);
        EXPECT_EQ(fegetround(), FE_TONEAREST);
        EXPECT_EQ(wrong, 0);
    });
}

// park and ready alone: a one-slot mailbox under a cspi_lock.
struct Mailbox {
    cspi_lock lock;
    csp_co *waiting;
    bool full;
};
void put(Mailbox *m)
{
    cspi_lock_acquire(&m->lock);
    csp_co *co = m->waiting;
    m->waiting = nullptr;
    m->full = !co;
    cspi_lock_release(&m->lock);
    if (co)
        cspi_ready(co);
}
void take(Mailbox *m)
{
    cspi_lock_acquire(&m->lock);
    if (m->full) {
        m->full = false;
        cspi_lock_release(&m->lock);
        return;
    }
    m->waiting = cspi_self();
    cspi_wait wait = {};
    wait.op = CSP_WAIT_OTHER;
    wait.obj = m;
    cspi_park(&wait, &m->lock);
}

TEST_P(Sched, ParkAndReadyNeverLoseAWakeUp)
{
    run([] {
        // Rings of coroutines that hand a token around, and two pthreads that do the same with each other.
        constexpr int kRings = 20, kRing = 5, kRounds = 500;
        static Mailbox boxes[kRings][kRing], thread_boxes[2];
        static std::atomic<int> passed;
        for (auto &ring : boxes)
            for (int i = 0; i < kRing; i++)
                csp_go(
                    [](void *box) {
                        auto *mine = static_cast<Mailbox *>(box);
                        size_t index = static_cast<size_t>(mine - &boxes[0][0]);
                        Mailbox *next = &boxes[index / kRing][(index + 1) % kRing];
                        for (int r = 0; r < kRounds; r++) {
                            take(mine);
                            passed++;
                            put(next);
                        }
                    },
                    &ring[i]);
        std::thread threads[2];
        for (int t = 0; t < 2; t++)
            threads[t] = std::thread([t] {
                for (int r = 0; r < 2000; r++) {
                    take(&thread_boxes[t]);
                    put(&thread_boxes[1 - t]);
                }
            });
        for (auto &ring : boxes)
            put(&ring[0]);
        put(&thread_boxes[0]);
        wait_until_alone();
        for (auto &t : threads)
            t.join();
        EXPECT_EQ(passed, kRings * kRing * kRounds);
    });
}

TEST_P(Sched, PthreadsMayCallEverything)
{
    run([] {
        static csp_chan *c = csp_chan_new(sizeof(int), 0);
        static std::atomic<int> spawned;
        std::thread sender([] {
            EXPECT_NE(csp_id(), 1u);
            csp_sleep(CSP_MS);
            csp_go([](void *) { spawned++; }, nullptr);
            for (int i = 1; i <= 100; i++)
                csp_send(c, &i);
            csp_close(c);
        });
        int sum = 0;
        for (int v; csp_recv(c, &v);)
            sum += v;
        EXPECT_EQ(sum, 5050);
        sender.join();
        wait_until_alone();
        EXPECT_EQ(spawned, 1);
        csp_chan_free(c);
    });
}

TEST_P(Sched, RuntimeStartedByAPthread)
{
    run([] {
        std::thread([] {
            csp_chan *c = csp_chan_new(sizeof(int), 0);
            csp_go(
                [](void *ch) {
                    int v = 3;
                    csp_send(static_cast<csp_chan *>(ch), &v);
                },
                c);
            int v = 0;
            EXPECT_TRUE(csp_recv(c, &v));
            EXPECT_EQ(v, 3);
        }).join();
        EXPECT_EQ(csp_id(), 1u);
        csp_sleep(CSP_MS);
    });
}

TEST_P(Sched, DeepAndWideSpawning)
{
    run([] {
        static std::atomic<int> leaves;
        struct Tree {
            static void grow(void *depth)
            {
                auto d = reinterpret_cast<intptr_t>(depth);
                if (d == 0) {
                    leaves++;
                    return;
                }
                csp_go(grow, reinterpret_cast<void *>(d - 1));
                csp_go(grow, reinterpret_cast<void *>(d - 1));
            }
        };
        csp_go(Tree::grow, reinterpret_cast<void *>(intptr_t(13)));
        wait_until_alone();
        EXPECT_EQ(leaves, 1 << 13);
    });
}

TEST_P(Sched, BusyCoroutineDoesNotHoldTheOneItMadeReady)
{
    if (std::string(GetParam()) == "1")
        GTEST_SKIP() << "needs a second worker";
    run([] {
        static std::atomic<bool> ran;
        csp_go([](void *) { ran = true; }, nullptr);
        for (int64_t until = csp_now() + 5 * CSP_SECOND; !ran && csp_now() < until;)
            ; // main never calls in: only theft can run it
        EXPECT_TRUE(ran);
    });
}

TEST_P(Sched, ForkedChildGoesOnAlone)
{
    run([] {
        static std::atomic<bool> stop;
        for (int i = 0; i < 10; i++)
            csp_go(
                [](void *) {
                    while (!stop)
                        csp_sleep(100 * CSP_US);
                },
                nullptr);
        csp_sleep(CSP_MS);
        pid_t pid = fork();
        if (pid == 0) {
            alarm(20);
            static std::atomic<int> ran;
            for (int i = 0; i < 100; i++)
                csp_go([](void *) { ran++; }, nullptr);
            while (csp_count() > 1)
                csp_sleep(10 * CSP_US);
            _exit(ran == 100 ? 0 : 3);
        }
        int status;
        waitpid(pid, &status, 0);
        EXPECT_EQ(status, 0);
        stop = true;
        wait_until_alone();
    });
}

TEST_P(Sched, ForkFromAPthreadWhileWorkersRun)
{
    run([] {
        std::thread([] {
            static std::atomic<bool> runs, stop;
            csp_go(
                [](void *) {
                    for (runs = true; !stop;)
                        ;
                },
                nullptr);
            while (!runs)
                usleep(100);
            pid_t pid = fork();
            if (pid == 0) {
                alarm(20);
                static csp_wg wg;
                csp_wg_add(&wg, 100);
                for (int i = 0; i < 100; i++)
                    csp_go([](void *) { csp_wg_done(&wg); }, nullptr);
                csp_wg_wait(&wg);
                csp_ctx *ctx = csp_ctx_with_timeout(nullptr, CSP_MS);
                csp_recv(csp_ctx_done(ctx), nullptr);
                csp_ctx_free(ctx);
                _exit(0);
            }
            int status;
            waitpid(pid, &status, 0);
            EXPECT_EQ(status, 0);
            stop = true;
        }).join();
    });
}

TEST_P(Sched, ExitWhileOthersRun)
{
    // Exit handlers run while coroutines were busy everywhere; nothing may crash, and one that waits is served.
    run([] {
        static csp_wg wg;
        for (int i = 0; i < 50; i++)
            csp_go(
                [](void *) {
                    for (;;)
                        csp_yield();
                },
                nullptr);
        csp_wg_add(&wg, 1);
        csp_go(
            [](void *) {
                csp_sleep(3 * CSP_MS);
                csp_wg_done(&wg);
            },
            nullptr);
        csp_sleep(CSP_MS);
        atexit([] { csp_wg_wait(&wg); });
    });
}

// --- how it ends -----------------------------------------------------------------------------------------------------------

struct SchedDeathTest : testing::Test {
    void SetUp() override
    {
        testing::FLAGS_gtest_death_test_style = "threadsafe";
    }
};

TEST_F(SchedDeathTest, AllAsleepListsEveryone)
{
    EXPECT_EXIT(
        {
            static csp_chan *c = csp_chan_new(0, 0);
            csp_go([](void *) { csp_send(nullptr, nullptr); }, nullptr);
            csp_recv(c, nullptr);
        },
        testing::ExitedWithCode(2),
        "^fatal error: all coroutines are asleep - deadlock!\n\ncoroutine 1 \\[chan receive\\]:\n"
        "(.|\n)*\n\ncoroutine 2 \\[chan send \\(nil chan\\)\\]:\n");
}

TEST_F(SchedDeathTest, AllAsleepWithOneWorker)
{
    setenv("CSP_MAXPROCS", "1", 1);
    EXPECT_EXIT(csp_recv(nullptr, nullptr), testing::ExitedWithCode(2),
                "coroutine 1 \\[chan receive \\(nil chan\\)\\]:");
    unsetenv("CSP_MAXPROCS");
}

TEST_F(SchedDeathTest, AbandonedTickerDoesNotHideADeadlock)
{
    EXPECT_EXIT(
        {
            csp_ticker_new(CSP_MS);
            csp_recv(csp_chan_new(0, 0), nullptr);
        },
        testing::ExitedWithCode(2), "all coroutines are asleep");
}

TEST_F(SchedDeathTest, PendingTimerIsNoDeadlock)
{
    EXPECT_EXIT(
        {
            csp_ticker *t = csp_ticker_new(5 * CSP_MS);
            for (int i = 0; i < 5; i++)
                csp_recv(csp_ticker_chan(t), nullptr);
            csp_ticker_free(t);
            csp_recv(csp_after(5 * CSP_MS), nullptr);
            exit(0);
        },
        testing::ExitedWithCode(0), "");
}

TEST_F(SchedDeathTest, AThreadThatNeverCalledInMayStillWake)
{
    EXPECT_EXIT(
        {
            static csp_chan *c = csp_chan_new(0, 0);
            std::thread([] {
                usleep(100000);
                csp_send(c, nullptr);
            }).detach();
            csp_recv(c, nullptr);
            exit(0);
        },
        testing::ExitedWithCode(0), "");
}

TEST_F(SchedDeathTest, DeadlockOnceSuchAThreadIsGone)
{
    EXPECT_EXIT(
        {
            std::thread([] { usleep(50000); }).detach();
            csp_recv(csp_chan_new(0, 0), nullptr);
        },
        testing::ExitedWithCode(2), "all coroutines are asleep");
}

// The idle worker that would look again sleeps already when the last one parks.
TEST_F(SchedDeathTest, DeadlockOnceSuchAThreadIsGoneWithSeveralWorkers)
{
    setenv("CSP_MAXPROCS", "4", 1);
    EXPECT_EXIT(
        {
            alarm(20);
            std::thread([] { usleep(100000); }).detach();
            csp_go(
                [](void *) {
                    usleep(50000); // holds its worker
                    csp_recv(nullptr, nullptr);
                },
                nullptr);
            csp_recv(nullptr, nullptr);
        },
        testing::ExitedWithCode(2), "all coroutines are asleep");
    unsetenv("CSP_MAXPROCS");
}

// A stream that another thread holds, blocked in it, must not keep a panic from ending the process.
TEST_F(SchedDeathTest, PanicWhileAThreadReadsAStream)
{
    EXPECT_EXIT(
        {
            alarm(20);
            static int fds[2];
            if (pipe(fds) != 0)
                abort();
            std::thread([] { fgetc(fdopen(fds[0], "r")); }).detach();
            usleep(20000);
            csp_panic("done for");
        },
        testing::ExitedWithCode(2), "^panic: done for\n");
}

TEST_F(SchedDeathTest, MainEndsOthersGoOnThenNoneIsLeft)
{
    EXPECT_EXIT(
        {
            csp_go(
                [](void *) {
                    csp_sleep(5 * CSP_MS);
                    fprintf(stderr, "still here\n");
                },
                nullptr);
            csp_exit();
        },
        testing::ExitedWithCode(2), "^still here\nfatal error: no coroutines \\(main called csp_exit\\) - deadlock!\n");
}

TEST_F(SchedDeathTest, PanicSaysWhereAndFlushesStdio)
{
    EXPECT_EXIT(
        {
            dup2(2, 1);
            printf("printed before; ");
            csp_go([](void *) { csp_panic("bad %s %d", "thing", 7); }, nullptr);
            csp_sleep(CSP_SECOND);
        },
        testing::ExitedWithCode(2), "printed before; panic: bad thing 7\n\ncoroutine 2 \\[running\\]:\n(.|\n)+");
}

TEST_F(SchedDeathTest, BadMaxprocsIsNamedAndTheDefaultTaken)
{
    for (const char *bad : {"0", "-3", "abc", "2x", "99999999999999999999"}) {
        setenv("CSP_MAXPROCS", bad, 1);
        EXPECT_EXIT(
            {
                csp_yield();
                exit(0);
            },
            testing::ExitedWithCode(0),
            std::string("^cspthread: CSP_MAXPROCS=") + bad + " is not a number from 1 to 1024");
    }
    unsetenv("CSP_MAXPROCS");
}

} // namespace
