// find_clang.h - the clang whose major version the plugin was built for.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_FIND_CLANG_H
#define CSP_TOOLS_FIND_CLANG_H

// Returns its path. Ends the process, naming what was found instead and what to install, when there is none.
const char *cspt_find_clang(void);

#endif
