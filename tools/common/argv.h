// argv.h - a growing argument vector, NULL-terminated at all times so that it can be handed to exec.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Strings are borrowed: they come from main's argv, from literals, or from cspt_format, and live until exec or exit.
#ifndef CSP_TOOLS_ARGV_H
#define CSP_TOOLS_ARGV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct cspt_argv {
    const char **items;
    size_t count;
    size_t capacity;
} cspt_argv;

void cspt_argv_push(cspt_argv *v, const char *arg);
void cspt_argv_push_all(cspt_argv *v, const cspt_argv *more);
void cspt_argv_fini(cspt_argv *v);

// Prints the arguments separated by blanks. Quotes what a POSIX shell would split or expand; `always` quotes each one
// with double quotes, as clang -### does.
void cspt_argv_print(FILE *out, const cspt_argv *v, bool always);

// printf into a new string; out of memory ends the process.
char *cspt_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool cspt_starts_with(const char *s, const char *prefix);

#endif
