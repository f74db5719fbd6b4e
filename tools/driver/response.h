// response.h - response files (@file) on a compiler command line: read as clang reads them, written when exec needs
// one. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_RESPONSE_H
#define CSP_TOOLS_RESPONSE_H

#include "common/argv.h"

// Appends args to out with every @file that can be read replaced by its words, nested ones too.
void cspt_response_expand(cspt_argv *out, const char *const *args, size_t count);

// exec limits the size of the arguments. When v is too large, moves everything after the first `keep` arguments into an
// anonymous file that survives exec and puts its @name in their place.
void cspt_response_shrink(cspt_argv *v, size_t keep);

#endif
