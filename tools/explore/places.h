// places.h - functions and source lines of places in programs, from debug information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_PLACES_H
#define CSP_TOOLS_PLACES_H

#include <stddef.h>
#include <stdint.h>

typedef struct cspt_place {
    const char *module; // path of the ELF file; NULL: not known
    uint64_t offset;    // a return address, as in its symbol table
    // --- the answer, malloc'ed; of inlined functions the innermost. NULL and 0: not known
    char *function, *file;
    unsigned line;
} cspt_place;

// Asks csp-symbolizer, beside csp, about all of them at once. Without it nothing becomes known.
void cspt_places_find(cspt_place *places, size_t n);
void cspt_places_fini(cspt_place *places, size_t n); // frees the answers

#endif
