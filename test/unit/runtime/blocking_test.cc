// blocking_test.cc - calls that block, coroutines that compute: others go on, with one worker too.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "sched.h"

#include "csp/csp.h"

#include <gtest/gtest.h>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <thread>

namespace
{

int run_with(const char *maxprocs, void (*body)())
{
    fflush(nullptr);
    pid_t pid = fork();
    if (pid == 0) {
        setenv("CSP_MAXPROCS", maxprocs, 1);
        alarm(100);
        body();
        exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct Blocking : testing::TestWithParam<const char *> {
    void run(void (*body)())
    {
        EXPECT_EQ(run_with(GetParam(), body), 0);
    }
};
INSTANTIATE_TEST_SUITE_P(Workers, Blocking, testing::Values("1", "2", "8"));

std::atomic<int> count_a, count_b, released;

void add_one(void *count)
{
    ++*static_cast<std::atomic<int> *>(count);
}

// Blocks its OS thread until another flow has set the flag: never ends if the others do not run.
void block_until_released(void *)
{
    while (!released.load())
        usleep(100);
}

void call_blocking(void *)
{
    csp_blocking(block_until_released, nullptr);
    ++count_b;
}

void release(void *)
{
    released = 1;
}

TEST_P(Blocking, OthersGoOn)
{
    run([] {
        csp_go(release, nullptr); // queued behind main
        csp_blocking(block_until_released, nullptr);
        EXPECT_EQ(released.load(), 1);
    });
}

TEST_P(Blocking, MoreCallsThanWorkers)
{
    run([] {
        for (int i = 0; i < 40; i++)
            csp_go(call_blocking, nullptr);
        while (csp_count() != 41)
            csp_yield();
        csp_sleep(CSP_MS); // all are in their calls: the timer is kept nevertheless
        csp_go(release, nullptr);
        while (csp_count() > 1)
            csp_yield();
        EXPECT_EQ(count_b.load(), 40);
    });
}

TEST_P(Blocking, TimersAreKeptDuringCalls)
{
    run([] {
        csp_go(
            [](void *) {
                csp_sleep(5 * CSP_MS);
                released = 1;
            },
            nullptr);
        csp_yield();
        csp_blocking(block_until_released, nullptr);
    });
}

TEST_P(Blocking, AnotherThreadsWorkFindsAWorker)
{
    run([] {
        csp_yield();
        std::thread pusher;
        pusher = std::thread([] {
            usleep(20000); // main is in its call by now, most likely; if not, the test proves less
            csp_go(release, nullptr);
        });
        csp_blocking(block_until_released, nullptr);
        pusher.join();
    });
}

TEST_P(Blocking, HasMuchStackAndKeepsErrno)
{
    run([] {
        static char *volatile kept;
        csp_go(
            [](void *) {
                errno = 1;
                csp_blocking(
                    [](void *) {
                        EXPECT_EQ(errno, 1);
                        char big[4 << 20];
                        memset(big, 1, sizeof big);
                        kept = big;
                        errno = 7;
                    },
                    nullptr);
                EXPECT_EQ(errno, 7);
                ++count_a;
            },
            nullptr);
        while (csp_count() > 1)
            csp_yield();
        EXPECT_EQ(count_a.load(), 1);
    });
}

TEST_P(Blocking, NestsAndMayUseTheLibrary)
{
    run([] {
        static csp_chan *ch;
        ch = csp_chan_new(sizeof(int), 0);
        csp_go(
            [](void *) {
                int v = 5;
                csp_send(ch, &v);
                csp_sleep(CSP_MS);
                csp_close(ch);
            },
            nullptr);
        uint64_t me = csp_id();
        csp_blocking(
            [](void *id) {
                EXPECT_EQ(csp_id(), *static_cast<uint64_t *>(id));
                int v = 0;
                EXPECT_TRUE(csp_recv(ch, &v)); // blocks the thread
                EXPECT_EQ(v, 5);
                csp_blocking([](void *) { EXPECT_FALSE(csp_recv(ch, nullptr)); }, nullptr);
                csp_go(add_one, &count_a);
                csp_yield();
            },
            &me);
        while (csp_count() > 1)
            csp_yield();
        EXPECT_EQ(count_a.load(), 1);
        csp_chan_free(ch);
    });
}

TEST_P(Blocking, FromAPthread)
{
    run([] {
        std::thread([] { csp_blocking(add_one, &count_a); }).join();
        EXPECT_EQ(count_a.load(), 1);
    });
}

TEST_P(Blocking, DeadlockInsideACallIsFound)
{
    EXPECT_EQ(run_with(GetParam(),
                       [] {
                           fclose(stderr);
                           close(2);
                           csp_blocking([](void *) { csp_recv(nullptr, nullptr); }, nullptr);
                       }),
              2);
}

TEST_P(Blocking, ExitInsideACallPanics)
{
    EXPECT_EQ(run_with(GetParam(),
                       [] {
                           close(2);
                           csp_blocking([](void *) { csp_exit(); }, nullptr);
                       }),
              2);
}

TEST_P(Blocking, ProcessMayEndInsideACall)
{
    EXPECT_EQ(run_with(GetParam(), [] { csp_blocking([](void *) { exit(9); }, nullptr); }), 9);
    EXPECT_EQ(run_with(GetParam(),
                       [] {
                           csp_go([](void *) { csp_blocking([](void *) { pause(); }, nullptr); }, nullptr);
                           csp_sleep(2 * CSP_MS);
                           exit(8);
                       }),
              8);
}

#if !__has_feature(thread_sanitizer) // which loses track of threads in a forked child
TEST_P(Blocking, ForkInsideACall)
{
    run([] {
        csp_blocking(
            [](void *) {
                fflush(nullptr);
                pid_t pid = fork();
                int status = 0;
                if (pid)
                    waitpid(pid, &status, 0);
                count_a = pid == 0;
                EXPECT_EQ(status, 0);
            },
            nullptr);
        // Both processes: the coroutine goes on, and others can be made.
        csp_go(add_one, &count_b);
        csp_sleep(CSP_MS);
        while (csp_count() > 1)
            csp_yield();
        EXPECT_EQ(count_b.load(), 1);
        if (count_a)
            _exit(testing::Test::HasFailure() ? 1 : 0);
    });
}

#endif

// --- computing ------------------------------------------------------------------------------------------------------------

TEST_P(Blocking, ComputingDoesNotHoldUpOthers)
{
    run([] {
        csp_go(release, nullptr);
        while (!released.load()) // no call: the monitor has to see it
            ;
    });
}

TEST_P(Blocking, ComputingDoesNotHoldUpTimers)
{
    run([] {
        csp_go(
            [](void *) {
                csp_sleep(CSP_MS);
                released = 1;
            },
            nullptr);
        csp_yield();
        while (!released.load())
            ;
    });
}

// The queue of the one that computes is not starved by those that are always busy in its place.
TEST_P(Blocking, ComputingHandsOverItsWholeQueue)
{
    run([] {
        for (int i = 0; i < 2; i++)
            csp_go(
                [](void *) {
                    while (count_a < 50)
                        csp_yield();
                },
                nullptr);
        for (int i = 0; i < 50; i++)
            csp_go(add_one, &count_a);
        while (count_a < 50)
            ;
    });
}

TEST_P(Blocking, AllComputeAndOneWaits)
{
    run([] {
        for (int i = 0; i < 10; i++)
            csp_go(
                [](void *) {
                    while (!released.load())
                        ;
                },
                nullptr);
        csp_go(release, nullptr);
        while (!released.load())
            ;
        while (csp_count() > 1)
            csp_yield();
    });
}

// A system call of the program's own, not announced.
TEST_P(Blocking, PlainSystemCallDoesNotHoldUpOthers)
{
    run([] {
        csp_go(release, nullptr);
        block_until_released(nullptr);
    });
}

// When the calls are over, no more than CSP_MAXPROCS coroutines run at once.
TEST_P(Blocking, SurplusWorkersRetire)
{
    run([] {
        static std::atomic<int> running, most;
        const int procs = atoi(getenv("CSP_MAXPROCS"));
        for (int i = 0; i < 20; i++)
            csp_go(call_blocking, nullptr);
        csp_sleep(CSP_MS);
        released = 1;
        while (csp_count() > 1)
            csp_yield();
        for (int i = 0; i < 40; i++)
            csp_go(
                [](void *) {
                    for (int round = 0; round < 200; round++) {
                        int now = ++running, seen = most;
                        while (now > seen && !most.compare_exchange_weak(seen, now)) {
                        }
                        --running;
                        csp_yield();
                    }
                },
                nullptr);
        while (csp_count() > 1)
            csp_yield();
        EXPECT_LE(most.load(), procs + 1); // one may be found stuck on a machine that is busy
    });
}

int count_threads()
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    int threads = 0;
    while (fgets(line, sizeof line, f))
        sscanf(line, "Threads: %d", &threads);
    fclose(f);
    return threads;
}

// Nobody waits: however long it computes, no thread is made.
TEST(Monitor, LeavesAloneWhoHoldsUpNobody)
{
    EXPECT_EQ(run_with("1",
                       [] {
                           int before = count_threads(); // a sanitizer has some of its own
                           csp_yield();
                           timespec start, now;
                           clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
                           do
                               clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
                           while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < 100);
                           EXPECT_EQ(count_threads(), before);
                       }),
              0);
}

} // namespace
