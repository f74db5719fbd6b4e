// timer_test.cc - timers: order, stopping, restarting from fire, sleeping, csp_after, tickers, functions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "timer.h"

#include "csp/csp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <vector>

namespace
{

struct Numbered {
    cspi_timer timer;
    std::vector<int> *fired;
    int n;
};

void fire_numbered(cspi_timer *t)
{
    auto *n = reinterpret_cast<Numbered *>(t);
    n->fired->push_back(n->n);
}

// The heap alone: fired by hand, in the future as seen from the workers.
TEST(Timer, FiresInOrderOfInstants)
{
    const int64_t base = cspi_now() + 3600 * CSP_SECOND;
    std::vector<Numbered> timers(2000);
    std::vector<int> fired, order(timers.size());
    for (size_t i = 0; i < timers.size(); i++)
        order[i] = static_cast<int>(i);
    std::shuffle(order.begin(), order.end(), std::mt19937(1));
    for (int i : order) {
        timers[i] = {{}, &fired, i};
        cspi_timer_start(&timers[i].timer, base + i, fire_numbered);
    }
    EXPECT_EQ(cspi_timers_earliest(), base);
    for (size_t i = 0; i < timers.size(); i += 3) // take some out of the middle
        EXPECT_TRUE(cspi_timer_stop(&timers[i].timer));
    const cspi_timer *firing = nullptr;
    while (cspi_timers_earliest() <= base + 999)
        cspi_timers_run(base + 999, &firing);
    std::vector<int> expected;
    for (int i = 0; i <= 999; i++)
        if (i % 3)
            expected.push_back(i);
    EXPECT_EQ(fired, expected);
    while (cspi_timers_earliest() <= base + 2000)
        cspi_timers_run(base + 2000, &firing);
    for (int i = 1000; i < 2000; i++)
        if (i % 3)
            expected.push_back(i);
    EXPECT_EQ(fired, expected);
    EXPECT_EQ(cspi_timers_count(), 0u);
    EXPECT_FALSE(cspi_timer_stop(&timers[1].timer));
}

TEST(Timer, IdleOnesDoNotCountAsLively)
{
    const int64_t base = cspi_now() + 3600 * CSP_SECOND;
    cspi_timer lively = {}, idle = {};
    idle.idle = true;
    cspi_timer_start(&idle, base, [](cspi_timer *) {});
    cspi_timer_start(&lively, base + 5, [](cspi_timer *) {});
    EXPECT_EQ(cspi_timers_earliest(), base);
    EXPECT_EQ(cspi_timers_earliest_lively(), base + 5);
    EXPECT_TRUE(cspi_timer_stop(&lively));
    EXPECT_EQ(cspi_timers_earliest_lively(), INT64_MAX);
    EXPECT_TRUE(cspi_timer_stop(&idle));
}

TEST(Timer, SleepTakesAtLeastItsTime)
{
    for (int64_t ns : {int64_t(1), 200 * CSP_US, 5 * CSP_MS}) {
        int64_t before = csp_now();
        csp_sleep(ns);
        EXPECT_GE(csp_now() - before, ns);
    }
    csp_sleep(0);
    csp_sleep(-5);
}

// A worker that the system holds up for long enough wakes several at once, in any order; not time and again.
TEST(Timer, SleepersWakeInOrder)
{
    static std::vector<int> woken;
    static csp_mutex lock;
    static csp_wg wg;
    const std::vector<int> in_order{4, 3, 2, 1, 0};
    for (int attempt = 0; attempt < 20 && woken != in_order; attempt++) {
        woken.clear();
        csp_wg_add(&wg, 5);
        for (int i = 0; i < 5; i++)
            csp_go(
                [](void *arg) {
                    int n = static_cast<int>(reinterpret_cast<intptr_t>(arg));
                    csp_sleep((5 - n) * 20 * CSP_MS);
                    csp_mutex_lock(&lock);
                    woken.push_back(n);
                    csp_mutex_unlock(&lock);
                    csp_wg_done(&wg);
                },
                reinterpret_cast<void *>(static_cast<intptr_t>(i)));
        csp_wg_wait(&wg);
    }
    EXPECT_EQ(woken, in_order);
}

TEST(Timer, SleepsWhileAnotherCoroutineIsBusyYielding)
{
    static std::atomic<bool> stop;
    stop = false;
    csp_go(
        [](void *) {
            while (!stop)
                csp_yield();
        },
        nullptr);
    int64_t before = csp_now();
    csp_sleep(10 * CSP_MS);
    EXPECT_LT(csp_now() - before, 2 * CSP_SECOND);
    stop = true;
    while (csp_count() > 1)
        csp_yield();
}

TEST(Timer, AfterDeliversTheInstant)
{
    int64_t before = csp_now(), at = 0;
    csp_chan *c = csp_after(5 * CSP_MS);
    EXPECT_TRUE(csp_recv(c, &at));
    EXPECT_GE(at, before + 5 * CSP_MS);
    csp_chan_free(c);
}

TEST(Timer, AfterFreedEarlyIsStopped)
{
    for (int i = 0; i < 100; i++)
        csp_chan_free(csp_after(CSP_SECOND * 1000));
    EXPECT_EQ(cspi_timers_count(), 0u);
    for (int i = 0; i < 300; i++) { // freed while it fires, or about
        csp_chan *c = csp_after(i * CSP_US);
        csp_sleep(150 * CSP_US);
        csp_chan_free(c);
    }
    EXPECT_EQ(cspi_timers_count(), 0u);
}

TEST(Timer, TickerTicksDropsAndResets)
{
    csp_ticker *t = csp_ticker_new(2 * CSP_MS);
    int64_t last = 0, at;
    for (int i = 0; i < 5; i++) {
        ASSERT_TRUE(csp_recv(csp_ticker_chan(t), &at));
        EXPECT_GT(at, last);
        last = at;
    }
    csp_sleep(30 * CSP_MS); // many ticks, one is kept
    EXPECT_EQ(csp_len(csp_ticker_chan(t)), 1u);
    csp_ticker_stop(t);
    EXPECT_EQ(csp_try_recv(csp_ticker_chan(t), &at), 1);
    csp_sleep(10 * CSP_MS);
    EXPECT_EQ(csp_try_recv(csp_ticker_chan(t), &at), 0);
    csp_ticker_reset(t, CSP_MS);
    EXPECT_TRUE(csp_recv(csp_ticker_chan(t), &at));
    csp_ticker_free(t);
    csp_ticker_free(nullptr);
    EXPECT_EQ(cspi_timers_count(), 0u);
}

TEST(Timer, FunctionRunsInItsOwnCoroutineStopAndReset)
{
    static std::atomic<uint64_t> ran_in;
    ran_in = 0;
    auto fn = [](void *) { ran_in = csp_id(); };
    csp_timer *t = csp_timer_new(2 * CSP_MS, fn, nullptr);
    for (int i = 0; i < 1000 && !ran_in; i++)
        csp_sleep(CSP_MS);
    EXPECT_NE(ran_in, 0u);
    EXPECT_NE(ran_in, csp_id());
    EXPECT_FALSE(csp_timer_stop(t));
    ran_in = 0;
    EXPECT_FALSE(csp_timer_reset(t, 1000 * CSP_SECOND));
    EXPECT_TRUE(csp_timer_reset(t, 1000 * CSP_SECOND));
    EXPECT_TRUE(csp_timer_stop(t));
    EXPECT_FALSE(csp_timer_stop(t));
    csp_sleep(2 * CSP_MS);
    EXPECT_EQ(ran_in, 0u);
    csp_timer_free(t);
    csp_timer_free(nullptr);
}

TEST(TimerDeathTest, NonPositiveTickerPanics)
{
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(csp_ticker_new(0), testing::ExitedWithCode(2), "panic: non-positive interval");
}

// Durations at the ends of their range: never, and at once.
TEST(Timer, ExtremeDurations)
{
    static std::atomic<int> ran;
    ran = 0;
    auto run = [](void *) { ran++; };
    csp_timer *never[] = {csp_timer_new(INT64_MAX, run, nullptr), csp_timer_new(INT64_MAX - 1, run, nullptr)};
    csp_ticker *rare = csp_ticker_new(INT64_MAX);
    csp_chan *late = csp_after(INT64_MAX);
    csp_timer *now[] = {csp_timer_new(0, run, nullptr), csp_timer_new(-1, run, nullptr),
                        csp_timer_new(INT64_MIN, run, nullptr)};
    int64_t at;
    csp_chan *past = csp_after(INT64_MIN);
    EXPECT_TRUE(csp_recv(past, &at));
    for (int tries = 0; tries < 5000 && ran < 3; tries++)
        csp_sleep(CSP_MS);
    EXPECT_EQ(ran, 3);
    for (csp_timer *t : never) {
        EXPECT_TRUE(csp_timer_reset(t, INT64_MAX));
        EXPECT_TRUE(csp_timer_stop(t));
        csp_timer_free(t);
    }
    for (csp_timer *t : now) {
        EXPECT_FALSE(csp_timer_stop(t));
        csp_timer_free(t);
    }
    csp_ticker_reset(rare, CSP_MS); // a rare one may become frequent, and the other way round
    EXPECT_TRUE(csp_recv(csp_ticker_chan(rare), &at));
    csp_ticker_reset(rare, INT64_MAX);
    EXPECT_EQ(csp_try_recv(late, &at), 0);
    csp_ticker_free(rare);
    csp_chan_free(late), csp_chan_free(past);
    EXPECT_EQ(cspi_timers_count(), 0u);
}

struct OfItself {
    std::atomic<csp_timer *> timer;
    std::atomic<int> ran;
};

// A function that sets its own timer again, then stops and frees it.
TEST(Timer, HandledByItsOwnFunction)
{
    static OfItself self;
    self.timer = nullptr;
    self.ran = 0;
    self.timer = csp_timer_new(
        CSP_US,
        [](void *) {
            while (!self.timer)
                csp_yield();
            if (++self.ran < 50) {
                EXPECT_FALSE(csp_timer_reset(self.timer, self.ran % 2 ? 0 : 10 * CSP_US));
            } else {
                EXPECT_FALSE(csp_timer_stop(self.timer));
                csp_timer_free(self.timer.exchange(nullptr));
                self.ran = 1000;
            }
        },
        nullptr);
    for (int tries = 0; tries < 5000 && self.ran < 1000; tries++)
        csp_sleep(CSP_MS);
    EXPECT_EQ(self.ran, 1000);
    while (csp_count() > 1)
        csp_yield();
}

// A million timers start; a tenth fire, the others are stopped.
TEST(Timer, AMillionPending)
{
    const size_t n = 1000000;
    static std::atomic<size_t> ran;
    ran = 0;
    std::vector<csp_timer *> timers(n);
    for (size_t i = 0; i < n; i++)
        timers[i] = csp_timer_new(i % 10 ? CSP_MINUTE * 60 : CSP_MS, [](void *) { ran++; }, nullptr);
    for (int tries = 0; tries < 30000 && ran < n / 10; tries++)
        csp_sleep(CSP_MS);
    EXPECT_EQ(ran, n / 10);
    EXPECT_EQ(cspi_timers_count(), n - n / 10);
    for (size_t i = 0; i < n; i++) {
        EXPECT_EQ(csp_timer_stop(timers[i]), i % 10 != 0);
        csp_timer_free(timers[i]);
    }
    EXPECT_EQ(cspi_timers_count(), 0u);
}

} // namespace
