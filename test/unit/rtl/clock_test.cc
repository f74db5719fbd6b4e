// clock_test.cc - clocks and stamps: what publishing freezes and names, joining, sharing of trees.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "core_fixture.h"

#include <algorithm>
#include <array>
#include <random>

class Clock : public Core
{
};

namespace
{
// Makes the clock know id@at by way of a stamp, as it happens in life.
void tell(cspr_clock *c, uint32_t id, uint64_t at)
{
    cspr_clock teller;
    cspr_clock_init(&teller, id, at - 1); // publishing moves on to `at`
    cspr_stamp *s = cspr_clock_publish(&teller, id + 1);
    cspr_clock_join(c, s);
    cspr_stamp_unref(s);
    cspr_clock_fini(&teller);
}
} // namespace

TEST_F(Clock, KnowsWhatItWasTold)
{
    cspr_clock c;
    cspr_clock_init(&c, 3, 7);
    EXPECT_EQ(cspr_clock_get(&c, 3), 7u);
    EXPECT_EQ(cspr_clock_get(&c, 1000), 0u);
    tell(&c, 1000, 5);
    tell(&c, 1000, 4);
    EXPECT_EQ(cspr_clock_get(&c, 1000), 5u);
    EXPECT_EQ(cspr_clock_get(&c, 999), 0u);
    cspr_clock_fini(&c);
}

TEST_F(Clock, KnowsIdsOfEverySize)
{
    cspr_clock c;
    cspr_clock_init(&c, 3, 7);
    std::vector<uint32_t> ids = {0, 1, 63, 64, 1023, 1024, 16383, 16384, 262144, 1000000, 1u << 26, UINT32_MAX - 1};
    for (size_t i = 0; i < ids.size(); i++)
        tell(&c, ids[i], i + 1);
    for (size_t i = 0; i < ids.size(); i++)
        EXPECT_EQ(cspr_clock_get(&c, ids[i]), i + 1) << ids[i];
    for (uint32_t id : {2u, 62u, 65u, 1025u, 999999u, 1u << 27})
        EXPECT_EQ(cspr_clock_get(&c, id), 0u) << id;
    cspr_clock_fini(&c);
}

TEST_F(Clock, StampIsFrozen)
{
    cspr_clock a, b;
    cspr_clock_init(&a, 1, 0);
    cspr_clock_init(&b, 2, 1);
    tell(&a, 5, 9);
    cspr_stamp *s = cspr_clock_publish(&a, 11);
    tell(&a, 5, 10);
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

// J1: what is learned between two publications of one epoch is in the second only, so it needs another name.
TEST_F(Clock, EveryStampHasANameOfItsOwn)
{
    cspr_clock a, b;
    cspr_clock_init(&a, 1, 0);
    cspr_clock_init(&b, 2, 0);
    cspr_stamp *first = cspr_clock_publish(&a, 11);
    tell(&a, 5, 9);
    cspr_stamp *second = cspr_clock_publish(&a, 11);
    EXPECT_NE(first->at, second->at);
    cspr_clock_join(&b, first);
    EXPECT_EQ(cspr_clock_get(&b, 5), 0u);
    EXPECT_FALSE(cspr_clock_covers(&b, second));
    EXPECT_TRUE(cspr_clock_join(&b, second));
    EXPECT_EQ(cspr_clock_get(&b, 5), 9u);
    // The next owner of an id does not repeat the last one's name either.
    cspr_clock next;
    cspr_clock_init(&next, 1, a.own_at);
    cspr_stamp *third = cspr_clock_publish(&next, 12);
    EXPECT_GT(third->at, second->at);
    for (cspr_stamp *s : {first, second, third})
        cspr_stamp_unref(s);
    for (cspr_clock *c : {&a, &b, &next})
        cspr_clock_fini(c);
}

TEST_F(Clock, WhoLearnsTheSameSharesTheTree)
{
    cspr_clock a, b;
    cspr_clock_init(&a, 1, 0);
    cspr_clock_init(&b, 2, 0);
    for (uint32_t id = 0; id < 300; id += 3)
        tell(&a, id, id + 1);
    cspr_stamp *s = cspr_clock_publish(&a, 11);
    cspr_clock_join(&b, s);
    EXPECT_EQ(a.known.tree, b.known.tree);
    for (uint32_t id = 1; id < 300; id += 3)
        tell(&b, id, 1);
    EXPECT_EQ(cspr_clock_get(&a, 298), 0u);
    EXPECT_EQ(cspr_clock_get(&b, 298), 1u);
    cspr_stamp_unref(s);
    cspr_clock_fini(&a);
    cspr_clock_fini(&b);
}

// J2: who is covered by a stamp takes its tree over, although both have changed since they were the same.
TEST_F(Clock, TakesOverWhatCoversIt)
{
    cspr_clock a, b;
    cspr_clock_init(&a, 1, 0);
    cspr_clock_init(&b, 2, 0);
    for (uint32_t id = 10; id < 5000; id++)
        tell(&a, id, 1);
    cspr_stamp *s = cspr_clock_publish(&a, 11);
    cspr_clock_join(&b, s);
    cspr_stamp_unref(s);
    s = cspr_clock_publish(&b, 12);
    cspr_clock_join(&a, s);
    cspr_stamp_unref(s);
    for (uint32_t id = 10; id < 5000; id++)
        tell(&a, id, 2);
    s = cspr_clock_publish(&a, 11);
    EXPECT_NE(b.known.tree, a.known.tree);
    cspr_clock_join(&b, s);
    EXPECT_EQ(b.known.tree, a.known.tree);
    EXPECT_EQ(cspr_clock_get(&b, 4999), 2u);
    cspr_stamp_unref(s);
    cspr_clock_fini(&a);
    cspr_clock_fini(&b);
}

// Whoever meets has the same tree afterwards, whether one knew all, both or neither.
TEST_F(Clock, WhoMeetsSharesTheTree)
{
    cspr_clock a, b;
    cspr_clock_init(&a, 1, 0);
    cspr_clock_init(&b, 2, 0);
    for (uint32_t id = 10; id < 300; id += 2)
        tell(&a, id, id), tell(&b, id + 1, id + 1);
    cspr_clock_meet(&a, &b);
    EXPECT_EQ(a.known.tree, b.known.tree);
    for (uint32_t id = 10; id < 300; id++) {
        EXPECT_EQ(cspr_clock_get(&a, id), id);
        EXPECT_EQ(cspr_clock_get(&b, id), id);
    }
    for (uint32_t id = 10; id < 300; id++)
        tell(&b, id, id + 1);
    EXPECT_EQ(cspr_clock_get(&a, 299), 299u);
    cspr_clock_meet(&a, &b);
    EXPECT_EQ(a.known.tree, b.known.tree);
    EXPECT_EQ(cspr_clock_get(&a, 299), 300u);
    EXPECT_EQ(cspr_clock_get(&a, 2), b.own_at);
    EXPECT_EQ(cspr_clock_get(&b, 1), a.own_at);
    cspr_clock_fini(&a);
    cspr_clock_fini(&b);
}

// What one publishes after they met is news to the other, also when nothing was done meanwhile.
TEST_F(Clock, AMeetingUsesUpTheName)
{
    cspr_clock a, b;
    cspr_clock_init(&a, 1, 0);
    cspr_clock_init(&b, 2, 0);
    cspr_clock_meet(&a, &b);
    tell(&a, 5, 9);
    cspr_stamp *s = cspr_clock_publish(&a, 11);
    EXPECT_TRUE(cspr_clock_join(&b, s));
    EXPECT_EQ(cspr_clock_get(&b, 5), 9u);
    cspr_stamp_unref(s);
    cspr_clock_fini(&a);
    cspr_clock_fini(&b);
}

// J4: what one side knows by name is taken or kept as it is, whichever way the two are joined.
TEST_F(Clock, NodesThatOneSideKnowsAreShared)
{
    cspr_clock a, b, c;
    cspr_clock_init(&a, 1, 0);
    cspr_clock_init(&b, 2, 0);
    cspr_clock_init(&c, 3, 0);
    for (uint32_t id = 100; id < 400; id++)
        tell(&a, id, 1);
    cspr_clock_meet(&a, &b); // c knows less than the others of the first ids, and they less of the last
    cspr_clock_meet(&a, &c);
    for (uint32_t id = 100; id < 120; id++)
        tell(&b, id, 2);
    for (uint32_t id = 380; id < 400; id++)
        tell(&c, id, 3);
    cspr_stamp *of_b = cspr_clock_publish(&b, 12), *of_c = cspr_clock_publish(&c, 13);
    cspr_clock_join(&a, of_b);
    cspr_clock_join(&a, of_c);
    for (uint32_t id = 100; id < 400; id++)
        ASSERT_EQ(cspr_clock_get(&a, id), id < 120 ? 2u : id < 380 ? 1u : 3u) << id;
    ASSERT_EQ(a.known.tree->height, 1u);
    EXPECT_EQ(a.known.tree->child[100 >> CSPR_LEAF_BITS], of_b->known.tree->child[100 >> CSPR_LEAF_BITS]);
    EXPECT_EQ(a.known.tree->child[399 >> CSPR_LEAF_BITS], of_c->known.tree->child[399 >> CSPR_LEAF_BITS]);
    cspr_stamp_unref(of_b);
    cspr_stamp_unref(of_c);
    for (cspr_clock *x : {&a, &b, &c})
        cspr_clock_fini(x);
}

// News of the first task alone change no tree, and do not cost it the sharing.
TEST_F(Clock, TheFirstTaskIsNotInTheTree)
{
    cspr_clock a, b;
    cspr_clock_init(&a, 2, 0);
    cspr_clock_init(&b, 3, 0);
    tell(&a, CSPR_FIRST_ID, 1); // beside what is folded into a tree
    for (uint32_t id = 4; id < 300; id++)
        tell(&a, id, 1), tell(&b, id, 1);
    tell(&b, CSPR_FIRST_ID, 2); // which could be written
    for (const cspr_clock *c : {&a, &b})
        EXPECT_EQ(cspr_tree_get(c->known.tree, CSPR_FIRST_ID), 0u);
    EXPECT_EQ(cspr_clock_get(&b, CSPR_FIRST_ID), 2u);
    cspr_clock_meet(&a, &b);
    const cspr_tree *tree = a.known.tree;
    for (uint64_t at = 3; at < 11; at++) {
        tell(&a, CSPR_FIRST_ID, at);
        tell(&b, CSPR_FIRST_ID, at + 10);
        cspr_clock_meet(&a, &b);
        for (const cspr_clock *c : {&a, &b}) {
            EXPECT_EQ(cspr_clock_get(c, CSPR_FIRST_ID), at + 10);
            EXPECT_EQ(cspr_tree_get(c->known.tree, CSPR_FIRST_ID), 0u);
        }
        EXPECT_EQ(a.known.tree, b.known.tree);
        if (at < 6) // not yet so many own values that they would be folded
            EXPECT_EQ(a.known.tree, tree);
    }
    cspr_clock_fini(&a);
    cspr_clock_fini(&b);
}

// What meets takes nodes out of the other's tree: what was published of that before keeps them.
TEST_F(Clock, AMeetingLeavesStampsAsTheyWere)
{
    cspr_clock a, b;
    cspr_clock_init(&a, 2, 0);
    cspr_clock_init(&b, 3, 0);
    for (uint64_t at = 1; at < 40; at++) {
        for (uint32_t id = 64; id < 960; id++)
            if (id / 64 % 4)
                tell(id / 64 % 2 ? &a : &b, id, at * 10 + id % 7);
        cspr_stamp *of_a = cspr_clock_publish(&a, 11), *of_b = cspr_clock_publish(&b, 12);
        std::vector<uint64_t> then;
        for (const cspr_stamp *s : {of_a, of_b})
            for (uint32_t id = 0; id < 960; id++)
                then.push_back(cspr_stamp_get(s, id));
        if (at % 3) { // some of what they say is in trees of their own again
            tell(&a, 64 + at * 13 % 700, at * 10 + 8);
            tell(&b, 70 + at * 17 % 700, at * 10 + 9);
        }
        at % 2 ? cspr_clock_meet(&a, &b) : cspr_clock_meet(&b, &a);
        size_t i = 0;
        for (const cspr_stamp *s : {of_a, of_b})
            for (uint32_t id = 0; id < 960; id++)
                ASSERT_EQ(cspr_stamp_get(s, id), then[i++]) << "at " << at << " id " << id;
        cspr_stamp_unref(of_a);
        cspr_stamp_unref(of_b);
    }
    cspr_clock_fini(&a);
    cspr_clock_fini(&b);
}

// Joins of trees that differ in hundreds of nodes, more than are decided at once; against plain arrays.
TEST_F(Clock, JoinsManyNodes)
{
    constexpr int N = 5, IDS = 1500, STRIDE = 1 << CSPR_LEAF_BITS;
    std::mt19937 random(11);
    std::array<cspr_clock, N> clocks;
    std::array<std::array<uint64_t, IDS>, N> plain = {};
    for (int i = 0; i < N; i++)
        cspr_clock_init(&clocks[i], i * STRIDE, 0);
    for (uint64_t step = 1; step < 300; step++) {
        int i = random() % N, k = (i + 1 + random() % (N - 1)) % N;
        for (int n = random() % 2 * (random() % 1000); n > 0; n--) {
            int id = N + random() % (IDS - N);
            tell(&clocks[i], id * STRIDE, step);
            plain[i][id] = step;
        }
        bool both = random() % 2;
        if (both) {
            cspr_clock_meet(&clocks[i], &clocks[k]);
            plain[k][k] = clocks[k].own_at;
        } else {
            cspr_stamp *s = cspr_clock_publish(&clocks[i], i + 1);
            cspr_clock_join(&clocks[k], s);
            cspr_stamp_unref(s);
        }
        plain[i][i] = clocks[i].own_at;
        for (int id = 0; id < IDS; id++)
            plain[k][id] = std::max(plain[k][id], plain[i][id]);
        if (both)
            plain[i] = plain[k];
        for (int id = 0; id < IDS; id++)
            for (int who : {i, k})
                ASSERT_EQ(cspr_clock_get(&clocks[who], id * STRIDE), plain[who][id]) << "step " << step << " id " << id;
    }
    for (cspr_clock &c : clocks)
        cspr_clock_fini(&c);
}

// Random joins, merges and births against plain arrays; ids far apart, so that trees are high. Ids are used again as in
// task.c: by who knows all that their last owner published.
struct ModelCase {
    uint32_t stride;
    bool named_nodes;
};
class ClockModel : public Core, public testing::WithParamInterface<ModelCase>
{
  protected:
    void SetUp() override
    {
        Core::SetUp();
        cspr_flags.named_nodes = GetParam().named_nodes;
    }
};

TEST_P(ClockModel, AgreesWithArrays)
{
    constexpr int N = 40, IDS = 400;
    const uint32_t stride = GetParam().stride;
    auto id_of = [=](int n) { return n == CSPR_FIRST_ID ? n : n * stride; };
    std::mt19937 random(7);
    struct Plain {
        std::array<uint64_t, IDS> at = {};
    };
    std::vector<cspr_clock> clocks(N);
    std::vector<Plain> plain(N);
    std::vector<int> own(N);
    std::vector<std::pair<cspr_stamp *, Plain>> stamps;
    std::vector<std::pair<int, uint64_t>> ended;
    auto pick = [&]() -> auto & { return stamps[random() % stamps.size()]; };
    auto join = [&](int i, const std::pair<cspr_stamp *, Plain> &s) {
        cspr_clock_join(&clocks[i], s.first);
        for (int k = 0; k < IDS; k++)
            plain[i].at[k] = std::max(plain[i].at[k], s.second.at[k]);
        ASSERT_TRUE(cspr_clock_covers(&clocks[i], s.first));
    };
    int next = 0, reused = 0;
    for (int i = 0; i < N; i++) {
        own[i] = next++;
        cspr_clock_init(&clocks[i], id_of(own[i]), 0);
    }
    for (int step = 0; step < 40000; step++) {
        int i = random() % N;
        switch (random() % 9) {
        case 0: // an epoch
            plain[i].at[own[i]] = ++clocks[i].own_at;
            break;
        case 1:
        case 2: {
            cspr_stamp *s = cspr_clock_publish(&clocks[i], i + 1);
            plain[i].at[own[i]] = clocks[i].own_at;
            stamps.push_back({s, plain[i]});
            break;
        }
        case 3:
        case 4:
        case 5:
            if (!stamps.empty())
                join(i, pick());
            break;
        case 6:
            if (stamps.size() > 1) {
                auto &a = pick(), &b = pick();
                a.first = cspr_stamp_merge(a.first, b.first);
                for (int k = 0; k < IDS; k++)
                    a.second.at[k] = std::max(a.second.at[k], b.second.at[k]);
            }
            break;
        case 8: {
            int k = random() % N;
            if (k == i)
                break;
            cspr_clock_meet(&clocks[i], &clocks[k]);
            plain[i].at[own[i]] = clocks[i].own_at;
            plain[k].at[own[k]] = clocks[k].own_at;
            for (int id = 0; id < IDS; id++)
                plain[i].at[id] = plain[k].at[id] = std::max(plain[i].at[id], plain[k].at[id]);
            for (int id = 0; id < IDS; id += 7)
                ASSERT_EQ(cspr_clock_get(&clocks[k], id_of(id)), plain[k].at[id]) << "step " << step << " id " << id;
            break;
        }
        case 7: // one ends, another begins
            if (next < IDS && !stamps.empty()) {
                ended.emplace_back(own[i], clocks[i].own_at);
                cspr_clock_fini(&clocks[i]);
                plain[i] = {};
                cspr_clock_init(&clocks[i], CSPR_NO_ID, 0);
                join(i, pick());
                auto known = [&](auto &e) { return plain[i].at[e.first] >= e.second; };
                auto spare = std::find_if(ended.begin(), ended.end(), known);
                own[i] = spare == ended.end() ? next++ : spare->first;
                cspr_clock_set_own(&clocks[i], id_of(own[i]), spare == ended.end() ? 0 : spare->second);
                if (spare != ended.end())
                    ended.erase(spare), reused++;
            }
            break;
        }
        if (stamps.size() > 30) {
            cspr_stamp_unref(stamps[0].first);
            stamps.erase(stamps.begin());
        }
        for (int tries = 0; tries < 4; tries++) {
            int id = random() % IDS;
            ASSERT_EQ(cspr_clock_get(&clocks[i], id_of(id)), plain[i].at[id]) << "step " << step << " id " << id;
        }
        if (!stamps.empty()) {
            auto &s = pick();
            bool covers = true;
            for (int k = 0; k < IDS; k++)
                covers &= plain[i].at[k] >= s.second.at[k];
            // One may know all of a stamp's parts without having learned its name: then it need not be found covered.
            if (cspr_clock_covers(&clocks[i], s.first))
                ASSERT_TRUE(covers) << "step " << step;
        }
    }
    EXPECT_GT(reused, 100);
    for (auto &s : stamps)
        cspr_stamp_unref(s.first);
    for (cspr_clock &c : clocks)
        cspr_clock_fini(&c);
}
INSTANTIATE_TEST_SUITE_P(Strides, ClockModel,
                         testing::Values(ModelCase{1, true}, ModelCase{23, true}, ModelCase{61, true},
                                         ModelCase{40009, true}, ModelCase{23, false}, ModelCase{40009, false}));
