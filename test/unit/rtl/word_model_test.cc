// word_model_test.cc - random accesses of every shape against a history kept byte by byte.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whatever way an access takes - a whole line, the short ways, cells, records and back - the first race on each byte is told
// (promise P1), and nothing that is none.
#include "core_fixture.h"

#include <array>
#include <random>

extern "C" {
#include "shadow/reread.h"
}

class WordModel : public Core, public testing::WithParamInterface<unsigned>
{
};

namespace
{
constexpr int TASKS = 5, BYTES = 320, OBJECTS = 3;
constexpr int FIRST = 352; // of the memory: a boundary of marks (marks.c) lies in between
using Vector = std::array<uint64_t, TASKS>;

struct Byte {
    bool raced = false;
    Vector read = {}, write = {}; // by task: its last one; 0: none
};

struct Model {
    std::array<Vector, TASKS> clock = {};
    std::array<Vector, OBJECTS> object = {};
    std::array<Byte, BYTES> bytes = {};

    Model()
    {
        for (int t = 0; t < TASKS; t++)
            clock[t][t] = 1; // 0 is what everybody knows
    }
    bool knows(int t, int other, uint64_t at) const
    {
        return t == other || clock[t][other] >= at;
    }
    // Whether it races with anything; *must: and is the first that does on one of its bytes.
    bool access(int t, int from, int n, bool is_write, bool *must)
    {
        bool races = false;
        *must = false;
        for (int i = from; i < from + n; i++) {
            Byte &b = bytes[i];
            bool found = false;
            for (int o = 0; o < TASKS; o++)
                found |= !knows(t, o, b.write[o]) || (is_write && !knows(t, o, b.read[o]));
            *must |= found && !b.raced;
            b.raced |= found;
            races |= found;
            (is_write ? b.write : b.read)[t] = clock[t][t];
        }
        return races;
    }
    void release(int t, int o)
    {
        object[o] = clock[t];
        clock[t][t]++;
    }
    void acquire(int t, int o)
    {
        for (int i = 0; i < TASKS; i++)
            clock[t][i] = std::max(clock[t][i], object[o][i]);
    }
    void meet(int a, int b)
    {
        Vector both;
        for (int i = 0; i < TASKS; i++)
            both[i] = std::max(clock[a][i], clock[b][i]);
        clock[a] = clock[b] = both;
        clock[a][a]++;
        clock[b][b]++;
    }
};
// All optimisations on (0), or one off.
void switch_off(int which)
{
    cspr_flags.read_sets = which != 1;
    cspr_flags.reread_in_place = which != 2;
    cspr_flags.meet_once = which != 3;
    cspr_flags.whole_lines = which != 4;
    cspr_flags.two_writes = which != 5;
}
// Whether the rest's stack says what the newer write's epoch has read of it.
bool is_read_rest(uint64_t rest)
{
    cspr_stack stack = cspr_cell_stack(rest);
    unsigned mask;
    cspr_depot_take_read(&stack, &mask);
    return mask & cspr_cell_mask(rest);
}
} // namespace

TEST_P(WordModel, AgreesByteByByte)
{
    std::mt19937 random(GetParam());
    int n_spread = 0, n_rests = 0, n_read_rests = 0; // words met that have slots; or the rest of a write, partly read
    for (int round = 0; round < 40; round++) {
        SetUp();
        cspr_readset_after = round / 4 % 2 * 16;
        cspr_flags.own_rereads = round / 8 % 4 != 3;
        cspr_reread_after = 0;
        unsigned one_write_in = round / 8 % 2 ? 16 : 2;
        switch_off(round % 6);
        Model model;
        std::array<cspr_task *, TASKS> tasks;
        for (auto &t : tasks)
            t = new_task(nullptr);
        void *ch = cspr_hooks.chan_new(&objects[32], 0, 8, nullptr);
        int now = 0, n_races = 0, quiet = round % 4; // in some rounds hardly anything races
        run(tasks[0]);
        for (int step = 0; step < 600; step++) {
            unsigned what = random() % (quiet ? 12 : 20);
            int o = random() % OBJECTS;
            if (what < 2) {
                cspr_release(&objects[o * 8], nullptr);
                model.release(now, o);
            } else if (what < 4) {
                cspr_acquire(&objects[o * 8], nullptr);
                model.acquire(now, o);
            } else if (what < 6) {
                int other = (now + 1 + random() % (TASKS - 1)) % TASKS;
                if (random() % 3 == 0 || quiet) {
                    cspr_hooks.chan_rendezvous(ch, tasks[other]);
                    model.meet(now, other);
                }
                run(tasks[now = other]);
            } else {
                static const int sizes[] = {1, 2, 4, 4, 8, 8, 8, 16, 24, 32, 40, 64, 96, BYTES};
                int n = sizes[random() % std::size(sizes)], from = random() % (BYTES - n + 1);
                if (random() % 4)
                    from = from / std::min(n, 8) * std::min(n, 8);
                bool is_write = random() % one_write_in == 0, must;
                races.clear();
                char *at = memory + FIRST + from;
                is_write ? write(at, n, 0x100 + step) : read(at, n, 0x100 + step);
                bool may = model.access(now, from, n, is_write, &must);
                ASSERT_TRUE(!must || !races.empty()) << "missed: round " << round << " step " << step;
                ASSERT_TRUE(may || races.empty()) << "false: round " << round << " step " << step;
                n_races += may;
                bool is_rest = has_rest(at);
                n_rests += is_rest;
                n_read_rests += is_rest && is_read_rest(read_cell(at));
                n_spread += is_aside(at) && record_at(at)->spread;
            }
        }
        cspr_hooks.chan_free(ch);
        if (!quiet && one_write_in == 2)
            EXPECT_GT(n_races, 10);
        for (auto &t : tasks)
            end(t);
    }
    EXPECT_GT(n_spread, 20);
    EXPECT_GT(n_rests, 100);
    EXPECT_GT(n_read_rests, 20);
    switch_off(0);
}
INSTANTIATE_TEST_SUITE_P(Seeds, WordModel, testing::Range(1u, 6u));
