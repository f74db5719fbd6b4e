// near.c - explores the neighbourhood of a recorded schedule.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How much of it is kept: all decisions before the first of the operations that the finding is about. When the program still shows
// it - the change that is to mend it is not there yet - its report says which these are, when there are two. Else what is left of the
// record is who ran when: the last stretch is of the task that noticed, so the one before it is given up, too. Of a crash or an
// exit status half is kept.
#include "replay/near.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "common/message.h"
#include "explore/explore.h"
#include "explore/rerun.h"
#include "explore/run_options.h"
#include "replay/trace.h"

static size_t start_of_stretch(const cspt_schedule *s, size_t step)
{
    while (step > 0 && s->steps[step - 1].task == s->steps[step].task)
        step--;
    return step;
}

static uint64_t guess_prefix(const cspt_schedule *s)
{
    if (!s->n_until_finding)
        return 0;
    if (!s->kind) // a crash, an exit status: long after the cause, perhaps
        return s->decisions / 2;
    size_t step = start_of_stretch(s, s->n_until_finding - 1);
    if (step > 0)
        step = start_of_stretch(s, step - 1);
    return s->steps[step].decisions;
}

static size_t count_primary(const cspt_finding *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n_stacks; i++)
        n += f->stacks[i].primary;
    return n;
}

static uint64_t find_prefix(cspt_near *n)
{
    cspt_rerun rerun;
    cspt_text options = {0};
    uint64_t prefix = guess_prefix(n->schedule);
    cspt_option_string(&options, "schedule", "replay");
    cspt_option_string(&options, "replay", n->file);
    cspt_rerun_init(&rerun, n->target, n->scratch, n->timeout_s);
    if (cspt_rerun_quietly(&rerun, options.bytes) == 0 && !rerun.run.log.run.diverged_at) {
        cspt_places_find(n->schedule->places, n->schedule->n_places);
        const cspt_finding *f = cspt_rerun_finding(&rerun, NULL, n->schedule->title);
        size_t first = cspt_trace_first(n->schedule, f);
        uint64_t decisions = first < n->schedule->n_steps ? n->schedule->steps[first].decisions : UINT64_MAX;
        if (decisions < prefix || (decisions != UINT64_MAX && count_primary(f) > 1))
            prefix = decisions;
    }
    n->interrupted = rerun.interrupted;
    cspt_rerun_fini(&rerun);
    cspt_text_fini(&options);
    return prefix;
}

// Schedules that are kept meanwhile may get the name that the followed one has.
static char *copy_followed(const cspt_near *n)
{
    char *path = cspt_format("%s/followed.csched", n->scratch);
    cspt_text text = {0};
    int from = open(n->file, O_RDONLY | O_CLOEXEC);
    FILE *to = fopen(path, "we");
    bool good = from >= 0 && to && cspt_text_read_fd(&text, from) && fwrite(text.bytes, 1, text.size, to) == text.size;
    good &= to && fclose(to) == 0;
    if (from >= 0)
        close(from);
    cspt_text_fini(&text);
    if (!good) {
        cspt_error("replay: %s: cannot be copied to %s", n->file, path);
        free(path);
        path = NULL;
    }
    return path;
}

static void tell(const cspt_near *n, const cspt_test *t, uint64_t prefix)
{
    fprintf(stderr,
            "csp replay: %" PRIu64 " of %" PRIu64 " schedules that begin with the first %" PRIu64 " of %" PRIu64
            " decisions of %s had a finding\n",
            t->explored.failing, t->explored.schedules, prefix, n->schedule->decisions, n->file);
    for (size_t i = 0; i < t->n_findings; i++) {
        const cspt_finding *f = &t->findings[i];
        fprintf(stderr, "  in %" PRIu64 " of %" PRIu64 ": %s\n", f->schedules, t->explored.schedules, f->title);
        if (f->replay_command)
            fprintf(stderr, "    %s\n", f->replay_command);
    }
}

int cspt_explore_near(cspt_near *n)
{
    cspt_results results = {0};
    cspt_progress progress = {0};
    cspt_test *t = cspt_results_add_test(&results);
    if (n->schedule->is_switches) {
        cspt_error("replay: %s has switches only: --near takes the schedule that csp test kept", n->file);
        return CSPT_STATUS_USAGE;
    }
    uint64_t prefix = find_prefix(n);
    if (n->interrupted)
        return CSPT_STATUS_FAILED;
    char *followed = copy_followed(n);
    if (!followed) {
        cspt_results_fini(&results);
        return CSPT_STATUS_FAILED;
    }
    const char *slash = strrchr(n->target->name, '/');
    t->name = cspt_format("%s", slash ? slash + 1 : n->target->name);
    cspt_progress_init(&progress);
    cspt_exploration x = {.count = n->count,
                          .seed = n->seeded.seed,
                          .strategy = n->seeded.strategy,
                          .depth = n->seeded.depth,
                          .points = n->seeded.points,
                          .jobs = n->jobs,
                          .timeout_s = n->timeout_s,
                          .schedules_folder = "csp-schedules-near",
                          .scratch = n->scratch,
                          .progress = &progress,
                          .follow = followed,
                          .follow_decisions = prefix};
    bool started = cspt_explore(&x, n->target, t);
    cspt_progress_hide(&progress);
    n->interrupted = x.interrupted;
    int status = !started ? CSPT_STATUS_FAILED : t->explored.failing ? CSPT_STATUS_FINDINGS : CSPT_STATUS_CLEAN;
    if (!started)
        cspt_error("replay: %s", t->note ? t->note : "the program cannot be run");
    else
        tell(n, t, prefix);
    cspt_results_fini(&results);
    free(followed);
    return status;
}
