// wait_for.c - who waits for whom among those that stand still.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Waiters and the things they wait for are the two sides of one graph, so a channel with 100,000 users and as many waiters
// costs their sum, not their product. Being able to go on spreads from those who can run to whom they could wake; who is not
// reached, and has somebody to wait for, is deadlocked.
#include "deadlock/wait_for.h"

#include "deadlock/lock_wait.h"
#include "support/alloc.h"
#include "sync/chan_use.h"

#include <string.h>

// What is needed of a thing: who could give it.
typedef enum need { NEED_LOCK, NEED_READ_LOCK, NEED_SENDER, NEED_RECEIVER, NEED_ANYBODY } need;

typedef struct thing {
    const void *obj;
    void *ch;
    need need;
    bool alive; // one of those who could give it can go on
    uint32_t n_givers;
    uint32_t givers, waiters; // links, CSPR_NO_WAITER: end
} thing;

typedef struct link {
    uint32_t waiter, thing;
    uint32_t next_of_thing, next_of_waiter;
    cspr_stack stack;
    cspr_wait_cause cause;
} link;

// Arrays that double.
typedef struct graph {
    cspr_waits *w;
    thing *things;
    uint32_t n_things, cap_things;
    link *links;
    uint32_t n_links, cap_links;
    uint32_t *index; // of things, by obj and need: number + 1
    uint32_t n_index;
    uint32_t *gives, *wants; // by waiter: first link
    uint32_t *queue;
    uint32_t n_queue;
} graph;

static void *grow(void *old, uint32_t *cap, size_t size)
{
    uint32_t more = *cap ? 2 * *cap : 64;
    void *fresh = cspr_alloc(more * size);
    if (old) {
        memcpy(fresh, old, *cap * size);
        cspr_free(old, *cap * size);
    }
    *cap = more;
    return fresh;
}

// --- collecting ------------------------------------------------------------------------------------------------------------

void cspr_waits_add(const csp_co_view *co, void *arg)
{
    cspr_waits *w = arg;
    if (!co->task)
        return;
    if (w->n == w->cap)
        w->list = grow(w->list, &w->cap, sizeof *w->list);
    cspr_waiter *one = &w->list[w->n++];
    *one =
        (cspr_waiter){.who = cspr_task_who(co->task), .task = co->task, .is_main = co->is_main, .next = CSPR_NO_WAITER};
    if (!co->parked)
        return;
    one->op = co->op;
    one->obj = co->obj;
    one->ch = co->ch;
    one->site = co->site;
    one->stays = !co->will_wake && co->op != CSP_WAIT_NONE && co->op < CSP_WAIT_SLEEP;
    one->first_case = w->n_cases;
    one->n_cases = (uint32_t)co->n_cases;
    for (size_t i = 0; i < co->n_cases; i++) {
        if (w->n_cases == w->cap_cases)
            w->cases = grow(w->cases, &w->cap_cases, sizeof *w->cases);
        w->cases[w->n_cases++] = co->cases[i];
    }
}

void cspr_waits_fini(cspr_waits *w)
{
    cspr_free(w->list, w->cap * sizeof *w->list);
    cspr_free(w->cases, w->cap_cases * sizeof *w->cases);
    cspr_free(w->by_task, w->n_index * sizeof *w->by_task);
    *w = (cspr_waits){0};
}

static uint32_t hash_pointer(const void *p, uint32_t salt)
{
    return (uint32_t)(((uintptr_t)p + salt) * 0x9e3779b97f4a7c15ull >> 32);
}

static uint32_t index_size(uint32_t n)
{
    uint32_t size = 64;
    while (size < 2 * n)
        size *= 2;
    return size;
}

static void index_tasks(cspr_waits *w)
{
    w->n_index = index_size(w->n);
    w->by_task = cspr_alloc(w->n_index * sizeof *w->by_task);
    for (uint32_t i = 0; i < w->n; i++) {
        uint32_t at = hash_pointer(w->list[i].task, 0) & (w->n_index - 1);
        while (w->by_task[at])
            at = (at + 1) & (w->n_index - 1);
        w->by_task[at] = i + 1;
    }
}

static uint32_t find_waiter(const cspr_waits *w, const cspr_task *t)
{
    uint32_t at = hash_pointer(t, 0) & (w->n_index - 1);
    for (; w->by_task[at]; at = (at + 1) & (w->n_index - 1))
        if (w->list[w->by_task[at] - 1].task == t)
            return w->by_task[at] - 1;
    return CSPR_NO_WAITER;
}

// --- things ----------------------------------------------------------------------------------------------------------------

static need need_of(int op)
{
    switch (op) {
    case CSP_WAIT_MUTEX:
    case CSP_WAIT_WLOCK:
        return NEED_LOCK;
    case CSP_WAIT_RLOCK:
        return NEED_READ_LOCK;
    case CSP_WAIT_RECV:
        return NEED_SENDER;
    case CSP_WAIT_SEND:
        return NEED_RECEIVER;
    default:
        return NEED_ANYBODY;
    }
}

// CSPR_NO_WAITER: not there, and make is false.
static uint32_t find_thing(graph *g, const void *obj, void *ch, need need, bool make)
{
    uint32_t at = hash_pointer(obj, need) & (g->n_index - 1);
    for (; g->index[at]; at = (at + 1) & (g->n_index - 1)) {
        const thing *t = &g->things[g->index[at] - 1];
        if (t->obj == obj && t->need == need)
            return g->index[at] - 1;
    }
    if (!make)
        return CSPR_NO_WAITER;
    if (g->n_things == g->cap_things)
        g->things = grow(g->things, &g->cap_things, sizeof *g->things);
    g->things[g->n_things] = (thing){obj, ch, need, false, 0, CSPR_NO_WAITER, CSPR_NO_WAITER};
    g->index[at] = ++g->n_things;
    return g->n_things - 1;
}

static uint32_t new_link(graph *g)
{
    if (g->n_links == g->cap_links)
        g->links = grow(g->links, &g->cap_links, sizeof *g->links);
    return g->n_links++;
}

static void add_want(graph *g, uint32_t waiter, const void *obj, void *ch, int op)
{
    if (!obj)
        return; // a nil channel: nobody can
    uint32_t t = find_thing(g, obj, ch, need_of(op), true), l = new_link(g);
    g->links[l] = (link){waiter, t, g->things[t].waiters, g->wants[waiter], 0, 0};
    g->things[t].waiters = l;
    g->wants[waiter] = l;
}

static void add_wants(graph *g, uint32_t i)
{
    const cspr_waiter *one = &g->w->list[i];
    if (!one->stays)
        return;
    if (one->op != CSP_WAIT_SELECT)
        add_want(g, i, one->obj, one->ch, one->op);
    for (uint32_t k = 0; k < one->n_cases; k++) {
        const csp_case_view *c = &g->w->cases[one->first_case + k];
        add_want(g, i, c->chan, c->ch, c->op);
    }
}

static void add_giver(graph *g, uint32_t t, uint32_t waiter, cspr_wait_cause cause, cspr_stack stack)
{
    uint32_t l = new_link(g);
    g->links[l] = (link){waiter, t, g->things[t].givers, g->gives[waiter], stack, cause};
    g->things[t].givers = l;
    g->things[t].n_givers++;
    g->gives[waiter] = l;
}

// --- who could give them ------------------------------------------------------------------------------------------------------

static void add_holders(graph *g, uint32_t i)
{
    cspr_held held[CSPR_MAX_HELD];
    size_t n = cspr_task_held(g->w->list[i].task, held, CSPR_MAX_HELD);
    for (size_t k = 0; k < n; k++) {
        uint32_t t = find_thing(g, held[k].lock, NULL, NEED_LOCK, false);
        if (t != CSPR_NO_WAITER)
            add_giver(g, t, i, CSPR_CAUSE_HOLDS, held[k].stack);
        t = find_thing(g, held[k].lock, NULL, NEED_READ_LOCK, false);
        // A reader waits for a writer that is in; if it waits behind one that waits, then for those that are in.
        if (t != CSPR_NO_WAITER)
            add_giver(g, t, i, CSPR_CAUSE_HOLDS, held[k].stack);
    }
}

typedef struct users_of {
    graph *g;
    uint32_t thing;
} users_of;

static void add_user(const cspr_user *user, void *arg)
{
    const users_of *u = arg;
    thing *t = &u->g->things[u->thing];
    unsigned wanted =
        t->need == NEED_SENDER ? 1u << CSP_CHAN_USE_SEND | 1u << CSP_CHAN_USE_CLOSE : 1u << CSP_CHAN_USE_RECV;
    const cspr_task *task = user->did & wanted ? cspr_who_task(user->who) : NULL;
    if (!task)
        return;
    uint32_t i = find_waiter(u->g->w, task);
    if (i == CSPR_NO_WAITER)
        t->alive = true;                                                // not one of those that stand still
    else if (u->g->w->list[i].obj != t->obj || !u->g->w->list[i].stays) // who waits there himself cannot
        add_giver(u->g, u->thing, i, CSPR_CAUSE_USED, user->any_stack);
}

static void add_users(graph *g)
{
    for (uint32_t t = 0; t < g->n_things; t++) {
        users_of u = {g, t};
        if (g->things[t].ch)
            cspr_chan_each_user(g->things[t].ch, add_user, &u);
    }
}

// --- evidence of last resort: the address lies on somebody's stack ---------------------------------------------------------------

enum { MAX_STACK_WORDS = 4096, MAX_BLOCK_WORDS = 64, MAX_WORDS = 1 << 20, OBJECT_BYTES = 256 };

static bool is_open(const thing *t)
{
    return t->need >= NEED_SENDER && !t->n_givers && !t->alive;
}

static bool gives_already(const graph *g, uint32_t t, uint32_t waiter)
{
    return g->things[t].givers != CSPR_NO_WAITER && g->links[g->things[t].givers].waiter == waiter;
}

static bool wants_it(const graph *g, uint32_t waiter, uint32_t t)
{
    for (uint32_t l = g->wants[waiter]; l != CSPR_NO_WAITER; l = g->links[l].next_of_waiter)
        if (g->links[l].thing == t)
            return true;
    return false;
}

// The open things, by address.
typedef struct open_things {
    uint32_t *at;
    size_t n;
} open_things;

static void sort_open(graph *g, open_things *open)
{
    open->at = cspr_alloc((g->n_things + 1) * sizeof *open->at);
    for (uint32_t t = 0; t < g->n_things; t++)
        if (is_open(&g->things[t]))
            open->at[open->n++] = t;
    for (size_t gap = open->n / 2; gap; gap /= 2) // Shell's: no libc function, no recursion
        for (size_t i = gap; i < open->n; i++)
            for (size_t k = i; k >= gap && g->things[open->at[k]].obj < g->things[open->at[k - gap]].obj; k -= gap) {
                uint32_t swapped = open->at[k];
                open->at[k] = open->at[k - gap];
                open->at[k - gap] = swapped;
            }
}

// A pointer leads to what it points to and to what may follow in the same object: the heap block, else some bytes.
static void look_at_word(graph *g, const open_things *open, uint32_t waiter, uintptr_t word, const cspr_block *b)
{
    uintptr_t lo = b->size ? b->start : word, hi = b->size ? b->start + b->size : word + OBJECT_BYTES;
    size_t first = 0, last = open->n;
    while (first < last) {
        size_t middle = (first + last) / 2;
        if ((uintptr_t)g->things[open->at[middle]].obj < lo)
            first = middle + 1;
        else
            last = middle;
    }
    for (; first < open->n && (uintptr_t)g->things[open->at[first]].obj < hi; first++) {
        uint32_t t = open->at[first];
        if (!wants_it(g, waiter, t) && !gives_already(g, t, waiter))
            add_giver(g, t, waiter, CSPR_CAUSE_KNOWS, 0);
    }
}

// The part of a stack that is in use: from the newest frame record to the oldest, or to the end where that is known.
static size_t find_stack(const cspr_task *t, const uintptr_t **words)
{
    const csp_frame *top = t->top, *last = top;
    for (unsigned i = 0; last && last->prev && last->prev > last && i < MAX_STACK_WORDS; i++)
        last = last->prev;
    uintptr_t lo = (uintptr_t)top,
              hi = t->stack_hi && lo >= t->stack_lo && lo < t->stack_hi ? t->stack_hi : (uintptr_t)last;
    *words = (const uintptr_t *)lo;
    size_t n = top ? (hi - lo) / sizeof **words : 0;
    return n < MAX_STACK_WORDS ? n : MAX_STACK_WORDS;
}

static size_t look_at_stack(graph *g, const open_things *open, uint32_t i)
{
    const uintptr_t *words;
    size_t n = find_stack(g->w->list[i].task, &words), looked = n;
    for (size_t k = 0; k < n; k++) {
        cspr_block b = {0}, inner = {0};
        bool is_heap = cspr_heap_find(words[k], &b);
        look_at_word(g, open, i, words[k], &b);
        for (size_t m = 0; is_heap && m < MAX_BLOCK_WORDS && (m + 1) * sizeof(uintptr_t) <= b.size; m++, looked++) {
            uintptr_t word = ((const uintptr_t *)b.start)[m];
            inner.size = 0;
            cspr_heap_find(word, &inner);
            look_at_word(g, open, i, word, &inner);
        }
    }
    return looked;
}

static void add_who_knows(graph *g)
{
    size_t words = 0;
    open_things open = {0};
    sort_open(g, &open);
    for (uint32_t i = 0; open.n && i < g->w->n && words < MAX_WORDS; i++)
        if (g->w->list[i].stays)
            words += look_at_stack(g, &open, i);
    cspr_free(open.at, (g->n_things + 1) * sizeof *open.at);
}

// --- who can go on ---------------------------------------------------------------------------------------------------------------

static void set_alive(graph *g, uint32_t waiter)
{
    cspr_waiter *one = &g->w->list[waiter];
    if (!one->deadlocked)
        return;
    one->deadlocked = false;
    g->queue[g->n_queue++] = waiter;
}

static void revive_waiters(graph *g, thing *t)
{
    for (uint32_t l = t->waiters; l != CSPR_NO_WAITER; l = g->links[l].next_of_thing)
        set_alive(g, g->links[l].waiter);
}

static bool has_giver(const graph *g, uint32_t waiter)
{
    for (uint32_t l = g->wants[waiter]; l != CSPR_NO_WAITER; l = g->links[l].next_of_waiter)
        if (g->things[g->links[l].thing].n_givers)
            return true;
    return false;
}

static void spread_life(graph *g)
{
    for (uint32_t i = 0; i < g->w->n; i++)
        g->w->list[i].deadlocked = true;
    for (uint32_t i = 0; i < g->w->n; i++)
        if (!g->w->list[i].stays || !has_giver(g, i))
            set_alive(g, i);
    for (uint32_t t = 0; t < g->n_things; t++)
        if (g->things[t].alive)
            revive_waiters(g, &g->things[t]);
    for (uint32_t done = 0; done < g->n_queue; done++)
        for (uint32_t l = g->gives[g->queue[done]]; l != CSPR_NO_WAITER; l = g->links[l].next_of_waiter) {
            thing *t = &g->things[g->links[l].thing];
            if (!t->alive) {
                t->alive = true;
                revive_waiters(g, t);
            }
        }
}

// --- what is shown ------------------------------------------------------------------------------------------------------------------

// The strongest reason, the newest of these.
static void choose_next(graph *g, uint32_t i)
{
    cspr_waiter *one = &g->w->list[i];
    for (uint32_t l = g->wants[i]; l != CSPR_NO_WAITER; l = g->links[l].next_of_waiter) {
        const thing *t = &g->things[g->links[l].thing];
        for (uint32_t k = t->givers; k != CSPR_NO_WAITER; k = g->links[k].next_of_thing) {
            const link *by = &g->links[k];
            if (one->next != CSPR_NO_WAITER && by->cause >= one->cause)
                continue;
            one->next = by->waiter;
            one->cause = by->cause;
            one->through = t->obj;
            one->through_ch = t->ch;
            one->stack = by->stack;
        }
    }
}

// Following `next` from anybody deadlocked ends in a cycle; each is found once.
static void number_cycles(cspr_waits *w)
{
    uint32_t *seen = cspr_alloc((w->n + 1) * sizeof *seen); // by which walk, + 1
    for (uint32_t i = 0; i < w->n; i++) {
        uint32_t at = i;
        while (at != CSPR_NO_WAITER && w->list[at].deadlocked && !seen[at]) {
            seen[at] = i + 1;
            at = w->list[at].next;
        }
        if (at == CSPR_NO_WAITER || seen[at] != i + 1 || w->list[at].cycle)
            continue;
        w->n_cycles++;
        for (uint32_t k = at; !w->list[k].cycle; k = w->list[k].next)
            w->list[k].cycle = w->n_cycles;
    }
    cspr_free(seen, (w->n + 1) * sizeof *seen);
}

static void free_graph(graph *g)
{
    cspr_free(g->things, g->cap_things * sizeof *g->things);
    cspr_free(g->links, g->cap_links * sizeof *g->links);
    cspr_free(g->index, g->n_index * sizeof *g->index);
    cspr_free(g->gives, (g->w->n + 1) * sizeof *g->gives);
    cspr_free(g->wants, (g->w->n + 1) * sizeof *g->wants);
    cspr_free(g->queue, (g->w->n + 1) * sizeof *g->queue);
}

void cspr_waits_solve(cspr_waits *w)
{
    graph g = {.w = w, .n_index = index_size(w->n + w->n_cases)};
    g.things = grow(NULL, &g.cap_things, sizeof *g.things);
    g.links = grow(NULL, &g.cap_links, sizeof *g.links);
    g.index = cspr_alloc(g.n_index * sizeof *g.index);
    g.gives = cspr_alloc((w->n + 1) * sizeof *g.gives);
    g.wants = cspr_alloc((w->n + 1) * sizeof *g.wants);
    g.queue = cspr_alloc((w->n + 1) * sizeof *g.queue);
    memset(g.gives, 0xff, (w->n + 1) * sizeof *g.gives);
    memset(g.wants, 0xff, (w->n + 1) * sizeof *g.wants);
    index_tasks(w);
    for (uint32_t i = 0; i < w->n; i++)
        add_wants(&g, i);
    for (uint32_t i = 0; i < w->n; i++)
        add_holders(&g, i);
    add_users(&g);
    add_who_knows(&g);
    spread_life(&g);
    for (uint32_t i = 0; i < w->n; i++)
        choose_next(&g, i);
    number_cycles(w);
    free_graph(&g);
}

bool cspr_waits_holder(const cspr_waits *w, const void *lock, cspr_who *who, cspr_held *held, bool *ended)
{
    *ended = false;
    for (uint32_t i = 0; i < w->n; i++) {
        cspr_held all[CSPR_MAX_HELD];
        for (size_t n = cspr_task_held(w->list[i].task, all, CSPR_MAX_HELD); n-- > 0;)
            if (all[n].lock == lock) {
                *who = w->list[i].who;
                *held = all[n];
                return true;
            }
    }
    return *ended = cspr_lock_abandoned(lock, who, held);
}
