// map_test.cc - csp_map against std::map, its iterations, and the watch for concurrent use.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "child.h"

#include "hash.h"
#include "table.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string.h>
#include <vector>

// Sizes that take each way of comparing and hashing; of values, such as need padding.
struct Sizes {
    size_t key, value;
};
static const Sizes all_sizes[] = {{1, 1}, {2, 0}, {4, 4}, {8, 8}, {8, 3}, {12, 40}, {16, 16}, {20, 1}, {24, 100}};

static std::string bytes_of(uint64_t n, size_t size)
{
    std::string s(size, '\0');
    memcpy(&s[0], &n, std::min(size, sizeof n));
    for (size_t i = sizeof n; i < size; i++)
        s[i] = (char)(n * i >> 3);
    return s;
}

TEST(Map, AgreesWithStdMap)
{
    std::mt19937 random(1);
    for (Sizes sizes : all_sizes) {
        csp_map *m = csp_map_new(sizes.key, sizes.value);
        std::map<std::string, std::string> model;
        // Few keys: hits, misses and re-additions in turn; then many: growth.
        for (uint64_t range : {10u, 250u, 4000u}) {
            for (int i = 0; i < 6000; i++) {
                std::string key = bytes_of(random() % range, sizes.key), value = bytes_of(random(), sizes.value);
                std::string got(sizes.value, 'x');
                switch (random() % 6) {
                case 0:
                case 1:
                    csp_map_set(m, key.data(), value.data());
                    model[key] = value;
                    break;
                case 2:
                    ASSERT_EQ(csp_map_delete(m, key.data()), model.erase(key) == 1);
                    break;
                case 3: {
                    auto at = static_cast<const char *>(csp_map_at(m, key.data()));
                    ASSERT_EQ(at != nullptr, model.count(key) == 1);
                    if (at) {
                        ASSERT_EQ(std::string(at, sizes.value), model[key]);
                    }
                    break;
                }
                case 4: {
                    auto at = static_cast<char *>(csp_map_ensure(m, key.data()));
                    auto added = model.emplace(key, std::string(sizes.value, '\0'));
                    ASSERT_EQ(std::string(at, sizes.value), added.first->second);
                    break;
                }
                default:
                    ASSERT_EQ(csp_map_get(m, key.data(), &got[0]), model.count(key) == 1);
                    ASSERT_EQ(got, model.count(key) ? model[key] : std::string(sizes.value, '\0'));
                }
                ASSERT_EQ(csp_map_len(m), model.size());
            }
            std::map<std::string, std::string> seen;
            csp_map_iter it = csp_map_each(m);
            const void *k;
            void *v;
            while (csp_map_next(&it, &k, &v))
                ASSERT_TRUE(
                    seen.emplace(std::string((const char *)k, sizes.key), std::string((const char *)v, sizes.value))
                        .second);
            ASSERT_EQ(seen, model);
        }
        csp_map_clear(m);
        EXPECT_EQ(csp_map_len(m), 0u);
        EXPECT_FALSE(csp_map_get(m, bytes_of(1, sizes.key).data(), nullptr));
        csp_map_free(m);
    }
}

TEST(Map, StringsAgreeWithStdMap)
{
    std::mt19937 random(2);
    csp_map *m = csp_map_new_str(sizeof(int));
    std::map<std::string, int> model;
    for (int i = 0; i < 20000; i++) {
        std::string key(random() % 40, 'a' + (char)(random() % 3)); // also the empty one
        if (key.size() > 2)
            key[random() % key.size()] = 'z';
        int value = (int)random(), got = -1;
        switch (random() % 4) {
        case 0:
            csp_map_set(m, key.c_str(), &value);
            model[key] = value;
            break;
        case 1:
            ASSERT_EQ(csp_map_delete(m, key.c_str()), model.erase(key) == 1);
            break;
        case 2:
            ++*(unsigned *)csp_map_ensure(m, key.c_str());
            model[key] = (int)((unsigned)model[key] + 1);
            break;
        default:
            ASSERT_EQ(csp_map_get(m, key.c_str(), &got), model.count(key) == 1);
            ASSERT_EQ(got, model.count(key) ? model[key] : 0);
        }
    }
    std::map<std::string, int> seen;
    csp_map_iter it = csp_map_each(m);
    const void *k;
    void *v;
    while (csp_map_next(&it, &k, &v))
        ASSERT_TRUE(seen.emplace((const char *)k, *(int *)v).second);
    EXPECT_EQ(seen, model);
    csp_map_free(m);
}

TEST(Map, KeepsItsOwnCopyOfAString)
{
    csp_map *m = csp_map_new_str(sizeof(int));
    char key[] = "red";
    int one = 1, got = 0;
    csp_map_set(m, key, &one);
    key[0] = 'b';
    EXPECT_FALSE(csp_map_get(m, key, &got));
    EXPECT_TRUE(csp_map_get(m, "red", &got));
    EXPECT_EQ(got, 1);
    csp_map_free(m);
}

// Deleting, changing and adding while iterating: what is there throughout comes exactly once.
TEST(Map, IterationOutlivesChanges)
{
    std::mt19937 random(3);
    for (int round = 0; round < 50; round++) {
        csp_map *m = csp_map_new(sizeof(int), sizeof(int));
        const int n = 1 + (int)(random() % 300);
        for (int i = 0; i < n; i++)
            csp_map_set(m, &i, &i);
        std::map<int, int> seen;
        std::set<int> deleted;
        csp_map_iter it = csp_map_each(m);
        const void *k;
        void *v;
        int added = 1000;
        while (csp_map_next(&it, &k, &v)) {
            int key = *(const int *)k;
            seen[key]++;
            ASSERT_FALSE(deleted.count(key));
            int victim = random() % 2 ? key : (int)(random() % (unsigned)n);
            if (csp_map_delete(m, &victim))
                deleted.insert(victim);
            if (added < 3000 && random() % 2) { // some of them make it grow
                csp_map_set(m, &added, &added);
                added++;
            }
        }
        for (int i = 0; i < n; i++) {
            EXPECT_TRUE(seen[i] == 1 || deleted.count(i)) << i;
        }
        for (auto &[key, times] : seen)
            EXPECT_LE(times, 1) << key;
        csp_map_free(m);
    }
}

TEST(Map, OrderDiffersFromOneIterationToTheNext)
{
    csp_map *m = csp_map_new(sizeof(int), 0);
    for (int i = 0; i < 100; i++)
        csp_map_set(m, &i, nullptr);
    std::set<int> firsts;
    for (int i = 0; i < 50; i++) {
        csp_map_iter it = csp_map_each(m);
        const void *k;
        ASSERT_TRUE(csp_map_next(&it, &k, nullptr));
        firsts.insert(*(const int *)k);
    }
    EXPECT_GT(firsts.size(), 5u);
    csp_map_free(m);
}

TEST(Map, ValuesAreAligned)
{
    csp_map *m = csp_map_new(1, 2 * sizeof(long double));
    for (char c = 0; c < 100; c++)
        EXPECT_EQ((uintptr_t)csp_map_ensure(m, &c) % alignof(long double), 0u);
    csp_map_free(m);
}

TEST(Map, NullIsEmpty)
{
    int key = 1, value = 7;
    EXPECT_FALSE(csp_map_get(nullptr, &key, &value));
    EXPECT_EQ(csp_map_at(nullptr, &key), nullptr);
    EXPECT_FALSE(csp_map_delete(nullptr, &key));
    EXPECT_EQ(csp_map_len(nullptr), 0u);
    csp_map_clear(nullptr);
    csp_map_free(nullptr);
    csp_map_iter it = csp_map_each(nullptr);
    EXPECT_FALSE(csp_map_next(&it, nullptr, nullptr));
    expect_dies("panic: assignment to entry in nil map", [&] { csp_map_set(nullptr, &key, &value); });
    expect_dies("panic: assignment to entry in nil map", [&] { csp_map_ensure(nullptr, &key); });
    expect_dies("panic: csp_map_new: keys of no size", [] { csp_map_new(0, 4); });
}

#if !__has_feature(thread_sanitizer) // the detector would speak first
// What overlaps is noticed. The overlap is made by what user code runs inside a call: none does, so by a second thread, until
// the watch bites; a bound only keeps a map without one from running for ever.
static void overlap(void (*other)(csp_map *))
{
    static csp_map *m;
    static void (*run)(csp_map *);
    m = csp_map_new(sizeof(int), sizeof(int));
    run = other;
    pthread_t thread;
    auto loop = [](void *) -> void * {
        for (;;)
            run(m);
    };
    pthread_create(&thread, nullptr, loop, nullptr);
    int64_t end = csp_now() + 30 * CSP_SECOND;
    while (csp_now() < end)
        for (int i = 0; i < 1000; i++) {
            csp_map_set(m, &i, &i);
            csp_map_delete(m, &i);
        }
}

static void overlap_dies(const std::string &a, const std::string &b, void (*other)(csp_map *))
{
    Ended e = run_child(2, [other] { overlap(other); });
    EXPECT_EQ(e.status, 2) << e.output;
    EXPECT_TRUE(e.output.find(a) == 0 || e.output.find(b) == 0) << e.output;
}

TEST(Map, ConcurrentUseIsFatal)
{
    // A writer may be the one that notices, and then cannot tell what the other did.
    const std::string writes = "fatal error: concurrent map writes\n";
    overlap_dies("fatal error: concurrent map read and map write\n", writes, [](csp_map *m) {
        int key = 5;
        csp_map_get(m, &key, nullptr);
    });
    overlap_dies(writes, writes, [](csp_map *m) {
        int key = 5;
        csp_map_set(m, &key, &key);
    });
    overlap_dies("fatal error: concurrent map iteration and map write\n", writes, [](csp_map *m) {
        csp_map_iter it = csp_map_each(m);
        csp_map_next(&it, nullptr, nullptr);
    });
}
#endif

// Hashes of the keys programs have - small integers, multiples, pointers - fill the homes as random numbers would.
TEST(Map, HashSpreads)
{
    cspi_hash_seed seed = cspi_hash_seed_new(), other = cspi_hash_seed_new();
    uint64_t k = 1;
    EXPECT_NE(cspi_hash(&seed, &k, 8), cspi_hash(&other, &k, 8));
    for (uint64_t step : {1ull, 8ull, 4096ull, 1ull << 32, 1ull << 48}) {
        for (size_t size : {8u, 16u, 24u}) {
            std::vector<int> upper(1 << 12), lower(1 << 12);
            for (uint64_t i = 0; i < 1 << 12; i++) {
                uint64_t key[3] = {i * step, 0, 0};
                uint64_t h = cspi_hash(&seed, key, size);
                upper[h >> 52]++;
                lower[h & 4095]++;
            }
            auto empty = [](const std::vector<int> &v) { return std::count(v.begin(), v.end(), 0); };
            // 4096 balls into 4096 boxes leave 1/e of them empty, 1507 on average, give or take 30
            EXPECT_LT(empty(upper), 1700) << step << " " << size;
            EXPECT_LT(empty(lower), 1700) << step << " " << size;
        }
    }
}

// The invariants of table.h hold after every change, also when hashes are as bad as can be.
TEST(Map, TableStaysSorted)
{
    std::mt19937_64 random(4);
    cspi_shape shape = cspi_shape_of(8, 8);
    for (int spread : {64, 40, 6}) {
        unsigned bits = cspi_table_next_bits(nullptr);
        auto *t = (cspi_table *)malloc(cspi_table_bytes(bits, &shape));
        ASSERT_TRUE(cspi_table_make(t, bits, &shape, nullptr));
        std::map<uint64_t, uint64_t> model; // key to hash
        for (int i = 0; i < 4000; i++) {
            uint64_t n = random() % 500, hash = n * 0x9e3779b97f4a7c15u;
            if (spread < 64)
                hash = (hash >> (64 - spread)) << (64 - spread);
            cspi_key key = {&n, 8, hash};
            size_t place, moved;
            ASSERT_EQ(cspi_table_find(t, &shape, &key, &place), model.count(n) == 1);
            if (model.count(n)) {
                cspi_table_close(t, place, &moved);
                model.erase(n);
            } else {
                while (!cspi_table_open(t, place, hash, &moved)) {
                    cspi_table *bigger = nullptr;
                    for (bits = cspi_table_next_bits(t);; bits++) {
                        bigger = (cspi_table *)malloc(cspi_table_bytes(bits, &shape));
                        if (cspi_table_make(bigger, bits, &shape, t))
                            break;
                        free(bigger);
                    }
                    free(t);
                    t = bigger;
                    cspi_table_find(t, &shape, &key, &place);
                }
                memcpy(cspi_entry(t, place), &n, 8);
                model[n] = hash;
            }
            uint64_t last = 0;
            size_t count = 0, gap = 0;
            for (size_t p = 0; p < t->places; p++) {
                if (t->hashes[p] == CSPI_NO_ENTRY) {
                    gap = p + 1;
                    continue;
                }
                ASSERT_GE(t->hashes[p], last);
                ASSERT_LE(gap, t->hashes[p] >> t->shift);
                ASSERT_LE(t->hashes[p] >> t->shift, p);
                last = t->hashes[p];
                count++;
            }
            ASSERT_EQ(count, model.size());
            ASSERT_EQ(t->count, count);
            ASSERT_EQ(t->hashes[t->places], CSPI_NO_ENTRY);
        }
        free(t);
    }
}
