// leak_report.c - leaks as text: what looks the same is one report, those that wait longest first.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "leak/leak.h"
#include "report/report.h"

#include <ctype.h>
#include <string.h>

// --- what looks the same is the same ---------------------------------------------------------------------------------------

static uint64_t hash_word(uint64_t hash, uint64_t v)
{
    hash = (hash ^ v) * 0xff51afd7ed558ccdull;
    return hash ^ hash >> 32;
}

// Loops are unrolled and functions inlined: one line of source is called from several addresses. By function, file and line.
static uint64_t hash_places(const cspr_leak_group *g)
{
    static cspr_view v; // under the report lock
    cspr_identity id;
    cspr_who_get(g->who, &id);
    cspr_view_frames(&v, g->frames, g->n_frames, false);
    uint64_t hash = hash_word(hash_word(cspr_view_hash(&v), (uint64_t)g->op), g->class);
    cspr_view_stack(&v, id.creation, 0xff);
    return hash_word(hash, cspr_view_hash(&v));
}

static void add_group(cspr_leak_group *to, const cspr_leak_group *g)
{
    for (size_t i = 0; i < g->count && i < CSPR_LEAK_IDS && to->count + i < CSPR_LEAK_IDS; i++)
        to->ids[to->count + i] = g->ids[i];
    to->count += g->count;
    to->stack_bytes += g->stack_bytes;
    to->heap_bytes += g->heap_bytes;
    to->since_ns = g->since_ns < to->since_ns ? g->since_ns : to->since_ns;
}

static bool matches_any(const char *const *patterns, const char *function)
{
    for (; patterns && *patterns && function; patterns++)
        if (cspr_suppress_pattern(*patterns, function))
            return true;
    return false;
}

// The program's own innermost function.
static const cspr_place *top_of(const cspr_view *v)
{
    for (size_t i = 0; i < v->n; i++)
        if (!v->places[i].ours)
            return &v->places[i];
    return v->n ? &v->places[0] : NULL;
}

static bool is_ignored(const cspr_leak_group *g, const csp_leak_query *q)
{
    static cspr_view v; // under the report lock
    cspr_identity id;
    cspr_who_get(g->who, &id);
    cspr_view_frames(&v, g->frames, g->n_frames, false);
    if (cspr_suppress_any(CSPR_SUPPRESS_LEAK) && cspr_view_suppressed(&v, CSPR_SUPPRESS_LEAK, false))
        return true;
    const cspr_place *top = top_of(&v);
    if (top && matches_any(q->ignore_top, top->function))
        return true;
    for (size_t i = 0; i < v.n; i++)
        if (matches_any(q->ignore_any, v.places[i].function))
            return true;
    cspr_view_stack(&v, id.creation, 0xff);
    if (cspr_suppress_any(CSPR_SUPPRESS_LEAK) && cspr_view_suppressed(&v, CSPR_SUPPRESS_LEAK, false))
        return true;
    top = top_of(&v);
    return top && matches_any(q->ignore_created_by, top->function);
}

// Stuck before orphaned, the longest wait first.
static bool comes_before(const cspr_leak_group *a, const cspr_leak_group *b)
{
    if (a->class != b->class)
        return a->class < b->class;
    return a->since_ns != b->since_ns ? a->since_ns < b->since_ns : a->ids[0] < b->ids[0];
}

static void insert_sorted(cspr_leak_group **list, size_t n, cspr_leak_group *g)
{
    size_t i = n;
    for (; i > 0 && comes_before(g, list[i - 1]); i--)
        list[i] = list[i - 1];
    list[i] = g;
}

void cspr_leaks_join(cspr_leaks *all, const csp_leak_query *q)
{
    size_t n = 0;
    for (size_t i = 0; i < all->n; i++) {
        cspr_leak_group *g = all->list[i];
        g->hash = hash_places(g);
        size_t j = 0;
        while (j < n && all->list[j]->hash != g->hash)
            j++;
        if (j < n)
            add_group(all->list[j], g);
        else
            all->list[n++] = g;
    }
    all->n = 0;
    all->n_coroutines = 0;
    for (size_t i = 0; i < n; i++) {
        cspr_leak_group *g = all->list[i];
        if (is_ignored(g, q))
            continue;
        all->n_coroutines += g->count;
        insert_sorted(all->list, all->n++, g);
    }
}

// --- text -------------------------------------------------------------------------------------------------------------------

static const char *name_action(int op)
{
    return op == CSP_WAIT_SEND ? "sending on" : op == CSP_WAIT_RECV ? "receiving on" : "waiting for";
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

static void add_target(cspr_report *r, const cspr_leak_target *t, const char *indent)
{
    bool is_chan = t->op == CSP_WAIT_SEND || t->op == CSP_WAIT_RECV;
    cspr_text_add(&r->text, "%s%s ", indent, name_action(t->op));
    if (t->site && t->site->text[0])
        cspr_text_add(&r->text, "`%s` ", t->site->text);
    if (is_chan && t->has_info) {
        cspr_text_add(&r->text, "(channel of capacity %zu", t->info.cap);
        add_made_at(r, &t->info);
        cspr_text_add(&r->text, ")\n");
    } else if (is_chan) {
        cspr_text_add(&r->text, t->obj ? "(channel at %p)\n" : "(nil channel)\n", t->obj);
    } else {
        cspr_text_add(&r->text, "(%s at %p)\n", cspr_wait_object(t->op), t->obj);
    }
    cspr_leak_add_peers(r, t, indent);
}

static void add_targets(cspr_report *r, const cspr_leak_group *g)
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
    cspr_leak_add_hint(r, g);
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

static void add_headline(cspr_report *r, const cspr_leak_group *g, int64_t now_ns)
{
    cspr_text_add(&r->text, "%s  ", r->bold);
    if (g->count == 1) {
        cspr_report_who(r, g->who, true);
        cspr_text_add(&r->text, " is parked in %s for ", g->waiting);
        add_duration(r, now_ns - g->since_ns);
    } else {
        cspr_text_add(&r->text, "%zu coroutines are parked in %s, the longest for ", g->count, g->waiting);
        add_duration(r, now_ns - g->since_ns);
        for (size_t i = 0; i < g->count && i < CSPR_LEAK_IDS; i++)
            cspr_text_add(&r->text, "%s%lu", i ? ", " : " (coroutines ", g->ids[i]);
        cspr_text_add(&r->text, g->count > CSPR_LEAK_IDS ? ", ...)" : ")");
    }
    cspr_text_add(&r->text, " (%s):%s\n",
                  g->class == CSPR_LEAK_STUCK ? "stuck: nothing that can run leads to what would wake it"
                                              : "orphaned: it still waited at the end, though it could be reached",
                  r->plain);
}

static void add_memory(cspr_report *r, const cspr_leak_group *g)
{
    if (g->count == 1 && g->heap_bytes == 0)
        return;
    cspr_text_add(&r->text, "  %zu KiB of stack", (g->stack_bytes + 1023) / 1024);
    if (g->heap_bytes)
        cspr_text_add(&r->text, " and %zu bytes of heap", g->heap_bytes);
    cspr_text_add(&r->text, " are kept for ever\n\n");
}

// Option leak_classes: words, with anything between them.
static bool names_class(const char *list, const char *class)
{
    size_t n = strlen(class);
    for (const char *p = list; (p = strstr(p, class)); p += n)
        if ((p == list || !isalpha((unsigned char)p[-1])) && !isalpha((unsigned char)p[n]))
            return true;
    return false;
}

static void print_group(const cspr_leak_group *g, int64_t now_ns)
{
    static cspr_view v; // under the report lock
    cspr_report r;
    cspr_report_open(&r, "coroutine leak");
    add_headline(&r, g, now_ns);
    cspr_view_frames(&v, g->frames, g->n_frames, false);
    cspr_report_role(&r, "parked", true, g->who);
    cspr_format(r.role_what, sizeof r.role_what, "parked in %s", g->waiting);
    cspr_report_stack(&r, &v, true);
    add_targets(&r, g);
    if (g->class == CSPR_LEAK_STUCK)
        add_memory(&r, g);
    cspr_report_creation(&r, g->who, "parked");
    r.is_mild = !names_class(cspr_flags.leak_classes, g->class == CSPR_LEAK_STUCK ? "stuck" : "orphaned");
    cspr_report_close(&r, "coroutine leak", &v);
}

void cspr_leaks_print(const cspr_leaks *all)
{
    for (size_t i = 0; i < all->n; i++)
        print_group(all->list[i], all->now_ns);
}

// --- for programs ------------------------------------------------------------------------------------------------------------

void cspr_leaks_tell(const cspr_leaks *all, void (*tell)(const csp_leak_found *found, void *arg), void *arg)
{
    static cspr_view v, creation; // under the report lock
    for (size_t i = 0; i < all->n; i++) {
        const cspr_leak_group *g = all->list[i];
        cspr_identity id;
        cspr_who_get(g->who, &id);
        cspr_view_frames(&v, g->frames, g->n_frames, false);
        const cspr_place *top = top_of(&v);
        csp_leak_found f = {
            .is_stuck = g->class == CSPR_LEAK_STUCK,
            .waiting = g->waiting,
            .function = top ? top->function : NULL,
            .file = top ? top->file : NULL,
            .line = top ? top->line : 0,
            .count = g->count,
            .first_id = g->ids[0],
            .longest_ns = all->now_ns - g->since_ns,
            .bytes = g->stack_bytes + g->heap_bytes,
        };
        cspr_view_stack(&creation, id.creation, 0xff);
        const cspr_place *creator = top_of(&creation);
        f.created_by = creator ? creator->function : NULL;
        tell(&f, arg);
    }
}
