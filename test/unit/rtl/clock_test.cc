// clock_test.cc - clocks and stamps: joining, sharing of leaves, what publishing freezes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "core_fixture.h"

#include <random>

class Clock : public Core
{
};

TEST_F(Clock, KnowsWhatItWasTold)
{
    cspr_clock c;
    cspr_clock_init(&c, 3, 7);
    EXPECT_EQ(cspr_clock_get(&c, 3), 7u);
    EXPECT_EQ(cspr_clock_get(&c, 1000), 0u);
    EXPECT_TRUE(cspr_clock_raise(&c, 1000, 5));
    EXPECT_FALSE(cspr_clock_raise(&c, 1000, 4));
    EXPECT_EQ(cspr_clock_get(&c, 1000), 5u);
    EXPECT_EQ(cspr_clock_get(&c, 999), 0u);
    cspr_clock_fini(&c);
}

TEST_F(Clock, StampIsFrozen)
{
    cspr_clock a, b;
    cspr_clock_init(&a, 1, 1);
    cspr_clock_init(&b, 2, 1);
    cspr_clock_raise(&a, 5, 9);
    cspr_stamp *s = cspr_stamp_of(&a, 11);
    cspr_clock_raise(&a, 5, 10);
    a.own_at = 2;
    EXPECT_FALSE(cspr_clock_covers(&b, s));
    EXPECT_TRUE(cspr_clock_join(&b, s));
    EXPECT_FALSE(cspr_clock_join(&b, s));
    EXPECT_TRUE(cspr_clock_covers(&b, s));
    EXPECT_EQ(cspr_clock_get(&b, 5), 9u);
    EXPECT_EQ(cspr_clock_get(&b, 1), 1u);
    EXPECT_EQ(cspr_clock_get(&b, 2), 1u);
    cspr_stamp_unref(s);
    cspr_clock_fini(&a);
    cspr_clock_fini(&b);
}

TEST_F(Clock, EqualLeavesAreShared)
{
    cspr_clock a, b;
    cspr_clock_init(&a, 1, 1);
    cspr_clock_init(&b, 2, 1);
    for (uint32_t id = 0; id < 300; id += 3)
        cspr_clock_raise(&a, id, id + 1);
    cspr_stamp *s = cspr_stamp_of(&a, 11);
    cspr_clock_join(&b, s);
    for (uint32_t i = 1; i < a.n; i++) // the first holds a's own component
        EXPECT_EQ(a.leaf[i], b.leaf[i]);
    cspr_clock_raise(&b, 299, 1);
    EXPECT_EQ(cspr_clock_get(&a, 299), 0u);
    cspr_stamp_unref(s);
    cspr_clock_fini(&a);
    cspr_clock_fini(&b);
}

// Random joins and merges against plain arrays.
TEST_F(Clock, AgreesWithArrays)
{
    constexpr int N = 6;
    constexpr uint32_t IDS = 200;
    std::mt19937 random(7);
    cspr_clock clocks[N];
    uint64_t plain[N][IDS] = {};
    std::vector<std::pair<cspr_stamp *, std::vector<uint64_t>>> stamps;
    for (uint32_t i = 0; i < N; i++) {
        cspr_clock_init(&clocks[i], i * 31, 1);
        plain[i][i * 31] = 1;
    }
    for (int step = 0; step < 20000; step++) {
        uint32_t i = random() % N, id = random() % IDS;
        switch (random() % 4) {
        case 0:
            clocks[i].own_at++;
            plain[i][i * 31]++;
            break;
        case 1:
            stamps.push_back({cspr_stamp_of(&clocks[i], i + 1), {plain[i], plain[i] + IDS}});
            break;
        case 2:
            if (!stamps.empty()) {
                auto &[s, v] = stamps[random() % stamps.size()];
                cspr_clock_join(&clocks[i], s);
                for (uint32_t k = 0; k < IDS; k++)
                    plain[i][k] = std::max(plain[i][k], v[k]);
                ASSERT_TRUE(cspr_clock_covers(&clocks[i], s));
            }
            break;
        case 3:
            if (stamps.size() > 1) {
                auto &a = stamps[random() % stamps.size()], &b = stamps[random() % stamps.size()];
                a.first = cspr_stamp_merge(a.first, b.first);
                for (uint32_t k = 0; k < IDS; k++)
                    a.second[k] = std::max(a.second[k], b.second[k]);
            }
            break;
        }
        if (stamps.size() > 20) {
            cspr_stamp_unref(stamps[0].first);
            stamps.erase(stamps.begin());
        }
        ASSERT_EQ(cspr_clock_get(&clocks[i], id), plain[i][id]) << "step " << step;
    }
    for (auto &s : stamps)
        cspr_stamp_unref(s.first);
    for (cspr_clock &c : clocks)
        cspr_clock_fini(&c);
}
