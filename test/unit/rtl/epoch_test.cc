// epoch_test.cc - epochs: issued lazily, ended by releases only, named in runs; ids of finished tasks taken over.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "core_fixture.h"

#include <set>

class Epoch : public Core
{
  protected:
    void release()
    {
        cspr_stamp_unref(cspr_task_publish(cspr_self.task, CSPR_BY_CALL, nullptr));
    }
};

TEST_F(Epoch, NothingRecordedCostsNoId)
{
    release(); // gives what it knows its first name
    uint64_t before = cspr_epoch_issued(), clock = main_task->clock.own_at;
    for (int i = 0; i < 1000; i++) {
        cspr_acquire(&objects[0], nullptr);
        cspr_release(&objects[0], nullptr);
    }
    EXPECT_EQ(cspr_epoch_issued(), before);
    EXPECT_EQ(main_task->clock.own_at, clock);
    EXPECT_EQ(__csp_current, CSPR_CURRENT_NOBODY);
}

TEST_F(Epoch, OnlyAReleaseEndsIt)
{
    write(memory, 8);
    uint32_t first = main_task->epoch;
    cspr_acquire(&objects[0], nullptr);
    write(memory + 8, 8);
    EXPECT_EQ(main_task->epoch, first);
    release();
    EXPECT_EQ(__csp_current, CSPR_CURRENT_NOBODY);
    write(memory + 16, 8);
    EXPECT_NE(main_task->epoch, first);
}

TEST_F(Epoch, RunsNameConsecutiveClocks)
{
    uint64_t before = cspr_epoch_issued();
    for (uint64_t i = 0; i < 160; i++) {
        write(memory, 8);
        uint32_t epoch = main_task->epoch;
        EXPECT_EQ(cspr_epoch_clock(epoch), main_task->clock.own_at);
        EXPECT_EQ(cspr_epoch_run(epoch)->id, main_task->clock.own);
        EXPECT_EQ(cspr_epoch_run(epoch)->who, cspr_task_who(main_task));
        release();
    }
    EXPECT_EQ(cspr_epoch_issued() - before, 160u);
}

TEST_F(Epoch, RunningElsewhereKeepsIt)
{
    cspr_task *a = go();
    run(a);
    write(memory, 8);
    uint64_t current = __csp_current;
    run(main_task);
    EXPECT_NE(__csp_current, current);
    run(a);
    EXPECT_EQ(__csp_current, current);
}

// rule B1: an id is taken over only when the creator knows all that was recorded under it.
TEST_F(Epoch, FinishedIdsAreTakenOver)
{
    std::set<uint32_t> ids;
    for (int i = 0; i < 100; i++) {
        cspr_task *t = go();
        ids.insert(t->clock.own);
        run(t);
        write(memory, 8);
        cspr_release(&objects[0], nullptr);
        end(t);
        run(main_task);
        cspr_acquire(&objects[0], nullptr);
    }
    EXPECT_EQ(ids.size(), 1u);
    EXPECT_TRUE(races.empty());
}

TEST_F(Epoch, UnknownEndsAreNot)
{
    cspr_task *t = go();
    uint32_t id = t->clock.own;
    run(t);
    cspr_release(&objects[0], nullptr);
    write(memory, 8); // after its last release: nobody knows
    end(t);
    run(main_task);
    cspr_acquire(&objects[0], nullptr);
    cspr_task *next = go();
    EXPECT_NE(next->clock.own, id);
    run(next);
    write(memory, 8);
    EXPECT_EQ(races.size(), 1u);
}

// A third party that knew the old owner's end does not know the new owner's beginning.
TEST_F(Epoch, IncarnationsAreToldApart)
{
    cspr_task *first = go(), *other = go();
    run(first);
    write(memory, 8);
    cspr_release(&objects[0], nullptr);
    cspr_who old = cspr_task_who(first);
    uint32_t id = first->clock.own;
    end(first);
    run(other);
    cspr_acquire(&objects[0], nullptr);
    read(memory, 8);
    run(main_task);
    cspr_acquire(&objects[0], nullptr);
    cspr_task *second = go();
    ASSERT_EQ(second->clock.own, id);
    run(second);
    write(memory + 8, 8);
    EXPECT_TRUE(races.empty());
    run(other);
    read(memory + 8, 8);
    ASSERT_EQ(races.size(), 1u);
    EXPECT_EQ(races[0].previous.who, cspr_task_who(second));
    EXPECT_NE(races[0].previous.who, old);
}

TEST_F(Epoch, OrphansIdsGoToTheGrandparent)
{
    cspr_task *parent = go();
    run(parent);
    cspr_task *child = go();
    uint32_t ids[] = {parent->clock.own, child->clock.own};
    cspr_release(&objects[0], nullptr);
    end(parent);
    end(child);
    run(main_task);
    cspr_acquire(&objects[0], nullptr); // all that the parent published; the child did nothing
    EXPECT_EQ(go()->clock.own, ids[0]);
    EXPECT_EQ(go()->clock.own, ids[1]);
}
