// determinism.c - do two runs of one seed do the same? Their schedules are compared step by step.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "explore/determinism.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/seed.h"
#include "common/message.h"
#include "explore/fingerprint.h"

char *cspt_determinism_file(const char *scratch, uint64_t item)
{
    return cspt_format("%s/check-%" PRIu64 ".csched", scratch, item);
}

// The next line without its end, malloc'ed; NULL at the end of the file.
static char *read_line(FILE *in)
{
    char *line = NULL;
    size_t capacity = 0;
    if (!in || feof(in) || ferror(in) || getline(&line, &capacity, in) < 0) {
        free(line);
        return NULL;
    }
    char *end = strchr(line, '\n');
    if (end)
        *end = 0;
    return line;
}

static void skip_head(FILE *in)
{
    bool is_empty = false;
    for (char *line; !is_empty && (line = read_line(in)); free(line))
        is_empty = !*line;
}

uint64_t cspt_first_difference(const char *path, const char *other, char **line, char **other_line)
{
    FILE *in = fopen(path, "re"), *other_in = fopen(other, "re");
    uint64_t step = 0;
    *line = *other_line = NULL;
    skip_head(in);
    skip_head(other_in);
    bool same = true;
    for (bool more = true; same && more; step++) {
        free(*line);
        free(*other_line);
        *line = read_line(in);
        *other_line = read_line(other_in);
        more = *line && *other_line;
        same = more ? strcmp(*line, *other_line) == 0 : !*line && !*other_line;
    }
    if (in)
        fclose(in);
    if (other_in)
        fclose(other_in);
    return same ? 0 : step;
}

static void add_finding(cspt_collector *c, uint64_t seed, uint64_t step, const char *line, const char *other)
{
    cspt_finding f = {
        .kind = cspt_format("nondeterminism"),
        .title = cspt_format("one seed gave two different runs"),
        .fingerprint = cspt_fingerprint_text("nondeterminism"),
        .text = cspt_format("csp test: seed %" PRIu64 " gave two different runs; they part at step %" PRIu64 ":\n"
                            "  first:  %s\n  second: %s\n"
                            "Something decides that is not under the schedule: see docs/schedules.md, Limits.\n",
                            seed, step, line ? line : "(the end)", other ? other : "(the end)"),
        .times = 1,
        .has_seed = true,
        .seed = seed,
        .strategy = cspt_format("%s", "?"),
    };
    if (cspt_test_find(c->test, f.fingerprint)) {
        cspt_test_find(c->test, f.fingerprint)->times++;
        free(f.kind), free(f.title), free(f.fingerprint), free(f.text), free(f.strategy);
        return;
    }
    cspt_finding *added = cspt_test_add_finding(c->test);
    *added = f;
    c->on_new(c->arg, added);
}

void cspt_determinism_compare(cspt_collector *c, const cspt_exploration *x, uint64_t seeds)
{
    for (uint64_t i = 0; i < seeds; i++) {
        char *first = cspt_determinism_file(x->scratch, 2 * i), *second = cspt_determinism_file(x->scratch, 2 * i + 1);
        char *line, *other;
        uint64_t step = cspt_first_difference(first, second, &line, &other);
        if (step && access(first, R_OK) == 0 && access(second, R_OK) == 0)
            add_finding(c, csp_seed_of_iteration(x->seed, x->first + i), step, line, other);
        unlink(first);
        unlink(second);
        free(line);
        free(other);
        free(first);
        free(second);
    }
}
