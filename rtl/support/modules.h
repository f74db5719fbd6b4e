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

// Calls fn for each module while it returns true; what it is given is valid during the call. Takes no lock, nor the loader's: a
// thread that holds that one, in a callback of dl_iterate_phdr, may be waiting for us. False: the system does not tell.
typedef struct cspr_image {
    cspr_module module;
    const void *headers; // Elf64_Phdr, a copy
    unsigned n_headers;
} cspr_image;
bool cspr_images_each(bool (*fn)(const cspr_image *image, void *arg), void *arg);

// Whether pc lies in the detector's or the runtime's own code (linked as one section, see rtl/CMakeLists.txt), and whether
// in one of the few functions below which a stack has nothing more to say (they call main, a thread's function, ...).
bool cspr_pc_is_ours(uintptr_t pc);
bool cspr_pc_is_bottom(uintptr_t pc);
#define CSPR_BOTTOM __attribute__((section("csp_bottom"), noinline))

#endif
