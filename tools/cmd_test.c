// cmd_test.c - csp test: runs a program several times and shows each distinct finding once, with how often it came.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "argv.h"
#include "child.h"
#include "command.h"
#include "findings.h"
#include "message.h"
#include "report_scan.h"

enum { REPORT_STATUS = 66 }; // the default of the detector's option exitcode

typedef struct test {
    unsigned count;
    unsigned run; // the one under way, from 1
    unsigned runs_with_findings;
    cspt_counts findings;
    unsigned reports_in_run, new_in_run;
} test;

void cspt_help_test(void)
{
    puts("usage: csp test [--count N] [--] PROGRAM [ARGUMENT ...]\n"
         "\n"
         "Runs the program N times (default 1). Its output passes through; of the reports on its standard error\n"
         "each distinct one is shown once, and the summary says how often it came. Also a finding: the program\n"
         "ends with a status other than 0, or by a signal.\n"
         "\n"
         "  -n, --count N  how many runs\n"
         "  -h, --help     this text\n"
         "\n"
         "exit status: 0 clean, 66 findings, 64 wrong usage or a missing program, 70 csp itself failed");
}

static bool in_line; // what was written last did not end its line

static void write_out(const char *bytes, size_t size)
{
    in_line = size && bytes[size - 1] != '\n';
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
    (void)arg;
    write_out(bytes, size);
}

static void on_report(void *arg, const char *bytes, size_t size)
{
    test *t = arg;
    t->reports_in_run++;
    if (!cspt_counts_add_report(&t->findings, t->run, bytes, size))
        return;
    t->new_in_run++;
    write_out(bytes, size);
}

// "reported 3 warnings" would stand there alone when all three have been shown before.
static void on_total(void *arg, const char *bytes, size_t size)
{
    const test *t = arg;
    if (t->new_in_run)
        write_out(bytes, size);
}

static void feed(void *arg, const char *bytes, size_t size)
{
    cspt_report_scan_feed(arg, bytes, size);
}

// How the program ended, when that is a finding of its own.
static void judge_end(test *t, int wait_status)
{
    char *line = NULL;
    if (WIFSIGNALED(wait_status))
        line = cspt_format("killed by signal %d (%s)", WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
    else if (WEXITSTATUS(wait_status) == REPORT_STATUS && !t->reports_in_run)
        line = cspt_format("exited with status %d, without a report on standard error", REPORT_STATUS);
    else if (WEXITSTATUS(wait_status) != 0 && WEXITSTATUS(wait_status) != REPORT_STATUS)
        line = cspt_format("exited with status %d", WEXITSTATUS(wait_status));
    if (line)
        cspt_counts_add_line(&t->findings, t->run, line);
    if (line || t->reports_in_run)
        t->runs_with_findings++;
    free(line);
}

// A line of its own every few seconds, so that it never stands in the middle of the program's output.
static void show_progress(const test *t)
{
    static time_t last;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!last)
        last = now.tv_sec;
    if (t->count == 1 || now.tv_sec - last < 2 || !isatty(STDERR_FILENO))
        return;
    last = now.tv_sec;
    fprintf(stderr, "csp test: run %u of %u, %zu distinct findings so far\n", t->run, t->count, t->findings.count);
}

// Returns the signal that interrupted it, 0 when none did; ends csp when the program cannot be started.
static int run_once(test *t, char *const *argv)
{
    cspt_report_scan scan;
    cspt_child_result result;
    t->reports_in_run = t->new_in_run = 0;
    cspt_report_scan_init(&scan, &(cspt_report_events){on_text, on_report, on_total, t});
    int error = cspt_child_run(argv, feed, &scan, &result);
    cspt_report_scan_fini(&scan);
    if (error) {
        cspt_error("test: %s: %s", argv[0], strerror(error));
        bool passing = error == ENOMEM || error == EAGAIN || error == EMFILE || error == ENFILE;
        exit(passing ? CSPT_STATUS_FAILED : CSPT_STATUS_USAGE);
    }
    if (!result.interrupted)
        judge_end(t, result.wait_status);
    else if (t->reports_in_run)
        t->runs_with_findings++;
    return result.interrupted;
}

static void print_summary(const test *t, unsigned runs)
{
    const char *plural = runs == 1 ? "" : "s";
    if (in_line)
        fputc('\n', stderr);
    if (!t->findings.count) {
        fprintf(stderr, "csp test: %u run%s, no findings\n", runs, plural);
        return;
    }
    fprintf(stderr, "csp test: %u run%s, %u with findings, %zu distinct:\n", runs, plural, t->runs_with_findings,
            t->findings.count);
    for (size_t i = 0; i < t->findings.count; i++) {
        const cspt_counted *f = &t->findings.items[i];
        fprintf(stderr, "  in %u of %u run%s", f->runs, runs, plural);
        if (f->times != f->runs)
            fprintf(stderr, " (%u times)", f->times);
        fprintf(stderr, ": %s\n", f->title);
    }
}

static bool parse_count(const char *text, unsigned *out)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (errno || end == text || *end || n == 0 || n > UINT_MAX || strchr(text, '-')) {
        cspt_error("test: --count takes a number from 1, not '%s'", text);
        return false;
    }
    *out = (unsigned)n;
    return true;
}

int cspt_cmd_test(int argc, char **argv)
{
    static const struct option options[] = {
        {"count", required_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    test t = {.count = 1};
    for (int option; (option = getopt_long(argc, argv, "+n:h", options, NULL)) != -1;) {
        if (option == 'h') {
            cspt_help_test();
            return CSPT_STATUS_CLEAN;
        }
        if (option != 'n') {
            cspt_note("`csp help test` tells what there is");
            return CSPT_STATUS_USAGE;
        }
        if (!parse_count(optarg, &t.count))
            return CSPT_STATUS_USAGE;
    }
    if (optind == argc) {
        cspt_error("test: no program given");
        cspt_note("`csp help test` tells how to call it");
        return CSPT_STATUS_USAGE;
    }
    int interrupted = 0;
    cspt_child_prepare();
    for (t.run = 1; t.run <= t.count && !interrupted; t.run++) {
        show_progress(&t);
        interrupted = run_once(&t, argv + optind);
    }
    print_summary(&t, t.run - 1);
    int status = t.findings.count ? CSPT_STATUS_FINDINGS : CSPT_STATUS_CLEAN;
    cspt_counts_fini(&t.findings);
    if (interrupted)
        cspt_child_die_by(interrupted);
    return status;
}
