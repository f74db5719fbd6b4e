// merge.c - the results of several shards of one exploration, as one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Findings are united by test and fingerprint: how often they came is added up, the smallest seed stands for them. Numbers of
// what was explored are added, interleavings united, the bound computed anew. A shard that came twice - a pod that was tried
// again writes its file again - counts once. Adding shards in any order gives the same.
//
// Ownership: pointers move from the shard's results into ours, and what is left behind is set to zero.
#include "results/merge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/pct_bound.h"
#include "common/message.h"

static bool same_string(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static uint64_t max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

// --- findings -------------------------------------------------------------------------------------------------------------

// Which of two stands for both: the one with a seed, the smaller one; then the one that comes first by name, for the order of
// files must not matter.
static bool is_better(const cspt_finding *a, const cspt_finding *b)
{
    if (a->has_seed != b->has_seed)
        return a->has_seed;
    if (a->has_seed && a->seed != b->seed)
        return a->seed < b->seed;
    return strcmp(a->schedule_file ? a->schedule_file : "", b->schedule_file ? b->schedule_file : "") < 0;
}

static void unite_findings(cspt_finding *into, cspt_finding *from)
{
    if (is_better(from, into)) {
        cspt_finding worse = *into;
        *into = *from;
        *from = worse;
    }
    into->schedules += from->schedules;
    into->times += from->times;
    if (from->first && (!into->first || from->first < into->first))
        into->first = from->first;
    into->in_trial = into->in_trial || from->in_trial;
    into->mild = into->mild && from->mild;
    into->known = into->known && from->known;
}

// --- explored -------------------------------------------------------------------------------------------------------------

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void unite_interleavings(cspt_explored *into, const cspt_explored *from)
{
    size_t n = into->n_interleavings + from->n_interleavings, kept = 0;
    if (!from->n_interleavings)
        return;
    uint64_t *all = malloc(n * sizeof *all);
    if (!all)
        cspt_fatal("out of memory");
    if (into->n_interleavings)
        memcpy(all, into->interleavings, into->n_interleavings * sizeof *all);
    memcpy(all + into->n_interleavings, from->interleavings, from->n_interleavings * sizeof *all);
    qsort(all, n, sizeof *all, compare_hashes);
    for (size_t i = 0; i < n; i++)
        if (!i || all[i] != all[i - 1])
            all[kept++] = all[i];
    free(into->interleavings);
    into->interleavings = all;
    into->n_interleavings = kept;
}

static void unite_explored(cspt_explored *into, const cspt_explored *from)
{
    into->controlled = into->controlled || from->controlled;
    into->schedules += from->schedules;
    into->failing += from->failing;
    into->first_iteration =
        into->first_iteration < from->first_iteration ? into->first_iteration : from->first_iteration;
    into->tasks = max(into->tasks, from->tasks);
    into->points = max(into->points, from->points);
    into->depth = (unsigned)max(into->depth, from->depth);
    into->pct_schedules += from->pct_schedules;
    into->not_replayable += from->not_replayable;
    for (size_t i = 0; i < from->n_strategies; i++)
        cspt_explored_count_strategy(into, from->strategies[i].name, from->strategies[i].schedules);
    for (size_t i = 0; i < from->n_why_not; i++)
        cspt_explored_add_reason(into, from->why_not[i]);
    unite_interleavings(into, from);
}

// With the most tasks and points that any shard saw: the others' runs are then promised less than they were worth.
static void set_bound(cspt_explored *e)
{
    if (!e->pct_schedules || !e->depth)
        return;
    uint64_t needed = csp_pct_runs(e->tasks, e->points, e->depth, 0.95);
    e->bound = csp_pct_bound(e->tasks, e->points, e->depth, e->pct_schedules);
    e->needed = needed == UINT64_MAX ? 0 : (double)needed;
}

// --- tests ----------------------------------------------------------------------------------------------------------------

static cspt_test *find_test(const cspt_results *r, const char *name)
{
    for (size_t i = 0; i < r->n_tests; i++)
        if (strcmp(r->tests[i].name, name) == 0)
            return &r->tests[i];
    return NULL;
}

// What two shards' outcomes of one test amount to: the one that says most, failures decided by the findings.
static cspt_outcome unite_outcomes(cspt_outcome a, cspt_outcome b)
{
    static const int weight[] = {
        [CSPT_SKIPPED] = 0, [CSPT_PASSED] = 1, [CSPT_NOT_RUN] = 2, [CSPT_FAILED] = 3, [CSPT_BROKEN] = 4};
    return weight[a] >= weight[b] ? a : b;
}

static void unite_tests(cspt_test *into, cspt_test *from)
{
    cspt_outcome outcome = unite_outcomes(into->outcome, from->outcome);
    if (outcome != into->outcome || !into->note) {
        free(into->note);
        into->note = from->note;
        from->note = NULL;
    }
    into->outcome = outcome;
    into->seconds += from->seconds;
    unite_explored(&into->explored, &from->explored);
    for (size_t i = 0; i < from->n_findings; i++) {
        cspt_finding *f = &from->findings[i], *known = cspt_test_find(into, f->fingerprint);
        if (known) {
            unite_findings(known, f);
            continue;
        }
        *cspt_test_add_finding(into) = *f;
        *f = (cspt_finding){0};
    }
}

// A finding's number in its shard becomes its number in the exploration.
static void renumber(cspt_test *t)
{
    for (size_t i = 0; i < t->n_findings; i++)
        if (t->findings[i].first)
            t->findings[i].first += t->explored.first_iteration;
}

// --- shards ---------------------------------------------------------------------------------------------------------------

#define PROBLEM(m, ...) cspt_argv_push(&(m)->problems, cspt_format(__VA_ARGS__))

static void take_head(cspt_merge *m, cspt_results *r, const char *file)
{
    m->first_file = file;
    m->shard_count = r->shard_count ? r->shard_count : 1;
    m->files = calloc(m->shard_count, sizeof *m->files);
    if (!m->files)
        cspt_fatal("out of memory");
    m->all = (cspt_results){
        .started = r->started,
        .seed = r->seed,
        .strategy = r->strategy,
        .shard_index = 1,
        .shard_count = 1,
        .tests_total = r->tests_total,
        .seed_space_sharded = r->seed_space_sharded,
    };
    r->strategy = NULL;
}

// Whether it is of the exploration that the first file is of.
static bool belongs(cspt_merge *m, const cspt_results *r, const char *file)
{
    const cspt_results *all = &m->all;
    unsigned count = r->shard_count ? r->shard_count : 1, index = r->shard_index ? r->shard_index : 1;
    if (count != m->shard_count || index > count)
        PROBLEM(m, "%s is shard %u of %u, %s of %u", file, index, count, m->first_file, m->shard_count);
    else if (r->seed != all->seed)
        PROBLEM(m, "%s has seed %" PRIu64 ", %s %" PRIu64, file, r->seed, m->first_file, all->seed);
    else if (r->tests_total != all->tests_total)
        PROBLEM(m, "%s is of %" PRIu64 " tests, %s of %" PRIu64, file, r->tests_total, m->first_file, all->tests_total);
    else if (r->seed_space_sharded != all->seed_space_sharded)
        PROBLEM(m, "%s and %s divided the work in different ways", file, m->first_file);
    else
        return true;
    return false;
}

static void add_tests(cspt_merge *m, cspt_results *r, const char *file, bool is_part)
{
    for (size_t i = 0; i < r->n_tests; i++) {
        cspt_test *t = &r->tests[i], *known = find_test(&m->all, t->name);
        renumber(t);
        if (known && is_part && !m->all.seed_space_sharded)
            PROBLEM(m, "%s has the test %s, which an earlier file has, too", file, t->name);
        if (known) {
            unite_tests(known, t);
            continue;
        }
        *cspt_results_add_test(&m->all) = *t;
        *t = (cspt_test){0};
    }
}

void cspt_merge_add(cspt_merge *m, cspt_results *r, const char *file)
{
    if (!m->first_file)
        take_head(m, r, file);
    // Reads m->all.strategy only when a later file differs.
    if (r->strategy && !same_string(r->strategy, m->all.strategy))
        PROBLEM(m, "%s has strategy %s, %s %s", file, r->strategy, m->first_file,
                m->all.strategy ? m->all.strategy : "none");
    bool is_part = belongs(m, r, file);
    const char **slot = is_part ? &m->files[r->shard_index ? r->shard_index - 1 : 0] : NULL;
    if (slot && *slot) {
        PROBLEM(m, "shard %u of %u came twice: %s and %s; the first is taken", r->shard_index, m->shard_count, *slot,
                file);
    } else {
        if (slot)
            *slot = file;
        m->all.started = r->started < m->all.started ? r->started : m->all.started;
        m->all.seconds = r->seconds > m->all.seconds ? r->seconds : m->all.seconds;
        m->all.interrupted = m->all.interrupted ? m->all.interrupted : r->interrupted;
        add_tests(m, r, file, is_part);
    }
    cspt_results_fini(r);
}

static int compare_tests(const void *a, const void *b)
{
    return strcmp(((const cspt_test *)a)->name, ((const cspt_test *)b)->name);
}

void cspt_merge_finish(cspt_merge *m, bool partial)
{
    bool missing = false;
    for (unsigned i = 0; i < m->shard_count; i++)
        if (!m->files[i]) {
            missing = true;
            if (!partial)
                PROBLEM(m, "shard %u of %u is missing", i + 1, m->shard_count);
        }
    if (!missing && m->all.n_tests != m->all.tests_total)
        PROBLEM(m, "the shards have %zu different tests, of %" PRIu64, m->all.n_tests, m->all.tests_total);
    for (size_t i = 0; i < m->all.n_tests; i++)
        set_bound(&m->all.tests[i].explored);
    if (m->all.n_tests)
        qsort(m->all.tests, m->all.n_tests, sizeof *m->all.tests, compare_tests);
    m->all.tests_total = max(m->all.tests_total, m->all.n_tests);
    cspt_results_judge(&m->all);
    cspt_results_sort(&m->all);
}

void cspt_merge_fini(cspt_merge *m)
{
    for (size_t i = 0; i < m->problems.count; i++)
        free((char *)(uintptr_t)m->problems.items[i]);
    cspt_argv_fini(&m->problems);
    free(m->files);
    cspt_results_fini(&m->all);
    *m = (cspt_merge){0};
}
