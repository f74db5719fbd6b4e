// leak_parked.c - who is parked, grouped by place and creator: all that can be said of leaks without a detector.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "leak.h"

#include "fiber.h"
#include "panic.h"
#include "switch.h"
#include "symbols.h"
#include "timer.h"
#include "view.h"
#include "walk.h"

#include <stdlib.h>
#include <string.h>

bool cspi_leak_waits_for_good(const csp_co_view *co)
{
    return co->parked && !co->will_wake && co->op != CSP_WAIT_NONE && co->op < CSP_WAIT_SLEEP;
}

// A value is that of the scope itself or of one inside it.
static bool is_within(const char *value, const char *scope)
{
    size_t n = strlen(scope);
    return strncmp(value, scope, n) == 0 && (value[n] == '\0' || value[n] == '/');
}

static bool has_label(const csp_co_view *co, const csp_leak_query *q)
{
    if (!q->label_key)
        return true;
    for (size_t i = 0; i < co->n_labels; i++)
        if (strcmp(co->labels[i].key, q->label_key) == 0)
            return is_within(co->labels[i].value, q->label_value);
    return false;
}

bool cspi_leak_is_asked_for(const csp_co_view *co, const csp_leak_query *q)
{
    return !co->is_main && !co->is_foreign && !co->is_daemon && co->id >= q->since_id && has_label(co, q);
}

#if !CSP_HOOKS
struct group {
    struct group *next;
    uintptr_t place; // in the program
    const void *created_at;
    const char *waiting;
    size_t count, bytes;
    uint64_t first_id;
    int64_t since_ns;
};

struct search {
    const csp_leak_query *query;
    struct group *groups;
    bool too_little_memory;
};

static bool matches_any(const char *const *patterns, uintptr_t pc)
{
    cspi_symbol s;
    if (!patterns || !*patterns || !pc)
        return false;
    cspi_symbol_find(pc - 1, &s);
    for (; *patterns && s.function; patterns++)
        if (strstr(s.function, *patterns))
            return true;
    return false;
}

static bool is_ignored(const csp_leak_query *q, const cspi_frames *frames, size_t first, const void *created_at)
{
    if (first < frames->n && matches_any(q->ignore_top, frames->pcs[first]))
        return true;
    for (size_t i = 0; i < frames->n; i++)
        if (matches_any(q->ignore_any, frames->pcs[i]))
            return true;
    return matches_any(q->ignore_created_by, (uintptr_t)created_at);
}

static struct group *group_of(struct search *s, uintptr_t place, const csp_co_view *co, const char *waiting)
{
    for (struct group *g = s->groups; g; g = g->next)
        if (g->place == place && g->created_at == co->created_at && g->waiting == waiting)
            return g;
    struct group *g = calloc(1, sizeof *g);
    if (!g) {
        s->too_little_memory = true;
        return NULL;
    }
    *g = (struct group){s->groups, place, co->created_at, waiting, 0, 0, co->id, co->since_ns};
    s->groups = g;
    return g;
}

static void look_at(const csp_co_view *co, void *arg)
{
    struct search *s = arg;
    cspi_frames frames;
    if (!co->sp || !cspi_leak_waits_for_good(co) || !cspi_leak_is_asked_for(co, s->query))
        return;
    cspi_walk_saved(co->co, &frames);
    if (frames.n && !frames.cut && !cspi_fiber_announced()) // a call at its end may have left no frame of the function
        frames.pcs[frames.n - 1] = cspi_switch_entry((const void *)co->stack_hi) + 1;
    size_t first = cspi_walk_count_inside(&frames) + 1; // behind the runtime's public function
    first = first < frames.n ? first : frames.n - 1;
    if (is_ignored(s->query, &frames, first, co->created_at))
        return;
    struct group *g =
        group_of(s, first < frames.n ? frames.pcs[first] : 0, co, cspi_wait_name(((const csp_co *)co->co)->wait));
    if (!g)
        return;
    g->count++;
    g->bytes += co->stack_hi - co->sp;
    g->since_ns = co->since_ns < g->since_ns ? co->since_ns : g->since_ns;
}

static void print(const csp_leak_found *f)
{
    cspi_say("cspthread: %zu coroutine%s parked in %s", f->count, f->count == 1 ? " is" : "s are", f->waiting);
    if (f->function)
        cspi_say(", called by %s", f->function);
    if (f->created_by)
        cspi_say(", created by %s", f->created_by);
    cspi_say(" (coroutine %lu)\n", (unsigned long)f->first_id);
}

static const char *function_at(uintptr_t pc)
{
    cspi_symbol s = {0};
    if (pc)
        cspi_symbol_find(pc - 1, &s);
    return s.function;
}

size_t cspi_leak_find_parked(const csp_leak_query *q, void (*tell)(const csp_leak_found *found, void *arg), void *arg)
{
    struct search s = {q, NULL, false};
    size_t n = 0;
    int64_t now = cspi_now();
    if (q->reachable_too)
        cspi_view_each(look_at, &s);
    while (s.groups) {
        struct group *g = s.groups;
        csp_leak_found f = {
            .waiting = g->waiting,
            .function = function_at(g->place),
            .created_by = function_at((uintptr_t)g->created_at),
            .count = g->count,
            .first_id = g->first_id,
            .longest_ns = now > g->since_ns ? now - g->since_ns : 0,
            .bytes = g->bytes,
        };
        n += g->count;
        if (q->print)
            print(&f);
        tell(&f, arg);
        s.groups = g->next;
        free(g);
    }
    return n;
}
#endif
