// cmd_minimize.c - csp minimize: which switches of a schedule its finding takes, and the interleaving that is left.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "common/child.h"
#include "common/message.h"
#include "explore/rerun.h"
#include "explore/run_options.h"
#include "explore/scratch.h"
#include "explore/source.h"
#include "replay/ddmin.h"
#include "replay/replay.h"
#include "replay/schedule_read.h"
#include "replay/trace.h"

enum { TIMEOUT_S = 60, SHOW_ALL = 1000 };

typedef struct minimizer {
    const char *file;
    char *out;
    bool shows_all;
    cspt_schedule schedule;
    cspt_target target;
    const char *scratch;
    cspt_rerun rerun;
    char *fingerprint, *title;
    char *candidate; // file that the next run follows
    bool *keep;
    size_t left;
    unsigned runs;
    int error; // of starting the program
    volatile bool stop;
} minimizer;

void cspt_help_minimize(void)
{
    puts("usage: csp minimize [-o OUT] [--all] FILE\n"
         "\n"
         "Leaves out of the schedule in FILE, which csp test kept, what its finding does not need: switches from one "
         "task\n"
         "to another, timers that fire early, other choices. It runs the program again and again for that. What is "
         "left is\n"
         "written to a file that csp replay takes, too, and printed as a timeline: a column per task, the source lines "
         "of\n"
         "its operations, the switches, and the places that the finding is about.\n"
         "\n"
         "  -o, --output OUT  the file to write (default: FILE with .min before its suffix)\n"
         "      --all         print all operations, also in long rows of one task's\n"
         "  -h, --help        this text\n"
         "\n"
         "exit status: 0 done, 64 wrong usage, 70 the schedule does not show its finding any more, or csp itself "
         "failed");
}

// --- one run ----------------------------------------------------------------------------------------------------------------------

static bool write_candidate(minimizer *m, const char *path, const bool *keep)
{
    FILE *out = fopen(path, "we");
    if (out)
        cspt_schedule_write_switches(out, &m->schedule, keep);
    if (out && fclose(out) == 0)
        return true;
    cspt_error("minimize: %s: %s", path, strerror(errno));
    return false;
}

static char *follow_options(const char *path)
{
    cspt_text options = {0};
    cspt_option_string(&options, "schedule", "replay");
    cspt_option_string(&options, "replay", path);
    return options.bytes;
}

static bool follow(minimizer *m, const char *path)
{
    char *options = follow_options(path);
    m->runs++;
    m->error = cspt_rerun_quietly(&m->rerun, options);
    m->stop = m->error != 0;
    free(options);
    return !m->error;
}

static void show_progress(const minimizer *m)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\rcsp minimize: run %u, %zu of %zu switches\033[K", m->runs, m->left, m->schedule.n_switches);
}

static bool still_shows(const bool *keep, size_t n, void *arg)
{
    minimizer *m = arg;
    if (!write_candidate(m, m->candidate, keep)) {
        m->error = EIO;
        m->stop = true;
        return false;
    }
    bool shows = follow(m, m->candidate) && cspt_rerun_finding(&m->rerun, m->fingerprint, NULL) != NULL;
    if (shows)
        for (size_t i = m->left = 0; i < n; i++)
            m->left += keep[i];
    show_progress(m);
    return shows;
}

// --- the steps of it -----------------------------------------------------------------------------------------------------------------

static int fail(const minimizer *m, const char *what)
{
    if (m->rerun.interrupted)
        return CSPT_STATUS_FAILED;
    if (m->error)
        cspt_error("minimize: %s: %s", m->target.command.items[0], strerror(m->error));
    else
        cspt_error("minimize: %s: %s", m->file, what);
    if (!m->error && m->rerun.run.log.run.diverged_at)
        cspt_note("the program diverged from it at step %lu: was it built anew, does it depend on what is outside?",
                  (unsigned long)m->rerun.run.log.run.diverged_at);
    return CSPT_STATUS_FAILED;
}

static int find_finding(minimizer *m)
{
    const cspt_finding *f = NULL;
    if (follow(m, m->file))
        f = cspt_rerun_finding(&m->rerun, NULL, m->schedule.title);
    if (!f)
        return fail(m, "a run that follows it has no finding");
    m->fingerprint = cspt_format("%s", f->fingerprint);
    m->title = cspt_format("%s", f->title);
    return CSPT_STATUS_CLEAN;
}

static int minimize(minimizer *m)
{
    size_t n = m->left = m->schedule.n_switches;
    m->keep = malloc(n + 1);
    if (!m->keep)
        cspt_fatal("out of memory");
    memset(m->keep, true, n + 1);
    if (!still_shows(m->keep, n, m))
        return fail(m, "its switches alone do not show the finding");
    cspt_ddmin(m->keep, n, still_shows, m, &m->stop);
    m->left = 0;
    for (size_t i = 0; i < n; i++)
        m->left += m->keep[i];
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    return m->error ? fail(m, "stopped") : write_candidate(m, m->out, m->keep) ? CSPT_STATUS_CLEAN : CSPT_STATUS_FAILED;
}

static bool is_kept_switch(const minimizer *m, const cspt_schedule_step *before, const cspt_schedule_step *step)
{
    for (size_t i = 0; i < m->schedule.n_switches; i++) {
        const cspt_switch *w = &m->schedule.switches[i];
        if (m->keep[i] && w->kind == CSPT_SWITCH_TASK && w->task == before->task && w->points == before->points + 1 &&
            w->value == step->task)
            return true;
    }
    return false;
}

// The run that is left, with the names of its places.
static bool read_left(minimizer *m, cspt_schedule *left)
{
    char *error = NULL, *path = cspt_format("%s/left.csched", m->scratch), *follow_out = follow_options(m->out);
    cspt_text options = {0};
    cspt_text_append(&options, follow_out, strlen(follow_out));
    cspt_option_string(&options, "schedule_file", path);
    cspt_option_number(&options, "schedule_keep", 1);
    bool good = cspt_rerun_quietly(&m->rerun, options.bytes) == 0 && cspt_schedule_read(left, path, &error);
    if (error)
        cspt_error("minimize: %s", error);
    free(error);
    free(path);
    free(follow_out);
    cspt_text_fini(&options);
    if (!good)
        return false;
    cspt_places_find(left->places, left->n_places);
    for (size_t i = 1; i < left->n_steps; i++)
        left->steps[i].is_switched = is_kept_switch(m, &left->steps[i - 1], &left->steps[i]);
    return true;
}

static int show(minimizer *m)
{
    cspt_schedule left;
    cspt_trace_look look = cspt_trace_look_here();
    if (!read_left(m, &left))
        return fail(m, "what is left cannot be shown");
    look.all = m->shows_all;
    char *text = cspt_trace_draw(&left, cspt_rerun_finding(&m->rerun, m->fingerprint, NULL), &look);
    printf("%s\n%zu of %zu switches are left, after %u runs\n\n%s\n", m->title, m->left, m->schedule.n_switches,
           m->runs, text);
    printf("csp replay %s\n", m->out);
    free(text);
    cspt_source_forget();
    cspt_schedule_fini(&left);
    return CSPT_STATUS_CLEAN;
}

// --- the command -----------------------------------------------------------------------------------------------------------------------

static char *default_output(const char *file)
{
    const char *slash = strrchr(file, '/'), *dot = strrchr(file, '.');
    if (!dot || dot == file || (slash && dot < slash + 2))
        return cspt_format("%s.min", file);
    return cspt_format("%.*s.min%s", (int)(dot - file), file, dot);
}

static int run(minimizer *m)
{
    char *error = NULL;
    if (!cspt_schedule_read(&m->schedule, m->file, &error)) {
        cspt_error("minimize: %s", error);
        free(error);
        return CSPT_STATUS_USAGE;
    }
    if (!cspt_replay_target("minimize", &m->target, (char *const *)(uintptr_t)m->schedule.command.items,
                            m->schedule.command.count))
        return CSPT_STATUS_USAGE;
    cspt_child_prepare();
    m->candidate = cspt_format("%s/candidate.csched", m->scratch);
    cspt_rerun_init(&m->rerun, &m->target, m->scratch, TIMEOUT_S);
    int status = find_finding(m);
    if (!status)
        status = minimize(m);
    if (!status)
        status = show(m);
    int interrupted = m->rerun.interrupted;
    cspt_rerun_fini(&m->rerun);
    cspt_argv_fini(&m->target.command);
    cspt_schedule_fini(&m->schedule);
    if (interrupted) {
        cspt_scratch_remove(m->scratch);
        cspt_child_die_by(interrupted);
    }
    return status;
}

static bool parse(minimizer *m, int argc, char **argv, int *status)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"all", no_argument, NULL, SHOW_ALL},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    *status = CSPT_STATUS_USAGE;
    for (int option; (option = getopt_long(argc, argv, "o:h", options, NULL)) != -1;) {
        if (option == 'h') {
            cspt_help_minimize();
            *status = CSPT_STATUS_CLEAN;
            return false;
        }
        if (option == 'o')
            m->out = cspt_format("%s", optarg);
        m->shows_all |= option == SHOW_ALL;
        if (option == '?') {
            cspt_note("`csp help minimize` tells what there is");
            return false;
        }
    }
    if (optind + 1 != argc) {
        cspt_error("minimize: one schedule file is to be given");
        cspt_note("`csp help minimize` tells how to call it");
        return false;
    }
    m->file = argv[optind];
    if (!m->out)
        m->out = default_output(m->file);
    return true;
}

int cspt_cmd_minimize(int argc, char **argv)
{
    static minimizer m;
    int status;
    if (!parse(&m, argc, argv, &status))
        return status;
    char *scratch = cspt_scratch_make(NULL);
    if (!scratch) {
        cspt_error("minimize: no folder for temporary files: %s; set TMPDIR", strerror(errno));
        return CSPT_STATUS_FAILED;
    }
    m.scratch = scratch;
    status = run(&m);
    cspt_scratch_remove(scratch);
    free(m.keep);
    free(m.out);
    free(m.candidate);
    free(m.fingerprint);
    free(m.title);
    return status;
}
