// deadlock.c - reports of deadlocks: of locks, the moment the cycle closes; through anything, when all is at rest.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "deadlock/deadlock.h"

#include "control/control.h"
#include "deadlock/lock_wait.h"
#include "deadlock/misuse.h"
#include "report/finding_log.h"
#include "shadow/depot.h"
#include "support/alloc.h"

#include <errno.h>
#include <string.h>

static const char what[] = "deadlock";
enum { MAX_CYCLES_SHOWN = 64, MAX_LINES = 200 };

// --- who was named already: a set, changed under the report lock ---------------------------------------------------------------

// A set that became too small stays: somebody may be looking into it.
typedef struct set {
    uint32_t n, cap;
    cspr_who at[]; // atomic; 0: free
} set;

static set *told; // atomic

static uint32_t place_of(const set *s, cspr_who who)
{
    uint32_t i = who * 0x9e3779b1u & (s->cap - 1);
    // relaxed: who is told of meanwhile may be seen or not
    for (cspr_who found; (found = __atomic_load_n(&s->at[i], __ATOMIC_RELAXED)) && found != who;)
        i = (i + 1) & (s->cap - 1);
    return i;
}

static void note_told(cspr_who who)
{
    set *s = told;
    if (!s || 2 * s->n >= s->cap) {
        uint32_t cap = s ? 2 * s->cap : 64;
        set *more = cspr_alloc(sizeof *more + cap * sizeof *more->at);
        more->cap = cap;
        for (uint32_t i = 0; s && i < s->cap; i++)
            if (s->at[i])
                more->at[place_of(more, s->at[i])] = s->at[i];
        more->n = s ? s->n : 0;
        __atomic_store_n(&told, more, __ATOMIC_RELEASE); // -> cspr_deadlock_told: the copied members
        s = more;
    }
    uint32_t i = place_of(s, who);
    s->n += !s->at[i];
    __atomic_store_n(&s->at[i], who, __ATOMIC_RELAXED); // relaxed: as above
}

bool cspr_deadlock_told(cspr_who who)
{
    const set *s = __atomic_load_n(&told, __ATOMIC_ACQUIRE); // <- note_told
    return s && s->at[place_of(s, who)] == who;
}

// --- words ---------------------------------------------------------------------------------------------------------------------

static bool is_lock_op(int op)
{
    return op == CSP_WAIT_MUTEX || op == CSP_WAIT_RLOCK || op == CSP_WAIT_WLOCK;
}

// " at file:line:column" of the first place in the program's own code.
static void add_at(cspr_report *r, const cspr_view *v)
{
    for (size_t i = 0; i < v->n; i++)
        if (!v->places[i].ours) {
            cspr_text_add(&r->text, " at ");
            cspr_report_place(r, &v->places[i]);
            return;
        }
}

static void add_at_stack(cspr_report *r, cspr_stack stack)
{
    static cspr_view v; // under the report lock
    if (!stack)
        return;
    cspr_view_stack(&v, stack, 0xff);
    add_at(r, &v);
}

static void add_channel(cspr_report *r, void *ch)
{
    cspr_chan_info info;
    cspr_chan_get(ch, &info);
    cspr_text_add(&r->text, "the channel of capacity %zu that was made", info.cap);
    if (info.site) {
        cspr_text_add(&r->text, " at ");
        cspr_report_site(r, info.site);
    } else {
        add_at_stack(r, info.creation);
    }
}

static void add_name_of(cspr_report *r, const void *obj)
{
    cspr_object_name g;
    if (cspr_symbolize_data((uintptr_t)obj, &g) && g.name)
        cspr_text_add(&r->text, " '%s'", g.name);
}

// "mutex M0 'a'", "a value from the channel ...".
static void add_thing(cspr_report *r, int op, const void *obj, void *ch)
{
    if (is_lock_op(op)) {
        cspr_text_add(&r->text, op == CSP_WAIT_RLOCK ? "reading mutex " : "mutex ");
        cspr_report_lock_name(r, obj);
    } else if (op == CSP_WAIT_SEND || op == CSP_WAIT_RECV) {
        cspr_text_add(&r->text, op == CSP_WAIT_SEND ? "a receive from " : "a send to ");
        if (ch)
            add_channel(r, ch);
        else
            cspr_text_add(&r->text, obj ? "a channel" : "a nil channel");
    } else {
        cspr_text_add(&r->text, "%s", cspr_wait_object(op));
        add_name_of(r, obj);
    }
}

// The operation by which w->list[i] waits for what leads to the next one.
static int op_of(const cspr_waits *w, const cspr_waiter *one)
{
    for (uint32_t k = 0; k < one->n_cases; k++)
        if (w->cases[one->first_case + k].chan == one->through)
            return w->cases[one->first_case + k].op;
    return one->op;
}

// ", which coroutine 6 locked at x.c:3:5".
static void add_cause(cspr_report *r, const cspr_waits *w, const cspr_waiter *one)
{
    const char *verb = one->cause == CSPR_CAUSE_HOLDS  ? " locked"
                       : one->cause == CSPR_CAUSE_USED ? " used"
                                                       : " could give";
    cspr_text_add(&r->text, ", which ");
    cspr_report_who(r, w->list[one->next].who, false);
    cspr_text_add(&r->text, "%s", verb);
    add_at_stack(r, one->stack);
}

static void view_parked(cspr_view *v, const cspr_waiter *one)
{
    uintptr_t frames[CSPR_MAX_FRAMES];
    cspr_view_frames(v, frames, cspr_task_parked_frames(one->task, frames, CSPR_MAX_FRAMES), false);
}

// --- cycles among those that stand still ---------------------------------------------------------------------------------------

static void add_path(cspr_report *r, const cspr_waits *w, uint32_t first)
{
    uint32_t i = first;
    cspr_text_add(&r->text, "  ");
    do {
        cspr_report_who(r, w->list[i].who, i == first);
        cspr_text_add(&r->text, " => ");
        i = w->list[i].next;
    } while (i != first);
    cspr_report_who(r, w->list[first].who, false);
}

static void add_waiter(cspr_report *r, const cspr_waits *w, const cspr_waiter *one)
{
    static cspr_view v; // under the report lock
    cspr_text_add(&r->text, "%s  ", r->bold);
    cspr_report_who(r, one->who, true);
    cspr_text_add(&r->text, " waits for ");
    add_thing(r, op_of(w, one), one->through, one->through_ch);
    cspr_text_add(&r->text, ", at:%s\n", r->plain);
    view_parked(&v, one);
    cspr_report_role(r, "wait", true, one->who);
    cspr_report_stack(r, &v, true);
    cspr_text_add(&r->text, "%s  ", r->green);
    cspr_report_who(r, w->list[one->next].who, true);
    if (one->cause == CSPR_CAUSE_KNOWS) {
        cspr_text_add(&r->text, " could end that wait, it has the address of what is waited for.%s\n\n", r->plain);
        return;
    }
    cspr_text_add(&r->text, one->cause == CSPR_CAUSE_HOLDS ? " locked it at:%s\n" : " used it before, at:%s\n",
                  r->plain);
    cspr_view_stack(&v, one->stack, 0xff);
    cspr_report_role(r, "hold", true, w->list[one->next].who);
    cspr_report_stack(r, &v, false);
}

static uint64_t hash_cycle(const cspr_waits *w, uint32_t first)
{
    static cspr_view v; // under the report lock
    uint64_t hash = 0;
    uint32_t i = first;
    do {
        view_parked(&v, &w->list[i]);
        hash += cspr_view_hash(&v) * 0x9e3779b97f4a7c15ull; // wherever it begins
        i = w->list[i].next;
    } while (i != first);
    return hash;
}

static bool is_suppressed(const cspr_view *v)
{
    return cspr_suppress_any(CSPR_SUPPRESS_DEADLOCK) && cspr_view_suppressed(v, CSPR_SUPPRESS_DEADLOCK, false);
}

static bool is_cycle_suppressed(const cspr_waits *w, uint32_t first)
{
    static cspr_view v; // under the report lock
    uint32_t i = first;
    do {
        view_parked(&v, &w->list[i]);
        if (is_suppressed(&v))
            return true;
        i = w->list[i].next;
    } while (i != first);
    return false;
}

// Marks all of the cycle; true: some of it had been named before.
static bool tell_all(const cspr_waits *w, uint32_t first)
{
    bool before = false;
    uint32_t i = first;
    do {
        before |= cspr_deadlock_told(w->list[i].who);
        note_told(w->list[i].who);
        i = w->list[i].next;
    } while (i != first);
    return before;
}

static void report_cycle(const cspr_waits *w, uint32_t first, unsigned similar)
{
    static cspr_view v; // under the report lock
    cspr_report r;
    uint32_t i = first;
    cspr_report_open(&r, what);
    cspr_text_add(&r.text, "%s", r.bold);
    add_path(&r, w, first);
    cspr_text_add(&r.text, "%s\n\n", r.plain);
    do {
        add_waiter(&r, w, &w->list[i]);
        i = w->list[i].next;
    } while (i != first);
    do {
        cspr_report_creation(&r, w->list[i].who, "parked");
        i = w->list[i].next;
    } while (i != first);
    if (similar)
        cspr_text_add(&r.text, "  And %u more cycles at the same places.\n\n", similar);
    view_parked(&v, &w->list[first]);
    cspr_report_close(&r, what, &v);
}

typedef struct shape {
    uint64_t hash;
    uint32_t first;
    unsigned more;
} shape;

// One that nobody else could wake. A cycle only when it waits for what it holds; else it is the leak check's.
static bool is_alone(const cspr_waits *w, uint32_t i)
{
    return w->list[i].next == i && !is_lock_op(op_of(w, &w->list[i]));
}

static void report_cycles_locked(void *arg)
{
    static shape shapes[MAX_CYCLES_SHOWN]; // under the report lock
    const cspr_waits *w = arg;
    size_t n = 0;
    uint32_t cycle = 0;
    for (uint32_t i = 0; i < w->n; i++) {
        if (w->list[i].cycle <= cycle || is_alone(w, i)) // its first member has the lowest index
            continue;
        cycle = w->list[i].cycle;
        if (tell_all(w, i) || is_cycle_suppressed(w, i))
            continue;
        uint64_t hash = hash_cycle(w, i);
        size_t k = 0;
        while (k < n && shapes[k].hash != hash)
            k++;
        if (k < n)
            shapes[k].more++;
        else if (n < MAX_CYCLES_SHOWN)
            shapes[n++] = (shape){hash, i, 0};
    }
    for (size_t k = 0; k < n; k++)
        report_cycle(w, shapes[k].first, shapes[k].more);
}

static void collect(cspr_waits *w)
{
    cspi_runtime_view->each(cspr_waits_add, w);
    cspr_waits_solve(w);
}

void cspr_deadlock_check(void)
{
    cspr_waits w = {0};
    if (!cspi_runtime_view || !cspr_flags.report_bugs || !cspr_flags.detect_deadlocks)
        return;
    cspr_enter();
    collect(&w);
    if (w.n_cycles) {
        cspr_report_lock();
        cspr_call_on_own_stack(report_cycles_locked, &w);
        cspr_report_unlock();
    }
    cspr_waits_fini(&w);
    cspr_leave();
}

// --- who holds it ------------------------------------------------------------------------------------------------------------------

void cspr_report_holder(cspr_report *r, const void *lock)
{
    static cspr_view v; // under the report lock
    cspr_waits w = {0};
    cspr_who who;
    cspr_held held;
    bool ended;
    cspi_runtime_view->each(cspr_waits_add, &w);
    bool found = cspr_waits_holder(&w, lock, &who, &held, &ended);
    cspr_waits_fini(&w);
    if (!found)
        return;
    cspr_text_add(&r->text, "%s  Mutex ", r->green);
    cspr_report_lock_name(r, lock);
    cspr_text_add(&r->text, ended ? " was never unlocked by " : " is held by ");
    cspr_report_who(r, who, false);
    cspr_text_add(&r->text, "%s, which locked it at:%s\n", ended ? ", which has ended" : "", r->plain);
    cspr_view_stack(&v, held.stack, 0xff);
    cspr_report_role(r, "hold", false, who);
    cspr_report_stack(r, &v, false);
}

// --- all asleep ----------------------------------------------------------------------------------------------------------------------

static void add_line(cspr_report *r, const cspr_waits *w, uint32_t i)
{
    static cspr_view v; // under the report lock
    const cspr_waiter *one = &w->list[i];
    const void *obj = one->next == CSPR_NO_WAITER ? one->obj : one->through;
    int op = op_of(w, one);
    cspr_text_add(&r->text, "  ");
    cspr_report_who(r, one->who, false);
    view_parked(&v, one);
    cspr_text_add(&r->text, " waits");
    add_at(r, &v);
    cspr_text_add(&r->text, " for ");
    if (op == CSP_WAIT_SELECT)
        cspr_text_add(&r->text, one->n_cases ? "one of %u cases" : "ever in a select without cases", one->n_cases);
    else
        add_thing(r, op, obj, one->next == CSPR_NO_WAITER ? one->ch : one->through_ch);
    if (one->next != CSPR_NO_WAITER) {
        add_cause(r, w, one);
    } else if (is_lock_op(op)) {
        cspr_who who;
        cspr_held held;
        bool ended;
        if (cspr_waits_holder(w, obj, &who, &held, &ended)) {
            cspr_text_add(&r->text, ", which ");
            cspr_report_who(r, who, false);
            cspr_text_add(&r->text, " locked");
            add_at_stack(r, held.stack);
            cspr_text_add(&r->text, ended ? " and did not unlock before it ended" : "");
        }
    }
    cspr_text_add(&r->text, "\n");
}

static void print_all_asleep_locked(void *arg)
{
    const cspr_waits *w = arg;
    cspr_report r = {.bold = "", .red = "", .green = "", .blue = "", .plain = ""};
    uint32_t n = 0, cycle = 0;
    cspr_text_add(&r.text, "\nWho waits for whom:\n");
    for (uint32_t i = 0; i < w->n; i++)
        if (w->list[i].stays && n++ < MAX_LINES)
            add_line(&r, w, i);
    if (n > MAX_LINES)
        cspr_text_add(&r.text, "  and %u more\n", n - MAX_LINES);
    if (cspr_controlled)
        cspr_control_stuck_tell(&r);
    for (uint32_t i = 0; i < w->n; i++) {
        if (w->list[i].cycle <= cycle || is_alone(w, i))
            continue;
        cycle = w->list[i].cycle;
        cspr_text_add(&r.text, "Cycle:");
        add_path(&r, w, i);
        cspr_text_add(&r.text, "\n");
        if (cycle == MAX_CYCLES_SHOWN)
            break;
    }
    cspr_print_err(r.text.data, r.text.len);
    cspr_text_fini(&r.text);
}

// For the finding log: where each of them waits, those that wait at the same place once.
static void log_all_asleep_locked(void *arg)
{
    enum { MAX_TOLD = 64 };
    static cspr_view v; // under the report lock
    uint64_t hashes[MAX_TOLD];
    const cspr_waits *w = arg;
    cspr_report r = {.text = {0}};
    size_t n = 0;
    for (uint32_t i = 0; i < w->n && n < MAX_TOLD; i++) {
        if (!w->list[i].stays)
            continue;
        view_parked(&v, &w->list[i]);
        size_t k = 0;
        for (hashes[n] = cspr_view_hash(&v); hashes[k] != hashes[n];)
            k++;
        if (k < n)
            continue;
        n++;
        cspr_report_role(&r, "wait", true, w->list[i].who);
        cspr_finding_add_stack(&r, &v);
    }
    static const char title[] = "all coroutines are asleep - deadlock!";
    cspr_text_add(&r.text, "fatal error: %s\n", title);
    cspr_finding_write(&r, what, title);
    cspr_text_fini(&r.text);
}

void cspr_deadlock_all_asleep(void)
{
    cspr_waits w = {0};
    if (!cspr_ready || !cspi_runtime_view)
        return;
    cspr_enter();
    collect(&w);
    cspr_report_lock();
    if (cspr_flags.detect_deadlocks)
        cspr_call_on_own_stack(print_all_asleep_locked, &w);
    if (cspr_finding_log_on() || cspr_controlled)
        cspr_call_on_own_stack(log_all_asleep_locked, &w);
    cspr_report_unlock();
    cspr_waits_fini(&w);
    cspr_leave();
}

// --- while it runs: cycles of locks ---------------------------------------------------------------------------------------------------

static void report_lock_cycle_locked(void *arg)
{
    static cspr_view v; // under the report lock
    const cspr_lock_cycle *c = arg;
    for (size_t i = 0; i < c->n; i++) {
        note_told(c->of[i].who);
        cspr_view_stack(&v, c->of[i].stack, 0xff);
        if (is_suppressed(&v))
            return;
    }
    cspr_report r;
    cspr_report_open(&r, what);
    cspr_text_add(&r.text, "%s  ", r.bold);
    for (size_t i = 0; i < c->n; i++) {
        cspr_report_who(&r, c->of[i].who, i == 0);
        cspr_text_add(&r.text, " => ");
    }
    cspr_report_who(&r, c->of[0].who, false);
    cspr_text_add(&r.text, "%s\n\n", r.plain);
    for (size_t i = 0; i < c->n; i++) {
        const cspr_lock_waiting *one = &c->of[i];
        cspr_text_add(&r.text, "%s  ", r.bold);
        cspr_report_who(&r, one->who, true);
        cspr_text_add(&r.text, " waits for %smutex ", one->mode == CSP_LOCK_READ ? "reading " : "");
        cspr_report_lock_name(&r, one->lock);
        cspr_text_add(&r.text, ", at:%s\n", r.plain);
        cspr_view_stack(&v, one->stack, 0xff);
        cspr_report_role(&r, "wait", true, one->who);
        cspr_report_stack(&r, &v, true);
        cspr_text_add(&r.text, "%s  ", r.green);
        cspr_report_who(&r, c->of[(i + 1) % c->n].who, true);
        cspr_text_add(&r.text, " locked it at:%s\n", r.plain);
        cspr_view_stack(&v, one->held.stack, 0xff);
        cspr_report_role(&r, "hold", true, c->of[(i + 1) % c->n].who);
        cspr_report_stack(&r, &v, false);
    }
    for (size_t i = 0; i < c->n; i++)
        cspr_report_creation(&r, c->of[i].who, NULL);
    cspr_view_stack(&v, c->of[0].stack, 0xff);
    cspr_report_close(&r, what, &v);
}

static const cspr_held *find_held(const cspr_task *t, const void *lock)
{
    for (uint32_t i = t->n_held; i-- > 0;)
        if (t->held[i].lock == lock)
            return &t->held[i];
    return NULL;
}

void cspr_lock_waits(const void *lock, int mode, cspr_task *t, cspr_stack stack)
{
    int saved = errno;
    cspr_lock_cycle c;
    if (!t || cspr_lock_is_handed(lock))
        return;
    const cspr_held *own = find_held(t, lock);
    if (own) {
        if (mode != CSP_LOCK_READ || own->mode != CSP_LOCK_READ)
            return; // another coroutine may unlock it; if none does, it is a cycle at rest
        cspr_report_misuse(CSPR_READ_TWICE, lock, stack, own->stack);
        cspr_report_lock();
        note_told(t->who);
        cspr_report_unlock();
    } else if (t->n_held && cspr_flags.detect_deadlocks && cspr_lock_wait_begin(t, lock, mode, stack, &c) &&
               cspr_flags.report_bugs) {
        cspr_report_lock();
        cspr_call_on_own_stack(report_lock_cycle_locked, &c);
        cspr_report_unlock();
    }
    errno = saved;
}
