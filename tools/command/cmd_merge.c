// cmd_merge.c - csp merge: unites what the shards of one exploration found.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/command.h"
#include "common/message.h"
#include "results/ci.h"
#include "results/merge.h"
#include "results/output.h"
#include "results/outputs.h"

void cspt_help_merge(void)
{
    puts("usage: csp merge [options] RESULTS.json ...\n"
         "\n"
         "Unites the files that the shards of one `csp test` wrote with --json-results: each finding once, by its\n"
         "fingerprint, with how often all shards saw it, its smallest seed and its replay command. A shard that is "
         "missing,\n"
         "or came twice, is named.\n"
         "\n"
         "options:\n"
         "  --partial              shards may be missing\n"
         "  -h, --help             this text");
    fputs(cspt_outputs_help, stdout);
    puts("\n"
         "exit status: 0 clean, 66 findings that are not in the baseline, 64 wrong usage, or files that are not all of "
         "one\n"
         "exploration's shards, 70 csp itself failed");
}

static void print_finding(const cspt_test *t, const cspt_finding *f)
{
    char *often = cspt_output_frequency(t, f);
    fprintf(stderr, "  %s%s\n    %s, %s\n", f->title, f->known ? " (known)" : f->mild ? " (mild)" : "", t->name, often);
    if (f->replay_command)
        fprintf(stderr, "    replay: %s\n", f->replay_command);
    free(often);
}

static void print_summary(const cspt_results *r)
{
    uint64_t schedules = 0;
    size_t findings = 0;
    for (size_t i = 0; i < r->n_tests; i++) {
        schedules += r->tests[i].explored.schedules;
        findings += r->tests[i].n_findings;
    }
    fprintf(stderr, "csp merge: %zu test%s, %" PRIu64 " schedule%s, %zu finding%s%s\n", r->n_tests,
            r->n_tests == 1 ? "" : "s", schedules, schedules == 1 ? "" : "s", findings, findings == 1 ? "" : "s",
            findings ? ":" : "");
    for (size_t i = 0; i < r->n_tests; i++)
        for (size_t j = 0; j < r->tests[i].n_findings; j++)
            print_finding(&r->tests[i], &r->tests[i].findings[j]);
    for (size_t i = 0; i < r->n_tests; i++)
        if (r->tests[i].outcome == CSPT_BROKEN || r->tests[i].outcome == CSPT_NOT_RUN)
            fprintf(stderr, "  %s %s: %s\n", r->tests[i].name,
                    r->tests[i].outcome == CSPT_BROKEN ? "could not be run" : "was not run",
                    r->tests[i].note ? r->tests[i].note : "no reason is known");
}

// A finding outweighs everything; a whole that has a hole in it is not clean.
static int find_status(const cspt_merge *m, size_t n_problems)
{
    if (cspt_results_new_findings(&m->all))
        return CSPT_STATUS_FINDINGS;
    if (n_problems || !m->all.tests_total)
        return CSPT_STATUS_USAGE;
    for (size_t i = 0; i < m->all.n_tests; i++)
        if (m->all.tests[i].outcome == CSPT_BROKEN || m->all.tests[i].outcome == CSPT_NOT_RUN)
            return CSPT_STATUS_FAILED;
    return CSPT_STATUS_CLEAN;
}

static bool read_all(cspt_merge *m, char **files, int n)
{
    bool good = true;
    for (int i = 0; i < n; i++) {
        cspt_results r;
        char *error = NULL;
        if (cspt_results_read(&r, files[i], &error)) {
            cspt_merge_add(m, &r, files[i]);
        } else {
            good = false;
            cspt_error("merge: %s", error);
            free(error);
        }
    }
    return good;
}

static int merge(cspt_outputs *outputs, char **files, int n, bool partial)
{
    cspt_merge m = {0};
    cspt_ci ci;
    cspt_ci_read(&ci);
    ci.junit = NULL; // Bazel's is the test's own
    int status = cspt_outputs_prepare(outputs, &ci);
    if (status != CSPT_STATUS_CLEAN)
        return status;
    bool good = read_all(&m, files, n);
    if (!m.first_file)
        return CSPT_STATUS_USAGE;
    cspt_merge_finish(&m, partial);
    for (size_t i = 0; i < m.problems.count; i++)
        cspt_error("merge: %s", m.problems.items[i]);
    if (!m.all.tests_total)
        cspt_error("merge: no test was found by any shard");
    cspt_outputs_begin(outputs, &m.all);
    for (size_t i = 0; i < m.all.n_tests; i++)
        cspt_outputs_test(outputs, &m.all, &m.all.tests[i]);
    print_summary(&m.all);
    status = find_status(&m, m.problems.count + !good);
    status = cspt_outputs_finish(outputs, &m.all, status);
    cspt_merge_fini(&m);
    return status;
}

int cspt_cmd_merge(int argc, char **argv)
{
    static const struct option options[] = {
        CSPT_OUTPUT_OPTIONS, {"partial", no_argument, NULL, 'p'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    cspt_outputs outputs = {0};
    bool partial = false;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option >= CSPT_OUTPUT_FIRST) {
            cspt_outputs_option(&outputs, option, optarg);
        } else if (option == 'p') {
            partial = true;
        } else if (option == 'h') {
            cspt_help_merge();
            return CSPT_STATUS_CLEAN;
        } else {
            cspt_note("`csp help merge` tells what there is");
            return CSPT_STATUS_USAGE;
        }
    }
    if (optind == argc) {
        cspt_error("merge: no results given");
        cspt_note("`csp help merge` tells how to call it");
        return CSPT_STATUS_USAGE;
    }
    return merge(&outputs, argv + optind, argc - optind, partial);
}
