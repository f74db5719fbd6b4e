// cell_test.cc - the two cells of a word: what is recorded, what replaces what, what goes aside and comes back.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "core_fixture.h"

class Cell : public Core
{
};

TEST_F(Cell, FirstAccessTakesTheCell)
{
    write(memory, 4);
    uint64_t w = write_cell(memory);
    EXPECT_EQ(cspr_cell_mask(w), 0x0fu);
    EXPECT_EQ(cspr_cell_epoch(w), main_task->epoch);
    EXPECT_EQ(read_cell(memory), w); // for its own reads
    EXPECT_EQ(__csp_current, cspr_cell_of(main_task->epoch, 0xff, 0));
}

TEST_F(Cell, UnorderedWritesRace)
{
    cspr_task *a = go(), *b = go();
    run(a);
    write(memory + 2, 4, 0x11);
    run(b);
    write(memory, 4, 0x22);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_EQ(races[0].addr, (uintptr_t)memory + 2);
    EXPECT_EQ(races[0].previous.addr, (uintptr_t)memory + 2);
    EXPECT_EQ(races[0].previous.size, 4u);
    EXPECT_EQ(races[0].previous.who, cspr_task_who(a));
    EXPECT_EQ(races[0].current.who, cspr_task_who(b));
    EXPECT_EQ(pc_of(races[0].previous.stack), 0x11u);
    EXPECT_EQ(pc_of(races[0].current.stack), 0x22u);
    EXPECT_TRUE(races[0].previous.is_write && races[0].current.is_write);
}

TEST_F(Cell, CreationOrders)
{
    write(memory, 8);
    cspr_task *a = go();
    run(a);
    write(memory, 8);
    EXPECT_TRUE(races.empty());
}

TEST_F(Cell, WhatFollowsCreationIsNotOrdered)
{
    cspr_task *a = go();
    write(memory, 8);
    run(a);
    read(memory, 1);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_FALSE(races[0].current.is_write);
}

TEST_F(Cell, ReadsDoNotRace)
{
    cspr_task *a = go(), *b = go();
    run(a);
    read(memory, 8);
    run(b);
    read(memory, 8);
    EXPECT_TRUE(races.empty());
    EXPECT_FALSE(is_aside(memory));
    EXPECT_EQ(readers(memory), 2u); // both are kept:
    run(main_task);
    write(memory, 8);
    EXPECT_EQ(races.size(), 1u);    // each byte's first race
    EXPECT_FALSE(is_aside(memory)); // a write over all of it brings the cells back
}

// rule A4: words that the same epochs read name one set, whoever came first; stacks make variants of it.
TEST_F(Cell, SetsOfReadersAreInterned)
{
    cspr_task *a = go(), *b = go();
    run(a);
    read(memory, 8, 0x11);
    read(memory + 16, 8, 0x22);
    run(b);
    read(memory, 8, 0x33);
    read(memory + 8, 8, 0x33);
    read(memory + 16, 8, 0x33);
    run(a);
    EXPECT_EQ(__csp_current_shared, CSPR_CURRENT_NOBODY);
    read(memory + 8, 8, 0x11);
    EXPECT_EQ(read_cell(memory), read_cell(memory + 8));
    EXPECT_NE(read_cell(memory), read_cell(memory + 16));
    EXPECT_EQ(read_cell(memory) >> CSPR_SET_VARIANT_BITS, read_cell(memory + 16) >> CSPR_SET_VARIANT_BITS);
    read(memory, 4, 0x44); // recorded: compiled code is told
    EXPECT_EQ(__csp_current_shared, read_cell(memory));
    EXPECT_EQ(readers(memory), 2u);
    cspr_release(objects, nullptr); // the epoch ends
    EXPECT_EQ(__csp_current_shared, CSPR_CURRENT_NOBODY);
    EXPECT_EQ(readers(memory + 8), 2u);
    run(main_task);
    write(memory + 8, 4);
    ASSERT_EQ(races.size(), 1u); // each byte's first
    EXPECT_EQ(readers(memory + 8), 2u);
    EXPECT_EQ(cspr_cell_mask(read_cell(memory + 8)), 0xf0u);
}

// A set for every epoch would not pay: what is read epoch after epoch is aside, until the readers know of each other.
TEST_F(Cell, ReadsEpochAfterEpochStayAside)
{
    cspr_task *a = go(), *b = go();
    run(b);
    read(memory, 8, 0x33);
    run(a);
    read(memory, 8, 0x11);
    EXPECT_EQ(readers(memory), 2u);
    for (uintptr_t pc = 0x50; pc < 0x58; pc++) {
        cspr_release(objects, nullptr);
        read(memory, 8, pc); // takes the place of the earlier one
        EXPECT_TRUE(is_aside(memory));
    }
    run(main_task);
    cspr_acquire(objects, nullptr);
    write(memory, 8);
    ASSERT_EQ(races.size(), 1u); // each byte's first
    races.clear();
    run(b);
    cspr_release(objects + 1, nullptr);
    run(a);
    cspr_acquire(objects + 1, nullptr);
    read(memory, 8);
    EXPECT_EQ(races.size(), 1u); // main's write
    EXPECT_FALSE(is_aside(memory));
}

// Bytes read in pieces become one set once all readers have read the same.
TEST_F(Cell, PiecewiseReadersShare)
{
    cspr_task *a = go(), *b = go();
    run(a);
    read(memory, 4, 0x11);
    read(memory + 4, 4, 0x22);
    run(b);
    read(memory, 4, 0x33);
    EXPECT_TRUE(is_aside(memory));
    read(memory + 4, 4, 0x44);
    EXPECT_EQ(readers(memory), 2u);
    run(main_task);
    write(memory + 4, 4);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_EQ(pc_of(races[0].previous.stack), 0x22u);
}

TEST_F(Cell, BytesAreApart)
{
    cspr_task *a = go(), *b = go();
    run(a);
    write(memory, 4, 0x11);
    run(b);
    write(memory + 4, 4, 0x22);
    EXPECT_TRUE(races.empty());
    EXPECT_TRUE(is_aside(memory));
    run(main_task);
    read(memory + 6, 1);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_EQ(pc_of(races[0].previous.stack), 0x22u);
}

// rule A2: each part of a word keeps its own stack.
TEST_F(Cell, CompositeStacks)
{
    cspr_task *a = go();
    run(a);
    write(memory, 2, 0x11);
    write(memory + 2, 2, 0x22);
    write(memory + 4, 4, 0x33);
    EXPECT_FALSE(is_aside(memory));
    EXPECT_EQ(cspr_cell_mask(write_cell(memory)), 0xffu);
    run(main_task);
    read(memory + 2, 1);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_EQ(pc_of(races[0].previous.stack), 0x22u);
    races.clear();
    read(memory, 8, 0x44);
    ASSERT_EQ(races.size(), 3u);
    EXPECT_EQ(pc_of(races[0].previous.stack), 0x11u);
    EXPECT_EQ(pc_of(races[1].previous.stack), 0x22u);
    EXPECT_EQ(pc_of(races[2].previous.stack), 0x33u);
    EXPECT_EQ(races[2].addr, (uintptr_t)memory + 4);
}

// rule A7: a read covered by this epoch's write enters the slow path once; then the inline check finds it.
TEST_F(Cell, ReadsUnderOnesOwnWriteNeedNoRecord)
{
    write(memory, 8, 0x11);
    uint64_t w = write_cell(memory);
    read(memory, 4, 0x22);
    EXPECT_EQ(read_cell(memory), w);
    EXPECT_EQ(write_cell(memory), w);
}

// Nor are they told: the write is the race.
TEST_F(Cell, AWriteIsNotTakenForARead)
{
    cspr_task *a = go(), *b = go();
    run(a);
    write(memory, 8, 0x11);
    read(memory, 4, 0x22);
    run(b);
    write(memory, 8, 0x33);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_TRUE(races[0].previous.is_write);
    EXPECT_EQ(pc_of(races[0].previous.stack), 0x11u);
}

TEST_F(Cell, WhatAWriteLeftForItsOwnReadsIsNotKeptForOthers)
{
    go(); // does not know of the write, which hence stays
    write(memory, 8);
    cspr_task *a = go();
    run(a);
    read(memory, 4);
    EXPECT_EQ(cspr_cell_epoch(read_cell(memory)), a->epoch);
    EXPECT_EQ(cspr_cell_mask(read_cell(memory)), 0x0fu);
    EXPECT_TRUE(races.empty());
}

// By marks: every place that was touched has one (marks.c). Bounds of lines, not of marks.
TEST_F(Cell, AStackIsForgottenWhereverItWasTouched)
{
    alignas(1024) static char stack[64 << 10];
    uintptr_t lo = (uintptr_t)stack + 96, hi = (uintptr_t)stack + sizeof stack - 160;
    const size_t at[] = {96, 504, 512, 4088, 4096, 20000, sizeof stack - 168};
    cspr_task *a = go(), *b = go();
    run(a);
    for (size_t i : at)
        write(stack + i, 4);
    run(b);
    write(stack + 20004, 2); // a's half stays: the word goes aside
    write(stack + 88, 8);
    write(stack + sizeof stack - 160, 8);
    cspr_shadow_forget_stack(lo, hi);
    for (size_t i : at) {
        EXPECT_EQ(write_cell(stack + i), 0u) << i;
        EXPECT_EQ(read_cell(stack + i), 0u) << i;
    }
    EXPECT_NE(write_cell(stack + 88), 0u);
    EXPECT_NE(write_cell(stack + sizeof stack - 160), 0u);
    write(stack + 96, 8);
    EXPECT_TRUE(races.empty());
}

TEST_F(Cell, StraddlingAccessChecksBothWords)
{
    cspr_task *a = go();
    run(a);
    write(memory + 8, 1);
    run(main_task);
    read(memory + 5, 4);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_EQ(races[0].addr, (uintptr_t)memory + 8);
    EXPECT_EQ(races[0].current.addr, (uintptr_t)memory + 5);
    EXPECT_EQ(races[0].current.size, 4u);
}

// What a range access finds recorded it passes over; the rest it records.
TEST_F(Cell, RangesRecordEveryByte)
{
    cspr_task *a = go();
    run(a);
    write(memory, 64);
    write(memory + 96, 40);
    write(memory + 3, 250);
    run(main_task);
    for (size_t i = 0; i < 253; i++) {
        races.clear();
        read(memory + i, 1);
        EXPECT_EQ(races.size(), 1u) << "byte " << i;
    }
    races.clear();
    read(memory + 253, 1);
    EXPECT_TRUE(races.empty());
}

// An older epoch's word, overwritten byte by byte from several places, each remembered; the older write goes last.
TEST_F(Cell, OlderWordOverwrittenByteByByte)
{
    for (bool two_writes : {false, true}) {
        cspr_flags.two_writes = two_writes;
        cspr_task *a = new_task(nullptr);
        run(a);
        write(memory, 8, 0x10);
        cspr_release(objects, nullptr);
        for (uintptr_t i = 0; i < 8; i++) {
            EXPECT_EQ(is_aside(memory), i > 0 && !two_writes);
            EXPECT_EQ(has_rest(memory), i > 0 && two_writes);
            write(memory + i, 1, 0x20 + i);
        }
        EXPECT_FALSE(is_aside(memory) || has_rest(memory));
        run(main_task);
        cspr_acquire(objects, nullptr); // orders the older write only
        races.clear();
        read(memory, 8);
        ASSERT_EQ(races.size(), 8u);
        for (uintptr_t i = 0; i < 8; i++)
            EXPECT_EQ(pc_of(races[i].previous.stack), 0x20 + i);
        cspr_shadow_forget((uintptr_t)memory, (uintptr_t)memory + 8);
    }
}

// access_piece.c: what an epoch left of an older write, and what it read of that.
TEST_F(Cell, WhatIsLeftOfAnOlderWriteIsRemembered)
{
    cspr_task *a = go();
    run(a);
    write(memory, 8, 0x11);
    cspr_release(objects, nullptr);
    write(memory, 4, 0x22);
    EXPECT_TRUE(has_rest(memory));
    run(main_task); // not ordered after either
    read(memory, 8, 0x33);
    ASSERT_EQ(races.size(), 2u);
    EXPECT_EQ(pc_of(races[0].previous.stack), 0x22u);
    EXPECT_EQ(pc_of(races[1].previous.stack), 0x11u);
    EXPECT_TRUE(races[1].previous.is_write);
    EXPECT_EQ(races[1].addr, (uintptr_t)memory + 4);
}

TEST_F(Cell, WhatWasReadOfTheRestIsRemembered)
{
    cspr_task *a = go();
    run(a);
    write(memory, 8, 0x11);
    cspr_release(objects, nullptr);
    read(memory, 8, 0x22);
    write(memory, 4, 0x33);
    write(memory + 4, 2, 0x34); // of two more nothing was left to read
    EXPECT_TRUE(has_rest(memory));
    uint64_t r = read_cell(memory), w = write_cell(memory);
    read(memory, 8); // covered by the write and the read before
    EXPECT_EQ(read_cell(memory), r);
    EXPECT_EQ(write_cell(memory), w);
    run(main_task);
    cspr_acquire(objects, nullptr); // orders the older write only
    read(memory + 6, 2);
    EXPECT_TRUE(races.empty());
    write(memory, 8);
    ASSERT_EQ(races.size(), 3u);
    EXPECT_EQ(pc_of(races[0].previous.stack), 0x33u);
    EXPECT_EQ(pc_of(races[1].previous.stack), 0x34u);
    EXPECT_EQ(pc_of(races[2].previous.stack), 0x22u);
    EXPECT_FALSE(races[2].previous.is_write);
    EXPECT_EQ(races[2].addr, (uintptr_t)memory + 6);
}

// Halves written by turns: a third epoch makes the second write the rest. What it would lose goes aside.
TEST_F(Cell, AThirdEpochsWriteTakesTheRestsPlace)
{
    cspr_task *a = go();
    run(a);
    for (uintptr_t i = 0; i < 6; i++) {
        write(memory + i % 2 * 4, 4, 0x20 + i);
        EXPECT_EQ(has_rest(memory), i > 0);
        cspr_release(objects, nullptr);
    }
    write(memory + 2, 1, 0x26);
    EXPECT_TRUE(is_aside(memory));
    run(main_task);
    for (uintptr_t i = 0; i < 8; i++)
        read(memory + i, 1);
    ASSERT_EQ(races.size(), 8u);
    for (uintptr_t i = 0; i < 8; i++)
        EXPECT_EQ(pc_of(races[i].previous.stack), i == 2 ? 0x26u : i < 4 ? 0x24u : 0x25u);
}

// The rest is no read: a line read or written at once neither takes it for one nor loses it.
TEST_F(Cell, LinesWithARest)
{
    cspr_task *a = go();
    run(a);
    write(memory, 32, 0x11);
    cspr_release(objects, nullptr);
    write(memory + 8, 4, 0x22);
    ASSERT_TRUE(has_rest(memory + 8));
    cspr_release(objects, nullptr);
    read(memory, 32, 0x33);
    run(main_task);
    read(memory + 12, 4);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_EQ(pc_of(races[0].previous.stack), 0x11u);
    cspr_acquire(objects, nullptr); // orders both writes
    write(memory + 12, 4);
    ASSERT_EQ(races.size(), 2u);
    EXPECT_EQ(pc_of(races[1].previous.stack), 0x33u);
}

TEST_F(Cell, ForgettingLeavesNothing)
{
    cspr_task *a = go();
    run(a);
    write(memory, 4);
    run(main_task);
    write(memory + 4, 4); // aside
    uint64_t before = cspr_side_count();
    cspr_shadow_forget((uintptr_t)memory, (uintptr_t)memory + 8);
    EXPECT_EQ(cspr_side_count(), before - 1);
    write(memory, 8);
    EXPECT_TRUE(races.empty());
}

// A thousand readers of one word, each seen by the writer that follows, and none of them quadratic.
TEST_F(Cell, ManyReaders)
{
    std::vector<cspr_task *> tasks;
    for (int i = 0; i < 1000; i++)
        tasks.push_back(go());
    for (int round = 0; round < 3; round++)
        for (cspr_task *t : tasks) {
            run(t);
            read(memory, 8);
            cspr_stamp_unref(cspr_task_publish(t, CSPR_BY_CALL, nullptr)); // a new epoch each round
        }
    EXPECT_TRUE(races.empty());
    run(main_task);
    for (cspr_task *t : tasks)
        if (t != tasks[500]) {
            cspr_stamp *s = cspr_task_publish(t, CSPR_BY_CALL, nullptr);
            cspr_task_learn(main_task, s);
            cspr_stamp_unref(s);
        }
    write(memory, 8);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_EQ(races[0].previous.who, cspr_task_who(tasks[500]));
    for (cspr_task *t : tasks)
        end(t);
}
