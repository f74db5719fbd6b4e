// control_test.cc - units of controlled schedules: names, numbers, keys, who is picked, waiting, waking, the clock.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "core_fixture.h"

#include <climits>
#include <cstring>
#include <map>
#include <set>

extern "C" {
#include "control/control_state.h"
}

namespace
{

class Control : public Core
{
  protected:
    void SetUp() override
    {
        Core::SetUp();
        begin(1);
    }

    void TearDown() override
    {
        cspr_controlled = false;
        cspr_control_it = cspr_control_state{};
        cspr_control_here = nullptr;
    }

    // The schedule of the running task's process, from its beginning.
    void begin(uint64_t seed)
    {
        cspr_control_it = cspr_control_state{};
        cspr_control_it.clock_ns = CSPR_CONTROL_START_NS;
        cspr_control_here = nullptr;
        cspr_controlled = true;
#define FLAG(type, name, value, help) cspr_flags.name = value;
#include "flags.inc"
#undef FLAG
        cspr_flags.schedule = "random";
        cspr_flags.schedule_delay_ms = 0;
        cspr_flags.seed = seed;
        cspr_control_begin();
    }

    cspr_control *me()
    {
        return cspr_control_me();
    }

    // A pthread that could go on.
    cspr_control *thread()
    {
        cspr_task *t = go();
        cspr_control_thread_new(t);
        return t->control;
    }
};

TEST_F(Control, NamesOfOperationsAreDistinct)
{
    std::set<std::string> names;
    for (int op = 0; op < CSP_OPS; op++) {
        const char *name = cspr_op_name(op);
        EXPECT_TRUE(names.insert(name).second) << name;
        EXPECT_EQ(cspr_op_of_name(name, strlen(name)), op);
    }
    EXPECT_EQ(cspr_op_of_name("sen", 3), -1);
}

TEST_F(Control, ObjectsAreNumberedByFirstUse)
{
    static char memory_of_many[5000];
    uint32_t first = cspr_control_object(&memory_of_many[0]);
    for (uint32_t i = 0; i < 5000; i++)
        EXPECT_EQ(cspr_control_object(&memory_of_many[i]), first + i);
    EXPECT_EQ(cspr_control_object(&memory_of_many[17]), first + 17);
    EXPECT_EQ(cspr_control_object(nullptr), 0u);
}

TEST_F(Control, MainIsNumberOne)
{
    EXPECT_EQ(cspr_control_number(nullptr), 1u);
    EXPECT_EQ(thread()->number, 2u);
    EXPECT_EQ(thread()->number, 3u);
}

TEST_F(Control, KeysDoNotDependOnWhoCreatedMeanwhile)
{
    uint64_t second_of_main, child_of_first;
    {
        cspr_control *first = thread();
        second_of_main = thread()->key;
        cspr_control *main = me();
        cspr_control_here->runs = first;
        child_of_first = thread()->key;
        cspr_control_here->runs = main;
    }
    main_task = new_task(nullptr);
    run(main_task);
    begin(1);
    cspr_control *first = thread();
    cspr_control *main = me();
    cspr_control_here->runs = first;
    EXPECT_EQ(thread()->key, child_of_first);
    cspr_control_here->runs = main;
    EXPECT_EQ(thread()->key, second_of_main);
}

TEST_F(Control, EverybodyWhoCanIsPicked)
{
    cspr_control *a = thread(), *b = thread(), *c = thread();
    cspr_control_cannot(b);
    std::map<cspr_control *, int> picked;
    for (int i = 0; i < 300; i++)
        picked[cspr_control_pick()]++;
    EXPECT_GT(picked[me()], 50);
    EXPECT_GT(picked[a], 50);
    EXPECT_GT(picked[c], 50);
    EXPECT_EQ(picked[b], 0);
}

TEST_F(Control, SeedsDecide)
{
    auto schedule = [this](uint64_t seed) {
        main_task = new_task(nullptr);
        run(main_task);
        begin(seed);
        thread();
        thread();
        std::string who;
        for (int i = 0; i < 20; i++)
            who += (char)('0' + cspr_control_pick()->number);
        return who;
    };
    EXPECT_EQ(schedule(7), schedule(7));
    std::set<std::string> distinct;
    for (uint64_t seed = 0; seed < 20; seed++)
        distinct.insert(schedule(seed));
    EXPECT_EQ(distinct.size(), 20u);
}

TEST_F(Control, WaitersAreWokenOnceEach)
{
    int lock, other;
    cspr_control *a = thread(), *b = thread(), *c = thread();
    cspr_control_wait(a, CSP_OP_LOCK, &lock, INT64_MAX);
    cspr_control_wait(b, CSP_OP_LOCK, &lock, INT64_MAX);
    cspr_control_wait(c, CSP_OP_LOCK, &other, INT64_MAX);
    EXPECT_FALSE(a->place || b->place || c->place);
    cspr_control_wake(&lock, 1);
    EXPECT_EQ((a->place != 0) + (b->place != 0), 1);
    EXPECT_TRUE(cspr_control_waits(&lock));
    cspr_control_wake(&lock, UINT_MAX);
    EXPECT_TRUE(a->place && b->place);
    EXPECT_FALSE(cspr_control_waits(&lock));
    EXPECT_FALSE(c->place);
}

TEST_F(Control, WhoIsWokenIsADecision)
{
    int lock;
    std::set<uint32_t> woken;
    for (int i = 0; i < 50; i++) {
        cspr_control *a = thread(), *b = thread();
        uint32_t first = a->number;
        cspr_control_wait(a, CSP_OP_LOCK, &lock, INT64_MAX);
        cspr_control_wait(b, CSP_OP_LOCK, &lock, INT64_MAX);
        cspr_control_wake(&lock, 1);
        woken.insert((a->place ? a : b)->number - first);
        cspr_control_wake(&lock, 1);
    }
    EXPECT_EQ(woken.size(), 2u);
}

TEST_F(Control, DeadlinesComeInTheirOrder)
{
    int64_t now = cspr_control_time();
    cspr_control *late = thread(), *soon = thread();
    cspr_control_wait(late, CSP_OP_SLEEP, nullptr, now + 200);
    cspr_control_wait(soon, CSP_OP_SLEEP, nullptr, now + 100);
    EXPECT_EQ(cspr_control_first_deadline(), now + 100);
    cspr_control_set_clock(now + 100);
    cspr_control_fire_deadlines();
    EXPECT_TRUE(soon->place && soon->timed_out);
    EXPECT_FALSE(late->place);
    cspr_control_unwait(late); // woken before
    EXPECT_FALSE(late->timed_out);
    EXPECT_EQ(cspr_control_first_deadline(), INT64_MAX);
}

TEST_F(Control, TimeJumpsOnlyWhenNobodyCanGoOn)
{
    int64_t now = cspr_control_time();
    cspr_control *sleeper = thread();
    cspr_control_wait(sleeper, CSP_OP_SLEEP, nullptr, now + CSPR_CONTROL_START_NS);
    for (int i = 0; i < 100; i++)
        EXPECT_EQ(cspr_control_pick(), me());
    EXPECT_EQ(cspr_control_time(), now);
    cspr_control *main = me();
    cspr_control_cannot(main);
    EXPECT_EQ(cspr_control_pick(), sleeper);
    EXPECT_EQ(cspr_control_time(), now + CSPR_CONTROL_START_NS);
    cspr_control_can(main);
}

TEST_F(Control, TimersFireEarlyOnlyWithinTheDelay)
{
    for (int delay_ms : {0, 10}) {
        unsigned early = 0;
        for (uint64_t seed = 0; seed < 40; seed++) {
            main_task = new_task(nullptr);
            run(main_task);
            begin(seed);
            cspr_flags.schedule_delay_ms = delay_ms;
            int64_t now = cspr_control_time();
            cspr_control *soon = thread(), *late = thread();
            cspr_control_wait(soon, CSP_OP_SLEEP, nullptr, now + 5000000);
            cspr_control_wait(late, CSP_OP_SLEEP, nullptr, now + 5000000000);
            for (int i = 0; i < 20; i++)
                cspr_control_pick();
            early += soon->place != 0;
            EXPECT_FALSE(late->place);
        }
        if (delay_ms) {
            EXPECT_GT(early, 5u);
            EXPECT_LT(early, 40u);
        } else {
            EXPECT_EQ(early, 0u);
        }
    }
}

TEST_F(Control, WhoSpinsAloneSeesTimePass)
{
    int64_t before = cspr_control_time();
    for (int i = 0; i < 10; i++)
        cspr_control_point_idle(CSP_OP_YIELD, nullptr);
    EXPECT_GE(cspr_control_time(), before + 10 * CSPR_CONTROL_TICK_NS);
    int64_t one = cspr_control_now(), two = cspr_control_now();
    EXPECT_LT(one, two);
}

TEST_F(Control, LooksAgainAndAgainGiveWay)
{
    int flag;
    for (int i = 0; i < 20; i++)
        cspr_control_point(CSP_OP_LOAD, &flag);
    EXPECT_TRUE(me()->gives_way);
    cspr_control_point(CSP_OP_STORE, &flag);
    EXPECT_FALSE(me()->gives_way);
    for (int i = 0; i < 20; i++)
        cspr_control_point(CSP_OP_UPDATE, &flag);
    EXPECT_FALSE(me()->gives_way);
}

TEST_F(Control, RandomNumbersAreTheTasksOwn)
{
    uint64_t first = cspr_control_random(), second = cspr_control_random();
    EXPECT_NE(first, second);
    main_task = new_task(nullptr);
    run(main_task);
    begin(1);
    cspr_control *main = me(), *other = thread();
    cspr_control_here->runs = other;
    EXPECT_NE(cspr_control_random(), first);
    cspr_control_here->runs = main;
    EXPECT_EQ(cspr_control_random(), first);
    EXPECT_EQ(cspr_control_random(), second);
}

} // namespace
