// symbols.h - names for addresses of code, from the files' own symbol tables: static functions too, no child, no malloc.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_SYMBOLS_H
#define CSP_RUNTIME_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cspi_symbol {
    const char *function; // NULL: none known, say in a stripped file
    size_t offset;        // of the address in it
    const char *module;   // path of the file; NULL: none contains the address
    size_t in_module;     // address as addr2line and llvm-symbolizer take it
} cspi_symbol;

// Signal-safe: what it needs is mapped at the first question about a file and stays. The strings stay valid.
void cspi_symbol_find(uintptr_t pc, cspi_symbol *symbol);

#ifdef __cplusplus
}
#endif
#endif
