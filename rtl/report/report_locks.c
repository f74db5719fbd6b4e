// report_locks.c - the locks of a race: numbered, named, and where each was taken.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "deadlock/misuse.h"
#include "report/report.h"

#include <string.h>

unsigned cspr_report_lock_number(const void *lock)
{
    enum { KNOWN = 4096 };
    static const void *known[KNOWN];
    static unsigned n_known;
    for (unsigned i = 0; i < n_known; i++)
        if (known[i] == lock)
            return i;
    if (n_known < KNOWN)
        known[n_known++] = lock;
    return n_known - 1;
}

void cspr_report_held(cspr_report *r, const cspr_side *side)
{
    for (size_t i = 0; i < side->n_held; i++)
        cspr_text_add(&r->text, "%s%s M%u",
                      i ? ", " : " (mutexes: ", side->held[i].mode == CSP_LOCK_READ ? "read" : "write",
                      cspr_report_lock_number(side->held[i].lock));
    if (side->n_held)
        cspr_text_add(&r->text, ")");
}

// Without members of libc's own types, whose names begin with an underscore.
static int visible_length(const char *path)
{
    const char *inner = strstr(path, "._");
    return (int)(inner ? (size_t)(inner - path) : strlen(path));
}

// " 'name'" of the global variable that the lock is or is part of.
static void add_lock_name(cspr_report *r, const void *lock)
{
    enum { LOCK_SIZE = 24 }; // less than any lock's that has members of its own
    cspr_variable v;
    cspr_object_name g;
    if (cspr_symbolize_global((uintptr_t)lock, LOCK_SIZE, &v))
        cspr_text_add(&r->text, " '%.*s'", visible_length(v.path), v.path);
    else if (cspr_symbolize_data((uintptr_t)lock, &g) && g.name)
        cspr_text_add(&r->text, " '%s'", g.name);
}

void cspr_report_lock_name(cspr_report *r, const void *lock)
{
    cspr_text_add(&r->text, "M%u", cspr_report_lock_number(lock));
    add_lock_name(r, lock);
    cspr_text_add(&r->text, " (0x%lx)", (uintptr_t)lock);
}

static void add_lock(cspr_report *r, const void *lock)
{
    cspr_text_add(&r->text, "%s  Mutex ", r->green);
    cspr_report_lock_name(r, lock);
}

static bool add_creation(cspr_report *r, const void *lock)
{
    static cspr_view v; // under the report lock
    cspr_stack made = cspr_lock_creation(lock);
    if (!made)
        return false;
    add_lock(r, lock);
    cspr_text_add(&r->text, " created at:%s\n", r->plain);
    cspr_view_stack(&v, made, 0xff);
    cspr_report_role(r, "lock made", false, 0);
    cspr_report_stack(r, &v, false);
    return true;
}

void cspr_report_lock_made(cspr_report *r, const void *lock)
{
    if (add_creation(r, lock))
        return;
    add_lock(r, lock);
    cspr_text_add(&r->text, " is static or was made unseen.%s\n\n", r->plain);
}

static bool held_before(const cspr_race *race, const cspr_side *side, size_t index)
{
    for (size_t i = 0; side == &race->previous && i < race->current.n_held; i++)
        if (race->current.held[i].lock == side->held[index].lock)
            return true;
    for (size_t i = 0; i < index; i++)
        if (side->held[i].lock == side->held[index].lock)
            return true;
    return false;
}

static void add_side_locks(cspr_report *r, const cspr_race *race, const cspr_side *side)
{
    static cspr_view v; // under the report lock
    for (size_t i = 0; i < side->n_held; i++) {
        if (held_before(race, side, i))
            continue;
        add_creation(r, side->held[i].lock);
        add_lock(r, side->held[i].lock);
        cspr_text_add(&r->text, " locked at:%s\n", r->plain);
        cspr_view_stack(&v, side->held[i].stack, 0xff);
        cspr_report_role(r, "lock", false, side->who);
        cspr_report_stack(r, &v, false);
    }
}

void cspr_report_locks(cspr_report *r, const cspr_race *race)
{
    add_side_locks(r, race, &race->current);
    add_side_locks(r, race, &race->previous);
}
