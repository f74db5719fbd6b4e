// flags.h - reading CSPTHREAD_OPTIONS: the parser behind cspr_flags.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_FLAGS_H
#define CSP_RTL_FLAGS_H

#include "rtl.h"

void cspr_flags_defaults(cspr_flags_t *flags);
// Reads one option string into flags. Strings in flags point into memory that is never freed. `source` names the string in
// messages. Unknown options and malformed values are each said in one line, and skipped. Returns how many there were.
int cspr_flags_parse(cspr_flags_t *flags, const char *text, const char *source);
// The environment variable, also before libc has set up `environ`; NULL when unset.
const char *cspr_getenv(const char *name);

#endif
