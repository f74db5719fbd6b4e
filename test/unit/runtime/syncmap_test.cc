// syncmap_test.cc - csp_syncmap against std::map alone, and its promises when many use it at once.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "child.h"

#include <map>
#include <random>
#include <string.h>
#include <vector>

namespace
{

// A map of strings or of byte keys, as std::map would have it.
struct Model {
    csp_syncmap *m;
    size_t value_size;
    std::map<std::string, std::string> expected;
    std::mt19937 random{5};

    std::string value()
    {
        std::string v(value_size, '\0');
        for (char &c : v)
            c = (char)(random() % 3); // few, so that comparisons succeed
        return v;
    }

    void step(const std::string &key)
    {
        const std::string zero(value_size, '\0'), v = value();
        std::string got(value_size, 'x');
        const bool there = expected.count(key);
        const std::string had = there ? expected[key] : zero;
        switch (random() % 9) {
        case 0:
            csp_syncmap_store(m, key.data(), v.data());
            expected[key] = v;
            break;
        case 1:
            ASSERT_EQ(csp_syncmap_load_or_store(m, key.data(), v.data(), &got[0]), there);
            ASSERT_EQ(got, there ? had : v);
            expected.emplace(key, v);
            break;
        case 2:
            ASSERT_EQ(csp_syncmap_load_and_delete(m, key.data(), &got[0]), there);
            ASSERT_EQ(got, had);
            expected.erase(key);
            break;
        case 3:
            ASSERT_EQ(csp_syncmap_delete(m, key.data()), there);
            expected.erase(key);
            break;
        case 4:
            ASSERT_EQ(csp_syncmap_swap(m, key.data(), v.data(), &got[0]), there);
            ASSERT_EQ(got, had);
            expected[key] = v;
            break;
        case 5: {
            const std::string old = random() % 2 ? had : value();
            ASSERT_EQ(csp_syncmap_compare_and_swap(m, key.data(), old.data(), v.data()), there && had == old);
            if (there && had == old)
                expected[key] = v;
            break;
        }
        case 6: {
            const std::string old = random() % 2 ? had : value();
            ASSERT_EQ(csp_syncmap_compare_and_delete(m, key.data(), old.data()), there && had == old);
            if (there && had == old)
                expected.erase(key);
            break;
        }
        default:
            ASSERT_EQ(csp_syncmap_load(m, key.data(), &got[0]), there);
            ASSERT_EQ(got, had);
        }
        ASSERT_EQ(csp_syncmap_len(m), expected.size());
    }

    // key_size 0: strings
    void check_range(size_t key_size)
    {
        struct Seen {
            std::map<std::string, std::string> all;
            size_t key_size, value_size;
        } seen = {{}, key_size, value_size};
        csp_syncmap_range(
            m,
            [](const void *k, void *v, void *arg) {
                auto *s = static_cast<Seen *>(arg);
                std::string key = s->key_size ? std::string((const char *)k, s->key_size) : (const char *)k;
                EXPECT_TRUE(s->all.emplace(key, std::string((const char *)v, s->value_size)).second);
                return true;
            },
            &seen);
        EXPECT_EQ(seen.all, expected);
    }
};

TEST(SyncMap, AgreesWithStdMap)
{
    struct {
        size_t key, value;
    } sizes[] = {{1, 1}, {4, 4}, {8, 8}, {12, 5}, {16, 0}, {24, 100}};
    for (auto size : sizes) {
        Model model = {csp_syncmap_new(size.key, size.value), size.value, {}};
        for (unsigned range : {3u, 200u, 5000u}) {
            for (int i = 0; i < 6000; i++) {
                uint64_t n = model.random() % range;
                std::string key(size.key, '\0');
                memcpy(&key[0], &n, std::min(size.key, sizeof n));
                ASSERT_NO_FATAL_FAILURE(model.step(key));
            }
            model.check_range(size.key);
        }
        csp_syncmap_clear(model.m);
        model.expected.clear();
        model.check_range(size.key);
        EXPECT_EQ(csp_syncmap_len(model.m), 0u);
        csp_syncmap_free(model.m);
    }
}

TEST(SyncMap, StringsAgreeWithStdMap)
{
    Model model = {csp_syncmap_new_str(6), 6, {}};
    for (int i = 0; i < 20000; i++) {
        std::string key(model.random() % (i % 100 ? 20 : 300), 'a'); // some longer than range's first buffer
        if (key.size())
            key[model.random() % key.size()] = 'b';
        ASSERT_NO_FATAL_FAILURE(model.step(key));
    }
    model.check_range(0);
    csp_syncmap_free(model.m);
}

TEST(SyncMap, NullIsEmpty)
{
    int key = 1, value = 2;
    EXPECT_FALSE(csp_syncmap_load(nullptr, &key, &value));
    EXPECT_FALSE(csp_syncmap_delete(nullptr, &key));
    EXPECT_FALSE(csp_syncmap_load_and_delete(nullptr, &key, &value));
    EXPECT_FALSE(csp_syncmap_compare_and_swap(nullptr, &key, &value, &value));
    EXPECT_FALSE(csp_syncmap_compare_and_delete(nullptr, &key, &value));
    EXPECT_EQ(csp_syncmap_len(nullptr), 0u);
    csp_syncmap_clear(nullptr);
    csp_syncmap_free(nullptr);
    csp_syncmap_range(nullptr, nullptr, nullptr);
    expect_dies("panic: assignment to entry in nil map", [&] { csp_syncmap_store(nullptr, &key, &value); });
    expect_dies("panic: assignment to entry in nil map", [&] { csp_syncmap_swap(nullptr, &key, &value, nullptr); });
    expect_dies("panic: assignment to entry in nil map",
                [&] { csp_syncmap_load_or_store(nullptr, &key, &value, nullptr); });
}

TEST(SyncMap, RangeStopsAndMayChangeTheMap)
{
    csp_syncmap *m = csp_syncmap_new(sizeof(int), sizeof(int));
    for (int i = 0; i < 500; i++)
        csp_syncmap_store(m, &i, &i);
    static int calls;
    calls = 0;
    csp_syncmap_range(m, [](const void *, void *, void *) { return ++calls < 7; }, nullptr);
    EXPECT_EQ(calls, 7);
    csp_syncmap_range(
        m,
        [](const void *k, void *, void *arg) {
            EXPECT_TRUE(csp_syncmap_delete((csp_syncmap *)arg, k));
            return true;
        },
        m);
    EXPECT_EQ(csp_syncmap_len(m), 0u);
    csp_syncmap_free(m);
}

// A value is written whole and read whole, a key never becomes another one: every word of a value is the same number, made
// from the key. Keys come and go, the tables grow, strings are reused, meanwhile readers look.
template <class Key> void check_torn(csp_syncmap *m, Key key_of)
{
    struct Wide {
        uint64_t words[8];
    };
    const int readers = 3, writers = 3, rounds = 4000, keys = 300;
    csp_wg wg = {};
    csp_wg_add(&wg, readers + writers);
    for (int w = 0; w < writers; w++)
        go([=, &wg] {
            std::mt19937 random(100 + (unsigned)w);
            for (int i = 0; i < rounds; i++) {
                unsigned n = random() % keys;
                auto key = key_of(n);
                Wide v;
                for (uint64_t &word : v.words)
                    word = (uint64_t)n << 32 | (unsigned)i;
                if (random() % 3)
                    csp_syncmap_store(m, key.data(), &v);
                else
                    csp_syncmap_delete(m, key.data());
                if (i % 64 == 0)
                    csp_yield();
            }
            csp_wg_done(&wg);
        });
    for (int r = 0; r < readers; r++)
        go([=, &wg] {
            std::mt19937 random(200 + (unsigned)r);
            for (int i = 0; i < rounds; i++) {
                unsigned n = random() % keys;
                auto key = key_of(n);
                Wide v;
                if (csp_syncmap_load(m, key.data(), &v)) {
                    EXPECT_EQ(v.words[0] >> 32, n);
                    for (uint64_t word : v.words)
                        ASSERT_EQ(word, v.words[0]);
                }
                if (i % 64 == 0)
                    csp_yield();
            }
            csp_wg_done(&wg);
        });
    csp_wg_wait(&wg);
    size_t counted = 0;
    csp_syncmap_range(
        m,
        [](const void *, void *, void *arg) {
            ++*(size_t *)arg;
            return true;
        },
        &counted);
    EXPECT_EQ(counted, csp_syncmap_len(m));
    csp_syncmap_free(m);
}

TEST(SyncMap, NothingIsTorn)
{
    expect_ok([] {
        check_torn(csp_syncmap_new(8, 64), [](unsigned n) {
            uint64_t k = n;
            return std::string((const char *)&k, sizeof k);
        });
    });
    expect_ok([] {
        check_torn(csp_syncmap_new_str(64), [](unsigned n) { return std::string(n % 50, 'k') + std::to_string(n); });
    });
}

// Each increment by compare-and-swap counts exactly once, and each key is made by exactly one load_or_store.
TEST(SyncMap, CompareAndSwapLosesNothing)
{
    expect_ok([] {
        csp_syncmap *m = csp_syncmap_new(sizeof(int), sizeof(long));
        static csp_wg wg;
        static int made;
        const int each = 3000, who = 4;
        csp_wg_add(&wg, who);
        for (int w = 0; w < who; w++)
            go([=] {
                for (int i = 0; i < each; i++) {
                    int key = i % 17;
                    long one = 1, old;
                    if (!csp_syncmap_load_or_store(m, &key, &one, &old)) {
                        __atomic_fetch_add(&made, 1, __ATOMIC_RELAXED);
                        continue;
                    }
                    for (;;) {
                        long next = old + 1;
                        if (csp_syncmap_compare_and_swap(m, &key, &old, &next))
                            break;
                        ASSERT_TRUE(csp_syncmap_load(m, &key, &old));
                    }
                }
                csp_wg_done(&wg);
            });
        csp_wg_wait(&wg);
        EXPECT_EQ(made, 17);
        long sum = 0;
        csp_syncmap_range(
            m,
            [](const void *, void *v, void *arg) {
                *(long *)arg += *(long *)v;
                return true;
            },
            &sum);
        EXPECT_EQ(sum, (long)each * who);
        csp_syncmap_free(m);
    });
}

} // namespace
