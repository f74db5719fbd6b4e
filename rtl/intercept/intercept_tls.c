// intercept_tls.c - __tls_get_addr: where the thread-locals of libraries loaded by dlopen are.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Compilers call it for each access to such a variable (general-dynamic model); the first call of a thread for a library makes the
// block. Called from signal handlers and before constructors, too.
#include "shadow/heap.h"
#include "support/libc.h"
#include "task/tls.h"

typedef struct place {
    uintptr_t module, offset;
} place;

// Blocks that were looked at lately, by module. Of this thread.
enum { SLOTS = 32 };
static __thread uintptr_t looked_at[SLOTS] __attribute__((tls_model("initial-exec")));

CSPR_NOINLINE static void look_at(uintptr_t block, unsigned slot)
{
    cspr_block b;
    cspr_enter();
    // Static blocks are no heap blocks. Made before we began, or twice in one slot: nothing new.
    if (!cspr_in_own_tls(block) && cspr_heap_find(block, &b)) {
        cspr_heap_set_tls((void *)b.start);
        cspr_tls_add(b.start, b.size);
    }
    looked_at[slot] = block;
    cspr_leave();
}

CSPR_INTERCEPTOR void *__tls_get_addr(place *i);
CSPR_INTERCEPTOR void *__tls_get_addr(place *i)
{
    static void *(*real)(place *); // found here: it may be called before everything else
    if (CSPR_UNLIKELY(!real))
        real = (void *(*)(place *))cspr_find_real("__tls_get_addr", NULL);
    char *p = real(i);
    uintptr_t block = (uintptr_t)p - i->offset;
    if (CSPR_UNLIKELY(looked_at[i->module % SLOTS] != block) && cspr_ready && !cspr_self.in_rtl && !cspr_self.dead)
        look_at(block, i->module % SLOTS);
    return p;
}

void cspr_tls_block_freed(const void *start, size_t size)
{
    for (unsigned slot = 0; slot < SLOTS; slot++)
        if (looked_at[slot] - (uintptr_t)start < size)
            looked_at[slot] = 0;
    cspr_tls_remove((uintptr_t)start);
}
