// snapshot.c - all coroutines as they stood at one moment, copied while the workers are held, to be printed afterwards.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// While the workers are held (cspi_rest_pause) nobody resumes a coroutine, so the stacks of parked and runnable ones stand
// still, also when somebody who computes on makes one ready. What they wait on may go away then: objects are copied by a
// system call that fails where a load would fault.
// A million coroutines wait on few different stacks. Each but the first of a kind is recognized by comparing the return
// addresses where they would be (cspi_walk_is_same), which costs nanoseconds; unwinding takes microseconds.
// All memory is one mapping of our own: a signal handler may come here, and malloc may be what it interrupted.
#include "snapshot.h"

#include "chan.h"
#include "interrupt.h"
#include "stack.h"
#include "switch.h"
#include "worker.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_GROUPS 1024u
#define CHAINS 1024u
#define PAUSE_NS 20000000
#define PAUSE_FROM_SIGNAL_NS 100000000

struct taking {
    cspi_snapshot shot; // first: freed by its address
    size_t size;
    const csp_co *self;
    const cspi_frames *own;
    bool from_signal;
    int64_t now;
    cspi_group *chains[CHAINS];
};

static uint32_t busy; // atomic: somebody takes or holds a snapshot

static bool copy_safely(void *to, const void *from, size_t n)
{
    struct iovec here = {to, n}, there = {(void *)(uintptr_t)from, n};
    return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)n;
}

// --- one coroutine ---------------------------------------------------------------------------------------------------------

struct sight {
    const csp_co *co;
    int state;
    cspi_wait wait;
    bool still; // its stack stands still
    const char *status;
    int64_t parked_ns;
};

CSPI_LOOKS static cspi_worker *worker_of(const csp_co *co)
{
    for (int i = 0; i < csp_load_acq(&cspi_sched.n_max); i++)
        if (cspi_sched.workers[i]->current == co)
            return cspi_sched.workers[i];
    return NULL;
}

// A wait lies on the stack of who waits.
CSPI_LOOKS static bool copy_wait(cspi_wait *to, const cspi_wait *wait, bool still)
{
    if (!wait || !still)
        return wait && copy_safely(to, wait, sizeof *to);
    *to = *wait;
    return true;
}

CSPI_LOOKS static struct sight look_at(const struct taking *t, csp_co *co)
{
    struct sight s = {.co = co, .state = csp_load_acq(&co->state), .parked_ns = -1};
    const cspi_worker *w = s.state == CO_RUNNING ? worker_of(co) : NULL;
    bool away = w && w->away; // in a blocking call, on the loop's stack: its own stands still
    s.still = away || (!co->bound && s.state != CO_RUNNING);
    const cspi_wait *wait = co->wait;
    if (s.state == CO_PARKED && copy_wait(&s.wait, wait, s.still)) {
        s.status = cspi_wait_name(&s.wait);
        s.parked_ns = t->now > co->since_ns && co->since_ns ? t->now - co->since_ns : 0;
    } else {
        s.status = away                     ? "blocking call"
                   : s.state == CO_RUNNABLE ? "runnable"
                   : s.state == CO_PARKED   ? "waiting"
                                            : "running";
    }
    return s;
}

static void note_channel(cspi_seen *seen, const cspi_wait *wait)
{
    struct csp_chan c;
    seen->is_chan = (wait->op == CSP_WAIT_SEND || wait->op == CSP_WAIT_RECV) && wait->obj;
    if (seen->is_chan && copy_safely(&c, wait->obj, sizeof c)) {
        seen->len = c.count;
        seen->cap = c.cap;
    }
}

// Appends as much of the text as there is room for.
CSPI_LOOKS static void append(char *to, size_t size, const char *text)
{
    size_t n = strlen(to);
    for (; n + 1 < size && *text; n++)
        to[n] = *text++;
    to[n] = '\0';
}

// A running one may set others just now, and the ones it had are gone.
CSPI_LOOKS static void note_labels(cspi_seen *seen, const struct sight *s)
{
    size_t n = 0;
    const csp_label_view *label = s->still ? cspi_labels_items(s->co->labels, &n) : NULL;
    for (size_t i = 0; i < n; i++) {
        append(seen->labels, sizeof seen->labels, i ? ", " : "");
        append(seen->labels, sizeof seen->labels, label[i].key);
        append(seen->labels, sizeof seen->labels, "=");
        append(seen->labels, sizeof seen->labels, label[i].value);
    }
}

// One that runs on may have ended, and its stack be another one's. What was read is a name of this one if the descriptor is
// this one's even afterwards: the fences of take_stack and here see to that.
CSPI_LOOKS static void note_name(cspi_seen *seen, const csp_co *co)
{
    if (co->named)
        append(seen->name, sizeof seen->name, (const char *)co - CSPI_NAME_SPACE);
    csp_fence_acq();
    if (csp_load_rlx(&co->id) != seen->id) // relaxed: the fence
        seen->name[0] = '\0';
}

CSPI_LOOKS static void note_one(cspi_seen *seen, const struct sight *s, const cspi_group *g)
{
    *seen = (cspi_seen){.id = s->co->id, .co = (csp_co *)(uintptr_t)s->co, .group = g, .parked_ns = s->parked_ns};
    note_name(seen, s->co);
    note_labels(seen, s);
    if (s->parked_ns < 0)
        return;
    seen->obj = s->wait.obj;
    seen->n_cases = s->wait.op == CSP_WAIT_SELECT ? s->wait.n_cases : 0;
    note_channel(seen, &s->wait);
}

// --- groups ----------------------------------------------------------------------------------------------------------------

CSPI_LOOKS static void walk(const struct taking *t, const struct sight *s, cspi_frames *frames)
{
    frames->n = 0;
    frames->cut = false;
    if (s->co == t->self) {
        *frames = *t->own;
    } else if (s->still) {
        cspi_walk_saved(s->co, frames);
    } else {
        const cspi_worker *w = worker_of(s->co);
        int tid = w ? csp_load_rlx(&w->tid) : 0; // relaxed: 0 before its thread runs
        if (tid)
            cspi_interrupt_walk(tid, frames);
    }
}

CSPI_LOOKS static size_t chain_of(const struct sight *s)
{
    size_t depth = s->still && s->co->kind == CO_COROUTINE ? (size_t)((char *)s->co - (char *)s->co->sp) : 0;
    return (depth / 16 ^ (uintptr_t)s->status / 8 ^ (uintptr_t)s->co->created_at) % CHAINS;
}

CSPI_LOOKS static bool belongs(const struct sight *s, const cspi_group *g)
{
    return g->status == s->status && g->created_at == (uintptr_t)s->co->created_at && g->sp && s->still &&
           s->co->kind == CO_COROUTINE && cspi_walk_is_same(s->co, &g->frames, g->sp);
}

CSPI_LOOKS static cspi_group *group_of(struct taking *t, const struct sight *s)
{
    cspi_group **chain = &t->chains[chain_of(s)];
    for (cspi_group *g = *chain; g; g = g->next)
        if (belongs(s, g))
            return g;
    if (t->shot.n_groups == MAX_GROUPS)
        return NULL;
    cspi_group *g = &t->shot.groups[t->shot.n_groups++];
    *g = (cspi_group){.next = *chain, .status = s->status, .created_at = (uintptr_t)s->co->created_at};
    g->sp = s->still && s->co->kind == CO_COROUTINE ? s->co->sp : NULL;
    if (s->co->kind == CO_COROUTINE)
        g->entry = cspi_fiber_announced() ? 0 : cspi_switch_entry(cspi_co_stack_top(s->co));
    walk(t, s, &g->frames);
    *chain = g;
    return g;
}

CSPI_LOOKS static void count_in_group(cspi_group *g, const struct sight *s)
{
    if (g->count < sizeof g->some_ids / sizeof *g->some_ids)
        g->some_ids[g->count] = s->co->id;
    if (s->parked_ns > g->longest_ns)
        g->longest_ns = s->parked_ns;
    g->count++;
}

static bool take_one(csp_co *co, void *taking)
{
    struct taking *t = taking;
    struct sight s = look_at(t, co);
    cspi_group *g = group_of(t, &s);
    t->shot.n_all++;
    if (t->shot.n_each < t->shot.max_each && g)
        note_one(&t->shot.each[t->shot.n_each++], &s, g);
    else if (g)
        count_in_group(g, &s);
    else
        t->shot.n_ungrouped++;
    return true;
}

// --- the whole -------------------------------------------------------------------------------------------------------------

// Shell's: no malloc, which qsort calls.
static void sort_by_id(cspi_seen *each, size_t n)
{
    size_t gap = 1;
    while (gap < n / 3)
        gap = 3 * gap + 1;
    for (; gap > 0; gap /= 3)
        for (size_t i = gap; i < n; i++) {
            cspi_seen one = each[i];
            size_t j = i;
            for (; j >= gap && each[j - gap].id > one.id; j -= gap)
                each[j] = each[j - gap];
            each[j] = one;
        }
}

static struct taking *map(size_t max_each)
{
    size_t size = sizeof(struct taking) + max_each * sizeof(cspi_seen) + MAX_GROUPS * sizeof(cspi_group);
    CSP_HOOK(ignore_begin);
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CSP_HOOK(ignore_end);
    if (p == MAP_FAILED)
        return NULL;
    struct taking *t = p;
    t->size = size;
    t->shot.max_each = max_each;
    t->shot.each = (cspi_seen *)(t + 1);
    t->shot.groups = (cspi_group *)(t->shot.each + max_each);
    return t;
}

cspi_snapshot *cspi_snapshot_take(size_t max_each, const cspi_frames *own, bool from_signal)
{
    uint32_t free_state = 0;
    if (!csp_cas_acq(&busy, &free_state, 1u))
        return NULL;
    struct taking *t = map(max_each);
    if (!t) {
        csp_store_rel(&busy, 0u);
        return NULL;
    }
    t->own = own;
    cspi_worker *w = cspi_worker_self();
    t->self = w ? w->current : cspi_foreign_self();
    t->from_signal = from_signal;
    t->shot.all_stopped = cspi_rest_pause(from_signal ? PAUSE_FROM_SIGNAL_NS : PAUSE_NS, from_signal);
    t->now = cspi_now();
    cspi_co_each_moment(take_one, t, from_signal);
    if (!from_signal)
        cspi_rest_unpause();
    sort_by_id(t->shot.each, t->shot.n_each);
    return &t->shot;
}

void cspi_snapshot_free(cspi_snapshot *s)
{
    CSP_HOOK(ignore_begin);
    munmap(s, ((struct taking *)s)->size);
    CSP_HOOK(ignore_end);
    csp_store_rel(&busy, 0u);
}
