// ddmin_test.cc - what is left is enough, nothing of it can be spared, and it does not take too many tests.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
extern "C" {
#include "replay/ddmin.h"
}

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <vector>

namespace
{

using Set = std::set<size_t>;

struct Search {
    std::function<bool(const Set &)> holds;
    size_t tests = 0;
    volatile bool stop = false;
    size_t stop_after = SIZE_MAX;

    static Set of(const bool *keep, size_t n)
    {
        Set result;
        for (size_t i = 0; i < n; i++)
            if (keep[i])
                result.insert(i);
        return result;
    }
    static bool test(const bool *keep, size_t n, void *arg)
    {
        Search *s = static_cast<Search *>(arg);
        s->stop = ++s->tests >= s->stop_after;
        return s->holds(of(keep, n));
    }
    Set run(size_t n)
    {
        std::vector<char> keep(n + 1);
        bool *flags = reinterpret_cast<bool *>(keep.data());
        cspt_ddmin(flags, n, test, this, &stop);
        return of(flags, n);
    }
};

bool includes(const Set &s, const Set &part)
{
    for (size_t i : part)
        if (!s.count(i))
            return false;
    return true;
}

TEST(Ddmin, FindsWhatIsNeeded)
{
    for (const Set &needed : {Set{}, Set{0}, Set{99}, Set{42}, Set{0, 99}, Set{10, 11, 12}, Set{1, 33, 34, 80, 97}}) {
        Search s{[&](const Set &kept) { return includes(kept, needed); }};
        EXPECT_EQ(s.run(100), needed);
        EXPECT_LT(s.tests, 20 + 25 * needed.size());
    }
}

TEST(Ddmin, NothingCanBeSpared)
{
    // One of two pairs, and one switch that only matters with another: what goes depends on what is there.
    auto holds = [](const Set &k) {
        bool pair = includes(k, {3, 30}) || includes(k, {4, 40});
        return pair && k.count(50) >= k.count(51) && (!k.count(60) || k.count(61));
    };
    Search s{holds};
    Set left = s.run(64);
    EXPECT_TRUE(holds(left));
    for (size_t i : left) {
        Set fewer = left;
        fewer.erase(i);
        EXPECT_FALSE(holds(fewer));
    }
    EXPECT_EQ(left.size(), 2u);
}

TEST(Ddmin, AllAreNeeded)
{
    Search s{[](const Set &k) { return k.size() == 16; }};
    EXPECT_EQ(s.run(16).size(), 16u);
    EXPECT_LT(s.tests, 64u);
}

TEST(Ddmin, NothingOrOne)
{
    Search s{[](const Set &) { return true; }};
    EXPECT_TRUE(s.run(0).empty());
    EXPECT_EQ(s.tests, 0u);
    EXPECT_TRUE(s.run(1).empty());
    EXPECT_EQ(s.tests, 1u);
    Search never{[](const Set &) { return false; }};
    EXPECT_EQ(never.run(1).size(), 1u);
}

TEST(Ddmin, StopsWithTheBestSoFar)
{
    Search s{[](const Set &k) { return includes(k, {70}); }};
    s.stop_after = 4;
    Set left = s.run(100);
    EXPECT_TRUE(left.count(70));
    EXPECT_LT(left.size(), 100u);
    EXPECT_EQ(s.tests, 4u);
}

} // namespace
