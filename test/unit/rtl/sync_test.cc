// sync_test.cc - order through addresses, locks, atomics, channels; what free and plain writes do to it; heap blocks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "core_fixture.h"

#include <sys/mman.h>
#include <thread>

extern "C" {
uint64_t __csp_atomic64_load(const volatile void *, int);
void __csp_atomic64_store(volatile void *, uint64_t, int);
uint64_t __csp_atomic64_fetch_add(volatile void *, uint64_t, int);
uint64_t __csp_atomic64_cas(volatile void *, uint64_t, uint64_t, int, int);
unsigned __int128 __csp_atomic128_exchange(volatile void *, unsigned __int128, int);
void __csp_fence(int);
}

class Sync : public Core
{
  protected:
    void SetUp() override
    {
        Core::SetUp();
        a = go();
        b = go();
        run(a);
    }
    // a has written memory and then did what orders it (or does not); b reads it.
    size_t races_of_b()
    {
        run(b);
        read(memory, 8);
        size_t n = races.size();
        races.clear();
        return n;
    }
    cspr_task *a, *b;
    uint64_t *flag = &objects[8];
};

TEST_F(Sync, ReleaseAcquire)
{
    write(memory, 8);
    cspr_release(&objects[0], nullptr);
    run(b);
    cspr_acquire((char *)&objects[0] + 4, nullptr); // another object in the same word
    EXPECT_EQ(races_of_b(), 1u);
    write(memory + 8, 8);
    cspr_release(&objects[0], nullptr);
    run(a);
    cspr_acquire(&objects[0], nullptr);
    read(memory + 8, 8);
    EXPECT_TRUE(races.empty());
}

TEST_F(Sync, ReadUnlocksDoNotOrderReaders)
{
    cspr_locked(&objects[0], CSP_LOCK_READ, nullptr, 0);
    write(memory, 8);
    cspr_unlocking(&objects[0], CSP_LOCK_READ, nullptr);
    run(b);
    cspr_locked(&objects[0], CSP_LOCK_READ, nullptr, 0);
    EXPECT_EQ(races_of_b(), 1u);
    cspr_unlocking(&objects[0], CSP_LOCK_READ, nullptr);
    run(main_task);
    cspr_locked(&objects[0], CSP_LOCK_WRITE, nullptr, stack(0x5));
    read(memory, 8);
    EXPECT_TRUE(races.empty());
    cspr_held held[4];
    ASSERT_EQ(cspr_task_held(main_task, held, 4), 1u);
    EXPECT_EQ(held[0].lock, &objects[0]);
    cspr_unlocking(&objects[0], CSP_LOCK_WRITE, nullptr);
    EXPECT_EQ(cspr_task_held(main_task, held, 4), 0u);
}

TEST_F(Sync, FreeForgetsTheObject)
{
    write(memory, 8);
    cspr_release(&objects[0], nullptr);
    run(main_task);
    cspr_access_free((uintptr_t)&objects[0], 8, stack(0x7), 0);
    run(b);
    cspr_acquire(&objects[0], nullptr);
    EXPECT_EQ(races_of_b(), 1u);
}

TEST_F(Sync, AtomicsByOrder)
{
    write(memory, 8);
    __csp_atomic64_store(flag, 1, __ATOMIC_RELAXED);
    run(b);
    EXPECT_EQ(__csp_atomic64_load(flag, __ATOMIC_ACQUIRE), 1u);
    EXPECT_EQ(races_of_b(), 1u);
    run(a);
    write(memory + 8, 8);
    __csp_atomic64_store(flag, 2, __ATOMIC_RELEASE);
    run(b);
    __csp_atomic64_load(flag, __ATOMIC_RELAXED);
    read(memory + 8, 4);
    EXPECT_EQ(races.size(), 1u);
    races.clear();
    __csp_atomic64_load(flag, __ATOMIC_ACQUIRE);
    read(memory + 12, 4);
    EXPECT_TRUE(races.empty());
}

TEST_F(Sync, AtomicAgainstPlain)
{
    __csp_atomic64_store(flag, 1, __ATOMIC_SEQ_CST);
    run(b);
    __csp_atomic64_fetch_add(flag, 1, __ATOMIC_RELAXED);
    EXPECT_TRUE(races.empty());
    run(main_task);
    read(flag, 8, 0x44);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_TRUE(races[0].previous.is_atomic);
    EXPECT_FALSE(races[0].current.is_atomic);
}

TEST_F(Sync, ReadModifyWritesContinueTheSequence)
{
    write(memory, 8);
    __csp_atomic64_store(flag, 1, __ATOMIC_RELEASE);
    run(main_task);
    __csp_atomic64_fetch_add(flag, 1, __ATOMIC_RELAXED);
    run(b);
    EXPECT_EQ(__csp_atomic64_load(flag, __ATOMIC_ACQUIRE), 2u);
    EXPECT_EQ(races_of_b(), 0u);
}

TEST_F(Sync, ForeignStoreEndsTheSequence)
{
    write(memory, 8);
    __csp_atomic64_store(flag, 1, __ATOMIC_RELEASE);
    __csp_atomic64_store(flag, 2, __ATOMIC_RELAXED); // the same task's keeps it
    run(b);
    __csp_atomic64_load(flag, __ATOMIC_ACQUIRE);
    EXPECT_EQ(races_of_b(), 0u);
    run(a);
    write(memory, 8);
    races.clear(); // b's read came before it, in time only
    __csp_atomic64_store(flag, 3, __ATOMIC_RELEASE);
    run(main_task);
    __csp_atomic64_store(flag, 4, __ATOMIC_RELAXED);
    run(b);
    __csp_atomic64_load(flag, __ATOMIC_ACQUIRE);
    EXPECT_EQ(races_of_b(), 1u);
}

TEST_F(Sync, Fences)
{
    write(memory, 8);
    __csp_fence(__ATOMIC_RELEASE);
    write(memory + 8, 8); // after the fence: not covered
    __csp_atomic64_store(flag, 1, __ATOMIC_RELAXED);
    run(b);
    __csp_atomic64_load(flag, __ATOMIC_RELAXED);
    __csp_fence(__ATOMIC_ACQUIRE);
    EXPECT_EQ(races_of_b(), 0u);
    read(memory + 8, 8);
    EXPECT_EQ(races.size(), 1u);
}

TEST_F(Sync, FailedCompareExchangeAcquiresByItsOwnOrder)
{
    write(memory, 8);
    *flag = 0;
    __csp_atomic64_store(flag, 5, __ATOMIC_RELEASE);
    run(b);
    EXPECT_EQ(__csp_atomic64_cas(flag, 1, 2, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED), 5u);
    EXPECT_EQ(races_of_b(), 1u);
    run(main_task);
    EXPECT_EQ(__csp_atomic64_cas(flag, 1, 2, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE), 5u);
    write(memory, 8);
    EXPECT_EQ(races.size(), 1u); // b's read, not a's write
}

TEST_F(Sync, SixteenBytes)
{
    __csp_atomic128_exchange(&objects[16], 1, __ATOMIC_RELEASE);
    run(b);
    read(&objects[17], 8);
    EXPECT_EQ(races.size(), 1u);
}

// rule D4's cousin: a plain write ordered after the sequence ends it.
TEST_F(Sync, PlainWriteResets)
{
    write(memory, 8);
    __csp_atomic64_store(flag, 1, __ATOMIC_RELEASE);
    run(main_task);
    __csp_atomic64_load(flag, __ATOMIC_ACQUIRE);
    write(flag, 8);
    EXPECT_TRUE(races.empty());
    EXPECT_FALSE(is_aside(flag));
    run(b);
    __csp_atomic64_load(flag, __ATOMIC_ACQUIRE);
    races.clear(); // the load races with main's write
    EXPECT_EQ(races_of_b(), 1u);
}

// --- channels, through the hook table ------------------------------------------------------------------------------------

TEST_F(Sync, ChannelSlots)
{
    void *ch = cspr_hooks.chan_new(&objects[32], 2, 8, nullptr);
    write(memory, 8);
    cspr_hooks.chan_send(ch, 0, nullptr);
    write(memory + 8, 8);
    cspr_hooks.chan_send(ch, 1, nullptr);
    run(b);
    cspr_hooks.chan_recv(ch, 0, nullptr);
    read(memory, 8);
    EXPECT_TRUE(races.empty());
    read(memory + 8, 8);
    EXPECT_EQ(races.size(), 1u); // slots are told apart
    races.clear();
    write(memory + 16, 8);
    cspr_hooks.chan_recv(ch, 1, nullptr);
    run(a);
    cspr_hooks.chan_send(ch, 0, nullptr); // after the first receive, not the second
    read(memory + 16, 8);
    EXPECT_EQ(races.size(), 1u);
    cspr_hooks.chan_free(ch);
}

TEST_F(Sync, RendezvousOrdersBoth)
{
    void *ch = cspr_hooks.chan_new(&objects[32], 0, 8, nullptr);
    write(memory, 8);
    run(b);
    write(memory + 8, 8);
    cspr_hooks.chan_rendezvous(ch, a);
    read(memory, 8);
    run(a);
    read(memory + 8, 8);
    EXPECT_TRUE(races.empty());
    cspr_hooks.chan_free(ch);
}

TEST_F(Sync, SendAgainstClose)
{
    void *ch = cspr_hooks.chan_new(&objects[32], 1, 8, nullptr);
    cspr_hooks.chan_use(ch, CSP_CHAN_USE_SEND);
    run(b);
    cspr_hooks.chan_use(ch, CSP_CHAN_USE_SEND);
    cspr_hooks.chan_use(ch, CSP_CHAN_USE_LOOK);
    EXPECT_TRUE(races.empty());
    run(main_task);
    cspr_hooks.chan_use(ch, CSP_CHAN_USE_RECV);
    EXPECT_TRUE(races.empty());
    cspr_hooks.chan_use(ch, CSP_CHAN_USE_CLOSE);
    EXPECT_EQ(races.size(), 2u); // both senders
    races.clear();
    cspr_hooks.chan_use(ch, CSP_CHAN_USE_FREE);
    EXPECT_EQ(races.size(), 2u);
    cspr_hooks.chan_free(ch);
}

TEST_F(Sync, ManySendersOneClose)
{
    void *ch = cspr_hooks.chan_new(&objects[32], 1, 8, nullptr);
    for (int i = 0; i < 100; i++) {
        cspr_task *t = new_task(main_task);
        run(t);
        cspr_hooks.chan_use(ch, CSP_CHAN_USE_SEND);
        cspr_hooks.chan_use(ch, CSP_CHAN_USE_RECV);
        if (i != 40)
            cspr_release_merge(&objects[0], nullptr);
    }
    run(main_task);
    cspr_acquire(&objects[0], nullptr);
    EXPECT_TRUE(races.empty());
    cspr_hooks.chan_use(ch, CSP_CHAN_USE_CLOSE);
    EXPECT_EQ(races.size(), 1u); // the one that did not say so
    cspr_hooks.chan_free(ch);
}

TEST_F(Sync, CloseAgainstLaterSendAndFreeAgainstLaterUse)
{
    void *ch = cspr_hooks.chan_new(&objects[32], 1, 8, nullptr);
    run(a);
    cspr_hooks.chan_use(ch, CSP_CHAN_USE_CLOSE);
    run(b);
    cspr_hooks.chan_use(ch, CSP_CHAN_USE_RECV);
    EXPECT_TRUE(races.empty());
    cspr_hooks.chan_use(ch, CSP_CHAN_USE_SEND);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_TRUE(races[0].previous.is_write);
    races.clear();
    void *other = cspr_hooks.chan_new(&objects[48], 1, 8, nullptr);
    run(a);
    cspr_hooks.chan_use(other, CSP_CHAN_USE_FREE);
    run(b);
    cspr_hooks.chan_use(other, CSP_CHAN_USE_LOOK);
    EXPECT_FALSE(races.empty());
    cspr_hooks.chan_free(ch);
    cspr_hooks.chan_free(other);
}

TEST_F(Sync, SnapshotsCarryOrder)
{
    write(memory, 8);
    void *snapshot = cspr_hooks.snapshot_new();
    write(memory + 8, 8);
    auto *t = (cspr_task *)cspr_hooks.task_new_from(7, nullptr, nullptr, snapshot);
    cspr_hooks.snapshot_free(snapshot);
    run(t);
    read(memory, 8);
    EXPECT_TRUE(races.empty());
    read(memory + 8, 8);
    EXPECT_EQ(races.size(), 1u);
}

// --- heap blocks (rule A8) -----------------------------------------------------------------------------------------------

class Heap : public Sync
{
  protected:
    void SetUp() override
    {
        Sync::SetUp();
        big = (char *)mmap(nullptr, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    void TearDown() override
    {
        cspr_shadow_forget((uintptr_t)big, (uintptr_t)big + SIZE);
        munmap(big, SIZE);
    }
    static constexpr size_t SIZE = (size_t)1 << 30;
    char *big;
};

TEST_F(Heap, AllocationIsAWriteThatChecksNothing)
{
    write(memory, 16, 0x1);
    run(b);
    cspr_access_alloc((uintptr_t)memory, 13, stack(0x2));
    EXPECT_TRUE(races.empty());
    run(a);
    read(memory + 8, 4);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_TRUE(races[0].previous.is_alloc);
    EXPECT_EQ(pc_of(races[0].previous.stack), 0x2u);
}

TEST_F(Heap, UseAfterFree)
{
    cspr_access_free((uintptr_t)memory, 16, stack(0x3), 0);
    EXPECT_TRUE(races.empty());
    run(b);
    write(memory + 4, 4);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_TRUE(races[0].previous.is_free);
}

TEST_F(Heap, FreeChecks)
{
    write(memory + 4, 4, 0x1);
    run(b);
    cspr_access_free((uintptr_t)memory, 16, stack(0x3), 0);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_TRUE(races[0].current.is_free);
    EXPECT_EQ(races[0].addr, (uintptr_t)memory + 4);
}

TEST_F(Heap, LargeBlocks)
{
    cspr_access_alloc((uintptr_t)big, SIZE, stack(0x2));
    write(big + SIZE / 2, 4);
    EXPECT_TRUE(races.empty());
    run(b);
    read(big + SIZE / 2 + 4, 4); // no cell says it, the extent does
    ASSERT_EQ(races.size(), 1u);
    EXPECT_TRUE(races[0].previous.is_alloc);
    races.clear();
    run(a);
    cspr_access_free((uintptr_t)big, SIZE, stack(0x3), 0);
    ASSERT_EQ(races.size(), 1u); // b's read
    races.clear();
    run(b);
    read(big + SIZE / 4, 1);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_TRUE(races[0].previous.is_free);
    races.clear();
    cspr_access_alloc((uintptr_t)big, SIZE, stack(0x4)); // reuse is no race
    write(big + SIZE / 4, 1);
    EXPECT_TRUE(races.empty());
}

// Of a word with two writes the bytes that neither wrote are still the extent's.
TEST_F(Heap, LargeBlocksWithTwoWritesInAWord)
{
    cspr_access_alloc((uintptr_t)big, SIZE, stack(0x2));
    run(b);
    write(big + SIZE / 2, 4);
    EXPECT_EQ(races.size(), 1u);
    cspr_release(objects, nullptr);
    write(big + SIZE / 2, 2);
    EXPECT_TRUE(has_rest(big + SIZE / 2));
    races.clear();
    write(big + SIZE / 2 + 3, 1);
    EXPECT_TRUE(races.empty());
    write(big + SIZE / 2 + 3, 2);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_TRUE(races[0].previous.is_alloc);
    EXPECT_EQ(races[0].addr, (uintptr_t)big + SIZE / 2 + 4);
}

// --- several OS threads --------------------------------------------------------------------------------------------------

// Words taken by two threads at once: nothing is lost, nobody waits for ever, and ordered accesses stay silent.
TEST_F(Sync, TwoThreads)
{
    auto work = [](cspr_task *t, int salt) {
        cspr_self.is_known = true;
        cspr_task_load(t);
        for (int i = 0; i < 100000; i++) {
            char *p = memory + (i * 7 + salt) % 32;
            cspr_access((uintptr_t)p, 1, false, stack(0x100 + (unsigned)i % 8));
            __csp_atomic64_fetch_add(&objects[40], 1, i % 2 ? __ATOMIC_ACQ_REL : __ATOMIC_RELAXED);
            cspr_release_merge(&objects[(unsigned)i % 4], nullptr);
            cspr_acquire(&objects[(unsigned)i % 4], nullptr);
        }
        cspr_task_store();
    };
    run(main_task);
    objects[40] = 0;
    std::thread first(work, a, 0), second(work, b, 3);
    first.join();
    second.join();
    EXPECT_EQ(objects[40], 200000u);
    EXPECT_TRUE(races.empty());
    EXPECT_TRUE(is_aside(&objects[40]));
}
