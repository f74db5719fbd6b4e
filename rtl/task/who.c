// who.c - incarnations: who a task was, kept for reports after its end.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Entries are never freed, so a who found in an old cell always resolves. Fields that change (finished, name, stack) are
// read by reports without a lock: a report may show them a moment old.
#include "support/alloc.h"
#include "task/task.h"
#include "task/tls.h"

#include <string.h>

enum { WHO_BITS = 26, NAME_BYTES = sizeof(((cspr_identity *)0)->name) };

typedef struct entry {
    uint64_t id;
    const csp_site *site;
    char *name;
    uintptr_t stack_lo, stack_hi;
    cspr_who creator;
    cspr_stack creation;
    cspr_stack end;  // of csp_exit; 0: none
    uintptr_t entry; // the function it runs; 0: not known
    pid_t tid;
    uint8_t kind;
    bool finished;
    uintptr_t thread_pointer; // of a thread, 0: not known
    const cspr_task *task;    // atomic; NULL: over
} entry;

static entry *entries;
static uint32_t n_entries = 1; // atomic; 0 is nobody

void cspr_who_init(void)
{
    if (!entries)
        entries = cspr_reserve(sizeof(entry) << WHO_BITS);
}

static entry *entry_of(cspr_who who)
{
    return &entries[who < 1u << WHO_BITS ? who : 0];
}

cspr_who cspr_who_new(const cspr_identity *identity)
{
    uint32_t who = __atomic_fetch_add(&n_entries, 1, __ATOMIC_RELAXED); // relaxed: distinct is enough
    if (who >= 1u << WHO_BITS) {
        __atomic_store_n(&n_entries, 1u << WHO_BITS, __ATOMIC_RELAXED);
        if (who == 1u << WHO_BITS)
            cspr_note("more than %u coroutines and threads were created: reports no longer name the later ones", who);
        return 0;
    }
    entry *e = entry_of(who);
    e->id = identity->id;
    e->site = identity->site;
    e->stack_lo = identity->stack_lo;
    e->stack_hi = identity->stack_hi;
    e->creator = identity->creator;
    e->creation = identity->creation;
    e->tid = identity->tid;
    e->kind = (uint8_t)identity->kind;
    return who;
}

void cspr_who_set_finished(cspr_who who)
{
    entry *e = entry_of(who);
    __atomic_store_n(&e->task, NULL, __ATOMIC_RELAXED); // relaxed: who reads it checks what it finds there
    e->finished = true;
    e->stack_lo = e->stack_hi = 0;
}

void cspr_who_set_entry(cspr_who who, uintptr_t fn)
{
    entry_of(who)->entry = fn;
}

void cspr_who_set_end(cspr_who who, cspr_stack end)
{
    entry_of(who)->end = end;
}

void cspr_who_set_name(cspr_who who, const char *name)
{
    entry *e = entry_of(who);
    size_t n = strnlen(name, NAME_BYTES - 1);
    char *copy = cspr_alloc(NAME_BYTES);
    memcpy(copy, name, n);
    __atomic_store_n(&e->name, copy, __ATOMIC_RELEASE); // the old copy stays: a report may be reading it
}

void cspr_who_set_thread(cspr_who who, pid_t tid, uintptr_t stack_lo, uintptr_t stack_hi)
{
    entry *e = entry_of(who);
    e->tid = tid;
    e->thread_pointer = (uintptr_t)__builtin_thread_pointer(); // the caller is the thread
    e->stack_lo = stack_lo;
    e->stack_hi = stack_hi;
}

void cspr_who_get(cspr_who who, cspr_identity *out)
{
    const entry *e = entry_of(who);
    *out = (cspr_identity){
        .kind = (cspr_kind)e->kind,
        .id = e->id,
        .tid = e->tid,
        .creator = e->creator,
        .creation = e->creation,
        .end = e->end,
        .entry = e->entry,
        .site = e->site,
        .finished = e->finished,
        .stack_lo = e->stack_lo,
        .stack_hi = e->stack_hi,
    };
    const char *name = __atomic_load_n(&e->name, __ATOMIC_ACQUIRE); // pairs with cspr_who_set_name
    if (name)
        memcpy(out->name, name, sizeof out->name);
}

void cspr_who_set_task(cspr_who who, const cspr_task *t)
{
    __atomic_store_n(&entry_of(who)->task, t, __ATOMIC_RELAXED); // relaxed: as above
}

const cspr_task *cspr_who_task(cspr_who who)
{
    return __atomic_load_n(&entry_of(who)->task, __ATOMIC_RELAXED); // relaxed: as above
}

cspr_who cspr_who_of_tls(uintptr_t addr, uintptr_t *thread_pointer)
{
    uint32_t n = __atomic_load_n(&n_entries, __ATOMIC_RELAXED); // relaxed: newer ones are not in this report
    for (uint32_t who = n - 1; who > 0; who--) {
        const entry *e = &entries[who];
        if (e->finished || e->thread_pointer - 1 - addr >= cspr_tls_size || !e->thread_pointer)
            continue;
        *thread_pointer = e->thread_pointer;
        return who;
    }
    return 0;
}

cspr_who cspr_who_of_stack(uintptr_t addr)
{
    uint32_t n = __atomic_load_n(&n_entries, __ATOMIC_RELAXED); // relaxed: newer ones are not in this report
    for (uint32_t who = n - 1; who > 0; who--)
        if (addr >= entries[who].stack_lo && addr < entries[who].stack_hi && !entries[who].finished)
            return who;
    return 0;
}

// --- the runtime's threads, which never end ---------------------------------------------------------------------------------

enum { MAX_WORKERS = 4096 };
static uintptr_t workers[MAX_WORKERS]; // atomic; 0: not yet
static uint32_t n_workers;             // atomic

void cspr_who_note_worker(void)
{
    uint32_t i = __atomic_fetch_add(&n_workers, 1, __ATOMIC_RELAXED); // relaxed: distinct is enough
    if (i < MAX_WORKERS)
        __atomic_store_n(&workers[i], (uintptr_t)__builtin_thread_pointer(), __ATOMIC_RELAXED); // relaxed: as others
}

void cspr_who_each_thread_pointer(void (*fn)(uintptr_t thread_pointer, void *arg), void *arg)
{
    uint32_t n = __atomic_load_n(&n_entries, __ATOMIC_RELAXED), m = __atomic_load_n(&n_workers, __ATOMIC_RELAXED);
    for (uint32_t who = 1; who < n; who++) // relaxed: those that come later start with nothing of their own
        if (entries[who].thread_pointer && !entries[who].finished)
            fn(entries[who].thread_pointer, arg);
    for (uint32_t i = 0; i < m && i < MAX_WORKERS; i++) {
        uintptr_t thread_pointer = __atomic_load_n(&workers[i], __ATOMIC_RELAXED); // relaxed: as above
        if (thread_pointer)
            fn(thread_pointer, arg);
    }
}
