// everyone_test.cc - what every live task knows: who counts, who does not any more, and what that spares.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "core_fixture.h"

extern "C" {
#include "clock/everyone.h"
}

class Everyone : public Core
{
  protected:
    void TearDown() override
    {
        end(main_task); // it would count in the next test
    }

    // An epoch of t that is over.
    uint32_t epoch_of(cspr_task *t)
    {
        run(t);
        write(&memory[0], 1);
        uint32_t epoch = cspr_task_name_epoch(t);
        cspr_release(&objects[0], t);
        return epoch;
    }
    // t learns what the newest release said. Tasks say what they know when they learn after somebody asked.
    void learn(cspr_task *t)
    {
        run(t);
        cspr_acquire(&objects[0], t);
        cspr_everyone_learned_slow(t);
    }
    bool knows(cspr_task *t, uint32_t epoch)
    {
        run(t);
        return cspr_everyone_knows(t, epoch);
    }
};

TEST_F(Everyone, WhatWasBeforeTheOthersBegan)
{
    uint32_t epoch = epoch_of(main_task);
    cspr_task *a = go(), *b = go();
    EXPECT_TRUE(knows(a, epoch));
    end(a);
    end(b);
}

TEST_F(Everyone, OneWhoDoesNotKnowPreventsIt)
{
    cspr_task *a = go(), *b = go();
    uint32_t epoch = epoch_of(a);
    learn(main_task);
    EXPECT_FALSE(knows(a, epoch));
    learn(b);
    EXPECT_TRUE(knows(a, epoch));
    end(a);
    end(b);
}

TEST_F(Everyone, WhatWasLearnedIsSaidWhenSomebodyHasAsked)
{
    cspr_task *a = go();
    uint32_t epoch = epoch_of(a);
    EXPECT_FALSE(knows(a, epoch)); // asks
    run(main_task);
    cspr_acquire(&objects[0], main_task);
    EXPECT_TRUE(knows(a, epoch));
    end(a);
}

TEST_F(Everyone, OneThatEndsNoLongerCounts)
{
    cspr_task *a = go(), *b = go();
    uint32_t epoch = epoch_of(a);
    learn(main_task);
    end(b);
    EXPECT_TRUE(knows(a, epoch));
    end(a);
}

TEST_F(Everyone, ATaskThatBeginsKnowsWhatItsCreatorKnew)
{
    cspr_task *a = go();
    uint32_t before = epoch_of(a);
    learn(main_task);
    EXPECT_TRUE(knows(a, before));
    run(main_task);
    cspr_task *b = go();
    uint32_t after = epoch_of(a);
    learn(main_task);
    EXPECT_TRUE(knows(a, before));
    EXPECT_FALSE(knows(a, after)); // b's creator learned it too late
    end(a);
    end(b);
}

TEST_F(Everyone, TheAwaitedOneStandsForTheWaiter)
{
    cspr_task *a = go(), *b = go();
    uint32_t epoch = epoch_of(b);
    EXPECT_FALSE(knows(b, epoch));
    cspr_everyone_waits(main_task, a);
    EXPECT_FALSE(knows(b, epoch)); // a does not know it
    learn(a);
    EXPECT_TRUE(knows(b, epoch));
    uint32_t later = epoch_of(b);
    cspr_everyone_back(main_task); // without an end of a
    learn(a);
    EXPECT_FALSE(knows(b, later));
    end(a);
    end(b);
}

TEST_F(Everyone, NobodyStandsForWhoWaitsForItself)
{
    cspr_task *a = go();
    uint32_t epoch = epoch_of(a);
    cspr_everyone_waits(main_task, main_task);
    EXPECT_FALSE(knows(a, epoch));
    end(a);
}

TEST_F(Everyone, AKeptClockPreventsIt)
{
    cspr_task *a = go();
    uint32_t epoch = epoch_of(a);
    run(main_task);
    void *snapshot = cspr_hooks.snapshot_new();
    learn(main_task);
    EXPECT_FALSE(knows(a, epoch));
    cspr_hooks.snapshot_free(snapshot);
    EXPECT_TRUE(knows(a, epoch));
    end(a);
}

TEST_F(Everyone, MoreTasksThanRows)
{
    std::vector<cspr_task *> tasks;
    uint32_t epoch = epoch_of(main_task);
    for (int i = 0; i < 20; i++) {
        run(main_task);
        tasks.push_back(go());
    }
    EXPECT_FALSE(knows(main_task, epoch));
    for (cspr_task *t : tasks)
        end(t);
    EXPECT_TRUE(knows(main_task, epoch));
}

// Bytes of a word written in different epochs stay in its cells when nobody can race with the older ones; a race with those
// that somebody does not know is still found.
TEST_F(Everyone, OlderBytesAreLetGo)
{
    write(&memory[8], 8);
    cspr_task *a = go();
    run(a);
    write(&memory[8], 4);
    EXPECT_FALSE(has_rest(&memory[8]) || is_aside(&memory[8]));
    cspr_release(&objects[0], a);
    write(&memory[12], 4); // main does not know the other half's
    EXPECT_TRUE(has_rest(&memory[8]));
    run(main_task);
    read(&memory[8], 4);
    EXPECT_EQ(races.size(), 1u);
    read(&memory[12], 4);
    EXPECT_EQ(races.size(), 2u);
    end(a);
}
