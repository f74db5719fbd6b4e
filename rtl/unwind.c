// unwind.c - the physical stack of the calling thread, by libgcc's unwinder (linked in, its names hidden).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// It knows what frame records cannot: callers in code that was not compiled for the detector (qsort, libstdc++).
// Why not libunwind: Debian's libunwind.a is not position-independent, so it cannot be part of a PIE; and libgcc_eh finds
// unwind tables through _dl_find_object, without the loader's lock that dl_iterate_phdr takes (rule C1).
#include "unwind.h"

#include <stdbool.h>
#include <unwind.h>

typedef struct walk {
    uintptr_t *frames;
    size_t n, max;
} walk;

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *arg)
{
    walk *w = arg;
    uintptr_t pc = _Unwind_GetIP(context);
    if (pc == 0 || w->n == w->max)
        return _URC_END_OF_STACK;
    w->frames[w->n++] = pc;
    return _URC_NO_REASON;
}

size_t cspr_unwind(uintptr_t *frames, size_t max)
{
    walk w = {frames, 0, max};
    _Unwind_Backtrace(add_frame, &w);
    return w.n;
}
