// access_test.cc - the slow path as a whole: against an oracle of full vector clocks, ranges, heap blocks, used-up ids.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "core_fixture.h"

#include <map>
#include <random>
#include <set>

#include <sys/mman.h>

class Access : public Core
{
};

namespace
{

// The obvious detector: every task a full clock, every byte the last event of each kind by each task.
class Oracle
{
  public:
    using Clock = std::map<int, uint64_t>;
    enum Kind { READ, WRITE, ATOMIC_READ, ATOMIC_WRITE };

    void create(int parent, int child)
    {
        clocks[child] = clocks[parent];
        tick(child);
        tick(parent);
    }
    void acquire(int t, int obj)
    {
        join(clocks[t], objects[obj]);
    }
    void release(int t, int obj)
    {
        objects[obj] = clocks[t];
        tick(t);
    }
    void release_merge(int t, int obj)
    {
        join(objects[obj], clocks[t]);
        tick(t);
    }
    void tick(int t)
    {
        clocks[t][t]++;
    }
    // The bytes of [at, at + n) that race with an event that still stands there.
    std::set<size_t> access(int t, size_t at, size_t n, Kind kind, uintptr_t pc)
    {
        std::set<size_t> racy;
        places.clear();
        for (size_t b = at; b < at + n; b++) {
            auto &events = bytes[b];
            for (auto it = events.begin(); it != events.end();) {
                auto [who, old] = it->first;
                bool known = it->second <= clocks[t][who];
                if (conflict(kind, old) && !known)
                    racy.insert(b);
                bool replaced = (known || conflict(kind, old)) && (kind == WRITE || kind == old || old == ATOMIC_READ);
                it = replaced ? events.erase(it) : std::next(it);
            }
            events[{t, kind}] = clocks[t][t];
            for (const Past &p : history[b])
                if (conflict(kind, p.kind) && p.at > clocks[t][p.task])
                    places[b].insert(p.pc);
            history[b].push_back({t, clocks[t][t], kind, pc});
        }
        return racy;
    }
    void overwrite(int t, size_t at, size_t n, uintptr_t pc)
    {
        for (size_t b = at; b < at + n; b++) {
            bytes[b] = {{{t, WRITE}, clocks[t][t]}};
            history[b] = {{t, clocks[t][t], WRITE, pc}};
        }
    }
    // Where the events are that the last access races with, by byte; a report may name any of them.
    std::map<size_t, std::set<uintptr_t>> places;

  private:
    static bool writes(Kind k)
    {
        return k == WRITE || k == ATOMIC_WRITE;
    }
    static bool atomic(Kind k)
    {
        return k >= ATOMIC_READ;
    }
    static bool conflict(Kind a, Kind b)
    {
        return (writes(a) || writes(b)) && !(atomic(a) && atomic(b));
    }
    static void join(Clock &a, const Clock &b)
    {
        for (auto [id, at] : b)
            a[id] = std::max(a[id], at);
    }
    std::map<int, Clock> clocks;
    std::map<int, Clock> objects;
    std::map<size_t, std::map<std::pair<int, Kind>, uint64_t>> bytes;
    struct Past {
        int task;
        uint64_t at;
        Kind kind;
        uintptr_t pc;
    };
    std::map<size_t, std::vector<Past>> history;
};

} // namespace

extern "C" uint8_t __csp_atomic8_load(const volatile void *, int);
extern "C" void __csp_atomic8_store(volatile void *, uint8_t, int);
extern "C" uint32_t __csp_atomic32_load(const volatile void *, int);
extern "C" void __csp_atomic32_store(volatile void *, uint32_t, int);

class OracleTest : public Access
{
  protected:
    static constexpr size_t BYTES = 24;
    static constexpr int OBJECTS = 3;
    static constexpr uintptr_t ATOMICS_ARE_ABOVE = 0x1000; // theirs is a place in this file
    std::set<size_t> already_racy;
    size_t max_tasks = 5;
    unsigned reads_per_write = 1; // more of them: sizes of words and halves, so that tasks read the same bytes
    size_t n_shared = 0, largest_set = 0;

    std::set<size_t> reported_bytes(Oracle &oracle)
    {
        std::set<size_t> bytes;
        for (const cspr_race &r : races)
            for (unsigned b = 0; b < 8; b++)
                if (r.current.byte_mask >> b & 1) {
                    size_t at = (r.addr & ~(uintptr_t)7) + b - (uintptr_t)memory;
                    bytes.insert(at);
                    uintptr_t place = pc_of(r.previous.stack, 1u << b);
                    if (!already_racy.count(at) && place < ATOMICS_ARE_ABOVE) // rule A2: a place that touched this byte
                        EXPECT_TRUE(oracle.places[at].count(place)) << "byte " << at << " place " << place;
                }
        races.clear();
        return bytes;
    }

    size_t n_first_races = 0;

    void one_access(std::mt19937 &random, Oracle &oracle, int t, bool atomics)
    {
        size_t n = (size_t)1 << random() % 4, at = random() % (BYTES - n + 1);
        bool is_write = random() % (1 + reads_per_write) == 0;
        if (reads_per_write > 1 && random() % 8) {
            n = random() % 3 ? 8 : 4;
            at = at / n * n % BYTES;
        }
        std::set<size_t> expected;
        uintptr_t pc = 0x100 + random() % 4;
        if (atomics && random() % 3 == 0) {
            n = random() % 2 ? 1 : 4;
            at = at / n * n % (BYTES - n + 1) / n * n;
            expected = oracle.access(t, at, n, is_write ? Oracle::ATOMIC_WRITE : Oracle::ATOMIC_READ, 0);
            if (is_write && n == 1)
                __csp_atomic8_store(memory + at, 1, __ATOMIC_RELAXED);
            else if (is_write)
                __csp_atomic32_store(memory + at, 1, __ATOMIC_RELAXED);
            else if (n == 1)
                __csp_atomic8_load(memory + at, __ATOMIC_RELAXED);
            else
                __csp_atomic32_load(memory + at, __ATOMIC_RELAXED);
        } else {
            expected = oracle.access(t, at, n, is_write ? Oracle::WRITE : Oracle::READ, pc);
            cspr_access((uintptr_t)memory + at, n, is_write, stack(pc));
        }
        if (unsigned members = readers(memory + at)) {
            n_shared++;
            largest_set = std::max<size_t>(largest_set, members);
        }
        std::set<size_t> reported = reported_bytes(oracle);
        for (size_t b : already_racy) { // the promise is each byte's first race
            reported.erase(b);
            expected.erase(b);
        }
        ASSERT_EQ(reported, expected) << "at " << at << " size " << n << " write " << is_write << " task " << t;
        already_racy.insert(expected.begin(), expected.end());
        n_first_races += expected.size();
    }

    void trace(unsigned seed, bool atomics)
    {
        std::mt19937 random(seed);
        Oracle oracle;
        already_racy.clear();
        std::vector<cspr_task *> tasks = {main_task};
        oracle.tick(0);
        for (int step = 0; step < 250 && !HasFatalFailure(); step++) {
            int t = (int)(random() % tasks.size());
            int obj = (int)(random() % OBJECTS);
            run(tasks[(size_t)t]);
            switch (random() % 12) {
            case 0:
                if (tasks.size() < max_tasks) {
                    oracle.create(t, (int)tasks.size());
                    tasks.push_back(go());
                }
                break;
            case 1:
                oracle.acquire(t, obj);
                cspr_acquire(&objects[obj], nullptr);
                break;
            case 2:
                oracle.release(t, obj);
                cspr_release(&objects[obj], nullptr);
                break;
            case 3:
                oracle.release_merge(t, obj);
                cspr_release_merge(&objects[obj], nullptr);
                break;
            case 4:
                if (random() % 8 == 0) {
                    size_t word = random() % (BYTES / 8) * 8;
                    oracle.overwrite(t, word, 8, 0x999);
                    for (size_t b = word; b < word + 8; b++)
                        already_racy.erase(b);
                    cspr_access_alloc((uintptr_t)memory + word, 8, stack(0x999));
                }
                break;
            default:
                one_access(random, oracle, t, atomics);
            }
        }
        for (size_t i = 1; i < tasks.size(); i++)
            end(tasks[i]);
        run(main_task);
    }
};

TEST_F(OracleTest, PlainAccesses)
{
    for (unsigned seed = 1; seed <= 1500 && !HasFatalFailure(); seed++) {
        SCOPED_TRACE(seed);
        SetUp();
        cspr_readset_after = seed % 3 * 4; // from the start, sometimes, hardly
        trace(seed, false);
    }
    EXPECT_GT(n_first_races, 10000u);
}

TEST_F(OracleTest, WithAtomics)
{
    for (unsigned seed = 1; seed <= 1500 && !HasFatalFailure(); seed++) {
        SCOPED_TRACE(seed);
        SetUp();
        trace(seed, true);
    }
}

// rule A4: words that several unordered tasks read, whole and in part, are written by ordered and unordered ones; more
// readers than a set has room for.
TEST_F(OracleTest, SharedReads)
{
    max_tasks = 12;
    reads_per_write = 12;
    for (unsigned seed = 1; seed <= 1500 && !HasFatalFailure(); seed++) {
        SCOPED_TRACE(seed);
        SetUp();
        trace(seed, seed % 4 == 0);
    }
    EXPECT_GT(n_first_races, 5000u);
    EXPECT_GT(n_shared, 10000u);
    EXPECT_EQ(largest_set, (size_t)CSPR_READSET_MAX);
}

TEST_F(OracleTest, NoRoomForReadSets)
{
    uint32_t limit = cspr_readset_limit;
    cspr_readset_limit = 0;
    max_tasks = 12;
    reads_per_write = 12;
    for (unsigned seed = 2001; seed <= 2300 && !HasFatalFailure(); seed++) {
        SCOPED_TRACE(seed);
        SetUp();
        trace(seed, false);
    }
    cspr_readset_limit = limit;
}

// rule A9: when epoch ids or stack ids have no name that fits a cell, verdicts stay exact.
TEST_F(OracleTest, UsedUpIds)
{
    uint32_t epochs = cspr_epoch_limit, stacks = cspr_depot_cell_limit;
    cspr_depot_cell_limit = stack(0x101);
    cspr_epoch_limit = (uint32_t)cspr_epoch_issued() + CSPR_EPOCH_FIRST + 1600;
    for (unsigned seed = 1; seed <= 300 && !HasFatalFailure(); seed++) {
        SCOPED_TRACE(seed);
        SetUp();
        trace(seed, true);
    }
    EXPECT_EQ(__csp_current, CSPR_CURRENT_NOBODY);
    cspr_epoch_limit = epochs;
    cspr_depot_cell_limit = stacks;
}
