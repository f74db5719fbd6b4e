// reread_test.cc - reads that tasks make again and again, in slots beside the record (rtl/shadow/reread.h).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "core_fixture.h"

#include <atomic>
#include <sys/mman.h>
#include <thread>

extern "C" {
#include "shadow/reread.h"
}

extern "C" void __csp_atomic64_store(volatile void *, uint64_t, int);

class Reread : public Core
{
  protected:
    void SetUp() override
    {
        Core::SetUp();
        cspr_flags.own_rereads = true;
        cspr_reread_after = 0;
        cspr_readset_after = 16;
    }
    // The running task's epoch ends.
    void tick()
    {
        cspr_release(&objects[0], nullptr);
    }
    // t reads it in n epochs.
    void read_often(cspr_task *t, const char *p, unsigned n, uintptr_t pc, size_t size = 8)
    {
        run(t);
        for (unsigned i = 0; i < n; i++) {
            read(p, size, pc);
            tick();
        }
    }
    uint64_t slot_of(const cspr_task *t, const char *p, unsigned mask = 0xff)
    {
        const uint64_t *slot = t->rereads ? cspr_reread_slot(t, (uintptr_t)p, mask) : nullptr;
        return slot ? *slot : 0;
    }
    // Words that a and b have slots for, written by main.
    void spread(const char *p, size_t size = 8)
    {
        run(main_task);
        write(p, size);
        a = go();
        b = go();
        for (unsigned i = 0; i < 3 || !slot_of(a, p) || !slot_of(b, p); i++) { // now and then they are recalled
            ASSERT_LT(i, 10u);
            read_often(a, p, 2, 0xa0, size);
            read_often(b, p, 2, 0xb0, size);
        }
        ASSERT_TRUE(races.empty());
    }
    cspr_task *a = nullptr, *b = nullptr;
};

TEST_F(Reread, AWriterMeetsEveryReader)
{
    spread(memory);
    run(main_task);
    write(memory, 8, 0x77); // which of the two is told is free
    ASSERT_FALSE(races.empty());
    uintptr_t pc = pc_of(races[0].previous.stack);
    EXPECT_TRUE(pc == 0xa0 || pc == 0xb0);
    EXPECT_FALSE(races[0].previous.is_write);
    EXPECT_FALSE(slot_of(a, memory) || slot_of(b, memory));
    races.clear();
    run(a);
    read(memory, 8, 0xa1); // its slot is gone: it meets the write
    ASSERT_EQ(races.size(), 1u);
    EXPECT_EQ(pc_of(races[0].previous.stack), 0x77u);
}

TEST_F(Reread, AWriterThatKnowsThemMeetsNone)
{
    spread(memory);
    run(a);
    cspr_release(&objects[8], nullptr);
    run(b);
    cspr_release_merge(&objects[8], nullptr);
    run(main_task);
    cspr_acquire(&objects[8], nullptr);
    write(memory, 8);
    EXPECT_TRUE(races.empty());
}

// A task that has slots for a word gets them for its neighbours as soon as those are aside.
TEST_F(Reread, NeighboursGetSlotsAtOnce)
{
    write(memory + 16, 8);
    spread(memory);
    read_often(a, memory, 2, 0xa0); // in slots, epoch after epoch
    run(main_task);
    read(memory + 16, 8);
    run(b);
    read(memory + 16, 8);
    read_often(a, memory + 16, 1, 0xa4); // found aside, with no room in the record
    EXPECT_EQ(slot_of(a, memory + 16), 0u);
    read(memory + 16, 8, 0xa5);
    EXPECT_EQ(cspr_cell_stack(slot_of(a, memory + 16)), stack(0xa5));
    run(main_task);
    write(memory + 16, 8);
    EXPECT_FALSE(races.empty());
    EXPECT_EQ(slot_of(a, memory + 16), 0u);
    end(a);
    end(b);
}

TEST_F(Reread, TheNewestReadCounts)
{
    spread(memory);
    run(b);
    cspr_release(&objects[8], nullptr);
    run(a);
    cspr_release_merge(&objects[8], nullptr);
    uint64_t before = slot_of(a, memory);
    read(memory, 8, 0xa9);
    EXPECT_NE(before, slot_of(a, memory)) << "the read did not go to the slot";
    run(main_task);
    cspr_acquire(&objects[8], nullptr); // all but a's last
    write(memory, 8);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_EQ(pc_of(races[0].previous.stack), 0xa9u);
    EXPECT_EQ(races[0].previous.who, a->who);
}

TEST_F(Reread, AtomicsAndFreeMeetThem)
{
    spread(memory);
    run(main_task);
    cspr_access_free((uintptr_t)memory, 64, stack(0x66), 0);
    EXPECT_FALSE(races.empty());
    EXPECT_FALSE(slot_of(a, memory) || slot_of(b, memory));
    cspr_access_alloc((uintptr_t)memory, 64, stack(0x67));
    races.clear();
    run(a);
    read(memory, 8);
    EXPECT_EQ(races.size(), 1u);
    races.clear();
    spread(memory + 64);
    __csp_atomic64_store(memory + 64, 1, __ATOMIC_RELAXED);
    EXPECT_EQ(races.size(), 1u);
}

TEST_F(Reread, HalvesAreApart)
{
    run(main_task);
    write(memory, 8);
    a = go();
    b = go();
    for (unsigned i = 0; i < 6; i++) {
        for (cspr_task *t : {a, b}) {
            read_often(t, memory, 1, 0xa0, 4);
            read_often(t, memory + 4, 1, 0xa4, 4);
        }
    }
    EXPECT_TRUE(slot_of(a, memory, 0x0f) && slot_of(a, memory, 0xf0));
    run(main_task);
    write(memory + 4, 4);
    ASSERT_FALSE(races.empty());
    EXPECT_EQ(races[0].addr, (uintptr_t)memory + 4);
    EXPECT_EQ(pc_of(races[0].previous.stack), 0xa4u);
    races.clear();
    write(memory, 4);
    ASSERT_FALSE(races.empty());
    EXPECT_EQ(pc_of(races[0].previous.stack), 0xa0u);
}

// Nobody else reads it; what keeps it aside is that two epochs wrote it.
TEST_F(Reread, AWordThatTwoEpochsWrote)
{
    b = go();
    run(main_task);
    write(memory, 8);
    tick();
    write(memory, 4);
    a = go();
    for (unsigned i = 0; i < 3 || !slot_of(a, memory, 0x0f); i++) {
        ASSERT_LT(i, 10u);
        read_often(a, memory, 2, 0xa0, 4);
    }
    cspr_release(&objects[8], nullptr);
    read(memory, 4, 0xa9);
    EXPECT_EQ(cspr_cell_epoch(slot_of(a, memory, 0x0f)), a->epoch) << "the read did not go to the slot";
    ASSERT_TRUE(races.empty());
    run(main_task);
    cspr_acquire(&objects[8], nullptr); // all but a's last
    write(memory + 4, 4);
    EXPECT_TRUE(races.empty());
    write(memory, 4);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_EQ(pc_of(races[0].previous.stack), 0xa9u);
    EXPECT_FALSE(slot_of(a, memory, 0x0f));
    end(a); // a block has room for few tasks' pages
}

// Each read after the first two is ordered after all others.
TEST_F(Reread, ByTurns)
{
    run(main_task);
    write(memory, 8);
    a = go();
    b = go();
    for (cspr_task *t : {a, b})
        read_often(t, memory, 1, 0xa0);
    cspr_release(&objects[8], nullptr);
    for (unsigned i = 0; i < 8; i++) {
        for (cspr_task *t : {a, b}) {
            run(t);
            cspr_acquire(&objects[8], nullptr);
            read(memory, 8, 0xc0 + i);
            cspr_release(&objects[8], nullptr);
        }
    }
    EXPECT_TRUE(slot_of(a, memory) && slot_of(b, memory));
    run(main_task);
    write(memory, 8);
    ASSERT_FALSE(races.empty());
    EXPECT_EQ(pc_of(races[0].previous.stack), 0xc7u);
    end(a);
    end(b);
}

TEST_F(Reread, ReadsOutliveTheirTask)
{
    spread(memory);
    end(a);
    end(b);
    run(main_task);
    write(memory, 8);
    EXPECT_FALSE(races.empty());
}

TEST_F(Reread, ForgottenIsForgotten)
{
    spread(memory);
    cspr_shadow_forget((uintptr_t)memory, (uintptr_t)memory + 64);
    EXPECT_FALSE(slot_of(a, memory) || slot_of(b, memory));
    // Shadow that is dropped as it is, side records and all.
    char *map = (char *)mmap(nullptr, 1 << 16, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    spread(map + 8192);
    uint64_t kept = slot_of(a, memory + 64);
    cspr_shadow_drop((uintptr_t)map, (uintptr_t)map + (1 << 16));
    EXPECT_FALSE(slot_of(a, map + 8192) || slot_of(b, map + 8192));
    EXPECT_EQ(slot_of(a, memory + 64), kept);
    munmap(map, 1 << 16);
    run(main_task);
    write(memory, 8);
    EXPECT_TRUE(races.empty());
}

TEST_F(Reread, ManyPages)
{
    for (size_t at = 0; at < sizeof memory; at += CSPR_REREAD_BLOCK) {
        run(main_task);
        write(memory + at, 8);
    }
    a = go();
    b = go();
    for (unsigned round = 0; round < 4; round++)
        for (size_t at = 0; at < sizeof memory; at += CSPR_REREAD_BLOCK)
            for (cspr_task *t : {a, b})
                read_often(t, memory + at, 1, 0x100 + at);
    for (size_t at = 0; at < sizeof memory; at += CSPR_REREAD_BLOCK) {
        EXPECT_TRUE(slot_of(a, memory + at) && slot_of(b, memory + at)) << at;
        races.clear();
        run(main_task);
        write(memory + at, 8);
        ASSERT_FALSE(races.empty());
        EXPECT_EQ(pc_of(races[0].previous.stack), 0x100 + at);
    }
    // Pages that hold nothing make room for others.
    uint32_t n = a->rereads->n;
    cspr_shadow_forget((uintptr_t)memory, (uintptr_t)(memory + sizeof memory));
    char *map = (char *)mmap(nullptr, 1 << 16, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (unsigned round = 0; round < 4; round++)
        for (size_t at = 0; at < 3 * CSPR_REREAD_BLOCK * n; at += CSPR_REREAD_BLOCK)
            for (cspr_task *t : {a, b})
                read_often(t, map + at, 1, 0x100);
    EXPECT_LE(a->rereads->n, 3 * n);
    end(a);
    end(b);
    munmap(map, 1 << 16);
}

// A reader at full speed while another thread writes once: one of them must tell, whichever came first.
TEST_F(Reread, ReadsAndAWriteAtOnce)
{
    constexpr unsigned ROUNDS = 300;
    std::atomic<unsigned> ready{0}, begun{0}, written{0}, ended{0};
    unsigned in_slots = 0;
    char *p = memory;
    std::thread reader([&] {
        cspr_self.is_known = true;
        for (unsigned round = 1; round <= ROUNDS; round++) {
            while (ready != round)
                std::this_thread::yield();
            cspr_task_load(a);
            begun = round;
            for (unsigned more = 2; more; more -= written == round) {
                read(p, 8, 0xa5);
                cspr_release(&objects[16], nullptr);
            }
            cspr_task_store();
            ended = round;
        }
    });
    for (unsigned round = 1; round <= ROUNDS; round++) {
        p = memory + round % 64 * 8;
        races.clear();
        cspr_shadow_forget((uintptr_t)p, (uintptr_t)p + 8);
        spread(p);
        run(main_task);
        ready = round;
        while (begun != round)
            std::this_thread::yield();
        for (volatile unsigned i = 0; i < round % 200; i++)
            ;
        in_slots += record_at(p)->spread;
        write(p, 8, 0x77);
        written = round;
        while (ended != round)
            std::this_thread::yield();
        unsigned of_write = 0, of_read = 0;
        for (const cspr_race &r : races) {
            of_write += pc_of(r.current.stack) == 0x77;
            of_read += pc_of(r.previous.stack) == 0x77;
        }
        EXPECT_GE(of_write, 1u) << "round " << round; // it came after b's reads
        EXPECT_GE(of_read, 1u) << "round " << round;  // a's last came after it
        end(a);
        end(b);
        run(main_task);
    }
    reader.join();
    EXPECT_GT(in_slots, ROUNDS / 2);
}

// The same with a write that knows all reads but those that came meanwhile: every one of these is met by the write, or meets it.
TEST_F(Reread, NoReadIsLostBetween)
{
    constexpr unsigned ROUNDS = 300;
    std::atomic<unsigned> ready{0}, begun{0}, ended{0};
    std::thread reader([&] {
        cspr_self.is_known = true;
        for (unsigned round = 1; round <= ROUNDS; round++) {
            while (ready != round)
                std::this_thread::yield();
            cspr_task_load(a);
            begun = round;
            for (volatile unsigned i = 0; i < round * 7 % 150; i++)
                ;
            read(memory, 8, 0xa5);
            cspr_task_store();
            ended = round;
        }
    });
    for (unsigned round = 1; round <= ROUNDS; round++) {
        races.clear();
        cspr_shadow_forget((uintptr_t)memory, (uintptr_t)memory + 8);
        spread(memory);
        run(a);
        cspr_release(&objects[8], nullptr);
        run(b);
        cspr_release_merge(&objects[8], nullptr);
        run(main_task);
        cspr_acquire(&objects[8], nullptr);
        ready = round;
        while (begun != round)
            std::this_thread::yield();
        for (volatile unsigned i = 0; i < round * 11 % 150; i++)
            ;
        write(memory, 8, 0x77);
        while (ended != round)
            std::this_thread::yield();
        ASSERT_EQ(races.size(), 1u) << "round " << round;
        uintptr_t current = pc_of(races[0].current.stack), previous = pc_of(races[0].previous.stack);
        EXPECT_TRUE((current == 0x77 && previous == 0xa5) || (current == 0xa5 && previous == 0x77));
        end(a);
        end(b);
        run(main_task);
    }
    reader.join();
}
