// program.h - what an executable file is, found without running it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_PROGRAM_H
#define CSP_TOOLS_PROGRAM_H

#include <stdbool.h>

typedef struct cspt_program {
    char *path;         // with a slash in it, found as execvp would; NULL: there is none
    int error;          // why not: ENOENT, EACCES, EISDIR
    bool is_checked;    // an ELF file with the detector in it
    bool is_googletest; // an ELF file with googletest in it, or linked to it
} cspt_program;

// directory: where a name with a slash is relative to; NULL: here.
void cspt_program_look(cspt_program *out, const char *name, const char *directory);
void cspt_program_fini(cspt_program *p);

#endif
