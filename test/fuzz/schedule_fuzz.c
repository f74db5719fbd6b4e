// schedule_fuzz.c - schedule files that are any bytes: nothing outside of them is read, and no more steps than lines come out.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "control/schedule_text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "cspthread schedule 1\n";
    size_t n = sizeof head - 1 + size;
    char *text = malloc(n); // of exactly its size: what is read beyond is seen
    memcpy(text, head, sizeof head - 1);
    memcpy(text + sizeof head - 1, data, size);
    size_t lines = cspr_schedule_count_lines(text, n);
    cspr_step *steps = malloc((lines + 1) * sizeof *steps);
    cspr_schedule schedule;
    if (cspr_schedule_parse(text, n, steps, &schedule) ? schedule.n_steps > lines : !schedule.error)
        abort();
    free(steps);
    free(text);
    return 0;
}
