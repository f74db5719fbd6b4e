// tls.c - how large the static thread-local block is, and which dynamic ones the running thread has.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#define _GNU_SOURCE // dl_iterate_phdr
#include "task/tls.h"

#include "support/alloc.h"

#include <link.h>
#include <string.h>

size_t cspr_tls_size;
__thread cspr_tls_reach cspr_tls_dynamic __attribute__((tls_model("initial-exec")));

// Of this thread, used by nobody else. A handler that comes in between is put off: callers are inside the detector.
static __thread struct {
    cspr_tls_reach *block;
    uint32_t n, cap;
} own __attribute__((tls_model("initial-exec")));

// The module whose block lies lowest below the thread pointer decides.
static int measure_module(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    size_t *largest = arg;
    uintptr_t end = (uintptr_t)__builtin_thread_pointer(), start = (uintptr_t)info->dlpi_tls_data;
    if (start && start < end && end - start > *largest)
        *largest = end - start;
    return 0;
}

// At start: one thread, and no module loaded later.
void cspr_tls_init(void)
{
    dl_iterate_phdr(measure_module, &cspr_tls_size);
}

static void measure_reach(void)
{
    uintptr_t lo = UINTPTR_MAX, hi = 0;
    for (uint32_t i = 0; i < own.n; i++) {
        uintptr_t end = own.block[i].lo + own.block[i].size;
        lo = own.block[i].lo < lo ? own.block[i].lo : lo;
        hi = end > hi ? end : hi;
    }
    cspr_tls_dynamic = own.n ? (cspr_tls_reach){lo, hi - lo} : (cspr_tls_reach){0};
}

void cspr_tls_add(uintptr_t lo, size_t size)
{
    if (own.n == own.cap) {
        uint32_t cap = own.cap ? own.cap * 2 : 4;
        cspr_tls_reach *bigger = cspr_alloc(cap * sizeof *bigger);
        if (own.n)
            memcpy(bigger, own.block, own.n * sizeof *bigger);
        cspr_free(own.block, own.cap * sizeof *bigger);
        own.block = bigger;
        own.cap = cap;
    }
    own.block[own.n++] = (cspr_tls_reach){lo, size};
    measure_reach();
}

void cspr_tls_remove(uintptr_t lo)
{
    for (uint32_t i = 0; i < own.n; i++)
        if (own.block[i].lo == lo)
            own.block[i--] = own.block[--own.n];
    measure_reach();
}

void cspr_tls_end(void)
{
    cspr_free(own.block, own.cap * sizeof *own.block);
    own.block = NULL;
    own.n = own.cap = 0;
    measure_reach();
}

bool cspr_in_dynamic_tls(uintptr_t addr)
{
    for (uint32_t i = 0; i < own.n; i++)
        if (addr - own.block[i].lo < own.block[i].size)
            return true;
    return false;
}
