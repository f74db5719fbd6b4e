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
    cspi_timers_run(base + 999, &firing);
    std::vector<int> expected;
    for (int i = 0; i <= 999; i++)
        if (i % 3)
            expected.push_back(i);
    EXPECT_EQ(fired, expected);
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

TEST(Timer, SleepersWakeInOrder)
{
    static std::vector<int> woken;
    static csp_mutex lock;
    static csp_wg wg;
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
    EXPECT_EQ(woken, (std::vector<int>{4, 3, 2, 1, 0}));
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

} // namespace
