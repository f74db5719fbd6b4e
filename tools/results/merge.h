// merge.h - the results of several shards of one exploration, as one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_MERGE_H
#define CSP_TOOLS_MERGE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/argv.h"
#include "results/results.h"

typedef struct cspt_merge {
    cspt_results all; // what was taken so far; one of one shard
    unsigned shard_count;
    const char **files; // files[i]: where shard i + 1 came from; NULL: it has not come
    const char *first_file;
    cspt_argv problems; // why it is not the whole exploration; each malloc'ed
} cspt_merge;

// Takes the results over, whose file name is kept. What does not belong to the others, or came already, is named among the
// problems; findings of what does not belong are taken all the same, so that none is lost to a wrong argument.
void cspt_merge_add(cspt_merge *m, cspt_results *r, const char *file);

// All files were added: names what is missing, unless that is all right, and makes `all` fit to be shown.
void cspt_merge_finish(cspt_merge *m, bool partial);

void cspt_merge_fini(cspt_merge *m);

#endif
