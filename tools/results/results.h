// results.h - what an exploration found and explored: the one thing that summary, files and baselines are made of.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   results ─▶ tests ─▶ findings ─▶ stacks ─▶ frames
//                 └───▶ explored
// Everything is owned by its parent: strings are malloc'ed, NULL where nothing is known; cspt_results_fini frees all.
// Findings are told apart by test and fingerprint. Order is part of the result: tests as they were discovered, findings
// as cspt_results_sort puts them; so the same exploration gives the same files, however many jobs ran it.
#ifndef CSP_TOOLS_RESULTS_H
#define CSP_TOOLS_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cspt_frame {
    char *function;
    char *file;                        // as the debug information has it
    unsigned line, column, start_line; // 0: unknown; start_line: where the function begins
    char *module;                      // the ELF file, and the place in it: what is left without debug information
    uint64_t offset;
    bool library; // stands for a library function that the program called
} cspt_frame;

typedef struct cspt_stack {
    bool primary;       // says what the finding is about; the others explain it
    char *role;         // read, write, ..., creation, allocation, ...: what kind of place it is
    char *what;         // the report's words: "write of size 4 by coroutine 7"
    uint64_t task;      // whose stack it is, as the report numbers it; 0: unknown
    char *task_name;    // NULL: it has none
    cspt_frame *frames; // innermost first
    size_t n_frames;
} cspt_stack;

typedef enum cspt_replay {
    CSPT_REPLAY_UNTRIED, // nothing to replay, or no time was left
    CSPT_REPLAY_SAME,    // followed once more it showed the finding again
    CSPT_REPLAY_FAILED,  // it did not: replay_note says what happened instead
} cspt_replay;

typedef struct cspt_finding {
    char *fingerprint; // 16 hex digits, of kind, functions and lines within them; the same in other runs and builds
    char *kind;        // data race, heap-use-after-free, leak, deadlock, ..., crash, exit status, wrong output, timeout
    char *title;       // one line: "data race queue.c:12 in push"
    char *text;        // the whole report; NULL for how a program ended
    char *output;      // the beginning and the end of what the first such run wrote; NULL: nothing
    cspt_stack *stacks; // the conflicting ones first
    size_t n_stacks;
    uint64_t schedules; // of the explored ones, how many showed it; the trial run not counted
    uint64_t times;     // how often in all: one schedule may show it at several places
    uint64_t first;     // the schedule that showed it first, counted from 1; 0: only the trial run did
    bool in_trial;      // the trial run, round robin before the exploration, showed it
    bool has_seed;      // false: plain runs, which have none
    uint64_t seed;      // the smallest that showed it, and its strategy; the trial run's is 0
    char *strategy;
    char *options;        // CSPTHREAD_OPTIONS of that run: with them the program shows it again
    char *schedule_file;  // of that seed
    char *replay_command; // for the shell, in the directory that csp ran in
    cspt_replay replay;
    char *replay_note;
    bool mild;  // told, but no failure by itself: a leak of a class that leak_classes leaves out
    bool known; // the baseline has it: it does not fail the run
} cspt_finding;

typedef struct cspt_strategy_count {
    char *name;
    uint64_t schedules;
} cspt_strategy_count;

typedef struct cspt_explored {
    bool controlled;                 // false: plain runs, of which the rest of the numbers below schedules are 0
    uint64_t schedules;              // or plain runs; without the trial run
    uint64_t failing;                // how many of them had a finding
    uint64_t first_iteration;        // where this shard's range of the seed space begins: iterations [first, first + n)
    cspt_strategy_count *strategies; // sorted by name
    size_t n_strategies;
    uint64_t *interleavings; // sorted, each once: hashes of what differs in more than the order of independent steps
    size_t n_interleavings;
    uint64_t tasks, points;  // most tasks, and most scheduling points, that a schedule had
    unsigned depth;          // of the bugs that the bound is about
    uint64_t pct_schedules;  // those of pct with that depth, which the bound counts
    double bound;            // at least so probable that any bug of that depth was found; 0: nothing to say
    double needed;           // how many schedules 95 % would take; 0: unknown
    uint64_t not_replayable; // schedules that depended on more than their seed
    char **why_not;          // each reason once
    size_t n_why_not;
} cspt_explored;

typedef enum cspt_outcome {
    CSPT_PASSED,
    CSPT_FAILED,  // has findings that are neither known nor mild
    CSPT_SKIPPED, // note says why
    CSPT_NOT_RUN, // interrupted, or the time was up before its turn
    CSPT_BROKEN,  // csp could not run it: note says why
} cspt_outcome;

typedef struct cspt_test {
    char *name;      // the program's, or program:Suite.Test, or CTest's
    char **command;  // NULL-terminated
    char *directory; // where it runs; NULL: csp's
    cspt_outcome outcome;
    char *note;
    double seconds;
    cspt_explored explored;
    cspt_finding *findings;
    size_t n_findings;
} cspt_test;

typedef struct cspt_results {
    int64_t started; // seconds since 1970
    double seconds;
    uint64_t seed; // iteration i of a test has a seed made of this one and i
    char *strategy;
    unsigned shard_index, shard_count; // from 1; 1 of 1: not sharded
    uint64_t tests_total;              // over all shards; `tests` are this shard's
    bool seed_space_sharded;           // every shard has all tests, and a part of the iterations
    int interrupted;                   // the signal that ended it early; 0: none
    cspt_test *tests;
    size_t n_tests;
} cspt_results;

// Each adds one, all zero, and returns it; valid until the next one is added.
cspt_test *cspt_results_add_test(cspt_results *r);
cspt_finding *cspt_test_add_finding(cspt_test *t);
cspt_stack *cspt_finding_add_stack(cspt_finding *f);
cspt_frame *cspt_stack_add_frame(cspt_stack *s);

// NULL when t has none with this fingerprint.
cspt_finding *cspt_test_find(const cspt_test *t, const char *fingerprint);

void cspt_explored_count_strategy(cspt_explored *e, const char *name, uint64_t schedules);
void cspt_explored_add_reason(cspt_explored *e, const char *why_not); // an equal one is there already: nothing
// True when it is a new one.
bool cspt_explored_add_interleaving(cspt_explored *e, uint64_t hash);

// Findings of each test, or of one: by kind, then title, then fingerprint.
void cspt_test_sort(cspt_test *t);
void cspt_results_sort(cspt_results *r);
// Sets the outcome of a test that ran, and of all, from the findings; call again after `known` was set.
void cspt_test_judge(cspt_test *t);
void cspt_results_judge(cspt_results *r);
// How many findings there are that fail the run: neither known nor mild, over all tests.
size_t cspt_results_new_findings(const cspt_results *r);
// Where a finding is: the innermost frame, with a file, of the program's own in its first stack that has one. NULL: none.
const cspt_frame *cspt_finding_place(const cspt_finding *f);

void cspt_results_fini(cspt_results *r);
void cspt_test_fini(cspt_test *t);       // of one that is in no results
void cspt_finding_drop(cspt_finding *f); // of one that is in no test

// As JSON, one object; what csp merge unites. reading checks everything: false, with *error malloc'ed, when the file is
// not such a one or cannot be read.
bool cspt_results_write(const cspt_results *r, const char *path, char **error);
bool cspt_results_read(cspt_results *r, const char *path, char **error);

#endif
