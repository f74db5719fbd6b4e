// finding_line_fuzz.c - whatever a program writes to its finding log, csp test reads it, and what it makes of it can be kept.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "explore/finding_line.h"
#include "explore/fingerprint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cspt_run_log log = {0};
    cspt_run_log_add(&log, (const char *)data, size);
    for (size_t i = 0; i < log.n_findings; i++) {
        const cspt_finding *f = &log.findings[i];
        if (!f->kind || !f->title || strlen(f->fingerprint) != 16 || !f->times || strchr(f->title, '\n'))
            abort();
        const cspt_frame *place = cspt_finding_place(f);
        if (place && (!place->file || !place->line))
            abort();
        char *again = cspt_fingerprint(f);
        if (strcmp(again, f->fingerprint) != 0)
            abort();
        free(again);
    }
    if (log.run.present && !log.run.strategy)
        abort();
    cspt_run_log_fini(&log);
    return 0;
}
