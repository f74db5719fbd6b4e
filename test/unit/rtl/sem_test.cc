// sem_test.cc - a semaphore's units come out in the order of their release, each with its clock; what ends them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "core_fixture.h"

extern "C" {
#include "sync/sem.h"
}

class Sem : public Core
{
  protected:
    void SetUp() override
    {
        Core::SetUp();
        cspr_sem_set(sem, -1);
        a = go();
        b = go();
    }
    void TearDown() override
    {
        cspr_sem_max_runs = 1u << 20;
    }
    // t writes its own word number i, then releases.
    void release(cspr_task *t, unsigned i, int64_t units = 1)
    {
        run(t);
        write(memory + 8 * i, 8);
        cspr_sem_release(sem, 0, units, nullptr, CSPR_BY_CALL);
    }
    void take(int64_t units)
    {
        run(main_task);
        cspr_sem_take(sem, 0, units, nullptr);
    }
    bool is_ordered(unsigned i)
    {
        races.clear();
        run(main_task);
        read(memory + 8 * i, 8);
        return races.empty();
    }
    const void *sem = &objects[16];
    cspr_task *a, *b;
};

TEST_F(Sem, FirstInFirstOut)
{
    release(a, 0);
    release(b, 1);
    release(a, 2);
    take(1);
    EXPECT_TRUE(is_ordered(0));
    EXPECT_FALSE(is_ordered(1));
    take(2);
    EXPECT_TRUE(is_ordered(2));
}

TEST_F(Sem, InitialUnitsCarryNothing)
{
    cspr_sem_set(sem, 2);
    EXPECT_TRUE(cspr_sem_is_known(sem));
    release(a, 0);
    take(2);
    EXPECT_FALSE(is_ordered(0));
    release(a, 1);
    run(a);
    cspr_sem_release(&objects[17], 0, 3, nullptr, CSPR_BY_CALL); // another one
    take(2);
    EXPECT_TRUE(is_ordered(1));
}

TEST_F(Sem, UnknownOneBeginsWithWhatItHas)
{
    run(a);
    write(memory, 8);
    cspr_sem_release(sem, 3, 1, nullptr, CSPR_BY_CALL);
    take(3);
    EXPECT_FALSE(is_ordered(0));
    release(a, 1);
    take(2);
    EXPECT_TRUE(is_ordered(1));
}

TEST_F(Sem, TakesMoreThanThereAre)
{
    release(a, 0, 2);
    take(5);
    EXPECT_TRUE(is_ordered(0));
    release(b, 1);
    take(1);
    EXPECT_TRUE(is_ordered(1));
}

TEST_F(Sem, ManyRunsAtOnce)
{
    for (unsigned i = 0; i < 100; i++)
        release(i % 2 ? a : b, i);
    take(99);
    for (unsigned i = 0; i < 99; i++)
        EXPECT_TRUE(is_ordered(i)) << i;
    EXPECT_FALSE(is_ordered(99));
}

TEST_F(Sem, UnitsOfOneClockAreOneRun)
{
    cspr_sem_max_runs = 2;
    run(a);
    for (unsigned i = 0; i < 1000; i++) // nothing is done in between: a million of these cost no more
        cspr_sem_release(sem, 0, 1000, nullptr, CSPR_BY_CALL);
    EXPECT_EQ(cspr_sem_merged(), 0u);
    release(b, 0);
    take(1000000);
    EXPECT_FALSE(is_ordered(0));
    take(1);
    release(b, 1);
    take(1);
    EXPECT_TRUE(is_ordered(1));
}

TEST_F(Sem, AFullQueueMergesAndSaysSo)
{
    cspr_sem_max_runs = 4;
    for (unsigned i = 0; i < 6; i++)
        release(i % 2 ? a : b, i);
    EXPECT_EQ(cspr_sem_merged(), 2u);
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_NE(notes[0].find("semaphore"), std::string::npos);
    take(3);
    EXPECT_FALSE(is_ordered(3));
    take(1); // with it goes the order of the two that found no room
    EXPECT_TRUE(is_ordered(4));
    EXPECT_TRUE(is_ordered(5));
}

TEST_F(Sem, MemoryUsedForSomethingElse)
{
    release(a, 0);
    take(1);
    run(main_task);
    write(sem, 8);
    EXPECT_FALSE(cspr_sem_is_known(sem));
    release(a, 1);
    cspr_access_free((uintptr_t)sem, 8, stack(0x7), 0);
    EXPECT_FALSE(cspr_sem_is_known(sem));
}
