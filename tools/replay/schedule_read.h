// schedule_read.h - a schedule file: what ran, and each step of it. rtl/control/schedule_text.h tells the form.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_SCHEDULE_READ_H
#define CSP_TOOLS_SCHEDULE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/argv.h"
#include "explore/places.h"

// Where the rule - who runs goes on, who cannot is followed by the lowest number, other numbers are 0 - is not followed: after the
// task has executed so many operations.
typedef struct cspt_switch {
    uint32_t task;
    uint64_t points;
    enum { CSPT_SWITCH_TASK, CSPT_SWITCH_CLOCK, CSPT_SWITCH_NUMBER } kind;
    uint32_t value; // the task that goes on, or the number
} cspt_switch;

typedef struct cspt_schedule_step {
    uint32_t task;
    uint64_t points; // that it had executed before
    const char *op;
    uint32_t object;
    size_t place;       // index into places
    uint64_t decisions; // made before this step
    bool is_switched;   // set by who knows: another task had the turn, and could have gone on
} cspt_schedule_step;

typedef struct cspt_schedule {
    char *program, *build_id, *options, *strategy;
    cspt_argv command; // the program and its arguments
    uint64_t seed;
    bool is_switches;   // the form that has switches only, and no steps
    char *kind, *title; // of the first finding reported; NULL: none was
    cspt_schedule_step *steps;
    size_t n_steps;
    size_t n_until_finding; // steps before it was reported; n_steps when none was
    uint64_t decisions;
    cspt_switch *switches; // all of the steps', or the file's
    size_t n_switches;
    cspt_place *places;
    size_t n_places;
    char *text; // of the file, cut up
} cspt_schedule;

// False, with *error malloc'ed, when the file is no schedule or cannot be read.
bool cspt_schedule_read(cspt_schedule *s, const char *path, char **error);
void cspt_schedule_fini(cspt_schedule *s);

// The strategy that the file's head names, malloc'ed; NULL: there is no such file. For runs that ended before they could say it.
char *cspt_schedule_strategy(const char *path);

// A file of the form that has switches only: those for which keep is true.
void cspt_schedule_write_switches(FILE *out, const cspt_schedule *s, const bool *keep);

#endif
