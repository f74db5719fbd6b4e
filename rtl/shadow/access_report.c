// access_report.c - from a conflict found in a word to the race that is told: both sides, what they held, what order there was.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// No word is taken here.
#include "shadow/access.h"

#include "clock/epoch.h"
#include "shadow/depot.h"

#include <errno.h>

static cspr_race race_of(const cspr_check *c, const cspr_found *f)
{
    unsigned first = (unsigned)__builtin_ctz(f->previous.mask), from = first, to = first + 1;
    while (from && f->whole >> (from - 1) & 1)
        from--;
    while (f->whole >> to & 1)
        to++;
    cspr_stack stack = f->previous.stack;
    cspr_stack_tag tag = cspr_depot_untag(&stack);
    cspr_stack allocation = tag == CSPR_TAG_FREE ? cspr_depot_allocation(f->previous.stack) : 0;
    cspr_stack current = c->stack;
    cspr_stack_tag current_tag = cspr_depot_untag(&current);
    uintptr_t begin = c->addr;
    if (c->step && f->word + first > begin) // the one of the loop's accesses that met the other
        begin += (f->word + first - begin) / c->step * c->step;
    return (cspr_race){
        .addr = f->word + first,
        .freed_allocation = allocation,
        .current =
            {
                .who = c->task->who,
                .addr = begin,
                .size = c->step ? c->element : c->size,
                .is_write = c->kind == CSPR_WRITE || c->kind == CSPR_ATOMIC_WRITE,
                .is_atomic = c->kind >= CSPR_ATOMIC_READ,
                .is_alloc = current_tag == CSPR_TAG_ALLOC,
                .is_free = current_tag == CSPR_TAG_FREE,
                .stack = current,
                .byte_mask = f->previous.mask,
            },
        .previous =
            {
                .who = f->previous.who,
                .addr = f->word + from,
                .size = to - from,
                .is_write = f->previous.kind == CSPR_WRITE || f->previous.kind == CSPR_ATOMIC_WRITE,
                .is_atomic = f->previous.kind >= CSPR_ATOMIC_READ,
                .is_alloc = tag == CSPR_TAG_ALLOC,
                .is_free = tag == CSPR_TAG_FREE,
                .stack = stack,
                .byte_mask = f->previous.mask,
            },
    };
}

// What the task knows of the one it races with: an epoch before that of the access.
static void find_order(cspr_race *race, const cspr_task *t, uint32_t id, uint32_t epoch)
{
    uint64_t known = cspr_clock_get(&t->clock, id);
    race->last_seen = 0;
    bool any = epoch ? cspr_epoch_find_end(epoch, known, &race->last_seen) : known != 0;
    race->order = any ? CSPR_ORDER_UP_TO : CSPR_ORDER_NONE;
}

// What was held at the access, newest last.
static void take_locks(cspr_side *side)
{
    side->n_held = cspr_depot_unlock(&side->stack, side->held, sizeof side->held / sizeof *side->held);
}

void cspr_tell_race(cspr_race *race, const cspr_task *t, uint32_t id, uint32_t epoch)
{
    int saved = errno;
    find_order(race, t, id, epoch);
    take_locks(&race->current);
    take_locks(&race->previous);
    cspr_report_race(race);
    errno = saved;
}

CSPR_NOINLINE static void report_found(cspr_check *c)
{
    int saved = errno;
    for (uint32_t i = 0; i < c->n_found; i++) {
        cspr_race race = race_of(c, &c->found[i]);
        cspr_widen_previous(&race, &c->found[i]);
        cspr_tell_race(&race, c->task, c->found[i].previous.id, c->found[i].previous.epoch);
    }
    c->n_found = 0;
    errno = saved;
}

void cspr_check_report(cspr_check *c)
{
    if (CSPR_UNLIKELY(c->n_found))
        report_found(c);
}
