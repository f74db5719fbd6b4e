// plain.c - runs a program as it is, several times: its output passes through, each distinct report is shown once.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "explore/plain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/child.h"
#include "common/message.h"
#include "explore/fingerprint.h"
#include "explore/report_key.h"
#include "explore/report_parse.h"
#include "explore/report_scan.h"
#include "explore/verdict.h"

typedef struct runner {
    cspt_plain *plain;
    cspt_test *test;
    uint64_t run; // the one under way, from 1
    size_t reports_in_run, new_in_run;
    bool in_line; // what was written last did not end its line
    struct seen {
        uint64_t last_run;
    } *seen; // by finding
    size_t n_seen;
} runner;

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void write_out(runner *r, const char *bytes, size_t size)
{
    if (size)
        cspt_progress_hide(r->plain->progress);
    r->in_line = size && bytes[size - 1] != '\n';
    while (size) {
        ssize_t n = write(STDERR_FILENO, bytes, size);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return; // nobody reads it: the exit status still tells
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        }
    }
}

static void on_text(void *arg, const char *bytes, size_t size)
{
    write_out(arg, bytes, size);
}

// Counts finding number i for this run.
static void count(runner *r, size_t i)
{
    if (i >= r->n_seen) {
        r->seen = reallocarray(r->seen, i + 1, sizeof *r->seen);
        if (!r->seen)
            cspt_fatal("out of memory");
        r->seen[i] = (struct seen){0};
        r->n_seen = i + 1;
    }
    cspt_finding *f = &r->test->findings[i];
    f->times++;
    f->schedules += r->seen[i].last_run != r->run;
    f->first = f->first ? f->first : r->run;
    r->seen[i].last_run = r->run;
}

// Takes the strings of f over; true when it is a new one.
static bool add(runner *r, cspt_finding *f)
{
    cspt_finding *known = cspt_test_find(r->test, f->fingerprint);
    if (!known) {
        *cspt_test_add_finding(r->test) = *f;
        r->plain->progress->findings++;
        count(r, r->test->n_findings - 1);
        return true;
    }
    count(r, (size_t)(known - r->test->findings));
    cspt_finding_drop(f);
    return false;
}

static void on_report(void *arg, const char *bytes, size_t size)
{
    runner *r = arg;
    cspt_finding f = {0};
    char *key = cspt_report_key(bytes, size, &f.title);
    f.fingerprint = cspt_fingerprint_text(key);
    free(key);
    cspt_report_parse(&f, bytes, size);
    r->reports_in_run++;
    if (!add(r, &f))
        return;
    r->new_in_run++;
    write_out(r, bytes, size);
}

// "reported 3 warnings" would stand there alone when all three have been shown before.
static void on_total(void *arg, const char *bytes, size_t size)
{
    runner *r = arg;
    if (r->new_in_run)
        write_out(r, bytes, size);
}

static void feed(void *arg, const char *bytes, size_t size)
{
    cspt_report_scan_feed(arg, bytes, size);
}

static void judge_end(runner *r, const cspt_target *target, const cspt_child_result *result)
{
    cspt_finding f;
    cspt_end end = {.wait_status = result->wait_status,
                    .timed_out = result->timed_out,
                    .timeout_s = r->plain->timeout_s,
                    .has_findings = r->reports_in_run > 0};
    bool has_end = !result->interrupted && cspt_verdict(target, &end, &f);
    if (has_end)
        add(r, &f);
    if (cspt_verdict_skipped(target, &end))
        r->test->outcome = CSPT_SKIPPED;
    r->test->explored.failing += has_end || r->reports_in_run;
}

static int run_once(runner *r, const cspt_target *target)
{
    cspt_report_scan scan;
    cspt_child_result result;
    r->reports_in_run = r->new_in_run = 0;
    cspt_report_scan_init(&scan, &(cspt_report_events){on_text, on_report, on_total, r});
    int error = cspt_child_run(target, r->plain->timeout_s, feed, &scan, &result);
    cspt_report_scan_fini(&scan);
    if (error)
        return error;
    r->plain->interrupted = result.interrupted;
    r->test->explored.schedules++;
    judge_end(r, target, &result);
    return 0;
}

static void update_progress(const runner *r, double began_s)
{
    cspt_progress *p = r->plain->progress;
    p->what = "runs";
    p->test = r->test->name;
    p->done = r->test->explored.schedules;
    p->total = r->plain->count == UINT64_MAX ? 0 : r->plain->count;
    p->elapsed_s = now_s() - began_s;
    p->limit_s = r->plain->time_s;
    if (!r->in_line && r->plain->count > 1) // never in the middle of the program's output
        cspt_progress_update(p, now_s());
}

int cspt_run_plain(cspt_plain *p, const cspt_target *target, cspt_test *t)
{
    runner r = {.plain = p, .test = t};
    double began_s = now_s();
    int error = 0;
    for (r.run = 1; r.run <= p->count && !error && !p->interrupted && t->outcome != CSPT_SKIPPED; r.run++) {
        if (p->time_s > 0 && r.run > 1 && now_s() - began_s >= p->time_s)
            break;
        update_progress(&r, began_s);
        error = run_once(&r, target);
    }
    cspt_progress_hide(p->progress);
    if (r.in_line)
        fputc('\n', stderr);
    t->seconds = now_s() - began_s;
    free(r.seen);
    return error;
}
