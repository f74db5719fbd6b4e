// resume_test.cc - epochs that go on when a task comes back to a lock (sync.c, "coming back"), and reads epoch after epoch.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "core_fixture.h"

#include <array>
#include <random>
#include <set>

extern "C" {
uint64_t __csp_atomic64_load(const volatile void *, int);
}

class Resume : public Core
{
  protected:
    void SetUp() override
    {
        Core::SetUp();
        cspr_flags.resume_epochs = true;
        a = go();
        b = go();
        run(a);
    }
    void lock(int mode = CSP_LOCK_WRITE, unsigned i = 0)
    {
        cspr_locked(&objects[i], mode, nullptr, 0);
    }
    void unlock(int mode = CSP_LOCK_WRITE, unsigned i = 0)
    {
        cspr_unlocking(&objects[i], mode, nullptr);
    }
    // One stretch under the lock; the epoch it was.
    uint32_t write_locked(const void *p, int mode = CSP_LOCK_WRITE)
    {
        lock(mode);
        write(p, 8);
        uint32_t epoch = cspr_self.task->epoch;
        unlock(mode);
        return epoch;
    }
    cspr_task *a, *b;
};

TEST_F(Resume, TheEpochGoesOn)
{
    uint32_t epoch = write_locked(memory);
    EXPECT_EQ(write_locked(memory), epoch);
    write(memory + 8, 8); // outside: another one
    EXPECT_NE(a->epoch, epoch);
    EXPECT_EQ(write_locked(memory), epoch);
    cspr_flags.resume_epochs = false;
    run(b);
    epoch = write_locked(memory + 16);
    EXPECT_NE(write_locked(memory + 16), epoch);
}

TEST_F(Resume, NothingIsPublishedThatTheLocksClockHas)
{
    write_locked(memory);
    uint64_t published = a->published;
    write_locked(memory + 8);
    write_locked(memory + 16);
    EXPECT_EQ(a->published, published);
    run(b);
    lock();
    read(memory, 24);
    EXPECT_TRUE(races.empty());
}

TEST_F(Resume, WhatWasLearntUnderTheLockIsPassedOn)
{
    run(b);
    write(memory + 8, 8);
    cspr_release(&objects[8], nullptr);
    run(a);
    write_locked(memory);
    lock();
    cspr_acquire(&objects[8], nullptr);
    unlock();
    run(main_task);
    lock();
    read(memory, 16);
    EXPECT_TRUE(races.empty());
}

TEST_F(Resume, WhatWasLearntBeforeItIsPassedOn)
{
    run(b);
    write(memory + 8, 8);
    cspr_release(&objects[8], nullptr);
    run(a);
    write_locked(memory);
    cspr_acquire(&objects[8], nullptr);
    write_locked(memory);
    run(main_task);
    lock();
    read(memory, 16);
    EXPECT_TRUE(races.empty());
}

TEST_F(Resume, ABackAndForthBetweenTwoLocks)
{
    write_locked(memory);
    lock();
    lock(CSP_LOCK_WRITE, 1);
    write(memory + 8, 8);
    unlock();
    write(memory + 16, 8);
    unlock(CSP_LOCK_WRITE, 1);
    run(b);
    lock();
    read(memory, 16);
    EXPECT_TRUE(races.empty());
    read(memory + 16, 8);
    EXPECT_EQ(races.size(), 1u);
}

TEST_F(Resume, AReleaseUnderTheLockEndsIt)
{
    write_locked(memory);
    lock();
    write(memory + 8, 8);
    cspr_release(&objects[8], nullptr);
    write(memory + 8, 8);
    unlock();
    run(b);
    cspr_acquire(&objects[8], nullptr);
    read(memory, 8);
    EXPECT_TRUE(races.empty());
    read(memory + 8, 8);
    EXPECT_EQ(races.size(), 1u);
    races.clear();
    run(main_task);
    lock();
    read(memory + 8, 8);
    EXPECT_TRUE(races.empty());
}

TEST_F(Resume, WhoComesNextKnowsAllOfIt)
{
    write_locked(memory);
    write(memory + 8, 8);
    write_locked(memory + 16);
    run(b);
    lock();
    read(memory, 24);
    EXPECT_TRUE(races.empty());
}

TEST_F(Resume, WhoCameBetweenDoesNot)
{
    uint32_t epoch = write_locked(memory);
    run(b);
    lock();
    unlock();
    run(a);
    EXPECT_NE(write_locked(memory), epoch);
    run(b);
    read(memory, 8);
    EXPECT_EQ(races.size(), 1u);
}

TEST_F(Resume, WhatIsOutsideIsNotCovered)
{
    write_locked(memory);
    write_locked(memory);
    write(memory, 8);
    run(b);
    lock();
    read(memory, 8);
    EXPECT_EQ(races.size(), 1u);
}

TEST_F(Resume, AnotherReleaseEndsIt)
{
    write_locked(memory);
    cspr_release(&objects[8], nullptr);
    run(b);
    cspr_acquire(&objects[8], nullptr);
    run(a);
    write_locked(memory);
    run(b);
    read(memory, 8);
    EXPECT_EQ(races.size(), 1u);
}

TEST_F(Resume, AnAcquireOfTheLocksClockByOtherMeansEndsIt)
{
    uint32_t epoch = write_locked(memory);
    run(b);
    cspr_acquire(&objects[0], nullptr);
    run(a);
    EXPECT_NE(write_locked(memory), epoch);
    run(b);
    read(memory, 8);
    EXPECT_EQ(races.size(), 1u);
    races.clear();
    run(a);
    epoch = write_locked(memory + 8);
    run(b);
    __csp_atomic64_load(&objects[0], __ATOMIC_ACQUIRE);
    run(a);
    EXPECT_NE(write_locked(memory + 8), epoch);
}

TEST_F(Resume, ReadersComeBackBesideReaders)
{
    uint32_t epoch = write_locked(memory, CSP_LOCK_READ);
    run(b);
    lock(CSP_LOCK_READ);
    read(memory + 8, 8);
    uint32_t of_b = b->epoch;
    unlock(CSP_LOCK_READ);
    run(a);
    EXPECT_EQ(write_locked(memory, CSP_LOCK_READ), epoch);
    run(main_task);
    lock();
    read(memory, 8);
    EXPECT_TRUE(races.empty());
    unlock();
    run(b);
    lock(CSP_LOCK_READ);
    read(memory + 8, 8);
    EXPECT_NE(b->epoch, of_b); // a writer was there
}

TEST_F(Resume, AReaderWhoseTakingWasIgnoredWasThere)
{
    write_locked(memory);
    run(b);
    b->ignored[CSPR_IGNORE_SYNC]++;
    lock(CSP_LOCK_READ);
    read(memory + 8, 8);
    b->ignored[CSPR_IGNORE_SYNC]--;
    unlock(CSP_LOCK_READ);
    run(a);
    write_locked(memory + 8);
    EXPECT_TRUE(races.empty());
}

TEST_F(Resume, AnUnlockThatIsIgnoredEndsIt)
{
    write_locked(memory);
    lock();
    a->ignored[CSPR_IGNORE_SYNC]++;
    unlock();
    a->ignored[CSPR_IGNORE_SYNC]--;
    write(memory, 8);
    run(b);
    lock();
    read(memory, 8);
    EXPECT_EQ(races.size(), 1u);
}

TEST_F(Resume, NotWithLocksThatAreHanded)
{
    lock();
    run(b);
    unlock();
    run(a);
    lock(); // its first one still counts as held: nobody told that it is not
    unlock();
    uint32_t epoch = write_locked(memory);
    EXPECT_NE(write_locked(memory), epoch);
}

TEST_F(Resume, ALockMadeAnewIsAnother)
{
    uint32_t epoch = write_locked(memory);
    cspr_sync_reset(&objects[0]);
    lock();
    write(memory, 8);
    EXPECT_NE(a->epoch, epoch);
}

TEST_F(Resume, ALockWhoseMemoryWasForgottenIsAnother)
{
    write_locked(memory);
    cspr_shadow_forget((uintptr_t)&objects[0], (uintptr_t)(&objects[0] + 1));
    write_locked(memory);
    run(b);
    lock();
    read(memory, 8);
    EXPECT_TRUE(races.empty());
    unlock();
    run(a);
    write_locked(memory);
    lock();
    cspr_shadow_forget((uintptr_t)&objects[0], (uintptr_t)(&objects[0] + 1));
    write(memory + 8, 8);
    unlock();
    run(b);
    lock();
    read(memory, 16);
    EXPECT_TRUE(races.empty());
}

// Random programs of a few tasks, locks and other objects beside a checker that keeps every access: the same racy words, with
// epochs that go on and without.
namespace
{
enum { TASKS = 3, LOCKS = 3, OBJECTS = 2, WORDS = 6, STEPS = 120 };
using Clock = std::array<uint64_t, TASKS>;

struct Model {
    struct Access {
        unsigned task;
        bool is_write;
        uint64_t at;
    };
    Clock clock[TASKS], of_lock[LOCKS], of_readers[LOCKS], of_object[OBJECTS];
    std::vector<Access> accesses[WORDS];
    std::set<unsigned> racy;

    Model() : clock(), of_lock(), of_readers(), of_object()
    {
        for (unsigned i = 0; i < TASKS; i++)
            clock[i][i] = 1;
    }
    static void join(Clock &into, const Clock &from)
    {
        for (unsigned i = 0; i < TASKS; i++)
            into[i] = std::max(into[i], from[i]);
    }
    void access(unsigned t, unsigned word, bool is_write)
    {
        for (const Access &e : accesses[word])
            if (e.task != t && (e.is_write || is_write) && clock[t][e.task] < e.at)
                racy.insert(word);
        accesses[word].push_back({t, is_write, clock[t][t]});
    }
    void lock(unsigned t, unsigned l, bool is_write)
    {
        join(clock[t], of_lock[l]);
        if (is_write)
            join(clock[t], of_readers[l]);
    }
    void acquire(unsigned t, unsigned o)
    {
        join(clock[t], of_object[o]);
    }
    void release(unsigned t, unsigned o)
    {
        of_object[o] = clock[t];
        clock[t][t]++;
    }
    void unlock(unsigned t, unsigned l, bool is_write)
    {
        if (is_write) {
            of_lock[l] = clock[t];
            of_readers[l] = {};
        } else
            join(of_readers[l], clock[t]);
        clock[t][t]++;
    }
};
} // namespace

TEST_F(Resume, AgreesWithACheckerThatKeepsAll)
{
    unsigned with_races = 0, resumed = 0;
    for (unsigned seed = 0; seed < 4000; seed++) {
        SetUp();
        cspr_flags.resume_epochs = seed % 4 != 3;
        std::mt19937 random(seed);
        cspr_task *tasks[TASKS] = {a, b, go()};
        Model model;
        int held[TASKS][LOCKS] = {}; // 1: read, 2: written
        for (unsigned step = 0; step < STEPS; step++) {
            unsigned t = random() % TASKS, l = random() % LOCKS, word = random() % WORDS;
            bool is_write = random() % 3 == 0;
            run(tasks[t]);
            if (unsigned o = random() % 32; o < 2 * OBJECTS) {
                const void *object = &objects[8 + o / 2];
                o % 2 ? model.acquire(t, o / 2) : model.release(t, o / 2);
                o % 2 ? cspr_acquire(object, nullptr) : cspr_release(object, nullptr);
            } else if (random() % 2) {
                model.access(t, word, is_write);
                is_write ? write(memory + 8 * word, 8) : read(memory + 8 * word, 8);
            } else if (held[t][l]) {
                bool written = held[t][l] == 2;
                model.unlock(t, l, written);
                unlock(written ? CSP_LOCK_WRITE : CSP_LOCK_READ, l);
                held[t][l] = 0;
            } else {
                bool is_free = true;
                for (auto &of : held)
                    is_free &= !of[l] || (of[l] == 1 && !is_write);
                if (!is_free)
                    continue;
                uint32_t before = tasks[t]->resume.epoch;
                model.lock(t, l, is_write);
                lock(is_write ? CSP_LOCK_WRITE : CSP_LOCK_READ, l);
                held[t][l] = 1 + is_write;
                resumed += before && tasks[t]->epoch == before;
            }
        }
        std::set<unsigned> found;
        for (const cspr_race &race : races)
            found.insert((unsigned)(race.addr - (uintptr_t)memory) / 8);
        ASSERT_EQ(found, model.racy) << "seed " << seed;
        with_races += !found.empty() && found.size() < WORDS;
        for (cspr_task *t : tasks)
            end(t);
        end(main_task);
    }
    EXPECT_GT(with_races, 500u);
    EXPECT_GT(resumed, 5000u);
}
