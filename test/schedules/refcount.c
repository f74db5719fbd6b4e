// refcount.c - two users drop their references, and both free the object.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: dropping the reference and asking whether it was the last are two steps.
// Order: both drop, then both ask.
// Depth: 2. Shows as: crash.
// Source: use after free by reference counting; atomicity violation, Lu et al., ASPLOS 2008.
#include <csp/csp.h>

#include <stdatomic.h>
#include <stdlib.h>

static atomic_int references = 2;
static int *object;
static csp_wg both;

static void use_and_drop(void *arg)
{
    int *out = arg;
    *out = *object;
#ifdef FIXED
    if (atomic_fetch_sub(&references, 1) == 1)
        free(object);
#else
    atomic_fetch_sub(&references, 1);
    if (atomic_load(&references) == 0)
        free(object);
#endif
    csp_wg_done(&both);
}

int main(void)
{
    int seen[2];
    object = malloc(sizeof *object);
    *object = 5;
    csp_wg_add(&both, 2);
    csp_go(use_and_drop, &seen[0]);
    csp_go(use_and_drop, &seen[1]);
    csp_wg_wait(&both);
    return seen[0] != 5 || seen[1] != 5;
}
