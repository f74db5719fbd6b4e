// cmd_test.c - csp test: finds the tests, explores each, and tells what was found.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "command/command.h"
#include "command/test_options.h"
#include "common/child.h"
#include "common/message.h"
#include "explore/discover.h"
#include "explore/explore.h"
#include "explore/plain.h"
#include "explore/scratch.h"
#include "results/ci.h"
#include "results/shard.h"
#include "results/show.h"

enum { DEFAULT_SCHEDULES = 100, DEFAULT_RUNS = 1, DEFAULT_TIMEOUT_S = 60 };

typedef struct command {
    cspt_test_options options;
    cspt_ci ci;
    cspt_shard shard;
    cspt_discovery found;
    cspt_results results;
    cspt_progress progress;
    char *scratch; // NULL: not needed so far
    double began_s;
    bool failed; // csp itself
} command;

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t random_seed(void)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid();
    return seed;
}

// --- the tests ------------------------------------------------------------------------------------------------------------------

// CSPT_STATUS_CLEAN, or what to end with.
static int discover(command *c)
{
    const cspt_test_options *o = &c->options;
    c->found.plain = o->plain;
    for (size_t i = 0; i < o->n_groups; i++)
        cspt_discover(&c->found, o->groups[i].words, o->groups[i].count);
    if (c->found.status)
        return c->found.status;
    size_t all = c->found.targets.count;
    if ((o->filter && !cspt_discover_filter(&c->found, o->filter)) ||
        (c->ci.only && !cspt_discover_filter(&c->found, c->ci.only)))
        return CSPT_STATUS_USAGE;
    if (c->found.targets.count)
        return CSPT_STATUS_CLEAN;
    if (all)
        cspt_error("test: none of %zu tests matches '%s'", all, o->filter ? o->filter : c->ci.only);
    else
        cspt_error("test: no tests found in what was given");
    return CSPT_STATUS_USAGE;
}

static uint64_t wanted_count(const command *c, const cspt_target *target)
{
    if (c->options.count)
        return c->options.count;
    if (c->options.time_s > 0)
        return UINT64_MAX;
    return target->controlled ? DEFAULT_SCHEDULES : DEFAULT_RUNS;
}

static char **copy_command(const cspt_argv *v)
{
    char **copy = calloc(v->count + 1, sizeof *copy);
    if (!copy)
        cspt_fatal("out of memory");
    for (size_t i = 0; i < v->count; i++)
        copy[i] = cspt_format("%s", v->items[i]);
    return copy;
}

// What is left of the time, shared out evenly among the tests that are still to come; 0: no limit.
static double time_for(const command *c, size_t tests_left)
{
    if (c->options.time_s <= 0)
        return 0;
    double left = c->options.time_s - (now_s() - c->began_s);
    return left > 0.001 ? left / (double)tests_left : 0.001;
}

static const char *schedules_folder(const command *c)
{
    if (c->options.schedules)
        return c->options.schedules;
    return c->ci.artifacts ? c->ci.artifacts : "csp-schedules";
}

static unsigned jobs(const command *c)
{
    if (c->options.jobs)
        return c->options.jobs;
    if (c->ci.jobs)
        return c->ci.jobs;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors > 0 ? (unsigned)processors : 1;
}

static void explore(command *c, const cspt_target *target, cspt_test *t, cspt_share share, double time_s)
{
    if (!c->scratch)
        c->scratch = cspt_scratch_make(c->ci.temporary);
    if (!c->scratch) {
        cspt_error("test: no folder for temporary files: %s; set TMPDIR", strerror(errno));
        c->failed = true;
        t->outcome = CSPT_BROKEN;
        return;
    }
    cspt_exploration x = {
        .first = share.first,
        .count = share.count,
        .time_s = time_s,
        .seed = c->results.seed,
        .strategy = c->options.strategy,
        .depth = c->options.depth,
        .points = c->options.points,
        .jobs = jobs(c),
        .timeout_s = c->options.timeout_s > 0 ? c->options.timeout_s : DEFAULT_TIMEOUT_S,
        .check_determinism = c->options.check_determinism,
        .verbose = c->options.verbose,
        .schedules_folder = schedules_folder(c),
        .scratch = c->scratch,
        .progress = &c->progress,
    };
    c->failed |= !cspt_explore(&x, target, t);
    c->results.interrupted = x.interrupted;
    cspt_progress_hide(&c->progress);
}

static void run_plain(command *c, const cspt_target *target, cspt_test *t, cspt_share share, double time_s)
{
    cspt_plain p = {.count = share.count,
                    .time_s = time_s,
                    .timeout_s = target->timeout_s > 0 ? target->timeout_s : c->options.timeout_s,
                    .progress = &c->progress};
    int error = cspt_run_plain(&p, target, t);
    c->results.interrupted = p.interrupted;
    if (!error)
        return;
    t->outcome = CSPT_BROKEN;
    t->note = cspt_format("%s: %s", target->command.items[0], strerror(error));
    c->failed = true;
}

static void run_test(command *c, const cspt_target *target, size_t tests_left, cspt_share share)
{
    cspt_test *t = cspt_results_add_test(&c->results);
    t->name = cspt_format("%s", target->name);
    t->command = copy_command(&target->command);
    t->directory = target->directory ? cspt_format("%s", target->directory) : NULL;
    double time_s = time_for(c, tests_left);
    if (target->skipped) {
        t->outcome = CSPT_SKIPPED;
        t->note = cspt_format("%s", target->skipped);
    } else if (c->results.interrupted) {
        t->outcome = CSPT_NOT_RUN;
    } else if (target->controlled) {
        explore(c, target, t, share, time_s);
    } else {
        run_plain(c, target, t, share, time_s);
    }
    if (t->outcome == CSPT_BROKEN && t->note)
        cspt_error("test: %s: %s", t->name, t->note);
    cspt_test_sort(t);
    cspt_outputs_test(&c->options.outputs, &c->results, t);
}

static void run_tests(command *c)
{
    const cspt_targets *all = &c->found.targets;
    size_t mine = cspt_shard_tests(&c->shard, all->count, c->options.count ? c->options.count : DEFAULT_SCHEDULES);
    c->results.tests_total = all->count;
    c->results.seed_space_sharded = cspt_shard_divides_seeds(&c->shard, all->count);
    cspt_outputs_begin(&c->options.outputs, &c->results);
    c->progress.tests_total = mine;
    for (size_t i = 0; i < all->count; i++) {
        cspt_share share = cspt_shard_share(&c->shard, i, all->count, wanted_count(c, &all->items[i]));
        if (!share.count)
            continue;
        run_test(c, &all->items[i], mine > c->progress.tests_done ? mine - c->progress.tests_done : 1, share);
        c->progress.tests_done++;
    }
}

// --- the command ----------------------------------------------------------------------------------------------------------------

static int find_shard(command *c)
{
    char *error = NULL;
    const char *path = NULL;
    if (!cspt_shard_find(c->options.shard, &c->shard, &error)) {
        cspt_error("test: %s", error);
        return CSPT_STATUS_USAGE;
    }
    int failure = cspt_shard_acknowledge(&c->shard, &path);
    if (failure) {
        cspt_error("test: %s: %s", path, strerror(failure));
        return CSPT_STATUS_FAILED;
    }
    c->results.shard_index = (unsigned)c->shard.index + 1;
    c->results.shard_count = (unsigned)c->shard.total;
    return CSPT_STATUS_CLEAN;
}

static void begin(command *c)
{
    c->results.started = time(NULL);
    // Shards divide the schedules of one seed, so they must not make up one each.
    uint64_t unasked = c->shard.total > 1 ? 1 : random_seed();
    c->results.seed = cspt_ci_seed(&c->ci, c->options.has_seed ? c->options.seed : unasked);
    c->results.strategy = cspt_format("%s", c->options.strategy);
    c->began_s = now_s();
    cspt_progress_init(&c->progress);
    c->progress.is_quiet = c->options.quiet;
    cspt_ci_hide_from_tests();
    signal(SIGXFSZ, SIG_IGN); // a file that must not grow is one that cannot be written, and no end
    cspt_child_prepare();
    char *shard =
        cspt_shard_describe(&c->shard, c->found.targets.count, c->options.count ? c->options.count : DEFAULT_SCHEDULES);
    if (shard)
        fprintf(stderr, "csp test: %s\n", shard);
    free(shard);
}

static int finish(command *c)
{
    c->results.seconds = now_s() - c->began_s;
    cspt_results_judge(&c->results);
    cspt_show_summary(&c->results);
    int status = cspt_results_new_findings(&c->results) ? CSPT_STATUS_FINDINGS
                 : c->failed                            ? CSPT_STATUS_FAILED
                                                        : CSPT_STATUS_CLEAN;
    return cspt_outputs_finish(&c->options.outputs, &c->results, status);
}

int cspt_cmd_test(int argc, char **argv)
{
    static command c;
    int status;
    if (!cspt_test_options_parse(&c.options, argc, argv, &status))
        return status;
    cspt_ci_read(&c.ci);
    status = find_shard(&c);
    if (!status)
        status = discover(&c);
    if (!status)
        status = cspt_outputs_prepare(&c.options.outputs, &c.ci);
    if (status)
        return status;
    begin(&c);
    cspt_ci_begin(&c.ci);
    run_tests(&c);
    status = finish(&c);
    if (c.scratch)
        cspt_scratch_remove(c.scratch);
    int interrupted = c.results.interrupted;
    cspt_results_fini(&c.results);
    if (interrupted)
        cspt_child_die_by(interrupted);
    cspt_ci_finish(&c.ci);
    return status;
}
