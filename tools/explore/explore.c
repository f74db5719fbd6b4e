// explore.c - explores one test under many schedules, several at once.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Three phases. A trial run under round robin tells how long the program is and how many operations each task makes, which
// PCT and URW want to know. Then the exploration: iteration i is a run whose seed is made of the base seed and i, so it is the
// same run whoever makes it. Then each finding's schedule is followed once more, to say whether it shows the finding again.
// What a run does cannot depend on when others end, so there is one loop that waits for whatever happens first.
#include "explore/explore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pct_bound.h"
#include "base/seed.h"
#include "common/child.h"
#include "common/message.h"
#include "explore/collect.h"
#include "explore/determinism.h"
#include "explore/fingerprint.h"
#include "explore/report_key.h"
#include "explore/report_parse.h"
#include "explore/report_scan.h"
#include "explore/run_options.h"
#include "explore/schedule_client.h"
#include "explore/verdict.h"
#include "replay/schedule_read.h"
#include "results/show.h"

enum { TICK_MS = 100, ALL_HANG = 3 };

typedef enum phase { TRIAL, EXPLORE, REPLAY, CHECK } phase;

typedef struct worker {
    cspt_client client;
    bool busy;
    uint64_t item; // of the phase: the schedule from 0, or the finding
    uint64_t seed;
    char *options;        // that make the run again
    char *log, *schedule; // files that the run writes
} worker;

typedef struct explorer {
    cspt_exploration *x;
    const cspt_target *target;
    cspt_test *test;
    cspt_collector collector;
    worker *workers;
    phase phase;
    uint64_t next, end; // items of the phase
    uint64_t files;     // names in the scratch folder used up
    uint64_t timeouts, length;
    char *profile; // of the trial run; NULL: there is none
    double began_s;
    bool skipped, broken, gave_up;
} explorer;

static double now_s(void)
{
    return (double)cspt_client_now_ms() / 1000;
}

// --- options of a run -----------------------------------------------------------------------------------------------------------

// What the schedule is a function of, beside the program and the profile. To be freed.
static char *make_schedule_options(const explorer *e, const worker *w)
{
    cspt_text options = {0};
    cspt_option_string(&options, "schedule", e->phase == TRIAL ? "rr" : e->x->strategy);
    cspt_option_number(&options, "seed", w->seed);
    if (e->x->points)
        cspt_option_string(&options, "schedule_points", e->x->points);
    if (e->x->depth)
        cspt_option_number(&options, "schedule_depth", e->x->depth);
    if (e->phase != TRIAL && e->length)
        cspt_option_number(&options, "schedule_length", e->length > INT_MAX ? INT_MAX : e->length);
    return options.bytes;
}

static char *make_options(const explorer *e, const worker *w)
{
    cspt_text options = {0};
    if (e->phase == REPLAY) {
        cspt_option_string(&options, "schedule", "replay");
        cspt_option_string(&options, "replay", e->test->findings[w->item].schedule_file);
        if (e->x->points)
            cspt_option_string(&options, "schedule_points", e->x->points);
    } else {
        cspt_text_append(&options, w->options, strlen(w->options));
    }
    if (e->phase == TRIAL && e->profile)
        cspt_option_string(&options, "schedule_profile_out", e->profile);
    else if (e->phase != REPLAY && e->profile)
        cspt_option_string(&options, "schedule_profile", e->profile);
    if (e->phase == EXPLORE && e->x->follow && e->x->follow_decisions) {
        cspt_option_string(&options, "replay", e->x->follow);
        cspt_option_number(&options, "replay_prefix", e->x->follow_decisions);
    }
    cspt_option_number(&options, "exitcode", CSPT_REPORT_STATUS);
    cspt_option_string(&options, "finding_log", w->log);
    cspt_option_string(&options, "schedule_file", w->schedule);
    if (e->phase == CHECK)
        cspt_option_number(&options, "schedule_keep", 1);
    return options.bytes;
}

// --- the end of a run -------------------------------------------------------------------------------------------------------------

static void on_report(void *arg, const char *bytes, size_t size)
{
    cspt_finding f = {.times = 1};
    char *key = cspt_report_key(bytes, size, &f.title);
    f.fingerprint = cspt_fingerprint_text(key);
    free(key);
    cspt_report_parse(&f, bytes, size);
    cspt_run_log_take(arg, &f);
}

static void on_text(void *arg, const char *bytes, size_t size)
{
    (void)arg;
    (void)bytes;
    (void)size;
}

static void read_reports(const char *output, cspt_run_log *log)
{
    cspt_report_scan scan;
    cspt_report_scan_init(&scan, &(cspt_report_events){on_text, on_report, on_text, log});
    cspt_report_scan_feed(&scan, output, strlen(output));
    cspt_report_scan_fini(&scan);
}

static bool has_serious(const cspt_run_log *log)
{
    for (size_t i = 0; i < log->n_findings; i++)
        if (!log->findings[i].mild)
            return true;
    return false;
}

static cspt_shown_run read_run(const explorer *e, const worker *w, const cspt_client_result *result, char *output)
{
    cspt_shown_run run = {
        .is_trial = e->phase == TRIAL,
        .ordinal = e->phase == EXPLORE ? w->item + 1 : 0,
        .seed = w->seed,
        .options = w->options,
        .profile = e->phase == TRIAL ? NULL : e->profile,
        .strategy = e->phase == TRIAL ? "rr" : e->x->strategy,
        .output = output,
        .schedule_file = w->schedule,
    };
    cspt_run_log_read(&run.log, w->log);
    if (!run.log.run.present) // it crashed or hung
        run.log.run.strategy = cspt_schedule_strategy(w->schedule);
    bool reported = WIFEXITED(result->wait_status) && WEXITSTATUS(result->wait_status) == CSPT_REPORT_STATUS;
    if (reported && !run.log.n_findings && output) // it could not write its log
        read_reports(output, &run.log);
    cspt_end end = {.wait_status = result->wait_status,
                    .timed_out = result->timed_out,
                    .timeout_s = (double)w->client.timeout_ms / 1000,
                    .has_findings = has_serious(&run.log),
                    .output = output,
                    .is_all = true};
    run.has_end = cspt_verdict(e->target, &end, &run.end);
    return run;
}

static void end_trial(explorer *e, const cspt_client_result *result, const cspt_run_record *record)
{
    struct stat s;
    cspt_end end = {.wait_status = result->wait_status, .timed_out = result->timed_out};
    e->skipped = !e->test->n_findings && cspt_verdict_skipped(e->target, &end);
    e->length = record->points;
    if (e->profile && (stat(e->profile, &s) < 0 || !s.st_size)) {
        unlink(e->profile);
        free(e->profile);
        e->profile = NULL;
    }
}

// Does the run show finding f?
static bool shows(const cspt_shown_run *run, const cspt_finding *f)
{
    if (run->has_end && strcmp(run->end.fingerprint, f->fingerprint) == 0)
        return true;
    cspt_test all = {.findings = run->log.findings, .n_findings = run->log.n_findings};
    return cspt_test_find(&all, f->fingerprint) != NULL;
}

static void end_replay(explorer *e, const worker *w, const cspt_shown_run *run)
{
    cspt_finding *f = &e->test->findings[w->item];
    free(f->replay_note);
    f->replay_note = NULL;
    f->replay = shows(run, f) ? CSPT_REPLAY_SAME : CSPT_REPLAY_FAILED;
    if (run->log.run.diverged_at)
        f->replay_note = cspt_format("it diverged at step %" PRIu64, run->log.run.diverged_at);
    else if (f->replay == CSPT_REPLAY_FAILED)
        f->replay_note = cspt_format("%s", run->has_end ? run->end.title : "the run had no such finding");
}

static void on_new_finding(void *arg, const cspt_finding *f)
{
    const explorer *e = arg;
    e->x->progress->findings++;
    cspt_progress_hide(e->x->progress);
    cspt_show_finding(f);
}

static void end_run(explorer *e, worker *w, const cspt_client_result *result)
{
    char *output = cspt_capture_text(&w->client.output);
    cspt_shown_run run = read_run(e, w, result, output);
    if (e->x->verbose) {
        cspt_progress_hide(e->x->progress);
        cspt_show_run(&run, result->wait_status);
    }
    if (e->phase == REPLAY) {
        end_replay(e, w, &run);
    } else if (e->phase == CHECK) {
        // Its files are compared once both halves are there.
    } else {
        e->timeouts += result->timed_out;
        cspt_collect(&e->collector, &run);
        if (e->phase == TRIAL)
            end_trial(e, result, &run.log.run);
    }
    cspt_shown_run_fini(&run);
    free(output);
    unlink(w->log);
    if (e->phase != CHECK)
        unlink(w->schedule);
}

// --- the loop ---------------------------------------------------------------------------------------------------------------------

static bool time_is_up(const explorer *e)
{
    return e->x->time_s > 0 && now_s() - e->began_s >= e->x->time_s;
}

// Nothing more is begun; what runs goes on to its end.
static bool is_done(const explorer *e)
{
    return e->next >= e->end || e->x->interrupted || e->broken || e->skipped || e->gave_up ||
           ((e->phase == EXPLORE || e->phase == CHECK) && time_is_up(e));
}

static bool wants_replay(const cspt_finding *f)
{
    return f->schedule_file && f->replay == CSPT_REPLAY_UNTRIED;
}

// The next item of the phase that there is anything to do for; false: none.
static bool take_item(explorer *e, worker *w)
{
    while (!is_done(e)) {
        w->item = e->next++;
        if (e->phase == REPLAY && !wants_replay(&e->test->findings[w->item]))
            continue;
        uint64_t iteration = e->x->first + (e->phase == CHECK ? w->item / 2 : w->item);
        w->seed = e->phase == TRIAL ? 0 : csp_seed_of_iteration(e->x->seed, iteration);
        if (e->phase == REPLAY)
            w->seed = e->test->findings[w->item].seed;
        return true;
    }
    return false;
}

static void handle(explorer *e, worker *w, cspt_client_event event, const cspt_client_result *result)
{
    if (event == CLIENT_NOTHING)
        return;
    w->busy = false;
    if (event == CLIENT_ENDED) {
        end_run(e, w, result);
        return;
    }
    e->broken = true;
    if (!e->test->note)
        e->test->note = cspt_format("%s: %s", e->target->command.items[0], strerror(result->error));
}

static void begin_run(explorer *e, worker *w)
{
    cspt_client_result result = {0};
    free(w->log);
    free(w->schedule);
    free(w->options);
    w->options = make_schedule_options(e, w);
    w->log = cspt_format("%s/%" PRIu64 ".jsonl", e->x->scratch, e->files);
    w->schedule = e->phase == CHECK ? cspt_determinism_file(e->x->scratch, w->item)
                                    : cspt_format("%s/%" PRIu64 ".csched", e->x->scratch, e->files);
    e->files++;
    double timeout_s = e->target->timeout_s > 0 ? e->target->timeout_s : e->x->timeout_s;
    char *options = make_options(e, w);
    w->busy = true;
    handle(e, w, cspt_client_run(&w->client, options, (int64_t)(timeout_s * 1000), &result), &result);
    free(options);
}

static void take_signals(explorer *e)
{
    struct signalfd_siginfo info;
    while (read(cspt_child_signals(), &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD)
            e->x->interrupted = (int)info.ssi_signo;
}

static void wait_for_something(explorer *e, unsigned n)
{
    struct pollfd *fds = calloc(n + 1, sizeof *fds);
    if (!fds)
        cspt_fatal("out of memory");
    int64_t now = cspt_client_now_ms(), wait_ms = TICK_MS;
    for (unsigned i = 0; i < n; i++) {
        const worker *w = &e->workers[i];
        fds[i] = (struct pollfd){.fd = w->busy ? w->client.socket : -1, .events = POLLIN};
        if (w->busy && w->client.deadline_ms - now < wait_ms)
            wait_ms = w->client.deadline_ms - now;
    }
    fds[n] = (struct pollfd){.fd = cspt_child_signals(), .events = POLLIN};
    if (poll(fds, n + 1, wait_ms < 1 ? 1 : (int)wait_ms) > 0 && fds[n].revents)
        take_signals(e);
    free(fds);
}

static void update_progress(const explorer *e)
{
    cspt_progress *p = e->x->progress;
    if (e->phase != EXPLORE)
        return;
    p->done = e->test->explored.schedules;
    p->total = e->x->count == UINT64_MAX ? 0 : e->x->count;
    p->elapsed_s = now_s() - e->began_s;
    p->limit_s = e->x->time_s;
    cspt_progress_update(p, now_s());
}

static void run_phase(explorer *e, phase phase, uint64_t items)
{
    e->phase = phase;
    e->next = 0;
    e->end = items;
    unsigned n = items < e->x->jobs ? (unsigned)items : e->x->jobs;
    for (bool any = true; any && !e->x->interrupted;) {
        any = false;
        for (unsigned i = 0; i < n; i++) {
            worker *w = &e->workers[i];
            cspt_client_result result;
            if (w->busy)
                handle(e, w, cspt_client_poll(&w->client, &result), &result);
            while (!w->busy && take_item(e, w))
                begin_run(e, w);
            any |= w->busy;
        }
        // A program that always hangs would take a minute per schedule, and tell nothing new.
        e->gave_up |= phase == EXPLORE && e->timeouts > ALL_HANG && e->timeouts > e->test->explored.schedules;
        update_progress(e);
        if (any)
            wait_for_something(e, n);
    }
}

// --- the test ---------------------------------------------------------------------------------------------------------------------

// Of the bugs that the bound is about: those that pct looks for, when it is all there is; portfolio has runs of several depths.
static unsigned bound_depth(const cspt_exploration *x)
{
    enum { DETECTORS_DEPTH = 3, COMMON_DEPTH = 2 };
    if (x->depth)
        return x->depth;
    return strcmp(x->strategy, "pct") == 0 ? DETECTORS_DEPTH : COMMON_DEPTH;
}

static void compute_bound(explorer *e)
{
    cspt_explored *x = &e->test->explored;
    if (!x->tasks || !x->points)
        return;
    x->bound = csp_pct_bound(x->tasks, x->points, x->depth, x->pct_schedules);
    x->needed = (double)csp_pct_runs(x->tasks, x->points, x->depth, 0.95);
}

static void judge(explorer *e)
{
    cspt_test *t = e->test;
    if (e->broken)
        t->outcome = CSPT_BROKEN;
    else if (e->skipped)
        t->outcome = CSPT_SKIPPED;
    if (e->skipped && !t->note)
        t->note = cspt_format("it ended with its status for that, %d", e->target->skip_status);
    if (e->gave_up && !t->note)
        t->note = cspt_format("given up: every schedule so far hung");
}

static void init(explorer *e, cspt_exploration *x, const cspt_target *target, cspt_test *t)
{
    *e = (explorer){.x = x, .target = target, .test = t, .began_s = now_s()};
    e->collector = (cspt_collector){
        .target = target, .test = t, .schedules_folder = x->schedules_folder, .on_new = on_new_finding, .arg = e};
    e->workers = calloc(x->jobs, sizeof *e->workers);
    if (!e->workers)
        cspt_fatal("out of memory");
    for (unsigned i = 0; i < x->jobs; i++)
        cspt_client_init(&e->workers[i].client, target);
    e->profile = cspt_format("%s/profile", x->scratch);
    t->explored.controlled = true;
    t->explored.depth = bound_depth(x);
    t->explored.first_iteration = x->first;
}

static void fini(explorer *e)
{
    for (unsigned i = 0; i < e->x->jobs; i++) {
        worker *w = &e->workers[i];
        cspt_client_fini(&w->client);
        if (w->busy) {
            unlink(w->log);
            unlink(w->schedule);
        }
        free(w->log);
        free(w->schedule);
        free(w->options);
    }
    free(e->workers);
    free(e->collector.profile);
    if (e->profile)
        unlink(e->profile);
    free(e->profile);
}

bool cspt_explore(cspt_exploration *x, const cspt_target *target, cspt_test *t)
{
    explorer e;
    init(&e, x, target, t);
    x->progress->test = t->name;
    run_phase(&e, TRIAL, 1);
    run_phase(&e, EXPLORE, x->count);
    if (x->check_determinism) {
        run_phase(&e, CHECK, 2 * (x->count < CSPT_CHECKED_SEEDS ? x->count : CSPT_CHECKED_SEEDS));
        cspt_determinism_compare(&e.collector, x, e.next / 2);
    }
    run_phase(&e, REPLAY, t->n_findings);
    t->seconds = now_s() - e.began_s;
    compute_bound(&e);
    judge(&e);
    fini(&e);
    return !e.broken;
}
