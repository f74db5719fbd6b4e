// report_frame.c - which function's frame an address in a stack belongs to, by the frame records found there.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The stack may be a running thread's: everything is copied in a way that survives its going away, and what is found is used
// only to ask for a variable, which then is there or not. A record holds its function's return address, and the slot above the
// record that holds the same value ends the frame: the canonical frame address is right after it.
#include "intercept/io.h"
#include "report/report.h"
#include "task/task.h"

#include <string.h>

enum { MAX_RECORDS = 10000, CHUNK_WORDS = 512, MAX_FRAME = 8 << 20 };

static csp_frame *newest_record(cspr_who who)
{
    const cspr_task *t = cspr_who_task(who);
    csp_frame *top = NULL;
    if (!t)
        return NULL;
    csp_frame *const *live = __atomic_load_n(&t->live_top, __ATOMIC_RELAXED); // relaxed: may be old, see above
    if (!live)
        return t->top;
    return cspr_copy_safely(&top, (const void *)live, sizeof(csp_frame *)) ? top : NULL;
}

// The address after the slot in [lo, hi) that holds ret; 0: there is none.
static uintptr_t find_frame_end(uintptr_t lo, uintptr_t hi, uintptr_t ret)
{
    uintptr_t words[CHUNK_WORDS];
    if (hi > lo + MAX_FRAME)
        hi = lo + MAX_FRAME;
    while (lo + sizeof *words <= hi) {
        size_t bytes = hi - lo < sizeof words ? (hi - lo) & ~(uintptr_t)7 : sizeof words;
        size_t in_page = 4096 - (lo & 4095); // the page after may not be there
        bytes = bytes < in_page ? bytes : in_page;
        if (!cspr_copy_safely(words, (const void *)lo, bytes))
            return 0;
        for (size_t i = 0; i < bytes / sizeof *words; i++)
            if (words[i] == ret)
                return lo + (i + 1) * sizeof *words;
        lo += bytes;
    }
    return 0;
}

// A place in the function of the newest record, when the stack of an access by the same task is at hand.
static uintptr_t pc_of_newest(const uintptr_t *frames, size_t n, uintptr_t ret)
{
    for (size_t i = 1; i < n; i++)
        if (frames[i] == ret)
            return frames[i - 1];
    return 0;
}

bool cspr_frame_of(cspr_who owner, uintptr_t addr, const uintptr_t *frames, size_t n, uintptr_t *pc, intptr_t *offset)
{
    cspr_identity id;
    csp_frame record;
    uintptr_t callee_pc = 0;
    cspr_who_get(owner, &id);
    csp_frame *place = newest_record(owner);
    for (size_t i = 0; i < MAX_RECORDS && place && cspr_copy_safely(&record, place, sizeof record); i++) {
        if (i == 0)
            callee_pc = pc_of_newest(frames, n, (uintptr_t)record.ret);
        uintptr_t lo = (uintptr_t)(place + 1), limit = record.prev > place ? (uintptr_t)record.prev : id.stack_hi;
        uintptr_t end = find_frame_end(lo, limit ? limit : lo + MAX_FRAME, (uintptr_t)record.ret);
        if (!end)
            return false;
        if (addr < end) {
            *pc = callee_pc ? callee_pc - 1 : 0;
            *offset = (intptr_t)(addr - end);
            return callee_pc != 0;
        }
        if (record.prev <= place)
            return false;
        callee_pc = (uintptr_t)record.ret;
        place = record.prev;
    }
    return false;
}
