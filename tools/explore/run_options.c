// run_options.c - the option text that a run is started with.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "explore/run_options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/argv.h"

static void add(cspt_text *options, char *text)
{
    if (options->size)
        cspt_text_append(options, ":", 1);
    cspt_text_append(options, text, strlen(text));
    free(text);
}

void cspt_option_string(cspt_text *options, const char *name, const char *value)
{
    const char *quote = strpbrk(value, " ,:\n\t\r'") ? "\"" : strchr(value, '"') ? "'" : "";
    add(options, cspt_format("%s=%s%s%s", name, quote, value, quote));
}

void cspt_option_number(cspt_text *options, const char *name, uint64_t value)
{
    add(options, cspt_format("%s=%" PRIu64, name, value));
}
