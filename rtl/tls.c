// tls.c - how large the static thread-local block is.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#define _GNU_SOURCE // dl_iterate_phdr
#include "tls.h"

#include <link.h>

size_t cspr_tls_size;

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
