// unwind.c - the physical stack of the calling thread, by libunwind (linked in, its names hidden).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// It knows what frame records cannot: callers in code that was not compiled for the detector (qsort, libstdc++).
#include "report/unwind.h"
#include "shadow/depot.h"
#include "support/modules.h"
#include "support/print.h"

#include <link.h>

// --- in place of dl_iterate_phdr, for libunwind (prelink.sh) -------------------------------------------------------------------

typedef struct call {
    int (*fn)(struct dl_phdr_info *info, size_t size, void *arg);
    void *arg;
    int result;
} call;

static bool call_back(const cspr_image *image, void *arg)
{
    call *c = arg;
    struct dl_phdr_info info = {
        .dlpi_addr = image->module.bias,
        .dlpi_name = image->module.path,
        .dlpi_phdr = image->headers,
        .dlpi_phnum = (Elf64_Half)image->n_headers,
    };
    c->result = c->fn(&info, offsetof(struct dl_phdr_info, dlpi_adds), c->arg);
    return c->result == 0;
}

int cspr_unwind_iterate(int (*fn)(struct dl_phdr_info *info, size_t size, void *arg), void *arg);
int cspr_unwind_iterate(int (*fn)(struct dl_phdr_info *info, size_t size, void *arg), void *arg)
{
    call c = {fn, arg, 0};
    return cspr_images_each(call_back, &c) ? c.result : dl_iterate_phdr(fn, arg);
}

// --- unwinding -------------------------------------------------------------------------------------------------------------------

static size_t unwind_from(unw_context_t *context, uintptr_t *frames, size_t max)
{
    unw_cursor_t cursor;
    size_t n = 0;
    if (unw_init_local(&cursor, context))
        return 0;
    while (n < max && unw_step(&cursor) > 0) {
        unw_word_t pc;
        if (unw_get_reg(&cursor, UNW_REG_IP, &pc) || pc == 0)
            break;
        frames[n++] = pc;
    }
    return n;
}

// libunwind writes to a pipe of its own to see whether memory is there: a place where cancelled threads end.
size_t cspr_unwind_from(unw_context_t *context, uintptr_t *frames, size_t max)
{
    int cancel = cspr_cancel_off();
    size_t n = unwind_from(context, frames, max);
    cspr_cancel_on(cancel);
    return n;
}

size_t cspr_unwind(uintptr_t *frames, size_t max)
{
    unw_context_t context;
    return unw_getcontext(&context) ? 0 : cspr_unwind_from(&context, frames, max);
}

cspr_stack cspr_unwind_stack(cspr_stack records)
{
    enum { MAX = 128 };
    uintptr_t frames[MAX], known[MAX];
    cspr_enter();
    size_t n_known = cspr_stack_frames(records, 0xff, known, MAX, NULL), n = cspr_unwind(frames, MAX), at = 0, end = 0;
    while (n_known > 0 && cspr_pc_is_bottom(known[n_known - 1]))
        n_known--;
    while (at < n && (n_known < 2 || frames[at] != known[1])) // known[0] is in the interceptor, known[1] in its caller
        at++;
    for (end = at; end < n && !cspr_pc_is_bottom(frames[end]);)
        end++;
    if (end > at && end - at + 1 > n_known) {
        uint32_t node = 0;
        while (end-- > at)
            node = cspr_depot_node(node, frames[end]);
        records = cspr_depot_stack(node, known[0]);
    }
    cspr_leave();
    return records;
}
