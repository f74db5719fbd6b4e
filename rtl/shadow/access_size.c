// access_size.c - how large an earlier access was, from the call that made it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A cell knows the bytes in its own word. The stack of the access begins at the return address of a call of one of our entries
// (abi.inc), whose name has the size; which of the neighbouring words belong to it, their cells say, if nobody has been there
// since. For reports only: what is not found out leaves the part that is certain.
#include "intercept/io.h"
#include "shadow/access.h"
#include "shadow/shadow.h"

#include <string.h>

#define CSP_ABI_COLD(name, bytes, is_write, kind) __attribute__((preserve_most)) void name(void *addr, void *leaf_ret);
#include "abi.inc"

// What the compiled call at pc (its return address) asked for; 0: it is none of ours, or of any size.
static size_t find_size(uintptr_t pc)
{
    static const struct {
        void *fn;
        size_t size;
    } entries[] = {
#define CSP_ABI_COLD(name, bytes, is_write, kind) {(void *)name, bytes},
#include "abi.inc"
    };
    unsigned char code[6];
    int32_t distance;
    uintptr_t target;
    if (!cspr_copy_safely(code, (const void *)(pc - sizeof code), sizeof code)) // of a library that is gone
        return 0;
    memcpy(&distance, code + 2, sizeof distance);
    if (code[1] == 0xe8) // call distance
        target = pc + (uintptr_t)(intptr_t)distance;
    else if (code[0] != 0xff || code[1] != 0x15 || // call *distance(%rip): through the global offset table
             !cspr_copy_safely(&target, (const void *)(pc + (uintptr_t)(intptr_t)distance), sizeof target))
        return 0;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if ((uintptr_t)entries[i].fn == target)
            return entries[i].size;
    return 0;
}

// How many bytes next to `at` (upwards or downwards) the same access has recorded; at most `most`.
static size_t count_same(uintptr_t word, bool up, const cspr_entry *e, size_t most)
{
    size_t n = 0;
    while (n < most) {
        word = up ? word + 8 : word - 8;
        uint64_t cell =
            __atomic_load_n(&cspr_shadow_of(word)[e->kind == CSPR_WRITE], __ATOMIC_RELAXED); // relaxed: a look
        unsigned missing = ~cspr_cell_mask(cell) & 0xff; // bytes of the word that it did not record
        if ((e->kind == CSPR_READ && cspr_cell_is_rest(cell)) || cspr_cell_epoch(cell) != e->epoch ||
            cspr_cell_stack(cell) != e->stack)
            break;
        n += !missing ? 8 : up ? (unsigned)__builtin_ctz(missing) : (unsigned)__builtin_clz(missing << 24);
        if (missing)
            break;
    }
    return n < most ? n : most;
}

void cspr_widen_previous(cspr_race *race, const cspr_found *found)
{
    const cspr_entry *e = &found->previous;
    cspr_side *side = &race->previous;
    uintptr_t frame;
    if (!e->epoch || e->kind > CSPR_WRITE || side->is_alloc || side->is_free ||
        !cspr_stack_frames(e->stack, found->whole, &frame, 1, NULL))
        return;
    size_t size = find_size(frame);
    if (size <= side->size)
        return;
    size_t below = side->addr == found->word ? count_same(found->word, false, e, size - side->size) : 0;
    size_t above =
        side->addr + side->size == found->word + 8 ? count_same(found->word, true, e, size - side->size - below) : 0;
    if (below + side->size + above != size)
        return;
    side->addr -= below;
    side->size = size;
}
