// alloc_test.cc - the detector's memory: blocks are zero and nobody else's, and an ended thread keeps none.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "core_fixture.h"

#include <cstring>
#include <random>
#include <set>
#include <thread>

extern "C" {
#include "support/alloc.h"
}

class Alloc : public Core
{
};

namespace
{
bool is_zero(const unsigned char *p, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (p[i])
            return false;
    return true;
}

// Takes and gives at random, and looks for what others wrote into its blocks.
void use_blocks(unsigned seed)
{
    constexpr size_t SIZES[] = {1, 16, 40, 88, 152, 256, 257, 536, 4000};
    struct Block {
        unsigned char *at;
        size_t size;
    };
    std::mt19937 random(seed);
    std::vector<Block> blocks;
    for (int step = 0; step < 20000; step++) {
        if (blocks.size() < 100 && random() % 2) {
            size_t size = SIZES[random() % std::size(SIZES)];
            auto *p = static_cast<unsigned char *>(cspr_alloc(size));
            ASSERT_TRUE(is_zero(p, size));
            memset(p, static_cast<int>(seed), size);
            blocks.push_back({p, size});
        } else if (!blocks.empty()) {
            std::swap(blocks[random() % blocks.size()], blocks.back());
            Block b = blocks.back();
            blocks.pop_back();
            for (size_t i = 0; i < b.size; i++)
                ASSERT_EQ(b.at[i], seed);
            cspr_free(b.at, b.size);
        }
    }
    for (const Block &b : blocks)
        cspr_free(b.at, b.size);
}
} // namespace

TEST_F(Alloc, BlocksAreZeroAndNobodyElses)
{
    std::vector<std::thread> threads;
    for (unsigned seed = 1; seed <= 4; seed++)
        threads.emplace_back([seed] {
            use_blocks(seed);
            cspr_alloc_thread_ends();
        });
    for (std::thread &t : threads)
        t.join();
    use_blocks(5);
}

TEST_F(Alloc, AnEndedThreadHasNoSpares)
{
    constexpr int N = 12;
    std::set<void *> seen;
    for (int i = 0; i < 100; i++) {
        std::thread([&] {
            void *blocks[N];
            for (void *&b : blocks)
                seen.insert(b = cspr_alloc(100));
            for (void *b : blocks)
                cspr_free(b, 100);
            cspr_alloc_thread_ends();
            cspr_free(cspr_alloc(100), 100); // still works
        }).join();
    }
    EXPECT_LE(seen.size(), 2u * N);
}
