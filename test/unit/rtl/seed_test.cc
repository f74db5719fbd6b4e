// seed_test.cc - numbers from seeds are those of splitmix64 and even; what a number of PCT runs is worth.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/pct_bound.h"
#include "base/seed.h"

namespace
{

TEST(Seed, IsSplitmix64)
{
    // The sequence that implementations of it are compared by.
    csp_random r = {1234567};
    for (uint64_t expected : {6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u,
                              16408922859458223821u})
        EXPECT_EQ(csp_random_next(&r), expected);
    EXPECT_EQ(csp_seed_at(1234567, 4), 16408922859458223821u);
}

TEST(Seed, IterationsShareNothing)
{
    std::set<uint64_t> numbers;
    for (uint64_t base : {uint64_t(0), uint64_t(1), uint64_t(2), ~uint64_t(0)})
        for (uint64_t i = 0; i < 10000; i++) {
            csp_random r = {csp_seed_of_iteration(base, i)};
            numbers.insert(r.at);
            for (int n = 0; n < 3; n++)
                numbers.insert(csp_random_next(&r));
        }
    EXPECT_EQ(numbers.size(), 4u * 10000 * 4);
}

TEST(Seed, BelowIsEven)
{
    csp_random r = {7};
    const int draws = 70000;
    std::vector<int> counts(7);
    for (int i = 0; i < draws; i++)
        counts.at(csp_random_below(&r, 7))++;
    for (int n : counts)
        EXPECT_NEAR(n, draws / 7, 4 * std::sqrt(draws / 7));
    EXPECT_EQ(csp_random_below(&r, 1), 0u);
    // Of 3 * 2^62 numbers plain folding would give the lowest third twice as often.
    int low = 0;
    for (int i = 0; i < draws; i++)
        low += csp_random_below(&r, uint64_t(3) << 62) < uint64_t(1) << 62;
    EXPECT_NEAR(low, draws / 3, 4 * std::sqrt(draws / 3));
}

TEST(PctBound, IsTheFormula)
{
    EXPECT_DOUBLE_EQ(csp_pct_chance(10, 1000, 1), 0.1);
    EXPECT_DOUBLE_EQ(csp_pct_chance(10, 1000, 2), 1e-4);
    EXPECT_DOUBLE_EQ(csp_pct_chance(10, 1000, 3), 1e-7);
    for (uint64_t runs : {1, 2, 3, 5, 100, 12345})
        for (unsigned d : {1u, 2u, 3u}) {
            double expected = -std::expm1(double(runs) * std::log1p(-csp_pct_chance(10, 1000, d)));
            EXPECT_NEAR(csp_pct_bound(10, 1000, d, runs), expected, 1e-12 * double(runs));
        }
    EXPECT_NEAR(csp_pct_bound(10, 1000, 1, 5), 0.40951, 1e-12);
}

TEST(PctBound, NeitherLosesSmallChancesNorPassesOne)
{
    EXPECT_NEAR(csp_pct_bound(1000, 1000000, 3, 1), 1e-15, 1e-27);
    EXPECT_NEAR(csp_pct_bound(1000, 1000000, 3, 1000), 1e-12, 1e-18);
    EXPECT_EQ(csp_pct_bound(1, 1, 2, 1), 1);
    EXPECT_LE(csp_pct_bound(3, 7, 1, UINT64_MAX), 1);
    EXPECT_EQ(csp_pct_bound(10, 1000, 2, 0), 0);
    EXPECT_EQ(csp_pct_bound(0, 0, 0, 1), 1); // nothing to get wrong
    EXPECT_GE(csp_pct_bound(UINT64_MAX, UINT64_MAX, 100, 1), 0);
}

TEST(PctBound, RunsForCertainty)
{
    // ln 0.05 / ln(1 - 10^-4)
    EXPECT_EQ(csp_pct_runs(10, 1000, 2, 0.95), 29956u);
    EXPECT_GE(csp_pct_bound(10, 1000, 2, 29956), 0.95);
    EXPECT_LT(csp_pct_bound(10, 1000, 2, 29955), 0.95);
    EXPECT_EQ(csp_pct_runs(1, 1, 2, 0.95), 1u);
    EXPECT_EQ(csp_pct_runs(2, 1, 1, 0.5), 1u);
    EXPECT_EQ(csp_pct_runs(2, 1, 1, 0.75), 2u);
    EXPECT_EQ(csp_pct_runs(2, 1, 1, 0.76), 3u);
    EXPECT_EQ(csp_pct_runs(1000000, 1000000000, 5, 0.95), UINT64_MAX);
}

} // namespace
