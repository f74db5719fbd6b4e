// symbolize.h - functions, files and lines for addresses, as the symbolizer knows them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_SYMBOLIZE_H
#define CSP_RTL_SYMBOLIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Strings live for ever; NULL: not known.
typedef struct cspr_place {
    const char *function, *file;
    unsigned line, column;
    unsigned start_line;  // where the function begins, 0: not known
    const char *module;   // path
    uintptr_t pc, offset; // offset: in the module's own addresses
    bool ours;            // the detector's or the runtime's own code
} cspr_place;

typedef struct cspr_object_name {
    const char *name, *module;
    uintptr_t start, offset;
    size_t size;
} cspr_object_name;

// The functions active at a return address, the innermost (inlined) first; at least one, at most max. Cached.
// Caller holds the report lock.
size_t cspr_symbolize(uintptr_t pc, cspr_place *out, size_t max);
// Asks for all of these that are not known yet in one go, so that cspr_symbolize finds them known. As many as one likes.
void cspr_symbolize_ahead(const uintptr_t *pcs, size_t n);
// The global variable that contains addr.
bool cspr_symbolize_data(uintptr_t addr, cspr_object_name *out);

// What a byte is called in the source. False: there is no debug information for it, or nothing that reads it.
typedef struct cspr_variable {
    const char *name; // of the variable
    const char *path; // name, member and element that contain the bytes: "table[3].next"
    const char *file; // of its declaration, NULL: not known
    unsigned line;
    size_t size;
} cspr_variable;
bool cspr_symbolize_global(uintptr_t addr, size_t size, cspr_variable *out);
// The bytes at this offset from the canonical address of the frame in which pc is executed.
bool cspr_symbolize_local(uintptr_t pc, intptr_t offset, size_t size, cspr_variable *out);
// The bytes at this offset in the thread-local block of the module that contains `within`.
bool cspr_symbolize_tls(uintptr_t within, uintptr_t offset, size_t size, cspr_variable *out);

// The bytes at this offset in a heap block of block_size that was allocated from frames (return addresses, innermost first).
// out->name is the type of its elements.
bool cspr_symbolize_block(const uintptr_t *frames, size_t n, size_t block_size, uintptr_t offset, size_t size,
                          cspr_variable *out);

// The parser of answers to CODE and FRAMES (tools/symbolizer/main.cpp), for tests: reads one, returns the number of places.
size_t cspr_symbolize_parse(const char *answer, cspr_place *out, size_t max);

#endif
