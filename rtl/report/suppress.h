// suppress.h - suppressions: "type:pattern" lines that keep matching reports from being printed.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_SUPPRESS_H
#define CSP_RTL_SUPPRESS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum cspr_suppress_type {
    CSPR_SUPPRESS_RACE,
    CSPR_SUPPRESS_RACE_TOP,
    CSPR_SUPPRESS_MUTEX,
    CSPR_SUPPRESS_THREAD,
    CSPR_SUPPRESS_SIGNAL,
    CSPR_SUPPRESS_CALLED_FROM_LIB,
    CSPR_SUPPRESS_DEADLOCK,
    CSPR_SUPPRESS_LEAK,
    CSPR_SUPPRESS_TYPES
} cspr_suppress_type;

// Whether pattern matches text: a substring, `*` any characters, `^` and `$` the ends.
bool cspr_suppress_pattern(const char *pattern, const char *text);

// Adds the lines of text, which must live for ever. 0, or the number of the first malformed line with *why set.
unsigned cspr_suppress_add(const char *text, const char **why);

// Whether a suppression of this type matches text (NULL: none does); counts the match.
bool cspr_suppressed(cspr_suppress_type type, const char *text);
bool cspr_suppress_any(cspr_suppress_type type); // whether there are any of this type at all
// For print_suppressions: which matched, and how often.
void cspr_suppress_print(void);

#endif
