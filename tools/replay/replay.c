// replay.c - the program, options and debugger of a schedule that is shown again.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "replay/replay.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/message.h"
#include "explore/program.h"
#include "explore/rerun.h"
#include "explore/run_options.h"
#include "explore/verdict.h"

enum { TRIAL_TIMEOUT_S = 60 };

bool cspt_replay_target(const char *verb, cspt_target *t, char *const *words, size_t n)
{
    cspt_program program;
    *t = (cspt_target){.name = words[0], .skip_status = -1, .controlled = true};
    for (size_t i = 0; i < n; i++)
        cspt_argv_push(&t->command, words[i]);
    cspt_program_look(&program, words[0], NULL);
    bool usable = program.path && program.is_checked;
    if (!program.path) {
        cspt_error("%s: %s: %s", verb, words[0], strerror(program.error));
    } else if (!program.is_checked) {
        cspt_error("%s: %s was not built with -fsanitize=cspthread: its schedules are not under control", verb,
                   words[0]);
    }
    cspt_program_fini(&program);
    return usable;
}

static void add_seed(cspt_text *options, const cspt_seeded *s, const char *strategy, uint64_t seed)
{
    cspt_option_string(options, "schedule", strategy);
    cspt_option_number(options, "seed", seed);
    if (s->points)
        cspt_option_string(options, "schedule_points", s->points);
    if (s->depth)
        cspt_option_number(options, "schedule_depth", s->depth);
}

// Only the random walk knows nothing of how long the program is.
static bool takes_trial(const char *strategy)
{
    return strcmp(strategy, "random") != 0;
}

// As explore.c makes it: the same options give the same counts.
static int run_trial(const cspt_seeded *s, const cspt_target *t, const char *scratch, const char *profile,
                     uint64_t *length)
{
    cspt_rerun trial;
    cspt_text options = {0};
    cspt_rerun_init(&trial, t, scratch, TRIAL_TIMEOUT_S);
    add_seed(&options, s, "rr", 0);
    cspt_option_string(&options, "schedule_profile_out", profile);
    int error = cspt_rerun_quietly(&trial, options.bytes);
    *length = trial.run.log.run.points;
    cspt_text_fini(&options);
    cspt_rerun_fini(&trial);
    return error;
}

char *cspt_replay_seed_options(const cspt_seeded *s, const cspt_target *t, const char *scratch, int *error)
{
    cspt_text options = {0};
    struct stat st;
    uint64_t length = 0;
    char *profile = cspt_format("%s/profile", scratch);
    *error = takes_trial(s->strategy) ? run_trial(s, t, scratch, profile, &length) : 0;
    if (!*error) {
        add_seed(&options, s, s->strategy, s->seed);
        if (length)
            cspt_option_number(&options, "schedule_length", length > INT_MAX ? INT_MAX : length);
        if (stat(profile, &st) == 0 && st.st_size)
            cspt_option_string(&options, "schedule_profile", profile);
    }
    free(profile);
    return options.bytes;
}

// Threads are stopped and let on together: the one that has the turn may be any. Signals of the detector's own are not the
// user's business.
void cspt_replay_gdb(const cspt_target *t, const char *options)
{
    const char *before = getenv("CSPTHREAD_OPTIONS");
    char *all = cspt_format("%s%s%s:exitcode=%d", before ? before : "", before && *before ? ":" : "", options,
                            CSPT_REPORT_STATUS);
    cspt_argv v = {0};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL); // gdb waits for SIGCHLD
    setenv("CSPTHREAD_OPTIONS", all, 1);
    for (const char *const *word =
             (const char *const[]){"gdb", "-q", "-ex", "set breakpoint pending on", "-ex",
                                   "set disable-randomization on", "-ex", "set print thread-events off", "-ex",
                                   "break cspr_report_close", "-ex", "run", "--args", NULL};
         *word; word++)
        cspt_argv_push(&v, *word);
    cspt_argv_push_all(&v, &t->command);
    execvp("gdb", (char **)(uintptr_t)v.items);
}
