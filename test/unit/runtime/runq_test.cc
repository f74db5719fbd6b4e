// runq_test.cc - the run queue: order, overflow, stealing, and that nothing is lost or doubled under thieves.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runq.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace
{

// The queue never looks into a coroutine, so numbers serve.
csp_co *co(uintptr_t n)
{
    return reinterpret_cast<csp_co *>(n);
}
uintptr_t number(csp_co *c)
{
    return reinterpret_cast<uintptr_t>(c);
}

struct RunQ : testing::Test {
    std::unique_ptr<cspi_runq> q{new cspi_runq()}, thief{new cspi_runq()};
    csp_co *spill[CSPI_RUNQ_SPILL] = {};
};

TEST_F(RunQ, IsFirstInFirstOut)
{
    EXPECT_TRUE(cspi_runq_is_empty(q.get()));
    for (uintptr_t i = 1; i <= 3; i++)
        EXPECT_EQ(cspi_runq_push(q.get(), co(i), spill), 0u);
    EXPECT_FALSE(cspi_runq_is_empty(q.get()));
    for (uintptr_t i = 1; i <= 3; i++)
        EXPECT_EQ(number(cspi_runq_pop(q.get())), i);
    EXPECT_EQ(cspi_runq_pop(q.get()), nullptr);
}

TEST_F(RunQ, IndicesWrap)
{
    q->head = q->tail = UINT32_MAX - 2;
    for (uintptr_t i = 1; i <= 6; i++)
        EXPECT_EQ(cspi_runq_push(q.get(), co(i), spill), 0u);
    for (uintptr_t i = 1; i <= 6; i++)
        EXPECT_EQ(number(cspi_runq_pop(q.get())), i);
}

TEST_F(RunQ, FullRingSpillsItsOlderHalfAndTheNewOne)
{
    for (uintptr_t i = 1; i <= CSPI_RUNQ_CAP; i++)
        ASSERT_EQ(cspi_runq_push(q.get(), co(i), spill), 0u);
    size_t n = cspi_runq_push(q.get(), co(999), spill);
    ASSERT_EQ(n, CSPI_RUNQ_CAP / 2 + 1);
    for (size_t i = 0; i < CSPI_RUNQ_CAP / 2; i++)
        EXPECT_EQ(number(spill[i]), i + 1);
    EXPECT_EQ(number(spill[n - 1]), 999u);
    for (uintptr_t i = CSPI_RUNQ_CAP / 2 + 1; i <= CSPI_RUNQ_CAP; i++)
        EXPECT_EQ(number(cspi_runq_pop(q.get())), i);
    EXPECT_EQ(cspi_runq_pop(q.get()), nullptr);
}

TEST_F(RunQ, NextIsReplacedAndTakenOnce)
{
    EXPECT_EQ(cspi_runq_put_next(q.get(), co(1)), nullptr);
    EXPECT_FALSE(cspi_runq_is_empty(q.get()));
    EXPECT_EQ(number(cspi_runq_put_next(q.get(), co(2))), 1u);
    EXPECT_EQ(number(cspi_runq_take_next(q.get())), 2u);
    EXPECT_EQ(cspi_runq_take_next(q.get()), nullptr);
    EXPECT_TRUE(cspi_runq_is_empty(q.get()));
}

TEST_F(RunQ, StealTakesHalfRoundedUp)
{
    for (uintptr_t i = 1; i <= 7; i++)
        cspi_runq_push(q.get(), co(i), spill);
    // Four go: one is returned, three lie in the thief's ring.
    EXPECT_EQ(number(cspi_runq_steal(q.get(), thief.get())), 4u);
    for (uintptr_t i = 1; i <= 3; i++)
        EXPECT_EQ(number(cspi_runq_pop(thief.get())), i);
    EXPECT_EQ(cspi_runq_pop(thief.get()), nullptr);
    for (uintptr_t i = 5; i <= 7; i++)
        EXPECT_EQ(number(cspi_runq_pop(q.get())), i);
}

TEST_F(RunQ, StealFromEmptyAndFromOne)
{
    EXPECT_EQ(cspi_runq_steal(q.get(), thief.get()), nullptr);
    cspi_runq_push(q.get(), co(5), spill);
    EXPECT_EQ(number(cspi_runq_steal(q.get(), thief.get())), 5u);
    EXPECT_TRUE(cspi_runq_is_empty(thief.get()));
    EXPECT_TRUE(cspi_runq_is_empty(q.get()));
}

// E1, E2: each number is taken exactly once, whoever takes it.
TEST_F(RunQ, NothingIsLostOrDoubledUnderThieves)
{
    constexpr uintptr_t kCount = 200000;
    constexpr int kThieves = 2;
    std::vector<std::atomic<int>> seen(kCount + 1);
    std::atomic<bool> done{false};
    auto note = [&](csp_co *c) { seen[number(c)]++; };
    std::vector<std::thread> thieves;
    for (int t = 0; t < kThieves; t++)
        thieves.emplace_back([&] {
            std::unique_ptr<cspi_runq> mine{new cspi_runq()};
            while (!done) {
                csp_co *c = cspi_runq_steal(q.get(), mine.get());
                for (; c; c = cspi_runq_pop(mine.get()))
                    note(c);
                if ((c = cspi_runq_take_next(q.get())))
                    note(c);
            }
        });
    for (uintptr_t i = 1; i <= kCount; i++) {
        csp_co *c = i % 3 ? co(i) : cspi_runq_put_next(q.get(), co(i));
        size_t n = c ? cspi_runq_push(q.get(), c, spill) : 0;
        for (size_t j = 0; j < n; j++)
            note(spill[j]);
        if (i % 5 == 0 && (c = cspi_runq_pop(q.get())))
            note(c);
    }
    for (csp_co *c; (c = cspi_runq_pop(q.get())) || (c = cspi_runq_take_next(q.get()));)
        note(c);
    done = true;
    for (auto &t : thieves)
        t.join();
    for (uintptr_t i = 1; i <= kCount; i++)
        ASSERT_EQ(seen[i], 1) << i;
}

} // namespace
