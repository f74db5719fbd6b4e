// strategy_test.cc - strategies over simulated programs: how likely they meet what, that all ends, that the seed decides all.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "core_fixture.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <utility>

extern "C" {
#include "base/pct_bound.h"
#include "base/seed.h"
#include "control/profile.h"
#include "control/strategy.h"
}

namespace
{
// One operation of a simulated task. done: false, and it is executed again.
struct Op {
    uint32_t object = 0;
    bool is_write = true;
    uint8_t op = 1;
    int child = -1;         // index of the task that this one starts
    bool gives_way = false; // as yields do
    std::function<bool()> ready = [] { return true; };
    std::function<bool()> done = [] { return true; };
};
using Task = std::vector<Op>;
using Program = std::vector<Task>; // the first is main
// (task index, which of its operations)
using Trace = std::vector<std::pair<int, int>>;

uint64_t key_of(int task)
{
    return csp_seed_mix(uint64_t(task) + 1);
}

std::vector<int> parents_of(const Program &program)
{
    std::vector<int> parent(program.size(), -1);
    for (size_t i = 0; i < program.size(); i++)
        for (const Op &op : program[i])
            if (op.child >= 0)
                parent[size_t(op.child)] = int(i);
    return parent;
}

// Executes the program under the strategy. Tasks that nobody starts are there from the beginning.
class Simulation
{
  public:
    Simulation(const Program &p, const cspr_strategy_params &params, size_t limit) : program(p), at(p.size())
    {
        cspr_strategy_begin(&params);
        parent = parents_of(p);
        numbers.resize(p.size());
        for (size_t i = 0; i < p.size(); i++)
            if (parent[i] < 0)
                start(int(i), -1);
        while (trace.size() < limit && step())
            ;
    }
    Trace trace;

  private:
    void start(int task, int creator)
    {
        numbers[size_t(task)] = ++created;
        live.push_back(task);
        cspr_strategy_task_created(created, key_of(task), creator < 0 ? 0 : numbers[size_t(creator)]);
    }
    bool step()
    {
        candidates.clear();
        index.clear();
        int32_t current = CSPR_NO_CURRENT;
        for (int i : live) {
            const Op &op = program[size_t(i)][at[size_t(i)]];
            if (!op.ready())
                continue;
            if (i == last)
                current = int32_t(index.size());
            index.push_back(i);
            candidates.push_back({numbers[size_t(i)], op.object, key_of(i), executed[i], op.op, op.is_write});
        }
        if (index.empty())
            return false;
        uint32_t chosen = cspr_strategy_choose(candidates.data(), uint32_t(index.size()), current, gave_way);
        EXPECT_LT(chosen, index.size());
        last = index[chosen];
        size_t task = size_t(last);
        const Op &op = program[task][at[task]];
        trace.emplace_back(last, int(at[task]));
        executed[last]++;
        gave_way = op.gives_way;
        if (op.child >= 0)
            start(op.child, last);
        if (op.done() && ++at[task] == program[task].size()) {
            live.erase(std::find(live.begin(), live.end(), last));
            cspr_strategy_task_ended(numbers[task]);
            last = -1;
        }
        return true;
    }
    const Program &program;
    std::vector<size_t> at;
    std::vector<int> parent, live, index;
    std::vector<uint32_t> numbers;
    std::vector<cspr_candidate> candidates;
    std::map<int, uint64_t> executed;
    uint32_t created = 0;
    int last = -1;
    bool gave_way = false;
};

Trace simulate(const Program &program, const cspr_strategy_params &params, size_t limit = 100000)
{
    return Simulation(program, params, limit).trace;
}

Task work(size_t n, uint32_t object = 0)
{
    Op op;
    op.object = object;
    return Task(n, op);
}

void make_profile(const Program &program)
{
    std::vector<int> parent = parents_of(program);
    cspr_profile_clear();
    for (size_t i = 0; i < program.size(); i++)
        cspr_profile_add(key_of(int(i)), parent[i] < 0 ? 0 : key_of(parent[i]), program[i].size());
}

// Position of each operation in the trace, by task.
std::vector<std::vector<int>> positions(const Program &program, const Trace &trace)
{
    std::vector<std::vector<int>> result(program.size());
    for (size_t i = 0; i < trace.size(); i++)
        result[size_t(trace[i].first)].push_back(int(i));
    return result;
}

// Whether the counts may come from a uniform distribution: chi-square within four standard deviations.
double chi_square_excess(const std::vector<double> &counts)
{
    double total = std::accumulate(counts.begin(), counts.end(), 0.0), expected = total / double(counts.size()),
           sum = 0;
    for (double n : counts)
        sum += (n - expected) * (n - expected) / expected;
    double freedom = double(counts.size()) - 1;
    return (sum - freedom) / std::sqrt(2 * freedom);
}

const cspr_strategy_kind ALL[] = {CSPR_STRATEGY_RANDOM, CSPR_STRATEGY_PCT, CSPR_STRATEGY_POS,
                                  CSPR_STRATEGY_URW,    CSPR_STRATEGY_RR,  CSPR_STRATEGY_PORTFOLIO};

class Strategy : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        cspr_profile_clear();
    }
    void TearDown() override
    {
        cspr_profile_clear();
    }
    cspr_strategy_params params(cspr_strategy_kind kind, uint64_t seed, uint32_t depth = 0, uint64_t length = 0)
    {
        return {kind, csp_seed_of_iteration(1, seed), depth, length};
    }
};

TEST_F(Strategy, Names)
{
    for (cspr_strategy_kind kind : ALL) {
        cspr_strategy_kind parsed;
        ASSERT_TRUE(cspr_strategy_parse(cspr_strategy_name(kind), &parsed));
        EXPECT_EQ(parsed, kind);
    }
    cspr_strategy_kind parsed;
    EXPECT_FALSE(cspr_strategy_parse("", &parsed));
    EXPECT_FALSE(cspr_strategy_parse("randomly", &parsed));
}

TEST_F(Strategy, RandomIsUniformAtEachStep)
{
    const int tasks = 4, steps = 40000;
    Program program(tasks, work(steps));
    Trace trace = simulate(program, params(CSPR_STRATEGY_RANDOM, 0), steps);
    std::vector<double> singles(tasks), pairs(tasks * tasks);
    for (size_t i = 1; i < trace.size(); i++) {
        singles[size_t(trace[i].first)]++;
        pairs[size_t(trace[i - 1].first * tasks + trace[i].first)]++;
    }
    EXPECT_LT(chi_square_excess(singles), 4);
    EXPECT_LT(chi_square_excess(pairs), 4);
}

// --- pct: the guarantee of the paper, for every bug of a shape --------------------------------------------------------------

class Pct : public Strategy
{
  protected:
    // How many of so many runs had each of the bugs that find_bugs tells, against what the bound promises.
    template <class F> void expect_bound(const Program &program, unsigned depth, int runs, size_t bugs, F find_bugs)
    {
        uint64_t k = 0;
        for (const Task &t : program)
            k += t.size();
        std::vector<int> met(bugs);
        for (int seed = 0; seed < runs; seed++) {
            Trace trace = simulate(program, params(CSPR_STRATEGY_PCT, uint64_t(seed), depth, k));
            find_bugs(positions(program, trace), met);
        }
        double promised = csp_pct_chance(program.size(), k, depth) * runs;
        for (size_t i = 0; i < bugs; i++)
            EXPECT_GT(met[i], promised - 4 * std::sqrt(promised)) << "bug " << i << " of depth " << depth;
    }
};

TEST_F(Pct, Depth1)
{
    // Any operation of any task before any other one's first or after its last.
    Program program = {work(6), work(6), work(6), work(6)};
    expect_bound(program, 1, 4000, 12, [](const auto &at, std::vector<int> &met) {
        size_t bug = 0;
        for (size_t a = 0; a < 4; a++)
            for (size_t b = 0; b < 4; b++)
                if (a != b)
                    met[bug++] += at[a].back() < at[b].front();
    });
}

TEST_F(Pct, Depth2)
{
    // Any operation of b between any two of a that follow one another.
    Program program = {work(6), work(6), work(4)};
    expect_bound(program, 2, 20000, 5 * 6, [](const auto &at, std::vector<int> &met) {
        for (size_t i = 0; i < 5; i++)
            for (size_t j = 0; j < 6; j++)
                met[i * 6 + j] += at[0][i] < at[1][j] && at[1][j] < at[0][i + 1];
    });
}

TEST_F(Pct, Depth3)
{
    // a's i-th, b's j-th, a's next, b's next: both are interrupted.
    Program program = {work(5), work(5)};
    expect_bound(program, 3, 40000, 4 * 4, [](const auto &at, std::vector<int> &met) {
        for (size_t i = 0; i < 4; i++)
            for (size_t j = 0; j < 4; j++)
                met[i * 4 + j] += at[0][i] < at[1][j] && at[1][j] < at[0][i + 1] && at[0][i + 1] < at[1][j + 1];
    });
}

TEST_F(Pct, DepthIsTheNumberOfSwitches)
{
    Program program = {work(50), work(50), work(50)};
    for (uint32_t depth = 1; depth <= 5; depth++)
        for (uint64_t seed = 0; seed < 200; seed++) {
            Trace trace = simulate(program, params(CSPR_STRATEGY_PCT, seed, depth, 150));
            std::vector<int> at(3);
            uint32_t early = 0; // switches away from a task that is not at its end
            for (size_t i = 1; i < trace.size(); i++) {
                int was = trace[i - 1].first;
                early += trace[i].first != was && trace[i - 1].second != 49;
            }
            EXPECT_LE(early, depth - 1);
        }
}

TEST_F(Pct, LengthOfTheProfile)
{
    Program program = {work(300), work(300)};
    make_profile(program);
    // With k = 600 changes come anywhere; the guess would put hardly any behind the first few.
    std::vector<double> tenths(10);
    for (uint64_t seed = 0; seed < 4000; seed++) {
        Trace trace = simulate(program, params(CSPR_STRATEGY_PCT, seed, 2));
        for (size_t i = 1; i < trace.size(); i++)
            if (trace[i].first != trace[i - 1].first) {
                tenths[i / 60]++; // of the change alone: not where a task had come to its end
                break;
            }
    }
    // The change falls into the first half with even chances; else the first switch is the end of the first task.
    tenths.resize(5);
    EXPECT_LT(chi_square_excess(tenths), 4);
}

// --- pos ----------------------------------------------------------------------------------------------------------------------

TEST_F(Strategy, PosMeetsWhatARandomWalkDoesNot)
{
    // One operation of b loses against all 21 of a, which are on other things: 1/22 where a random walk needs 2^21 runs.
    const size_t m = 21;
    Program program = {work(m, 1), work(1, 2)};
    auto count = [&](cspr_strategy_kind kind, int runs) {
        int last = 0;
        for (int seed = 0; seed < runs; seed++)
            last += simulate(program, params(kind, uint64_t(seed))).back().first == 1;
        return last;
    };
    const double runs = 22000;
    EXPECT_NEAR(count(CSPR_STRATEGY_POS, int(runs)), runs / double(m + 1), 4 * std::sqrt(runs / double(m + 1)));
    EXPECT_LE(count(CSPR_STRATEGY_RANDOM, int(runs)), 1);
}

TEST_F(Strategy, PosDrawsAgainAfterARace)
{
    // All on one object: losing once does not make losing again likelier. 3 times in a row: 1/8, with priorities kept 1/4.
    Program program = {work(3, 1), work(1, 1)};
    const int runs = 16000;
    int last = 0;
    for (int seed = 0; seed < runs; seed++)
        last += simulate(program, params(CSPR_STRATEGY_POS, uint64_t(seed))).back().first == 1;
    EXPECT_NEAR(last, runs / 8, 4 * std::sqrt(runs / 8));
    // Readings do not race: 1/4.
    for (Task &t : program)
        for (Op &op : t)
            op.is_write = false;
    last = 0;
    for (int seed = 0; seed < runs; seed++)
        last += simulate(program, params(CSPR_STRATEGY_POS, uint64_t(seed))).back().first == 1;
    EXPECT_NEAR(last, runs / 4, 4 * std::sqrt(runs / 4));
}

// --- urw ----------------------------------------------------------------------------------------------------------------------

std::vector<double> count_traces(const Program &program, cspr_strategy_kind kind, int runs)
{
    std::map<Trace, double> counts;
    for (int seed = 0; seed < runs; seed++)
        counts[simulate(program, {kind, csp_seed_of_iteration(2, uint64_t(seed)), 0, 0})]++;
    std::vector<double> result;
    for (const auto &entry : counts)
        result.push_back(entry.second);
    return result;
}

TEST_F(Strategy, UrwIsUniformOverInterleavings)
{
    Program program = {work(4), work(2), work(1)}; // 7! / (4! 2! 1!)
    make_profile(program);
    std::vector<double> counts = count_traces(program, CSPR_STRATEGY_URW, 42000);
    EXPECT_EQ(counts.size(), 105u);
    EXPECT_LT(chi_square_excess(counts), 4);
    EXPECT_GT(chi_square_excess(count_traces(program, CSPR_STRATEGY_RANDOM, 42000)), 40); // the test can tell
}

TEST_F(Strategy, UrwCountsChildrenToCome)
{
    // main: one, starts a, one, starts b, one; b starts c.
    Program program = {work(5), work(2), work(2), work(1)};
    program[0][1].child = 1;
    program[0][3].child = 2;
    program[2][0].child = 3;
    make_profile(program);
    std::vector<double> counts = count_traces(program, CSPR_STRATEGY_URW, 60000);
    EXPECT_LT(chi_square_excess(counts), 4);
    EXPECT_GT(counts.size(), 50u);
    EXPECT_GT(chi_square_excess(count_traces(program, CSPR_STRATEGY_RANDOM, 60000)), 40);
}

TEST_F(Strategy, UrwGoesOnWhereTheProfileEnds)
{
    Program trial = {work(1), work(1)}, program = {work(50), work(50), work(50)};
    make_profile(trial);
    for (uint64_t seed = 0; seed < 100; seed++)
        EXPECT_EQ(simulate(program, params(CSPR_STRATEGY_URW, seed)).size(), 150u);
}

// --- round robin, portfolio ---------------------------------------------------------------------------------------------------

TEST_F(Strategy, RoundRobinGivesAllTheSame)
{
    Program program = {work(130), work(130), work(130)};
    std::map<size_t, int> quanta;
    for (uint64_t seed = 0; seed < 200; seed++) {
        Trace trace = simulate(program, params(CSPR_STRATEGY_RR, seed));
        size_t quantum = 1;
        while (trace[quantum].first == trace[0].first)
            quantum++;
        quanta[quantum]++;
        for (size_t i = 0; i < 130 / quantum * quantum * 3; i++)
            ASSERT_EQ(trace[i].first, int(i / quantum % 3)) << "quantum " << quantum << ", step " << i;
    }
    EXPECT_EQ(quanta.size(), 8u);
    EXPECT_EQ(quanta.begin()->first, 1u);
}

TEST_F(Strategy, PortfolioIsAllOfThem)
{
    Program program = {work(20, 1), work(20, 1), work(20, 2)};
    std::map<cspr_strategy_kind, int> used;
    std::map<uint32_t, int> depths; // of pct
    for (uint64_t seed = 0; seed < 1600; seed++) {
        Trace trace = simulate(program, params(CSPR_STRATEGY_PORTFOLIO, seed, 4));
        cspr_strategy_kind kind = cspr_strategy_used();
        ASSERT_NE(kind, CSPR_STRATEGY_PORTFOLIO);
        used[kind]++;
        uint32_t depth = cspr_strategy_depth();
        depths[depth] += kind == CSPR_STRATEGY_PCT;
        // The run is the one that the member itself gives with that seed, and that depth.
        ASSERT_EQ(trace, simulate(program, params(kind, seed, depth)));
    }
    EXPECT_EQ(used.size(), 5u);
    EXPECT_EQ(depths[2] + depths[4], used[CSPR_STRATEGY_PCT]);
    EXPECT_GT(depths[2], 150);
    EXPECT_GT(depths[4], 150);
    for (const auto &entry : used)
        EXPECT_GT(entry.second, 60);
}

// --- all --------------------------------------------------------------------------------------------------------------------------

TEST_F(Strategy, TheSeedDecidesAll)
{
    Program program = {work(30, 1), work(30, 1), work(30, 2), work(30, 2)};
    program[0][3].child = 2;
    program[1][5].child = 3;
    make_profile(program);
    for (cspr_strategy_kind kind : ALL) {
        std::map<Trace, int> traces;
        for (uint64_t seed = 0; seed < 100; seed++) {
            Trace trace = simulate(program, params(kind, seed));
            EXPECT_EQ(trace.size(), 120u);
            traces[trace]++;
            simulate({work(7), work(9)}, params(CSPR_STRATEGY_PCT, seed + 1)); // nothing of it stays
            EXPECT_EQ(trace, simulate(program, params(kind, seed))) << cspr_strategy_name(kind);
        }
        EXPECT_GE(traces.size(), kind == CSPR_STRATEGY_RR ? 4u : 80u) << cspr_strategy_name(kind);
    }
}

class Spin : public Strategy
{
  protected:
    void SetUp() override
    {
        Strategy::SetUp();
        reset();
    }
    void reset()
    {
        flag = other = false;
    }
    // Runs the program under every strategy: the loops end, and soon.
    void expect_end(const Program &program, size_t soon, uint64_t length = 100)
    {
        for (cspr_strategy_kind kind : ALL)
            for (uint64_t seed = 0; seed < 300; seed++) {
                reset();
                ASSERT_LT(simulate(program, params(kind, seed, 3, length), soon).size(), soon)
                    << cspr_strategy_name(kind) << ", seed " << seed;
            }
    }
    Op sets(bool &what)
    {
        Op op;
        op.object = 9;
        op.done = [&what] { return what = true; };
        return op;
    }
    Op waits_for(bool &what, bool is_write, bool gives_way)
    {
        Op op;
        op.object = 9;
        op.is_write = is_write;
        op.gives_way = gives_way;
        op.done = [&what] { return what; };
        return op;
    }
    bool flag, other;
};

TEST_F(Spin, LoopsThatYield)
{
    Program program = {work(10), {waits_for(flag, true, true)}, {waits_for(flag, true, true)}};
    program[0].push_back(sets(flag));
    expect_end(program, 8000);
}

TEST_F(Spin, LoopsThatOnlyRead)
{
    Program program = {work(10), {waits_for(flag, false, false)}, {waits_for(flag, false, false)}};
    program[0].push_back(sets(flag));
    expect_end(program, 8000, 100000);
}

TEST_F(Spin, LoopsThatTryToChange)
{
    Program program = {work(10), {waits_for(flag, true, false)}, {waits_for(flag, true, false)}};
    program[0].push_back(sets(flag));
    expect_end(program, 40000);
}

TEST_F(Spin, LoopsOfSeveralOperations)
{
    // Of two objects in turn, so no operation is repeated.
    Task spinner = {waits_for(flag, true, false)};
    bool even = false;
    Op loop;
    loop.is_write = true;
    loop.done = [&] {
        even = !even;
        return flag;
    };
    Program program = {work(10), {loop}};
    program[0].push_back(sets(flag));
    // The simulated operation is one; its object changes between the choices.
    Program *p = &program;
    program[1][0].ready = [&, p] {
        (*p)[1][0].object = even ? 3 : 4;
        return true;
    };
    expect_end(program, 40000);
}

TEST_F(Spin, LoopsThatWaitForEachOther)
{
    Program program = {{waits_for(flag, false, false), sets(other)}, work(5)};
    program[1].push_back(sets(flag));
    program[1].push_back(waits_for(other, false, false));
    program.push_back(work(50, 3));
    expect_end(program, 8000);
}

TEST_F(Strategy, TenThousandTasks)
{
    const uint32_t tasks = 10000;
    std::vector<cspr_candidate> all(tasks);
    for (cspr_strategy_kind kind : ALL) {
        cspr_strategy_params p = params(kind, 5);
        cspr_strategy_begin(&p);
        for (uint32_t i = 0; i < tasks; i++) {
            all[i] = {i + 1, i % 100 + 1, key_of(int(i)), 0, 1, true};
            cspr_strategy_task_created(i + 1, all[i].key, i ? 1 : 0);
        }
        std::vector<int> ran(tasks);
        for (int step = 0; step < 2000; step++) {
            uint32_t chosen = cspr_strategy_choose(all.data(), tasks, CSPR_NO_CURRENT, false);
            all[chosen].points++;
            ran[chosen]++;
        }
        EXPECT_EQ(std::accumulate(ran.begin(), ran.end(), 0), 2000);
    }
}

TEST_F(Strategy, TasksThatNobodyToldOf)
{
    for (cspr_strategy_kind kind : ALL) {
        cspr_strategy_params p = params(kind, 1);
        cspr_strategy_begin(&p);
        cspr_candidate c[2] = {{70000, 1, 5, 0, 1, true}, {3, 1, 6, 0, 1, true}};
        EXPECT_LT(cspr_strategy_choose(c, 2, CSPR_NO_CURRENT, true), 2u);
        cspr_strategy_task_ended(90000);
        EXPECT_EQ(cspr_strategy_choose(c, 1, 0, true), 0u);
    }
}

// --- profile ------------------------------------------------------------------------------------------------------------------------

TEST_F(Strategy, ProfileAddsUpDescendants)
{
    ASSERT_TRUE(cspr_profile_parse("cspthread profile 1\na 0 10\nb a 20\nc b 5\nffffffffffffffff a 7\n"));
    EXPECT_EQ(cspr_profile_length(), 42u);
    EXPECT_EQ(cspr_profile_tasks(), 4u);
    EXPECT_EQ(cspr_profile_subtree(0xa), 42u);
    EXPECT_EQ(cspr_profile_subtree(0xb), 25u);
    EXPECT_EQ(cspr_profile_subtree(0xc), 5u);
    EXPECT_EQ(cspr_profile_subtree(UINT64_MAX), 7u);
    EXPECT_EQ(cspr_profile_subtree(0xd), 0u);
    cspr_profile_clear();
    EXPECT_EQ(cspr_profile_subtree(0xa), 0u);
    for (uint64_t i = 1; i <= 5000; i++)
        cspr_profile_add(i * CSP_SEED_STEP, i == 1 ? 0 : CSP_SEED_STEP, 1);
    EXPECT_EQ(cspr_profile_subtree(CSP_SEED_STEP), 5000u);
    EXPECT_EQ(cspr_profile_subtree(4999 * CSP_SEED_STEP), 1u);
}

TEST_F(Strategy, ProfileThatIsNone)
{
    for (const char *text : {"", "cspthread profile 2\n", "cspthread profile 1", "cspthread profile 1\na 0\n",
                             "cspthread profile 1\na 0 x\n", "cspthread profile 1\n\n", "cspthread profile 1\na 0 5",
                             "cspthread profile 1\nA 0 5\n"}) {
        EXPECT_FALSE(cspr_profile_parse(text)) << text;
        EXPECT_EQ(cspr_profile_length(), 0u);
    }
    EXPECT_TRUE(cspr_profile_parse("cspthread profile 1\n"));
}

} // namespace
