// show.c - what csp test tells on standard error: findings as they come, and the summary.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "results/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/argv.h"

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

// Each line after a bar, so that it is not taken for ours.
static void print_quoted(const char *text)
{
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        fprintf(stderr, "  | %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

void cspt_show_finding(const cspt_finding *f)
{
    if (f->text) {
        size_t n = strlen(f->text);
        fprintf(stderr, "%s%s", f->text, n && f->text[n - 1] == '\n' ? "" : "\n");
        return;
    }
    fprintf(stderr, "csp test: %s\n", f->title);
    if (f->output)
        print_quoted(f->output);
}

void cspt_show_run(const cspt_shown_run *run, int wait_status)
{
    char *name = run->is_trial ? cspt_format("trial run") : cspt_format("schedule %" PRIu64, run->ordinal);
    const cspt_run_record *r = &run->log.run;
    fprintf(stderr, "csp test: %s: %s, seed %" PRIu64, name, r->strategy ? r->strategy : run->strategy, run->seed);
    if (r->present)
        fprintf(stderr, ", %" PRIu64 " point%s, %" PRIu64 " task%s", r->points, plural(r->points), r->tasks,
                plural(r->tasks));
    if (WIFEXITED(wait_status))
        fprintf(stderr, ", status %d", WEXITSTATUS(wait_status));
    size_t n = run->log.n_findings + run->has_end;
    fprintf(stderr, ", %zu finding%s\n", n, plural(n));
    if (run->output)
        print_quoted(run->output);
    free(name);
}

// --- the summary ------------------------------------------------------------------------------------------------------------------

static void print_replay(const cspt_finding *f)
{
    if (f->replay_command)
        fprintf(stderr, "    %s\n", f->replay_command);
    if (f->replay == CSPT_REPLAY_FAILED)
        fprintf(stderr, "    the replay did not show it again: %s\n", f->replay_note);
}

static void print_finding(const cspt_test *t, const cspt_finding *f)
{
    const cspt_explored *e = &t->explored;
    fprintf(stderr, "  in %" PRIu64 " of %" PRIu64 " %s%s", f->schedules, e->schedules,
            e->controlled ? "schedule" : "run", plural(e->schedules));
    if (f->times > f->schedules + f->in_trial)
        fprintf(stderr, " (%" PRIu64 " times)", f->times);
    fprintf(stderr, ": %s%s%s\n", f->title, f->known ? " (known)" : "", f->mild ? " (no failure)" : "");
    if (!e->controlled)
        return;
    fprintf(stderr, "    smallest seed %" PRIu64 " (%s%s), fingerprint %s\n", f->seed, f->strategy,
            f->in_trial ? ", the trial run" : "", f->fingerprint);
    print_replay(f);
}

static void print_strategies(const cspt_explored *e)
{
    if (!e->n_strategies)
        return;
    fputs("  strategies:", stderr);
    for (size_t i = 0; i < e->n_strategies; i++)
        fprintf(stderr, "%s %s %" PRIu64, i ? "," : "", e->strategies[i].name, e->strategies[i].schedules);
    if (e->tasks)
        fprintf(stderr, "; up to %" PRIu64 " task%s and %" PRIu64 " points", e->tasks, plural(e->tasks), e->points);
    fputc('\n', stderr);
}

// Rounded down, so that nothing is promised that is not so.
static void print_bound(const cspt_explored *e)
{
    if (!e->needed)
        return;
    double percent = (double)(uint64_t)(e->bound * 1000) / 10;
    if (percent >= 0.1)
        fprintf(stderr, "  at least %g %% to have found any depth-%u bug (PCT's bound)", percent, e->depth);
    else
        fprintf(stderr, "  less than 0.1 %% is certain for depth-%u bugs (PCT's bound)", e->depth);
    if (percent < 95 && e->needed < 1e15)
        fprintf(stderr, "; 95 %% would take %.0f schedules of pct", e->needed);
    fputc('\n', stderr);
}

static void print_reasons(const cspt_explored *e)
{
    for (size_t i = 0; i < e->n_why_not; i++)
        fprintf(stderr, "  not replayable (%" PRIu64 " of the schedules in all): %s\n", e->not_replayable,
                e->why_not[i]);
}

static void print_explored(const cspt_test *t)
{
    const cspt_explored *e = &t->explored;
    fprintf(stderr, "%" PRIu64 " schedule%s", e->schedules, plural(e->schedules));
    if (e->n_interleavings)
        fprintf(stderr, ", %zu distinct interleaving%s", e->n_interleavings, plural(e->n_interleavings));
    if (t->seconds > 0)
        fprintf(stderr, ", %.1f s", t->seconds);
}

static void print_test(const cspt_test *t, bool many)
{
    const cspt_explored *e = &t->explored;
    fputs("csp test: ", stderr);
    if (many)
        fprintf(stderr, "%s: ", t->name);
    if (t->outcome == CSPT_SKIPPED || t->outcome == CSPT_NOT_RUN || t->outcome == CSPT_BROKEN) {
        static const char *const words[] = {
            [CSPT_SKIPPED] = "skipped", [CSPT_NOT_RUN] = "not run", [CSPT_BROKEN] = "could not be run"};
        fprintf(stderr, "%s%s%s\n", words[t->outcome], t->note ? ": " : "", t->note ? t->note : "");
        return;
    }
    if (e->controlled)
        print_explored(t);
    else
        fprintf(stderr, "%" PRIu64 " run%s", e->schedules, plural(e->schedules));
    if (t->n_findings)
        fprintf(stderr, ", %" PRIu64 " with findings, %zu distinct:\n", e->failing, t->n_findings);
    else
        fputs(", no findings\n", stderr);
    for (size_t i = 0; i < t->n_findings; i++)
        print_finding(t, &t->findings[i]);
    if (t->note)
        fprintf(stderr, "  %s\n", t->note);
    if (e->controlled) {
        print_strategies(e);
        print_bound(e);
        print_reasons(e);
    }
}

static void print_total(const cspt_results *r)
{
    uint64_t schedules = 0;
    size_t findings = 0, failed = 0;
    for (size_t i = 0; i < r->n_tests; i++) {
        schedules += r->tests[i].explored.schedules;
        findings += r->tests[i].n_findings;
        failed += r->tests[i].outcome == CSPT_FAILED;
    }
    fprintf(stderr, "csp test: %zu tests, %" PRIu64 " schedules, %zu finding%s in %zu test%s\n", r->n_tests, schedules,
            findings, plural(findings), failed, plural(failed));
}

void cspt_show_summary(const cspt_results *r)
{
    bool any_controlled = false;
    for (size_t i = 0; i < r->n_tests; i++) {
        print_test(&r->tests[i], r->n_tests > 1 || r->tests_total > 1);
        any_controlled |= r->tests[i].explored.controlled;
    }
    if (r->n_tests > 1)
        print_total(r);
    if (any_controlled)
        fprintf(stderr, "csp test: base seed %" PRIu64 " (--seed %" PRIu64 " explores the same schedules)\n", r->seed,
                r->seed);
    fflush(stderr);
}
