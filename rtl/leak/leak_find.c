// leak_find.c - the program is held still, everybody's frames are followed, and what nothing leads to is stuck.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Steps: hold the workers; note all coroutines; hold the program's own threads (reach_stop.c); mark from the roots; judge and
// copy into groups; let all go on. From the moment that threads are held no lock is taken and nothing is allocated but by
// mmap: a thread may stand anywhere, also inside the detector.
// Roots: variables, thread-locals, registers and stacks of threads, frames of coroutines that can run or that a timer or
// descriptor is about to wake, armed timers, receivers of signals, what is in use on the caller's stack.
// Not roots: frames of who is parked, and main's once it has returned: they are reached when something leads there.
#include "control/explore.h"
#include "deadlock/deadlock.h"
#include "leak/leak.h"
#include "leak/mapped.h"
#include "leak/reach.h"
#include "leak/reach_stop.h"
#include "support/print.h"
#include "task/task.h"

#include <string.h>

#define PAUSE_NS 20000000
#define NO_AREA UINT32_MAX

// A coroutine, as it stood.
typedef struct seen {
    const cspr_task *task;
    uint64_t id;
    int op;
    const char *waiting;
    bool candidate; // parked for good, as far as its own state tells
    bool root;
    bool nil; // can never be woken: a NULL channel, a select without cases
    uint32_t area;
    uintptr_t lo, hi;
    const void *obj;
    void *ch;
    const csp_site *site;
    int64_t since_ns;
    const csp_case_view *cases; // on its own stack
    size_t n_cases;
} seen;

typedef struct search {
    cspr_leaks *all;
    const csp_leak_query *query;
    uintptr_t sp; // of the caller
    cspr_reach *reach;
    seen *list;
    size_t n, cap;
    const void **roots;
    size_t n_roots, cap_roots;
    cspr_identity main;
    bool main_seen;
    bool memory_too; // blocks that nothing leads to
} search;

// --- memory without a lock ---------------------------------------------------------------------------------------------------

enum { PIECE = 1 << 20 };

static void *take(cspr_leaks *all, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (!all->room || all->room_used + size > PIECE) {
        char *piece = cspr_map(PIECE);
        memcpy(piece, &all->room, sizeof all->room);
        all->room = piece;
        all->room_used = 16;
    }
    all->room_used += size;
    return all->room + all->room_used - size;
}

static void *grow(void *old, size_t *cap, size_t size, size_t first)
{
    size_t fresh = *cap ? 2 * *cap : first;
    void *bigger = cspr_map(fresh * size);
    if (old) {
        memcpy(bigger, old, *cap * size);
        cspr_unmap(old, *cap * size);
    }
    *cap = fresh;
    return bigger;
}

void cspr_leaks_fini(cspr_leaks *all)
{
    while (all->room) {
        char *older;
        memcpy(&older, all->room, sizeof older);
        cspr_unmap(all->room, PIECE);
        all->room = older;
    }
    if (all->list)
        cspr_unmap(all->list, all->cap * sizeof(*all->list));
    if (all->index)
        cspr_unmap(all->index, all->n_index * sizeof *all->index);
    cspr_losses_fini(&all->losses);
}

// --- noting ------------------------------------------------------------------------------------------------------------------

// A value is that of the scope itself or of one inside it (runtime/leak.c).
static bool is_within(const char *value, const char *scope)
{
    size_t n = strlen(scope);
    return !strncmp(value, scope, n) && (!value[n] || value[n] == '/');
}

static bool has_label(const csp_co_view *co, const csp_leak_query *q)
{
    if (!q->label_key)
        return true;
    for (size_t i = 0; i < co->n_labels; i++)
        if (!strcmp(co->labels[i].key, q->label_key))
            return is_within(co->labels[i].value, q->label_value);
    return false;
}

static bool waits_for_good(const csp_co_view *co)
{
    return co->parked && !co->will_wake && co->op != CSP_WAIT_NONE && co->op < CSP_WAIT_SLEEP;
}

// A pthread of the program's that waits is not ours to judge.
static bool is_candidate(const csp_co_view *co, const csp_leak_query *q)
{
    return waits_for_good(co) && !co->is_main && !co->is_foreign && !co->is_daemon && co->task &&
           co->id >= q->since_id && has_label(co, q) && !cspr_explore_has_dropped(co->task) &&
           !cspr_deadlock_told(cspr_task_who(co->task)); // else that report says more
}

static bool is_nil(const csp_co_view *co)
{
    if (co->op == CSP_WAIT_SEND || co->op == CSP_WAIT_RECV)
        return !co->obj;
    for (size_t i = 0; i < co->n_cases; i++)
        if (co->cases[i].chan)
            return false;
    return co->op == CSP_WAIT_SELECT;
}

static void note(const csp_co_view *co, void *arg)
{
    search *s = arg;
    if (s->n == s->cap)
        s->list = grow(s->list, &s->cap, sizeof *s->list, 256);
    s->main_seen |= co->is_main;
    s->list[s->n++] = (seen){
        .task = co->task,
        .id = co->id,
        .op = co->op,
        .waiting = co->waiting,
        .candidate = is_candidate(co, s->query),
        .root = !waits_for_good(co),
        .nil = is_nil(co),
        .area = NO_AREA,
        .lo = co->sp,
        .hi = co->stack_hi ? co->stack_hi : s->main.stack_hi,
        .obj = co->obj,
        .ch = co->ch,
        .site = co->site,
        .since_ns = co->since_ns,
        .cases = co->cases,
        .n_cases = co->n_cases,
    };
}

static void note_root(const void *root, void *arg)
{
    search *s = arg;
    if (s->n_roots == s->cap_roots)
        s->roots = grow(s->roots, &s->cap_roots, sizeof *s->roots, 256);
    s->roots[s->n_roots++] = root;
}

// --- marking -----------------------------------------------------------------------------------------------------------------

static void add_areas(search *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].lo && s->list[i].lo < s->list[i].hi)
            s->list[i].area = cspr_reach_add_area(s->reach, s->list[i].lo, s->list[i].hi);
    if (!s->main_seen || !s->sp) // main has ended, by csp_exit or by returning: its variables may still be pointed to
        cspr_reach_add_area(s->reach, s->main.stack_lo, cspr_main_frame ? cspr_main_frame : s->main.stack_hi);
    cspr_mapped_each(cspr_reach_add_mapping, s->reach);
    cspr_reach_areas_done(s->reach);
}

// Where the stack ends that sp is in: a coroutine's, a thread's, the runtime's own. 0: not known.
static uintptr_t end_of_stack(const search *s, uintptr_t sp)
{
    for (size_t i = 0; i < s->n; i++) {
        const cspr_task *t = s->list[i].task;
        if (t && sp - t->stack_lo < t->stack_hi - t->stack_lo)
            return t->stack_hi;
    }
    cspr_identity id;
    cspr_who_get(cspr_who_of_stack(sp), &id);
    if (sp - id.stack_lo < id.stack_hi - id.stack_lo)
        return id.stack_hi;
    return cspi_runtime_view ? cspi_runtime_view->stack_end(sp) : 0;
}

// A thread may be so new that nobody knows its stack.
static void mark_stack(const search *s, uintptr_t sp)
{
    uintptr_t end = end_of_stack(s, sp);
    if (end)
        cspr_reach_root(s->reach, sp, end);
    else
        cspr_reach_root_upward(s->reach, sp);
}

static void mark_threads(const search *s, const cspr_stopped *stopped)
{
    for (size_t i = 0; i < stopped->n; i++) {
        const cspr_stopped_thread *t = &stopped->list[i];
        for (size_t j = 0; j < sizeof t->registers / sizeof *t->registers; j++)
            cspr_reach_pointer(s->reach, t->registers[j]);
        cspr_reach_copied(s->reach, (t->sp & ~(uintptr_t)7) - 128, 128); // what a leaf function keeps
        mark_stack(s, t->sp);
    }
}

// False: not all could be looked at.
static bool mark(search *s, const cspr_stopped *stopped)
{
    if (cspr_mapped_incomplete || !cspr_reach_variables(s->reach))
        return false;
    cspr_reach_thread_locals(s->reach);
    for (size_t i = 0; i < s->n_roots; i++)
        cspr_reach_pointer(s->reach, (uintptr_t)s->roots[i]);
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].root && s->list[i].area != NO_AREA)
            cspr_reach_area(s->reach, s->list[i].area);
    if (s->sp)
        mark_stack(s, s->sp);
    mark_threads(s, stopped);
    return true;
}

// --- groups ------------------------------------------------------------------------------------------------------------------

static uint64_t hash_word(uint64_t hash, uint64_t v)
{
    hash = (hash ^ v) * 0xff51afd7ed558ccdull;
    return hash ^ hash >> 32;
}

static void rehash(cspr_leaks *all)
{
    if (all->index)
        cspr_unmap(all->index, all->n_index * sizeof *all->index);
    all->n_index = all->n_index ? 2 * all->n_index : 1024;
    all->index = cspr_map(all->n_index * sizeof *all->index);
    for (size_t i = 0; i < all->n; i++) {
        size_t at = all->list[i]->hash & (all->n_index - 1);
        while (all->index[at])
            at = (at + 1) & (all->n_index - 1);
        all->index[at] = (uint32_t)i + 1;
    }
}

static cspr_leak_group *find_group(cspr_leaks *all, uint64_t hash)
{
    if (2 * (all->n + 1) > all->n_index)
        rehash(all);
    size_t at = hash & (all->n_index - 1);
    for (; all->index[at]; at = (at + 1) & (all->n_index - 1))
        if (all->list[all->index[at] - 1]->hash == hash)
            return all->list[all->index[at] - 1];
    if (all->n == all->cap)
        all->list = grow(all->list, &all->cap, sizeof(*all->list), 64);
    cspr_leak_group *g = take(all, sizeof *g);
    g->hash = hash;
    all->list[all->n++] = g;
    all->index[at] = (uint32_t)all->n;
    return g;
}

static cspr_leak_target make_target(int op, const void *obj, void *ch, const csp_site *site)
{
    cspr_leak_target t = {.op = op, .obj = obj, .site = site, .has_info = ch != NULL, .count = -1};
    if (op == CSP_WAIT_WG)
        t.count = cspi_runtime_view->wg_count(obj);
    if (ch) {
        cspr_chan_get(ch, &t.info);
        t.n_all = cspr_chan_users(ch, t.peers, CSPR_LEAK_PEERS, &t.ever);
        t.n_peers = t.n_all < CSPR_LEAK_PEERS ? t.n_all : CSPR_LEAK_PEERS;
    }
    return t;
}

// Who holds it, among those who are live. A lock set is short, and few groups wait for locks.
static void find_holder(const search *s, cspr_leak_target *t)
{
    if (t->op != CSP_WAIT_MUTEX && t->op != CSP_WAIT_RLOCK && t->op != CSP_WAIT_WLOCK)
        return;
    for (size_t i = 0; i < s->n && !t->held; i++) {
        cspr_held held[CSPR_MAX_HELD];
        size_t n = s->list[i].task ? cspr_task_held(s->list[i].task, held, CSPR_MAX_HELD) : 0;
        for (size_t j = 0; j < n && !t->held; j++)
            if (held[j].lock == t->obj) {
                t->held = true;
                t->holder = cspr_task_who(s->list[i].task);
                t->hold = held[j];
            }
    }
}

static void copy_targets(const search *s, cspr_leak_group *g, const seen *co)
{
    g->n_cases = co->op == CSP_WAIT_SELECT ? co->n_cases : 1;
    g->n_targets = g->n_cases < CSPR_LEAK_CASES ? g->n_cases : CSPR_LEAK_CASES;
    g->targets = take(s->all, g->n_targets * sizeof *g->targets);
    if (co->op != CSP_WAIT_SELECT) {
        g->targets[0] = make_target(co->op, co->obj, co->ch, co->site);
        find_holder(s, &g->targets[0]);
        return;
    }
    for (size_t i = 0; i < g->n_targets; i++)
        g->targets[i] = make_target(co->cases[i].op, co->cases[i].chan, co->cases[i].ch, co->cases[i].site);
}

static void add_to_group(search *s, const seen *co, cspr_leak_class class)
{
    uintptr_t frames[CSPR_LEAK_FRAMES];
    cspr_identity id;
    cspr_who who = cspr_task_who(co->task);
    cspr_who_get(who, &id);
    size_t n = cspr_task_parked_frames(co->task, frames, CSPR_LEAK_FRAMES);
    uint64_t hash = hash_word(hash_word(hash_word(n, (uint64_t)co->op), id.creation), class);
    for (size_t i = 0; i < n; i++)
        hash = hash_word(hash, frames[i]);
    cspr_leak_group *g = find_group(s->all, hash);
    if (g->count == 0) {
        g->class = class;
        g->who = who;
        g->op = co->op;
        g->waiting = co->waiting;
        g->since_ns = co->since_ns;
        g->n_frames = n;
        g->frames = take(s->all, n * sizeof *frames);
        memcpy(g->frames, frames, n * sizeof *frames);
        copy_targets(s, g, co);
    }
    if (g->count < CSPR_LEAK_IDS)
        g->ids[g->count] = co->id;
    g->count++;
    g->since_ns = co->since_ns < g->since_ns ? co->since_ns : g->since_ns;
    g->stack_bytes += (co->hi - co->lo + 4095) & ~(size_t)4095;
    if (class == CSPR_LEAK_STUCK && s->all->proven && co->area != NO_AREA) {
        size_t before = cspr_reach_bytes(s->reach);
        cspr_reach_area(s->reach, co->area);
        g->heap_bytes += cspr_reach_bytes(s->reach) - before;
    }
    s->all->n_coroutines++;
}

static bool is_stuck(const search *s, const seen *co)
{
    return co->nil || (s->all->proven && co->area != NO_AREA && !cspr_reach_has_area(s->reach, co->area));
}

// All are judged before the first one's frames are followed to see what it keeps.
static void judge(search *s)
{
    for (size_t i = 0; i < s->n; i++)
        s->list[i].root = s->list[i].candidate && is_stuck(s, &s->list[i]);
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].root)
            add_to_group(s, &s->list[i], CSPR_LEAK_STUCK);
        else if (s->list[i].candidate && s->query->reachable_too)
            add_to_group(s, &s->list[i], CSPR_LEAK_ORPHANED);
}

// --- all of it ---------------------------------------------------------------------------------------------------------------

static bool has_no_idle_threads(int tid)
{
    (void)tid;
    return false;
}

static void look(search *s, bool (*is_idle)(int tid))
{
    cspr_stopped stopped;
    s->reach = cspr_reach_new();
    s->all->proven = cspr_stop_others(&stopped, is_idle) && s->reach && cspr_reach_ready(s->reach);
    if (s->all->proven) {
        add_areas(s);
        s->all->proven = mark(s, &stopped);
    }
    judge(s);
    if (s->all->proven && s->memory_too) {
        for (size_t i = 0; i < s->n; i++) // what one who waits for ever keeps is told with it
            if (s->list[i].area != NO_AREA)
                cspr_reach_area(s->reach, s->list[i].area);
        cspr_losses_find(&s->all->losses, s->reach);
    }
    cspr_let_others_go(&stopped);
    if (s->reach)
        cspr_reach_free(s->reach);
}

// Coroutines and timers, none where the program has not used the runtime.
static void note_all(search *s, const csp_runtime_view *runtime, enum cspr_leak_when when)
{
    s->all->now_ns = runtime->now_ns();
    if (when != CSPR_LEAK_AT_REST)
        runtime->pause(PAUSE_NS);
    runtime->each(note, s);
    runtime->each_root(note_root, s);
}

void cspr_leaks_find(cspr_leaks *all, const csp_leak_query *q, uintptr_t sp, enum cspr_leak_when when)
{
    const csp_runtime_view *runtime = cspi_runtime_view;
    search s = {
        .all = all, .query = q, .sp = sp, .memory_too = when != CSPR_LEAK_NOW && cspr_flags.detect_memory_leaks};
    cspr_who_get(1, &s.main);
    if (runtime)
        note_all(&s, runtime, when);
    look(&s, runtime ? runtime->is_idle_thread : has_no_idle_threads);
    if (runtime && when != CSPR_LEAK_AT_REST)
        runtime->unpause();
    all->pause_ns = runtime ? runtime->now_ns() - all->now_ns : 0;
    if (s.list)
        cspr_unmap(s.list, s.cap * sizeof *s.list);
    if (s.roots)
        cspr_unmap(s.roots, s.cap_roots * sizeof *s.roots);
}
