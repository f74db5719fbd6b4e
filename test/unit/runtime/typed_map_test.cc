// typed_map_test.cc - typed maps in C++; test/typed has them in C, and what must not compile.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "child.h"

#include <map>
#include <string.h>

struct point {
    int x, y;
};
CSP_MAP_TYPE(ages, const char *, int)
CSP_MAP_TYPE(grid, struct point, double)
CSP_MAP_TYPE(letters, char, char)
CSP_SYNCMAP_TYPE(users, const char *, struct point)
CSP_SYNCMAP_TYPE(hits, int, long)

TEST(TypedMap, StringKeys)
{
    ages m = ages_new();
    ages_set(m, "ada", 36);
    ages_set(m, "grace", 85);
    ++*ages_ensure(m, "grace");
    int age = 7;
    EXPECT_TRUE(ages_get(m, std::string("grace").c_str(), &age));
    EXPECT_EQ(age, 86);
    EXPECT_FALSE(ages_get(m, "alan", &age));
    EXPECT_EQ(age, 0);
    EXPECT_EQ(*ages_at(m, "ada"), 36);
    EXPECT_EQ(ages_at(m, "alan"), nullptr);
    std::map<std::string, int> seen;
    const char *name;
    int *at;
    for (ages_iter it = ages_each(m); ages_next(&it, &name, &at);)
        seen[name] = *at;
    EXPECT_EQ(seen, (std::map<std::string, int>{{"ada", 36}, {"grace", 86}}));
    for (ages_iter it = ages_each(m); ages_next(&it, &name, nullptr);)
        EXPECT_TRUE(ages_delete(m, name));
    EXPECT_EQ(ages_len(m), 0u);
    ages_free(m);
    ages none = nullptr;
    age = 7;
    EXPECT_FALSE(ages_get(none, "ada", &age));
    EXPECT_EQ(age, 0);
}

TEST(TypedMap, OtherKeys)
{
    grid g = grid_new();
    for (int i = 0; i < 100; i++)
        grid_set(g, point{i, -i}, i / 2.);
    double d;
    EXPECT_TRUE(grid_get(g, point{7, -7}, &d) && d == 3.5);
    EXPECT_FALSE(grid_get(g, point{7, 7}, &d));
    int n = 0;
    point p;
    double *at;
    for (grid_iter it = grid_each(g); grid_next(&it, &p, &at); n++)
        EXPECT_TRUE(p.y == -p.x && *at == p.x / 2.);
    EXPECT_EQ(n, 100);
    grid_clear(g);
    EXPECT_EQ(grid_len(g), 0u);
    EXPECT_EQ(csp_map_len(grid_raw(g)), 0u);
    grid_free(g);
    letters l = letters_new();
    letters_set(l, 'a', 'b');
    char c;
    EXPECT_TRUE(letters_get(l, 'a', &c) && c == 'b');
    letters_free(l);
}

static bool sum_up(int key, long *value, void *arg)
{
    *static_cast<long *>(arg) += key * *value;
    return true;
}

TEST(TypedMap, SyncMap)
{
    users u = users_new();
    users_store(u, "ada", point{1, 2});
    point p;
    EXPECT_TRUE(users_load(u, "ada", &p) && p.y == 2);
    EXPECT_TRUE(users_load_or_store(u, "ada", point{3, 4}, &p) && p.x == 1);
    EXPECT_FALSE(users_load_or_store(u, "grace", point{3, 4}, &p));
    EXPECT_EQ(p.x, 3);
    EXPECT_TRUE(users_swap(u, "grace", point{5, 6}, &p) && p.x == 3);
    EXPECT_FALSE(users_compare_and_swap(u, "grace", point{3, 4}, point{7, 8}));
    EXPECT_TRUE(users_compare_and_swap(u, "grace", point{5, 6}, point{7, 8}));
    EXPECT_FALSE(users_compare_and_delete(u, "grace", point{5, 6}));
    EXPECT_TRUE(users_compare_and_delete(u, "grace", point{7, 8}));
    EXPECT_TRUE(users_load_and_delete(u, "ada", &p) && p.x == 1);
    EXPECT_FALSE(users_delete(u, "ada"));
    EXPECT_EQ(users_len(u), 0u);
    users_free(u);

    hits h = hits_new();
    hits_store(h, 2, 10);
    hits_store(h, 3, 100);
    long sum = 0;
    hits_range(h, sum_up, &sum);
    EXPECT_EQ(sum, 320);
    hits_clear(h);
    EXPECT_EQ(hits_len(h), 0u);
    hits_free(h);
    long none = 7;
    EXPECT_FALSE(hits_load(nullptr, 1, &none));
    EXPECT_EQ(none, 0);
}
