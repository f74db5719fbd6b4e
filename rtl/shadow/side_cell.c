// side_cell.c - the way back: a record whose history two cells can say goes into them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The caller has taken the record's word.
#include "shadow/side.h"

#include "clock/everyone.h"
#include "shadow/depot.h"
#include "shadow/readset.h"
#include "shadow/shadow.h"

// An epoch's entries as a cell without its mask; the stack is composite when they have several.
typedef struct gathered {
    uint32_t epoch;
    unsigned mask;
    cspr_stack stack;
} gathered;

// The entries of a small set, epoch by epoch, each with the bytes of all its entries; their number, 0 when they are of more
// than max epochs, of epochs without an id, or of different bytes.
static unsigned gather(const cspr_set *s, gathered *out, unsigned max)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        const cspr_entry *e = &s->entry[i];
        if (!e->mask)
            continue;
        unsigned k = 0;
        while (k < n && out[k].epoch != e->epoch)
            k++;
        if (!e->epoch || k == max)
            return 0;
        if (k == n)
            out[n++] = (gathered){.epoch = e->epoch};
        out[k].mask |= e->mask;
    }
    for (unsigned k = 1; k < n; k++)
        if (out[k].mask != out[0].mask)
            return 0;
    return n;
}

static void gather_stacks(const cspr_set *s, gathered *out, unsigned n)
{
    for (unsigned k = 0; k < n; k++)
        out[k].mask = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        const cspr_entry *e = &s->entry[i];
        gathered *g = out;
        while (e->mask && g->epoch != e->epoch)
            g++;
        if (!(e->mask & ~g->mask))
            continue;
        g->stack = g->mask ? cspr_depot_composite(g->stack, g->mask, e->stack, e->mask & ~g->mask) : e->stack;
        g->mask |= e->mask;
    }
}

static bool is_empty(const cspr_set *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->entry[i].mask)
            return false;
    return true;
}

// All entries of a small set, of at most max epochs, as one cell; false when no cell says that.
static bool to_cell(const cspr_set *s, unsigned max, uint64_t *cell)
{
    gathered by_epoch[CSPR_READSET_MAX];
    uint64_t members[CSPR_READSET_MAX];
    *cell = 0;
    if (is_empty(s))
        return true;
    unsigned n = gather(s, by_epoch, max);
    if (!n)
        return false;
    gather_stacks(s, by_epoch, n);
    for (unsigned k = 0; k < n; k++) {
        if (by_epoch[k].stack >= cspr_depot_cell_limit)
            return false;
        members[k] = cspr_cell_of(by_epoch[k].epoch, 0, by_epoch[k].stack);
    }
    if (n == 1)
        *cell = members[0] | (uint64_t)by_epoch[0].mask << CSPR_MASK_SHIFT;
    else
        *cell = cspr_readset_cell(members, n, by_epoch[0].mask);
    return *cell != 0;
}

// Entries of earlier epochs that every live task knows. t is the running one.
static void drop_known_to_all(cspr_set *s, const cspr_task *t)
{
    for (uint32_t i = 0; i < s->n; i++) {
        cspr_entry *e = &s->entry[i];
        if (e->mask && e->epoch && e->epoch != t->epoch && cspr_task_knows(t, e->id, e->at) &&
            cspr_everyone_knows(t, e->epoch))
            e->mask = 0;
    }
}

bool cspr_record_collapse(cspr_record *rec, const cspr_task *t, uint64_t *r, uint64_t *w)
{
    if (rec->syncs || rec->atomics.n || rec->reads.n > 2 * CSPR_READSET_MAX || rec->writes.n > 8)
        return false;
    drop_known_to_all(&rec->writes, t);
    drop_known_to_all(&rec->reads, t);
    const cspr_entry *first = rec->writes.entry, *last = first + rec->writes.n - 1;
    if (rec->writes.n > 1 && first->mask && last->mask && first->epoch != last->epoch)
        return false; // what usually prevents it
    if (rec->reads.n > 1 && rec->reads.entry[0].epoch != rec->reads.entry[rec->reads.n - 1].epoch &&
        (rec->reread || !cspr_readset_pays()))
        return false;
    uint64_t read, write;
    if (!to_cell(&rec->writes, 1, &write) || !to_cell(&rec->reads, CSPR_READSET_MAX, &read))
        return false;
    *r = read;
    *w = write;
    cspr_record_free(rec);
    return true;
}
