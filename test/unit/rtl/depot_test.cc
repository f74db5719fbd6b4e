// depot_test.cc - calling contexts: frame records, folding, composites, and many of them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "core_fixture.h"

class Depot : public Core
{
  protected:
    static std::vector<uintptr_t> frames(cspr_stack s, unsigned mask = 0, bool *folded = nullptr)
    {
        std::vector<uintptr_t> out(4096);
        out.resize(cspr_stack_frames(s, mask, out.data(), out.size(), folded));
        return out;
    }
    // A chain of records with these return addresses, outermost first.
    csp_frame *chain(const std::vector<uintptr_t> &rets)
    {
        records.assign(rets.size(), csp_frame{});
        csp_frame *top = nullptr;
        for (size_t i = 0; i < rets.size(); i++) {
            records[i] = {top, (void *)rets[i], 0};
            top = &records[i];
        }
        return top;
    }
    std::vector<csp_frame> records;
};

TEST_F(Depot, EqualContextsHaveOneId)
{
    uint32_t a = cspr_depot_node(0, 0x10), b = cspr_depot_node(a, 0x20);
    EXPECT_EQ(cspr_depot_node(0, 0x10), a);
    EXPECT_NE(cspr_depot_node(0, 0x20), b);
    EXPECT_EQ(cspr_depot_stack(b, 0x30), cspr_depot_stack(b, 0x30));
    EXPECT_NE(cspr_depot_stack(b, 0x30), cspr_depot_stack(a, 0x30));
    EXPECT_EQ(frames(cspr_depot_stack(b, 0x30)), (std::vector<uintptr_t>{0x30, 0x20, 0x10}));
}

TEST_F(Depot, RecordsAreNamedOnce)
{
    csp_frame *top = chain({0x10, 0x20, 0x30});
    uint32_t node = cspr_depot_node_of(top);
    EXPECT_EQ(records[2].node, node);
    EXPECT_NE(records[0].node, 0u);
    EXPECT_EQ(frames(cspr_depot_parked(top, (void *)0x99)), (std::vector<uintptr_t>{0x99, 0x30, 0x20, 0x10}));
}

TEST_F(Depot, LeafBringsItsOwnReturnAddress)
{
    alignas(16) csp_frame record = {nullptr, (void *)0x10, 0};
    __csp_top = &record;
    cspr_stack s = cspr_stack_here((void *)0x77, (void *)0x55);
    cspr_stack t = cspr_stack_here((void *)0x77, nullptr);
    __csp_top = nullptr;
    EXPECT_EQ(frames(s), (std::vector<uintptr_t>{0x77, 0x55, 0x10}));
    EXPECT_EQ(frames(t), (std::vector<uintptr_t>{0x77, 0x10}));
}

// A record below the stack pointer was left by longjmp.
TEST_F(Depot, DeadRecordsArePopped)
{
    csp_frame live = {nullptr, (void *)0x10, 0};
    csp_frame *dead = (csp_frame *)((char *)__builtin_frame_address(0) - 4096);
    csp_frame saved = *dead;
    *dead = {&live, (void *)0x20, 0};
    __csp_top = dead;
    cspr_stack s = cspr_stack_here((void *)0x77, nullptr);
    EXPECT_EQ(__csp_top, &live);
    __csp_top = nullptr;
    *dead = saved;
    EXPECT_EQ(frames(s), (std::vector<uintptr_t>{0x77, 0x10}));
}

// rule C1: recursion is folded, so 2^20 contexts of a binary recursion are a few dozen nodes.
TEST_F(Depot, RecursionIsFolded)
{
    uint64_t before = cspr_depot_nodes();
    std::vector<uintptr_t> rets = {0x10};
    for (int i = 0; i < 100000; i++)
        rets.push_back(0x2000);
    cspr_stack s = cspr_depot_parked(chain(rets), (void *)0x99);
    EXPECT_LT(cspr_depot_nodes() - before, 20u);
    bool folded = false;
    EXPECT_EQ(frames(s, 0, &folded).size(), 1u + 4 + 1);
    EXPECT_TRUE(folded);

    before = cspr_depot_nodes();
    for (unsigned bits = 0; bits < 1u << 14; bits++) {
        uint32_t node = 0;
        for (int i = 0; i < 14; i++)
            node = cspr_depot_node(node, bits >> i & 1 ? 0x3000 : 0x4000);
    }
    EXPECT_LT(cspr_depot_nodes() - before, 1u << 10);
}

TEST_F(Depot, ShortRecursionIsNot)
{
    bool folded = true;
    cspr_stack s = cspr_depot_parked(chain({0x10, 0x5000, 0x5000, 0x5000}), (void *)0x99);
    EXPECT_EQ(frames(s, 0, &folded).size(), 5u);
    EXPECT_FALSE(folded);
}

TEST_F(Depot, CompositesResolveByByte)
{
    cspr_stack a = stack(0x11), b = stack(0x22), c = stack(0x33);
    cspr_stack ab = cspr_depot_composite(a, 0x03, b, 0x0c);
    cspr_stack abc = cspr_depot_composite(ab, 0x0f, c, 0xf0);
    EXPECT_EQ(cspr_depot_composite(a, 0x03, b, 0x0c), ab);
    EXPECT_EQ(frames(abc, 0x01)[0], 0x11u);
    EXPECT_EQ(frames(abc, 0x04)[0], 0x22u);
    EXPECT_EQ(frames(abc, 0x80)[0], 0x33u);
    unsigned covers;
    EXPECT_EQ(cspr_depot_component(abc, 0x06, 0xff, &covers), a);
    EXPECT_EQ(covers, 0x03u);
    EXPECT_EQ(cspr_depot_component(abc, 0x0c, 0x0c, &covers), b);
    EXPECT_EQ(covers, 0x0cu);
}

TEST_F(Depot, TagsAreTransparent)
{
    cspr_stack s = cspr_depot_tagged(stack(0x11), CSPR_TAG_FREE);
    EXPECT_EQ(frames(s), (std::vector<uintptr_t>{0x11}));
    EXPECT_EQ(cspr_depot_untag(&s), CSPR_TAG_FREE);
    EXPECT_EQ(s, stack(0x11));
    EXPECT_EQ(cspr_depot_untag(&s), CSPR_TAG_NONE);
}

TEST_F(Depot, LocksBelongToTheAccess)
{
    int m[3];
    cspr_held a = {&m[0], CSP_LOCK_WRITE, stack(0x51)}, b = {&m[1], CSP_LOCK_READ, stack(0x52)};
    uint32_t only_a = cspr_depot_lock_set(0, &a), both = cspr_depot_lock_set(only_a, &b);
    EXPECT_NE(only_a, both);
    EXPECT_EQ(cspr_depot_lock_set(only_a, &b), both);
    cspr_stack s = cspr_depot_tagged(cspr_depot_locked(stack(0x11), both), CSPR_TAG_FREE);
    EXPECT_EQ(frames(s), (std::vector<uintptr_t>{0x11}));
    EXPECT_EQ(cspr_depot_untag(&s), CSPR_TAG_FREE);
    cspr_stack again = s;
    cspr_held out[2];
    ASSERT_EQ(cspr_depot_unlock(&s, out, 2), 2u);
    EXPECT_EQ(s, stack(0x11));
    EXPECT_EQ(out[0].lock, &m[0]);
    EXPECT_EQ(out[0].stack, stack(0x51));
    EXPECT_EQ(out[1].lock, &m[1]);
    EXPECT_EQ(out[1].mode, CSP_LOCK_READ);
    ASSERT_EQ(cspr_depot_unlock(&again, out, 1), 1u); // the newest
    EXPECT_EQ(out[0].lock, &m[1]);
    EXPECT_EQ(cspr_depot_unlock(&s, out, 2), 0u);
    EXPECT_EQ(cspr_depot_locked(s, 0), s);
}

TEST_F(Depot, ManyContexts)
{
    std::vector<cspr_stack> ids;
    for (uintptr_t i = 0; i < 200000; i++)
        ids.push_back(cspr_depot_stack(cspr_depot_node(0, 0x100000 + i % 1000), 0x200000 + i));
    for (uintptr_t i = 0; i < 200000; i += 777) {
        EXPECT_EQ(frames(ids[i]), (std::vector<uintptr_t>{0x200000 + i, 0x100000 + i % 1000}));
        EXPECT_EQ(cspr_depot_stack(cspr_depot_node(0, 0x100000 + i % 1000), 0x200000 + i), ids[i]);
    }
}
