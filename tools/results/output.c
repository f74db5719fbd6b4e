// output.c - what several of the formats say in the same words.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "results/output.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/argv.h"

char *cspt_output_frequency(const cspt_test *t, const cspt_finding *f)
{
    const char *unit = t->explored.controlled ? "schedule" : "run";
    uint64_t total = t->explored.schedules;
    char *often = f->schedules ? cspt_format("in %" PRIu64 " of %" PRIu64 " %s%s", f->schedules, total, unit,
                                             total == 1 ? "" : "s")
                               : cspt_format("in the trial run");
    if (!f->has_seed)
        return often;
    char *line = cspt_format("%s, seed %" PRIu64 " (%s)", often, f->seed, f->strategy ? f->strategy : "no strategy");
    free(often);
    return line;
}
