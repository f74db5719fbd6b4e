// leak.c - csp_leak_check and csp_leak_check_scope: what is asked, of the detector where there is one, and the scopes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A scope is a label, since labels are inherited by whoever is started: "1/7" is scope 7 inside scope 1, and is part of both.
#include "leak.h"

#include "csp/go.h"
#include "csp/leak.h"
#include "csp/time.h"
#include "view.h"
#include "worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SCOPE_KEY "csp.scope"
#define PAUSE_NS 20000000
#define DEFAULT_GRACE_NS 1000000000
#define FIRST_NAP_NS 20000
#define LAST_NAP_NS 5000000

static uint32_t busy; // atomic: somebody checks

// A coroutine gives way instead of blocking its worker, which who checks waits for.
static void begin(void)
{
    const struct timespec nap = {0, FIRST_NAP_NS};
    for (uint32_t free_state = 0; !csp_cas_acq(&busy, &free_state, 1u); free_state = 0)
        if (cspi_worker_self())
            csp_sleep(FIRST_NAP_NS);
        else
            syscall(SYS_nanosleep, &nap, NULL);
}

static void end(void)
{
    csp_store_rel(&busy, 0u);
}

// --- findings --------------------------------------------------------------------------------------------------------------

struct findings {
    csp_leak *out;
    size_t n, max;
};

static void copy_text(char *to, size_t size, const char *text)
{
    size_t n = text ? strnlen(text, size - 1) : 0;
    memcpy(to, text ? text : "", n);
    to[n] = '\0';
}

static void keep(const csp_leak_found *f, void *arg)
{
    struct findings *all = arg;
    if (all->n == all->max)
        return;
    csp_leak *leak = &all->out[all->n++];
    *leak = (csp_leak){
        .verdict = f->is_stuck ? CSP_LEAK_STUCK : CSP_LEAK_PARKED,
        .count = f->count,
        .first_id = f->first_id,
        .longest_ns = f->longest_ns,
        .bytes = f->bytes,
        .waiting = f->waiting,
        .line = f->line,
    };
    copy_text(leak->function, sizeof leak->function, f->function);
    copy_text(leak->created_by, sizeof leak->created_by, f->created_by);
    copy_text(leak->file, sizeof leak->file, f->file);
}

static csp_leak_query query_of(const csp_leak_options *o)
{
    return (csp_leak_query){
        .print = o->print,
        .reachable_too = o->parked_too,
        .since_id = o->since_id,
        .ignore_top = o->ignore_top,
        .ignore_any = o->ignore_any,
        .ignore_created_by = o->ignore_created_by,
    };
}

static size_t find(const csp_leak_query *q, csp_leak *out, size_t max)
{
    struct findings all = {out, 0, max};
    begin();
#if CSP_HOOKS
    size_t n = CSP_HOOK_VALUE(leak_check, 0, q, keep, &all);
#else
    cspi_rest_pause(PAUSE_NS, false);
    size_t n = cspi_leak_find_parked(q, keep, &all);
    cspi_rest_unpause();
#endif
    end();
    return n;
}

size_t cspi_leak_check(const csp_leak_options *options, csp_leak *out, size_t max)
{
    const csp_leak_query q = query_of(options);
    return find(&q, out, max);
}

void cspi_leak_check_aloud(void)
{
    const csp_leak_query q = {.print = true, .always_says = true};
    find(&q, NULL, 0);
}

size_t csp_leak_check(const csp_leak_options *options, csp_leak *out, size_t max)
{
    const csp_leak_options none = {0};
    CSPI_FRAME();
    (void)cspi_self();
    return cspi_leak_check(options ? options : &none, out, max);
}

uint64_t csp_leak_mark(void)
{
    (void)cspi_self();
    return csp_load_rlx(&cspi_sched.next_id); // relaxed: a number
}

// --- scopes ----------------------------------------------------------------------------------------------------------------

// How those of a scope, and everybody else, stand at one moment.
struct standing {
    const csp_leak_query *query;
    uint64_t self;
    size_t left;    // of the scope, have not ended
    bool all_wait;  // nobody but the caller can run
    bool all_known; // nobody runs just now whose labels cannot be read
};

static void look_at(const csp_co_view *co, void *arg)
{
    struct standing *s = arg;
    if (co->id == s->self || co->is_foreign)
        return;
    s->left += cspi_leak_is_asked_for(co, s->query);
    s->all_wait &= cspi_leak_waits_for_good(co);
    s->all_known &= !co->runs;
}

static bool is_settled(const csp_leak_query *q, uint64_t self)
{
    struct standing s = {q, self, 0, true, true};
    begin();
    bool stands = cspi_rest_pause(PAUSE_NS, false);
    cspi_view_each(look_at, &s);
    cspi_rest_unpause();
    end();
    return stands && s.all_known && (s.left == 0 || s.all_wait);
}

static void wait_until_settled(const csp_leak_query *q, int64_t grace_ns)
{
    int64_t until = cspi_after_now(grace_ns), nap = FIRST_NAP_NS;
    uint64_t self = csp_id();
    csp_yield(); // in the usual case all of them end right away
    while (!is_settled(q, self) && cspi_now() < until) {
        csp_sleep(nap);
        nap = nap < LAST_NAP_NS ? 2 * nap : nap;
    }
}

static void name_scope(char *name, size_t size, const char *outer)
{
    static uint64_t n_scopes;                              // atomic
    uint64_t number = csp_add_rlx(&n_scopes, (uint64_t)1); // relaxed: distinct is enough
    CSP_HOOK(ignore_begin);
    snprintf(name, size, "%s%s%" PRIu64, outer, outer[0] ? "/" : "", number + 1);
    CSP_HOOK(ignore_end);
}

size_t csp_leak_check_scope(void (*fn)(void *), void *arg, const csp_leak_options *options, csp_leak *out, size_t max)
{
    const csp_leak_options none = {0}, *o = options ? options : &none;
    char outer[128], name[160];
    copy_text(outer, sizeof outer, csp_label(SCOPE_KEY));
    name_scope(name, sizeof name, outer);
    csp_label_set(SCOPE_KEY, name);
    fn(arg);
    csp_label_set(SCOPE_KEY, outer[0] ? outer : NULL);

    CSPI_FRAME();
    csp_leak_query q = query_of(o);
    q.reachable_too = true;
    q.label_key = SCOPE_KEY;
    q.label_value = name;
    wait_until_settled(&q, o->grace_ns ? o->grace_ns : DEFAULT_GRACE_NS);
    return find(&q, out, max);
}
