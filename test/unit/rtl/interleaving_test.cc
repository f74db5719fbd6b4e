// interleaving_test.cc - one hash for all orders of independent operations, another one for each order of dependent ones.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "core_fixture.h"

#include <algorithm>
#include <set>

extern "C" {
#include "control/interleaving.h"
}

namespace
{

struct Event {
    uint32_t task;
    uint8_t op;
    uint32_t object;
    bool is_write;
};

uint64_t hash_of(const std::vector<Event> &events)
{
    cspr_interleaving_begin();
    cspr_interleaving_created(1, 0x11, 0);
    cspr_interleaving_created(2, 0x22, 1);
    cspr_interleaving_created(3, 0x33, 1);
    for (const Event &e : events)
        cspr_interleaving_executed(e.task, e.op, e.object, e.is_write);
    return cspr_interleaving_hash();
}

// Every order of the tasks' operations, each task's own kept: how many hashes there are.
size_t count_hashes(const std::vector<std::vector<Event>> &tasks)
{
    std::vector<uint32_t> order;
    for (uint32_t i = 0; i < tasks.size(); i++)
        order.insert(order.end(), tasks[i].size(), i);
    std::set<uint64_t> hashes;
    do {
        std::vector<size_t> at(tasks.size());
        std::vector<Event> events;
        for (uint32_t i : order)
            events.push_back(tasks[i][at[i]++]);
        hashes.insert(hash_of(events));
    } while (std::next_permutation(order.begin(), order.end()));
    return hashes.size();
}

TEST(Interleaving, OrderOfReadingsDoesNotCount)
{
    EXPECT_EQ(hash_of({{1, 5, 7, false}, {2, 5, 7, false}, {3, 5, 7, false}}),
              hash_of({{3, 5, 7, false}, {1, 5, 7, false}, {2, 5, 7, false}}));
    EXPECT_EQ(count_hashes({{{1, 5, 7, false}, {1, 5, 7, false}}, {{2, 5, 7, false}}, {{3, 5, 7, false}}}), 1u);
}

TEST(Interleaving, OrderOfChangesCounts)
{
    EXPECT_NE(hash_of({{1, 5, 7, true}, {2, 5, 7, true}}), hash_of({{2, 5, 7, true}, {1, 5, 7, true}}));
    EXPECT_NE(hash_of({{1, 5, 7, true}, {2, 6, 7, false}}), hash_of({{2, 6, 7, false}, {1, 5, 7, true}}));
    // Three changes of one object: 3! orders; two and two: 4 over 2.
    EXPECT_EQ(count_hashes({{{1, 5, 7, true}}, {{2, 5, 7, true}}, {{3, 5, 7, true}}}), 6u);
    EXPECT_EQ(count_hashes({{{1, 5, 7, true}, {1, 5, 7, true}}, {{2, 5, 7, true}, {2, 5, 7, true}}}), 6u);
}

TEST(Interleaving, ObjectsAreIndependent)
{
    EXPECT_EQ(count_hashes({{{1, 5, 7, true}, {1, 5, 7, true}}, {{2, 5, 8, true}, {2, 5, 8, true}}}), 1u);
    // Two orders on each of two objects; that 1 has 8 after 2 and 2 has 7 after 1 is no order at all.
    EXPECT_EQ(count_hashes({{{1, 5, 7, true}, {1, 5, 8, true}}, {{2, 5, 8, true}, {2, 5, 7, true}}}), 3u);
    EXPECT_EQ(count_hashes({{{1, 5, 7, true}, {1, 5, 8, true}}, {{2, 5, 7, true}, {2, 5, 8, true}}}), 4u);
}

TEST(Interleaving, NumbersOfObjectsDoNotCount)
{
    EXPECT_EQ(hash_of({{1, 5, 7, true}, {2, 5, 7, true}, {3, 5, 8, true}}),
              hash_of({{3, 5, 1, true}, {1, 5, 2, true}, {2, 5, 2, true}}));
}

TEST(Interleaving, OneReaderBetweenChanges)
{
    // A reading may come before, between or after two changes: 3.
    EXPECT_EQ(count_hashes({{{1, 5, 7, true}, {1, 5, 7, true}}, {{2, 6, 7, false}}}), 3u);
    EXPECT_EQ(count_hashes({{{1, 5, 7, true}, {1, 5, 7, true}}, {{2, 6, 7, false}}, {{3, 6, 7, false}}}), 9u);
}

TEST(Interleaving, WhatWasDecidedAndWhenTasksWereCreatedCounts)
{
    std::set<uint64_t> hashes;
    for (uint64_t value = 0; value < 4; value++) {
        cspr_interleaving_begin();
        cspr_interleaving_created(1, 0x11, 0);
        cspr_interleaving_decided(1, value);
        cspr_interleaving_executed(1, 5, 7, true);
        hashes.insert(cspr_interleaving_hash());
    }
    for (int early = 0; early < 2; early++) {
        cspr_interleaving_begin();
        cspr_interleaving_created(1, 0x11, 0);
        if (early)
            cspr_interleaving_created(2, 0x22, 1);
        cspr_interleaving_executed(1, 5, 7, true);
        if (!early)
            cspr_interleaving_created(2, 0x22, 1);
        cspr_interleaving_executed(2, 5, 8, true);
        hashes.insert(cspr_interleaving_hash());
    }
    EXPECT_EQ(hashes.size(), 6u);
}

TEST(Interleaving, ForgottenObjectsAreNew)
{
    cspr_interleaving_begin();
    cspr_interleaving_created(1, 0x11, 0);
    cspr_interleaving_created(2, 0x22, 1);
    cspr_interleaving_executed(1, 5, 7, true);
    cspr_interleaving_forget(7);
    cspr_interleaving_executed(2, 5, 7, true);
    EXPECT_EQ(cspr_interleaving_hash(), hash_of({{2, 5, 7, true}, {1, 5, 8, true}}));
}

TEST(Interleaving, ManyTasksAndObjects)
{
    cspr_interleaving_begin();
    cspr_interleaving_created(1, 1, 0);
    for (uint32_t i = 2; i <= 10000; i++) {
        cspr_interleaving_created(i, i * 77, 1);
        cspr_interleaving_executed(i, 5, i, true);
    }
    uint64_t forward = cspr_interleaving_hash();
    cspr_interleaving_begin();
    cspr_interleaving_created(1, 1, 0);
    for (uint32_t i = 10000; i >= 2; i--) {
        cspr_interleaving_created(i, i * 77, 1);
        cspr_interleaving_executed(i, 5, i, true);
    }
    EXPECT_EQ(forward, cspr_interleaving_hash());
}

} // namespace
