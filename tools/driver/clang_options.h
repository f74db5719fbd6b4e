// clang_options.h - which of clang's options take the next arguments as their values.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_CLANG_OPTIONS_H
#define CSP_TOOLS_CLANG_OPTIONS_H

#include <stddef.h>

// How many of the arguments after arg belong to it.
size_t cspt_clang_option_values(const char *arg);

#endif
