// heap_test.cc - malloc and friends: what C and POSIX promise, and which block an address belongs to.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <thread>
#include <vector>

extern "C" {
#include "shadow/heap.h"
}

namespace
{

// The compiler may drop an allocation it can see through.
template <typename T> T *hide(T *p)
{
    asm volatile("" : "+r"(p));
    return p;
}

size_t hide_size(size_t n)
{
    asm volatile("" : "+r"(n));
    return n;
}

uintptr_t number(const void *p)
{
    return reinterpret_cast<uintptr_t>(p);
}

TEST(Heap, BlocksAreFoundFromAnyByte)
{
    for (size_t size : {1u, 8u, 15u, 16u, 17u, 100u, 1000u, 4096u, 100000u, 3000000u}) {
        char *p = hide(static_cast<char *>(malloc(size)));
        cspr_block b;
        for (size_t at : {size_t(0), size / 2, size - 1}) {
            ASSERT_TRUE(cspr_heap_find(number(p) + at, &b)) << size << " " << at;
            EXPECT_EQ(b.start, number(p));
            EXPECT_EQ(b.size, size);
        }
        EXPECT_FALSE(cspr_heap_find(number(p) + size, &b) && b.start == number(p)) << size;
        EXPECT_FALSE(cspr_heap_find(number(p) - 1, &b) && b.start == number(p)) << size;
        free(p);
        EXPECT_FALSE(cspr_heap_find(number(p), &b) && b.start == number(p)) << size;
    }
}

TEST(Heap, AlignedBlocks)
{
    for (size_t alignment = 8; alignment <= 1 << 16; alignment *= 2) {
        void *p = nullptr;
        ASSERT_EQ(posix_memalign(&p, alignment, 100), 0);
        EXPECT_EQ(number(p) % alignment, 0u);
        EXPECT_EQ(malloc_usable_size(p), 100u);
        memset(p, 1, 100);
        cspr_block b;
        ASSERT_TRUE(cspr_heap_find(number(p) + 99, &b));
        EXPECT_EQ(b.start, number(p));
        p = realloc(p, 200);
        EXPECT_EQ(static_cast<char *>(p)[99], 1);
        free(p);
    }
    void *p = reinterpret_cast<void *>(1);
    EXPECT_EQ(posix_memalign(&p, 3, 1), EINVAL);
    EXPECT_EQ(posix_memalign(&p, 4, 1), EINVAL);
    EXPECT_EQ(p, reinterpret_cast<void *>(1));
    EXPECT_EQ(posix_memalign(&p, 16, hide_size(SIZE_MAX - 8)), ENOMEM);
    free(hide(valloc(10)));
    void *q = hide(memalign(hide_size(48), 10)); // rounded up
    EXPECT_EQ(number(q) % 64, 0u);
    free(q);
    errno = 0;
    EXPECT_EQ(hide(aligned_alloc(hide_size(24), 10)), nullptr);
    EXPECT_EQ(errno, EINVAL);
}

TEST(Heap, CallocIsZeroedAndChecksOverflow)
{
    char *p = hide(static_cast<char *>(malloc(1000)));
    memset(p, 7, 1000);
    free(p);
    p = hide(static_cast<char *>(calloc(10, 100)));
    for (int i = 0; i < 1000; i++)
        ASSERT_EQ(p[i], 0);
    free(p);
    errno = 0;
    EXPECT_EQ(hide(calloc(hide_size(SIZE_MAX / 2), 3)), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    errno = 0;
    EXPECT_EQ(hide(reallocarray(nullptr, hide_size(SIZE_MAX / 2), 3)), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    errno = 0;
    EXPECT_EQ(hide(malloc(hide_size(SIZE_MAX))), nullptr);
    EXPECT_EQ(errno, ENOMEM);
}

TEST(Heap, Realloc)
{
    char *p = hide(static_cast<char *>(realloc(nullptr, 10)));
    strcpy(p, "123456789");
    p = static_cast<char *>(realloc(p, 100000));
    EXPECT_STREQ(p, "123456789");
    p = static_cast<char *>(realloc(p, 5));
    EXPECT_EQ(memcmp(p, "12345", 5), 0);
    char *kept = p;
    EXPECT_EQ(hide(realloc(p, hide_size(SIZE_MAX))), nullptr);
    EXPECT_EQ(memcmp(kept, "12345", 5), 0); // a failed realloc leaves the block alone
    EXPECT_EQ(hide(realloc(kept, hide_size(0))), nullptr);
}

TEST(Heap, FreeKeepsErrnoAndTakesNull)
{
    errno = 77;
    free(nullptr);
    free(hide(malloc(10)));
    free(hide(malloc(10000000)));
    EXPECT_EQ(errno, 77);
}

TEST(Heap, ZeroSizedBlocksAreDistinct)
{
    void *a = hide(malloc(hide_size(0))), *b = hide(malloc(hide_size(0)));
    EXPECT_NE(a, nullptr);
    EXPECT_NE(a, b);
    free(a);
    free(b);
}

TEST(Heap, ManyThreads)
{
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++)
        threads.emplace_back([t] {
            std::vector<char *> mine;
            for (int i = 0; i < 3000; i++) {
                size_t size = size_t(i * 37 + t) % 700;
                char *p = static_cast<char *>(malloc(size));
                memset(p, t, size);
                mine.push_back(p);
                cspr_block b;
                ASSERT_TRUE(cspr_heap_find(number(p), &b));
                ASSERT_EQ(b.size, size);
                if (i % 3 == 0) {
                    free(mine[i / 2]);
                    mine[i / 2] = nullptr;
                }
            }
            for (char *p : mine)
                free(p);
        });
    for (auto &t : threads)
        t.join();
}

} // namespace
