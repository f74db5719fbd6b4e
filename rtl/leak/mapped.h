// mapped.h - mappings the program itself has made, as far as they last.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_MAPPED_H
#define CSP_RTL_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The program mapped, or unmapped, [start, start + size).
void cspr_mapped_add(const void *start, size_t size);
void cspr_mapped_drop(const void *start, size_t size);
extern bool cspr_mapped_incomplete; // some were forgotten
// Calls fn for each. While everybody stands still: takes no lock.
void cspr_mapped_each(void (*fn)(uintptr_t lo, uintptr_t hi, void *arg), void *arg);

#endif
