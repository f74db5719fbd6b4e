// parts.h - where the parts of cspthread lie: found from the running program's own place, built or installed.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   <root>/bin/{cspcc,csp++,csp}   <root>/include/csp/csp.h   <root>/lib/cspthread/{libcsp.a,...}
// The build tree has the same shape, so nothing is configured and an installation can be moved.
#ifndef CSP_TOOLS_PARTS_H
#define CSP_TOOLS_PARTS_H

typedef struct cspt_parts {
    char *root;
    char *bin;
    char *include;
    char *lib;      // the folder
    char *runtime;  // libcsp.a
    char *detector; // libclang_rt.cspthread-x86_64.a
    char *exported; // the detector's dynamic list
    char *plugin;   // csp-plugin-22.so
} cspt_parts;

// Ends the process when the program's own place cannot be read.
void cspt_parts_find(cspt_parts *parts);
// Ends the process, naming the part and what to do, when the file is not there.
void cspt_parts_require(const char *path);

#endif
