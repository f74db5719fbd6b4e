// unwind.c - the physical stack of the calling thread, by libunwind (linked in, its names hidden).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// It knows what frame records cannot: callers in code that was not compiled for the detector (qsort, libstdc++).
#define UNW_LOCAL_ONLY
#include "unwind.h"

#include <libunwind.h>

size_t cspr_unwind(uintptr_t *frames, size_t max)
{
    unw_context_t context;
    unw_cursor_t cursor;
    size_t n = 0;
    if (unw_getcontext(&context) || unw_init_local(&cursor, &context))
        return 0;
    while (n < max && unw_step(&cursor) > 0) {
        unw_word_t pc;
        if (unw_get_reg(&cursor, UNW_REG_IP, &pc) || pc == 0)
            break;
        frames[n++] = pc;
    }
    return n;
}
