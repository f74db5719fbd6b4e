// leak_watch.c - how many coroutines of each creation site are alive, and a warning when they grow (option leak_watch).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A number that climbs for good passes each doubling once; one that goes up and down passes the first few and is then quiet.
#include "leak/leak_watch.h"

#include "report/report.h"

enum { SITES = 4096 };

typedef struct site {
    cspr_stack creation; // atomic; 0: free
    uint32_t alive;      // atomic
    uint32_t told;       // atomic: the number at the last warning
} site;

static site sites[SITES];

// NULL: the table is full, and those that come later are not watched.
static site *find(cspr_stack creation, bool make)
{
    uint32_t at = creation * 0x9e3779b1u >> 20;
    for (uint32_t i = 0; i < SITES; i++, at = (at + 1) % SITES) {
        // relaxed: an entry that is never changed again; nothing else comes with it
        cspr_stack there = __atomic_load_n(&sites[at].creation, __ATOMIC_RELAXED);
        if (!there && !make)
            return NULL;
        if (!there && __atomic_compare_exchange_n(&sites[at].creation, &there, creation, false, __ATOMIC_RELAXED,
                                                  __ATOMIC_RELAXED)) // relaxed: as above
            there = creation;
        if (there == creation)
            return &sites[at];
    }
    return NULL;
}

struct news {
    cspr_stack creation;
    uint32_t alive;
};

static void tell(void *arg)
{
    static cspr_view v; // under the report lock
    const struct news *news = arg;
    cspr_view_stack(&v, news->creation, 0xff);
    for (size_t i = 0; i < v.n; i++) {
        const cspr_place *p = &v.places[i];
        if (!p->ours) {
            cspr_note("%u coroutines that were started in %s (%s:%u) are alive, and they become more (leak_watch)",
                      news->alive, p->function ? p->function : "?", p->file ? cspr_strip_prefix(p->file) : "?",
                      p->line);
            return;
        }
    }
}

void cspr_leak_watch_began_slow(cspr_stack creation)
{
    site *s = creation ? find(creation, true) : NULL;
    if (!s)
        return;
    uint32_t alive = __atomic_add_fetch(&s->alive, 1, __ATOMIC_RELAXED); // relaxed: a number
    uint32_t told = __atomic_load_n(&s->told, __ATOMIC_RELAXED);         // relaxed: compared again
    uint32_t next = told ? 2 * told : (uint32_t)cspr_flags.leak_watch;
    if (alive < next || !__atomic_compare_exchange_n(&s->told, &told, next, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return;
    struct news news = {creation, alive};
    cspr_report_lock();
    cspr_call_on_own_stack(tell, &news);
    cspr_report_unlock();
}

void cspr_leak_watch_ended_slow(cspr_who who)
{
    cspr_identity id;
    cspr_who_get(who, &id);
    site *s = id.creation ? find(id.creation, false) : NULL;
    if (s)
        __atomic_fetch_sub(&s->alive, 1, __ATOMIC_RELAXED); // relaxed: as above
}
