// leak.c - coroutines that are still parked when the program ends: grouped, with stack, creation and what they wait for.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The runtime shows its coroutines under its own lock, so the first pass only copies; the others symbolize, join what looks the
// same, and print.
#include "leak.h"
#include "deadlock.h"
#include "report.h"

#include <string.h>

enum { MAX_SHOWN_CASES = 16, MAX_SHOWN_IDS = 8 };

// One thing that is waited on.
typedef struct target {
    int op;
    const void *obj;
    void *ch; // the detector's channel object, NULL: nil channel or no channel
    const csp_site *site;
} target;

// Coroutines parked at one place, created at one place.
typedef struct group {
    uint64_t hash;
    size_t count;
    uint64_t ids[MAX_SHOWN_IDS]; // of the first ones
    cspr_who who;                // of the first
    int op;
    int64_t since_ns;          // of the one that is parked longest
    size_t n_targets, n_cases; // n_cases may be more than are shown
    target targets[MAX_SHOWN_CASES];
    size_t n_frames;
    uintptr_t frames[CSPR_MAX_FRAMES];
} group;

typedef struct groups {
    group *list;
    size_t n, cap;
    int64_t now_ns;
} groups;

// --- first pass: copy ------------------------------------------------------------------------------------------------------------

static bool is_leak(const csp_co_view *co)
{
    cspr_identity id;
    if (!co->parked || co->will_wake || co->is_main || co->is_daemon || !co->task || co->op == CSP_WAIT_NONE ||
        co->op >= CSP_WAIT_SLEEP)
        return false;
    cspr_who_get(cspr_task_who(co->task), &id);
    return id.kind == CSPR_KIND_COROUTINE; // a pthread of the program's that waits is not ours to judge
}

static uint64_t hash_word(uint64_t hash, uint64_t v)
{
    hash = (hash ^ v) * 0xff51afd7ed558ccdull;
    return hash ^ hash >> 32;
}

static group *find_group(groups *all, uint64_t hash)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->list[i].hash == hash)
            return &all->list[i];
    if (all->n == all->cap) {
        size_t cap = all->cap ? all->cap * 2 : 16;
        group *bigger = cspr_map(cap * sizeof *bigger);
        if (all->list) {
            memcpy(bigger, all->list, all->n * sizeof *bigger);
            cspr_unmap(all->list, all->cap * sizeof *bigger);
        }
        all->list = bigger;
        all->cap = cap;
    }
    return &all->list[all->n++];
}

static void copy_targets(group *g, const csp_co_view *co)
{
    if (co->op != CSP_WAIT_SELECT) {
        g->targets[0] = (target){co->op, co->obj, co->ch, co->site};
        g->n_targets = g->n_cases = 1;
        return;
    }
    g->n_cases = co->n_cases;
    g->n_targets = co->n_cases < MAX_SHOWN_CASES ? co->n_cases : MAX_SHOWN_CASES;
    for (size_t i = 0; i < g->n_targets; i++)
        g->targets[i] = (target){co->cases[i].op, co->cases[i].chan, co->cases[i].ch, co->cases[i].site};
}

static void add_coroutine(const csp_co_view *co, void *arg)
{
    uintptr_t frames[CSPR_MAX_FRAMES];
    cspr_identity id;
    if (!is_leak(co))
        return;
    cspr_who who = cspr_task_who(co->task);
    if (cspr_deadlock_told(who))
        return; // its report says more
    cspr_who_get(who, &id);
    size_t n = cspr_task_parked_frames(co->task, frames, CSPR_MAX_FRAMES);
    uint64_t hash = hash_word(hash_word(n, (uint64_t)co->op), id.creation);
    for (size_t i = 0; i < n; i++)
        hash = hash_word(hash, frames[i]);
    group *g = find_group(arg, hash);
    if (g->count == 0) {
        g->hash = hash;
        g->who = who;
        g->op = co->op;
        g->since_ns = co->since_ns;
        copy_targets(g, co);
        g->n_frames = n;
        memcpy(g->frames, frames, n * sizeof *frames);
    }
    if (g->count < MAX_SHOWN_IDS)
        g->ids[g->count] = co->id;
    g->count++;
    g->since_ns = co->since_ns < g->since_ns ? co->since_ns : g->since_ns;
}

// --- second pass: what looks the same is the same --------------------------------------------------------------------------------

// Loops are unrolled and functions inlined: one line of source is called from several addresses. By function, file and line.
static uint64_t hash_places(const group *g)
{
    static cspr_view v; // under the report lock
    cspr_identity id;
    cspr_who_get(g->who, &id);
    cspr_view_frames(&v, g->frames, g->n_frames, false);
    uint64_t hash = hash_word(cspr_view_hash(&v), (uint64_t)g->op);
    cspr_view_stack(&v, id.creation, 0xff);
    return hash_word(hash, cspr_view_hash(&v));
}

static void add_group(group *to, const group *g)
{
    for (size_t i = 0; i < g->count && i < MAX_SHOWN_IDS && to->count + i < MAX_SHOWN_IDS; i++)
        to->ids[to->count + i] = g->ids[i];
    to->count += g->count;
    to->since_ns = g->since_ns < to->since_ns ? g->since_ns : to->since_ns;
}

static void join_groups(groups *all)
{
    size_t n = 0;
    for (size_t i = 0; i < all->n; i++) {
        group *g = &all->list[i];
        g->hash = hash_places(g);
        size_t j = 0;
        while (j < n && all->list[j].hash != g->hash)
            j++;
        if (j < n)
            add_group(&all->list[j], g);
        else if (j < i)
            all->list[n++] = *g;
        else
            n++;
    }
    all->n = n;
}

// --- third pass: print ------------------------------------------------------------------------------------------------------------

static const char *name_wait(const group *g)
{
    bool nil = !g->targets[0].obj;
    switch (g->op) {
    case CSP_WAIT_SEND:
        return nil ? "chan send (nil chan)" : "chan send";
    case CSP_WAIT_RECV:
        return nil ? "chan receive (nil chan)" : "chan receive";
    case CSP_WAIT_SELECT:
        return g->n_cases ? "select" : "select (no cases)";
    case CSP_WAIT_MUTEX:
        return "sync.Mutex.Lock";
    case CSP_WAIT_RLOCK:
        return "sync.RWMutex.RLock";
    case CSP_WAIT_WLOCK:
        return "sync.RWMutex.Lock";
    case CSP_WAIT_WG:
        return "sync.WaitGroup.Wait";
    case CSP_WAIT_COND:
        return "sync.Cond.Wait";
    case CSP_WAIT_ONCE:
        return "sync.Once.Do";
    default:
        return "semacquire";
    }
}

static const char *name_action(int op)
{
    return op == CSP_WAIT_SEND ? "sending on" : op == CSP_WAIT_RECV ? "receiving on" : "waiting for";
}

static const char *name_object(int op)
{
    switch (op) {
    case CSP_WAIT_MUTEX:
        return "mutex";
    case CSP_WAIT_RLOCK:
    case CSP_WAIT_WLOCK:
        return "rwmutex";
    case CSP_WAIT_WG:
        return "wait group";
    case CSP_WAIT_COND:
        return "condition variable";
    case CSP_WAIT_ONCE:
        return "once";
    default:
        return "semaphore";
    }
}

// ", made at main.c:12:5": from the site of csp_chan_new, else from its stack.
static void add_made_at(cspr_report *r, const cspr_chan_info *info)
{
    static cspr_view v; // under the report lock
    if (info->site) {
        cspr_text_add(&r->text, ", made at ");
        cspr_report_site(r, info->site);
        return;
    }
    cspr_view_stack(&v, info->creation, 0xff);
    for (size_t i = 0; i < v.n; i++)
        if (!v.places[i].ours && v.places[i].file) {
            cspr_text_add(&r->text, ", made at %s:%u:%u", cspr_strip_prefix(v.places[i].file), v.places[i].line,
                          v.places[i].column);
            return;
        }
}

static void add_target(cspr_report *r, const target *t, const char *indent)
{
    bool is_chan = t->op == CSP_WAIT_SEND || t->op == CSP_WAIT_RECV;
    cspr_text_add(&r->text, "%s%s ", indent, name_action(t->op));
    if (t->site && t->site->text[0])
        cspr_text_add(&r->text, "`%s` ", t->site->text);
    if (is_chan && t->ch) {
        cspr_chan_info info;
        cspr_chan_get(t->ch, &info);
        cspr_text_add(&r->text, "(channel of capacity %zu", info.cap);
        add_made_at(r, &info);
        cspr_text_add(&r->text, ")\n");
    } else if (is_chan) {
        cspr_text_add(&r->text, t->obj ? "(channel at %p)\n" : "(nil channel)\n", t->obj);
    } else {
        cspr_text_add(&r->text, "(%s at %p)\n", name_object(t->op), t->obj);
    }
}

static void add_targets(cspr_report *r, const group *g)
{
    if (g->op != CSP_WAIT_SELECT) {
        add_target(r, &g->targets[0], "  ");
    } else if (g->n_cases) {
        cspr_text_add(&r->text, "  whichever comes first of\n");
        for (size_t i = 0; i < g->n_targets; i++)
            add_target(r, &g->targets[i], "    ");
        if (g->n_cases > g->n_targets)
            cspr_text_add(&r->text, "    and %zu cases more\n", g->n_cases - g->n_targets);
    } else {
        cspr_text_add(&r->text, "  a select without cases waits for ever\n");
    }
    cspr_text_add(&r->text, "\n");
}

static void add_duration(cspr_report *r, int64_t ns)
{
    if (ns >= 1000000000)
        cspr_text_add(&r->text, "%ld.%lds", (long)(ns / 1000000000), (long)(ns / 100000000 % 10));
    else if (ns >= 1000000)
        cspr_text_add(&r->text, "%ldms", (long)(ns / 1000000));
    else
        cspr_text_add(&r->text, "less than 1ms");
}

static void add_headline(cspr_report *r, const group *g, int64_t now_ns)
{
    cspr_text_add(&r->text, "%s  ", r->bold);
    if (g->count == 1) {
        cspr_report_who(r, g->who, true);
        cspr_text_add(&r->text, " is parked in %s for ", name_wait(g));
        add_duration(r, now_ns - g->since_ns);
    } else {
        cspr_text_add(&r->text, "%zu coroutines are parked in %s, the longest for ", g->count, name_wait(g));
        add_duration(r, now_ns - g->since_ns);
        for (size_t i = 0; i < g->count && i < MAX_SHOWN_IDS; i++)
            cspr_text_add(&r->text, "%s%lu", i ? ", " : " (coroutines ", g->ids[i]);
        cspr_text_add(&r->text, g->count > MAX_SHOWN_IDS ? ", ...)" : ")");
    }
    cspr_text_add(&r->text, ":%s\n", r->plain);
}

static bool is_suppressed(const cspr_view *stack, cspr_stack creation)
{
    static cspr_view v; // under the report lock
    if (!cspr_suppress_any(CSPR_SUPPRESS_LEAK))
        return false;
    cspr_view_stack(&v, creation, 0xff);
    return cspr_view_suppressed(stack, CSPR_SUPPRESS_LEAK, false) ||
           cspr_view_suppressed(&v, CSPR_SUPPRESS_LEAK, false);
}

static void report_group(const group *g, int64_t now_ns)
{
    static cspr_view v; // under the report lock
    cspr_identity id;
    cspr_report r;
    cspr_view_frames(&v, g->frames, g->n_frames, false);
    cspr_who_get(g->who, &id);
    if (is_suppressed(&v, id.creation))
        return;
    cspr_report_open(&r, "coroutine leak");
    add_headline(&r, g, now_ns);
    cspr_report_stack(&r, &v, true);
    add_targets(&r, g);
    cspr_report_creation(&r, g->who, "parked");
    cspr_report_close(&r, "coroutine leak", &v);
}

static void report_all(void *arg)
{
    groups *all = arg;
    join_groups(all);
    for (size_t i = 0; i < all->n; i++)
        report_group(&all->list[i], all->now_ns);
}

void cspr_leak_check(void)
{
    const csp_runtime_view *runtime = cspi_runtime_view;
    groups all = {0};
    if (!runtime || !cspr_flags.detect_leaks || !cspr_flags.report_bugs)
        return;
    if (!runtime->quiesce((int64_t)cspr_flags.leak_grace_ms * 1000000) && cspr_flags.verbosity)
        cspr_note("coroutines were still running after %d ms (leak_grace_ms)", cspr_flags.leak_grace_ms);
    cspr_deadlock_check();
    cspr_enter();
    all.now_ns = runtime->now_ns();
    runtime->each(add_coroutine, &all);
    cspr_report_lock();
    cspr_call_on_own_stack(report_all, &all);
    cspr_report_unlock();
    if (all.list)
        cspr_unmap(all.list, all.cap * sizeof *all.list);
    cspr_leave();
}
