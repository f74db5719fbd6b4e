// reach_roots.c - roots that are there in every program: variables of all modules but ours, and all threads' thread-locals.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ours, and the runtime's, lie together in two sections (prelink.sh): they lead to every coroutine there is.
#include "deadlock/misuse.h"
#include "leak/reach.h"
#include "shadow/extent.h"
#include "support/modules.h"
#include "task/task.h"
#include "task/tls.h"

#include <elf.h>

extern char data_start[] __asm__("__start_csp_data") __attribute__((weak, visibility("hidden")));
extern char data_stop[] __asm__("__stop_csp_data") __attribute__((weak, visibility("hidden")));
extern char bss_start[] __asm__("__start_csp_bss") __attribute__((weak, visibility("hidden")));
extern char bss_stop[] __asm__("__stop_csp_bss") __attribute__((weak, visibility("hidden")));

// [lo, hi) without [not_lo, not_hi).
static void scan_without(cspr_reach *r, uintptr_t lo, uintptr_t hi, const char *from, const char *to,
                         void (*scan)(cspr_reach *r, uintptr_t lo, uintptr_t hi))
{
    uintptr_t not_lo = (uintptr_t)from, not_hi = (uintptr_t)to;
    if (not_hi <= lo || not_lo >= hi || not_lo == not_hi) {
        scan(r, lo, hi);
        return;
    }
    if (lo < not_lo)
        scan(r, lo, not_lo);
    if (not_hi < hi)
        scan(r, not_hi, hi);
}

static void scan_without_bss(cspr_reach *r, uintptr_t lo, uintptr_t hi)
{
    scan_without(r, lo, hi, bss_start, bss_stop, cspr_reach_root);
}

static bool scan_image(const cspr_image *image, void *reach)
{
    const Elf64_Phdr *ph = image->headers;
    for (unsigned i = 0; i < image->n_headers; i++) {
        uintptr_t lo = image->module.bias + ph[i].p_vaddr;
        if (ph[i].p_type == PT_LOAD && ph[i].p_flags & PF_W)
            scan_without(reach, lo, lo + ph[i].p_memsz, data_start, data_stop, scan_without_bss);
    }
    return true;
}

bool cspr_reach_variables(cspr_reach *r)
{
    return cspr_images_each(scan_image, r);
}

// --- thread-locals ----------------------------------------------------------------------------------------------------------

enum {
    // Above the thread pointer: glibc's struct pthread, of which pthread_getspecific's values and the dtv count.
    ABOVE = 2304,
    // Below the static block: what glibc keeps free for libraries that are loaded later. Further down the stack begins.
    SURPLUS = 1600,
    MAX_MODULES = 4096,
};

// The table of a thread's blocks, which the loader may have made before there was a malloc.
static void scan_dtv(cspr_reach *r, uintptr_t thread_pointer)
{
    struct entry {
        uintptr_t value, to_free;
    } *dtv = ((struct entry **)thread_pointer)[1];
    const cspr_ranges *readable = cspr_reach_readable(r);
    size_t i = cspr_ranges_find(readable, (uintptr_t)(dtv - 1));
    if (!dtv || i == readable->n || readable->list[i].lo > (uintptr_t)(dtv - 1))
        return;
    if (dtv[-1].value < MAX_MODULES)
        cspr_reach_root(r, (uintptr_t)dtv, (uintptr_t)(dtv + dtv[-1].value + 1));
}

// The detector's own thread-locals lie together (prelink.sh makes one section of them). Their caches hold addresses of all
// kinds. From the first of these variables to the last, as offsets from the thread pointer: any of ours will do, since what
// lies between them is ours, too.
static cspr_range own_offsets(void)
{
    const uintptr_t here = (uintptr_t)__builtin_thread_pointer();
    const uintptr_t some[] = {(uintptr_t)&cspr_extent_known, (uintptr_t)&cspr_self, (uintptr_t)&cspr_signals_pending,
                              (uintptr_t)&cspr_handler_frame};
    cspr_range own = {some[0] - here, some[0] - here};
    for (size_t i = 1; i < sizeof some / sizeof *some; i++) {
        intptr_t offset = (intptr_t)(some[i] - here);
        own.lo = offset < (intptr_t)own.lo ? (uintptr_t)offset : own.lo;
        own.hi = offset > (intptr_t)own.hi ? (uintptr_t)offset : own.hi;
    }
    return own;
}

static void scan_thread(uintptr_t thread_pointer, void *reach)
{
    cspr_reach *r = reach;
    const cspr_ranges *readable = cspr_reach_readable(r);
    size_t i = cspr_ranges_find(readable, thread_pointer);
    if (i == readable->n || readable->list[i].lo > thread_pointer) // it has ended meanwhile
        return;
    uintptr_t lo = thread_pointer - cspr_tls_size - SURPLUS;
    cspr_range own = own_offsets();
    scan_without(r, lo > readable->list[i].lo ? lo : readable->list[i].lo, thread_pointer + ABOVE,
                 (const char *)(thread_pointer + own.lo), (const char *)(thread_pointer + own.hi), cspr_reach_root);
    scan_dtv(r, thread_pointer);
}

void cspr_reach_thread_locals(cspr_reach *r)
{
    cspr_who_each_thread_pointer(scan_thread, r);
}
