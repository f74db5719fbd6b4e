// determinism.h - do two runs of one seed do the same? Their schedules are compared step by step.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_DETERMINISM_H
#define CSP_TOOLS_DETERMINISM_H

#include <stdint.h>

#include "explore/collect.h"
#include "explore/explore.h"

enum { CSPT_CHECKED_SEEDS = 20 };

// Where run number `item` of the check keeps its schedule: 0 and 1 are of the first seed, 2 and 3 of the second. To be freed.
char *cspt_determinism_file(const char *scratch, uint64_t item);

// Compares the runs of so many seeds, removes their files, and adds a finding when a seed gave two different runs.
void cspt_determinism_compare(cspt_collector *c, const cspt_exploration *x, uint64_t seeds);

// The first step, from 1, at which two schedule files differ; 0: nowhere. Lines are those of the step, NULL at the end, to be
// freed. What stands before the first empty line tells about the run, and is no step.
uint64_t cspt_first_difference(const char *path, const char *other, char **line, char **other_line);

#endif
