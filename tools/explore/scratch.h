// scratch.h - a folder for what runs write, gone when csp ends.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_SCRATCH_H
#define CSP_TOOLS_SCRATCH_H

// An absolute path, to be freed; NULL with errno set when no folder can be made anywhere.
char *cspt_scratch_make(const char *preferred);
// Removes it with the files in it.
void cspt_scratch_remove(const char *folder);

#endif
