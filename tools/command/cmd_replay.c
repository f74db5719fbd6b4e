// cmd_replay.c - csp replay: shows the run of a schedule file or a seed again, under gdb if wanted, or explores near it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "command/test_options.h"
#include "common/child.h"
#include "common/message.h"
#include "explore/rerun.h"
#include "explore/run_options.h"
#include "explore/scratch.h"
#include "replay/near.h"
#include "replay/replay.h"
#include "replay/schedule_read.h"

enum option_value { DEPTH = 1000, POINTS, GDB, NEAR, TIMEOUT };
enum { NEAR_COUNT = 100, NEAR_TIMEOUT_S = 60 };

typedef struct request {
    cspt_seeded seeded;
    bool has_seed, gdb;
    const char *file, *near; // a schedule file
    uint64_t count;
    unsigned jobs;
    double timeout_s;
    cspt_schedule schedule; // of the file
    char *const *words;     // the program and its arguments
    size_t n_words;
} request;

static const struct option options[] = {{"seed", required_argument, NULL, 'S'},
                                        {"strategy", required_argument, NULL, 's'},
                                        {"depth", required_argument, NULL, DEPTH},
                                        {"points", required_argument, NULL, POINTS},
                                        {"gdb", no_argument, NULL, GDB},
                                        {"near", required_argument, NULL, NEAR},
                                        {"count", required_argument, NULL, 'n'},
                                        {"jobs", required_argument, NULL, 'j'},
                                        {"timeout", required_argument, NULL, TIMEOUT},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

void cspt_help_replay(void)
{
    puts("usage: csp replay [--gdb] FILE [[--] PROGRAM [ARGUMENT ...]]\n"
         "       csp replay [--gdb] --seed N [options] [--] PROGRAM [ARGUMENT ...]\n"
         "       csp replay --near FILE [-n COUNT] [options] [[--] PROGRAM [ARGUMENT ...]]\n"
         "\n"
         "Shows a run that csp test found again: the program runs in the foreground, under the schedule in FILE, which "
         "csp\n"
         "test kept, or the one that a seed stands for. Each step is compared with the recorded one; the first that "
         "differs\n"
         "is named. FILE says which program ran, with which arguments; another one may be given.\n"
         "\n"
         "With --near, to see whether a change has mended it: other schedules that begin as the one in FILE does, up "
         "to the\n"
         "first of the operations that its finding is about. Those with findings are kept in csp-schedules-near.\n"
         "\n"
         "      --gdb         under gdb, which stops where the finding is reported\n"
         "      --near FILE   explore other schedules that begin as this one\n"
         "  -n, --count N     how many (default 100)\n"
         "  -j, --jobs N      runs at a time (default: the number of processors)\n"
         "      --timeout T   of one such run (default 60s)\n"
         "  -S, --seed N      the schedule's seed, as csp test printed it; with --near: the base seed (default 0)\n"
         "  -s, --strategy S  random, pct, pos, urw, rr, or portfolio (default), as csp test printed it\n"
         "      --depth D     as csp test was given it\n"
         "      --points W    sync or all, as csp test was given it\n"
         "  -h, --help        this text\n"
         "\n"
         "exit status: 0 no finding, 66 findings, 64 wrong usage or a missing program, 70 the program diverged from "
         "FILE or\n"
         "did not show its finding again, or csp itself failed");
}

static bool refuse(const char *why)
{
    cspt_error("replay: %s", why);
    cspt_note("`csp help replay` tells how to call it");
    return false;
}

static bool parse_option(request *r, int option)
{
    uint64_t number;
    switch (option) {
    case 'S':
        r->has_seed = true;
        return cspt_parse_number(optarg, 0, &r->seeded.seed) || refuse("--seed takes a number");
    case DEPTH:
        if (!cspt_parse_number(optarg, 1, &number) || number > INT_MAX)
            return refuse("--depth takes a number from 1");
        r->seeded.depth = (unsigned)number;
        return true;
    case 's':
        r->seeded.strategy = optarg;
        return true;
    case POINTS:
        r->seeded.points = optarg;
        return true;
    case GDB:
        r->gdb = true;
        return true;
    case NEAR:
        r->near = optarg;
        return true;
    case 'n':
        return cspt_parse_number(optarg, 1, &r->count) || refuse("--count takes a number from 1");
    case 'j':
        if (!cspt_parse_number(optarg, 1, &number) || number > 1000)
            return refuse("--jobs takes a number from 1 to 1000");
        r->jobs = (unsigned)number;
        return true;
    case TIMEOUT:
        return cspt_parse_duration(optarg, &r->timeout_s) || refuse("--timeout takes a time: 30s, 5m");
    default:
        cspt_note("`csp help replay` tells what there is");
        return false;
    }
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

static bool check(const request *r)
{
    static const char *const strategies[] = {"random", "pct", "pos", "urw", "rr", "portfolio", NULL};
    static const char *const points[] = {"sync", "all", NULL};
    if (!is_one_of(r->seeded.strategy, strategies))
        return refuse("--strategy takes random, pct, pos, urw, rr or portfolio");
    if (r->seeded.points && !is_one_of(r->seeded.points, points))
        return refuse("--points takes sync or all");
    if (r->near && r->gdb)
        return refuse("--gdb is for one run, --near makes many");
    if (r->has_seed && !r->near && !r->n_words)
        return refuse("no program given");
    return true;
}

// --- running ----------------------------------------------------------------------------------------------------------------

static int fail_to_start(const cspt_target *t, int error)
{
    cspt_error("replay: %s: %s", t->command.items[0], strerror(error));
    return CSPT_STATUS_FAILED;
}

static int start_gdb(const cspt_target *t, const char *run_options)
{
    cspt_replay_gdb(t, run_options);
    cspt_error("replay: cannot start gdb: %s", strerror(errno));
    return CSPT_STATUS_FAILED;
}

// A followed record that the program did not keep to, or whose finding did not come.
static bool tell_difference(const cspt_rerun *r, const request *q)
{
    const cspt_run_record *record = &r->run.log.run;
    if (record->diverged_at) {
        cspt_error("replay: the program diverged from %s at step %" PRIu64, q->file, record->diverged_at);
        cspt_note("was it built anew? `csp replay --near %s -n 1000` explores schedules that begin alike", q->file);
        return true;
    }
    if (cspt_rerun_finding(r, NULL, NULL))
        return false;
    cspt_error("replay: the program followed %s, but no finding came of it", q->file);
    return true;
}

static void tell(const cspt_rerun *r)
{
    const cspt_run_record *record = &r->run.log.run;
    for (size_t i = 0; i < r->run.log.n_findings; i++)
        fprintf(stderr, "csp replay: %s\n", r->run.log.findings[i].title);
    if (r->run.has_end)
        fprintf(stderr, "csp replay: %s\n", r->run.end.title);
    if (!r->run.log.n_findings && !r->run.has_end)
        fprintf(stderr, "csp replay: no finding\n");
    if (record->present && !record->replayable)
        fprintf(stderr, "csp replay: another run of it may differ: %s\n",
                record->why_not ? record->why_not : "no reason given");
}

// Standard input is what it was when csp test ran the program: nothing.
static void take_input_away(void)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0 && null != STDIN_FILENO) {
        dup2(null, STDIN_FILENO);
        close(null);
    }
}

static int run(const request *q, const cspt_target *t, const char *scratch, const char *run_options, int *interrupted)
{
    cspt_rerun r;
    cspt_rerun_init(&r, t, scratch, 0);
    take_input_away();
    int error = cspt_rerun_visibly(&r, run_options);
    int status = cspt_rerun_count(&r) ? CSPT_STATUS_FINDINGS : CSPT_STATUS_CLEAN;
    *interrupted = r.interrupted;
    if (error && error != EINTR)
        status = fail_to_start(t, error);
    else if (!error)
        tell(&r);
    if (!error && q->file && tell_difference(&r, q) && status == CSPT_STATUS_CLEAN)
        status = CSPT_STATUS_FAILED;
    cspt_rerun_fini(&r);
    return status;
}

static char *file_options(const request *r)
{
    cspt_text text = {0};
    cspt_option_string(&text, "schedule", "replay");
    cspt_option_string(&text, "replay", r->file);
    return text.bytes;
}

static int explore_near(request *r, const cspt_target *t, const char *scratch, int *interrupted)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    cspt_near near = {.file = r->near,
                      .schedule = &r->schedule,
                      .target = t,
                      .seeded = r->seeded,
                      .count = r->count,
                      .jobs = r->jobs          ? r->jobs
                              : processors > 0 ? (unsigned)processors
                                               : 1,
                      .timeout_s = r->timeout_s > 0 ? r->timeout_s : NEAR_TIMEOUT_S,
                      .scratch = scratch};
    int status = cspt_explore_near(&near);
    *interrupted = near.interrupted;
    return status;
}

static int replay(request *r, const char *scratch, int *interrupted)
{
    cspt_target target;
    int error = 0;
    bool is_own = r->n_words == 0; // the program that the file names
    if (!cspt_replay_target("replay", &target, is_own ? (char *const *)(uintptr_t)r->schedule.command.items : r->words,
                            is_own ? r->schedule.command.count : r->n_words))
        return CSPT_STATUS_USAGE;
    if (r->near)
        return explore_near(r, &target, scratch, interrupted);
    char *run_options = r->file ? file_options(r) : cspt_replay_seed_options(&r->seeded, &target, scratch, &error);
    if (!run_options)
        return fail_to_start(&target, error);
    int status = r->gdb ? start_gdb(&target, run_options) : run(r, &target, scratch, run_options, interrupted);
    free(run_options);
    cspt_argv_fini(&target.command);
    return status;
}

// The file, the program's words behind it.
static bool read_file(request *r)
{
    char *error = NULL;
    if (!r->near && !r->has_seed && r->n_words) {
        r->file = r->words[0];
        r->words++;
        r->n_words--;
        if (r->n_words && strcmp(r->words[0], "--") == 0) {
            r->words++;
            r->n_words--;
        }
    }
    const char *path = r->near ? r->near : r->file;
    if (!path || cspt_schedule_read(&r->schedule, path, &error)) {
        if (path || r->has_seed)
            return true;
        return refuse("which schedule? FILE, or --seed N");
    }
    cspt_error("replay: %s", error);
    free(error);
    return false;
}

int cspt_cmd_replay(int argc, char **argv)
{
    request r = {.seeded = {.strategy = "portfolio"}, .count = NEAR_COUNT};
    for (int option; (option = getopt_long(argc, argv, "+S:s:n:j:h", options, NULL)) != -1;) {
        if (option == 'h') {
            cspt_help_replay();
            return CSPT_STATUS_CLEAN;
        }
        if (!parse_option(&r, option))
            return CSPT_STATUS_USAGE;
    }
    r.words = argv + optind;
    r.n_words = (size_t)(argc - optind);
    if (!check(&r) || !read_file(&r))
        return CSPT_STATUS_USAGE;
    char *scratch = cspt_scratch_make(NULL);
    if (!scratch) {
        cspt_error("replay: no folder for temporary files: %s; set TMPDIR", strerror(errno));
        return CSPT_STATUS_FAILED;
    }
    int interrupted = 0;
    cspt_child_prepare();
    int status = replay(&r, scratch, &interrupted);
    cspt_scratch_remove(scratch);
    cspt_schedule_fini(&r.schedule);
    if (interrupted)
        cspt_child_die_by(interrupted);
    return status;
}
