// modules.h - which file an address belongs to, and where in it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_MODULES_H
#define CSP_RTL_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cspr_module {
    uintptr_t lo, hi; // from its first to the end of its last segment in memory, .bss included
    uintptr_t bias;   // what is added to the file's addresses
    const char *path; // lives for ever
} cspr_module;

// The module whose segments contain addr. Reads /proc/self/maps afresh when addr is in none of those known (dlopen).
// Caller holds the report lock.
bool cspr_module_find(uintptr_t addr, cspr_module *out);

// Whether pc lies in the detector's or the runtime's own code (linked as one section, see rtl/CMakeLists.txt), and whether
// in one of the few functions below which a stack has nothing more to say (they call main, a thread's function, ...).
bool cspr_pc_is_ours(uintptr_t pc);
bool cspr_pc_is_bottom(uintptr_t pc);
#define CSPR_BOTTOM __attribute__((section("csp_bottom"), noinline))

#endif
