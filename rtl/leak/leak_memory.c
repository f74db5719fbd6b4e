// leak_memory.c - heap blocks that nothing leads to any more: found by what the leak check has reached, told as LeakSanitizer does.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Here every coroutine's stack counts, also those of coroutines that are stuck: what they keep is told with them. A block that
// only lost blocks lead to is an indirect leak. Blocks of the runtime's, of the detector's and of libc's for itself have no
// stack, and are left out.
#include "leak/leak_memory.h"

#include "leak/reach.h"
#include "report/report.h"
#include "support/print.h"

#include <string.h>

static const char what[] = "memory leak";

static uint64_t key_of(cspr_stack stack, bool indirect)
{
    return ((uint64_t)stack << 1 | indirect) * 0x9e3779b97f4a7c15ull;
}

static void rehash(cspr_losses *all)
{
    if (all->index)
        cspr_unmap(all->index, all->n_index * sizeof *all->index);
    all->n_index = all->n_index ? 2 * all->n_index : 4096;
    all->index = cspr_map(all->n_index * sizeof *all->index);
    for (size_t i = 0; i < all->n; i++) {
        size_t at = key_of(all->list[i].stack, all->list[i].indirect) >> 32 & (all->n_index - 1);
        while (all->index[at])
            at = (at + 1) & (all->n_index - 1);
        all->index[at] = (uint32_t)i + 1;
    }
}

static cspr_lost *append(cspr_losses *all)
{
    if (all->n == all->cap) {
        size_t cap = all->cap ? 2 * all->cap : 1024;
        cspr_lost *bigger = cspr_map(cap * sizeof *bigger);
        if (all->list) {
            memcpy(bigger, all->list, all->n * sizeof *bigger);
            cspr_unmap(all->list, all->cap * sizeof *bigger);
        }
        all->list = bigger;
        all->cap = cap;
    }
    return &all->list[all->n++];
}

static cspr_lost *place_of(cspr_losses *all, cspr_stack stack, bool indirect)
{
    if (2 * (all->n + 1) > all->n_index)
        rehash(all);
    size_t at = key_of(stack, indirect) >> 32 & (all->n_index - 1);
    for (; all->index[at]; at = (at + 1) & (all->n_index - 1)) {
        cspr_lost *lost = &all->list[all->index[at] - 1];
        if (lost->stack == stack && lost->indirect == indirect)
            return lost;
    }
    cspr_lost *lost = append(all);
    *lost = (cspr_lost){.stack = stack, .indirect = indirect};
    all->index[at] = (uint32_t)all->n;
    return lost;
}

struct finding {
    cspr_losses *all;
    cspr_reach *r;
};

static void follow_block(const cspr_block *b, void *arg)
{
    const struct finding *f = arg;
    cspr_reach_note_pointers(f->r, b);
}

static void note_block(const cspr_block *b, void *arg)
{
    const struct finding *f = arg;
    if (!b->alloc_stack)
        return;
    cspr_lost *lost = place_of(f->all, b->alloc_stack, cspr_reach_is_pointed_to(f->r, b->start));
    lost->n++;
    lost->bytes += b->size;
}

// A ring of blocks that nothing else leads to has no direct member: all of it is told as indirect.
void cspr_losses_find(cspr_losses *all, cspr_reach *r)
{
    struct finding f = {all, r};
    if (!cspr_reach_note_begin(r))
        return;
    cspr_reach_each_other(r, follow_block, &f);
    cspr_reach_each_other(r, note_block, &f);
}

void cspr_losses_fini(cspr_losses *all)
{
    if (all->list)
        cspr_unmap(all->list, all->cap * sizeof *all->list);
    if (all->index)
        cspr_unmap(all->index, all->n_index * sizeof *all->index);
}

// --- printing ---------------------------------------------------------------------------------------------------------------

// Same place: the same functions, files and lines.
static void join(cspr_losses *all)
{
    static cspr_view v; // under the report lock
    size_t n = 0;
    uint64_t *hashes = all->n ? cspr_map(all->n * sizeof *hashes) : NULL;
    for (size_t i = 0; i < all->n; i++) {
        cspr_view_stack(&v, all->list[i].stack, 0xff);
        if (cspr_suppress_any(CSPR_SUPPRESS_LEAK) && cspr_view_suppressed(&v, CSPR_SUPPRESS_LEAK, false))
            continue;
        uint64_t hash = cspr_view_hash(&v) * 2 + all->list[i].indirect;
        size_t j = 0;
        while (j < n && hashes[j] != hash)
            j++;
        if (j == n) {
            hashes[n] = hash;
            all->list[n++] = all->list[i];
        } else {
            all->list[j].n += all->list[i].n;
            all->list[j].bytes += all->list[i].bytes;
        }
    }
    if (hashes)
        cspr_unmap(hashes, all->n * sizeof *hashes);
    all->n = n;
}

static bool comes_before(const cspr_lost *a, const cspr_lost *b)
{
    return a->indirect != b->indirect ? b->indirect : a->bytes > b->bytes;
}

static void sort(cspr_losses *all)
{
    for (size_t i = 1; i < all->n; i++) {
        cspr_lost lost = all->list[i];
        size_t j = i;
        for (; j > 0 && comes_before(&lost, &all->list[j - 1]); j--)
            all->list[j] = all->list[j - 1];
        all->list[j] = lost;
    }
}

void cspr_losses_print(cspr_losses *all)
{
    static cspr_view v, first; // under the report lock
    cspr_report r;
    join(all);
    if (!all->n)
        return;
    sort(all);
    size_t n = 0, bytes = 0;
    cspr_report_open(&r, what);
    for (size_t i = 0; i < all->n; i++) {
        const cspr_lost *lost = &all->list[i];
        cspr_view_stack(&v, lost->stack, 0xff);
        if (i == 0)
            first = v;
        cspr_text_add(&r.text, "%s  %s leak of %zu byte(s) in %zu object(s) allocated from:%s\n", r.bold,
                      lost->indirect ? "Indirect" : "Direct", lost->bytes, lost->n, r.plain);
        cspr_report_role(&r, "allocation", true, 0);
        cspr_report_stack(&r, &v, false);
        n += lost->n;
        bytes += lost->bytes;
    }
    cspr_text_add(&r.text, "  %zu byte(s) leaked in %zu allocation(s).\n\n", bytes, n);
    cspr_report_close(&r, what, &first);
}
