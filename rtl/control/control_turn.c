// control_turn.c - the turn: who has it, choice points, handing it to another task, perhaps on another thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A pthread that loses the turn sleeps on its carrier's futex. A coroutine that loses it switches to its worker's loop, which
// asks cspr_control_next for a coroutine and sleeps while the turn is a pthread's. So a worker's loop takes part as a thread
// without a task of its own, and no stack is touched by two.
//
// Who spins. An operation that is in vain is not known as such here; but doing the same to the same object again and again is,
// as is a long row of operations that only look. Who does so gives way (strategy.h). The limits are generous where a loop of
// that kind may be honest work: an atomic counter that is increased many times.
#include "control/control_state.h"
#include "deadlock/misuse.h"
#include "support/alloc.h"
#include "task/task.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { REPEATED_LOOKS = 8, REPEATED_TRIES = 4, REPEATED_UPDATES = 100, QUIET = 256 };

__thread cspr_carrier *cspr_control_here;
const cspr_recorder *cspr_control_recorder;
cspr_control cspr_control_timers;

// --- carriers -----------------------------------------------------------------------------------------------------------------

static void sleep_until_turn(cspr_carrier *c)
{
    int saved = errno;
    while (!__atomic_load_n(&c->turn, __ATOMIC_ACQUIRE)) // T1
        syscall(SYS_futex, &c->turn, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    __atomic_store_n(&c->turn, 0, __ATOMIC_RELAXED); // relaxed: nobody gives a turn to who has it
    c->has_turn = true;
    errno = saved;
}

static void give_to(cspr_carrier *c)
{
    int saved = errno;
    __atomic_store_n(&c->turn, 1, __ATOMIC_RELEASE); // T1
    syscall(SYS_futex, &c->turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = saved;
}

static cspr_carrier *carrier_for(const cspr_control *next)
{
    if (next->own_thread)
        return (cspr_carrier *)(uintptr_t)&next->own;
    cspr_carrier *c = cspr_control_it.workers;
    while (c && c->away)
        c = c->next;
    CSPR_CHECK(c != NULL); // the runtime starts one before the last goes away
    return c;
}

void cspr_control_give(cspr_control *next)
{
    cspr_carrier *here = cspr_control_here, *to = carrier_for(next);
    cspr_control_it.chosen = next;
    here->has_turn = false;
    give_to(to);
}

void cspr_control_switch(cspr_control *me, cspr_control *next)
{
    if (next == me)
        return;
    if (me->own_thread) {
        cspr_control_give(next);
        sleep_until_turn(&me->own);
    } else {
        cspr_control_it.chosen = next;
        cspi_runtime_view->switch_away();
    }
    cspr_control_it.chosen = NULL;
}

// --- deciding -------------------------------------------------------------------------------------------------------------------

static void take_inbox(cspr_control_state *s)
{
    if (CSPR_LIKELY(!__atomic_load_n(&s->inbox, __ATOMIC_RELAXED))) // relaxed: a hint; the exchange acquires
        return;
    cspr_control *c = __atomic_exchange_n(&s->inbox, NULL, __ATOMIC_ACQUIRE); // T2
    for (cspr_control *next; c; c = next) {
        next = c->next_message;
        cspr_control_can(c);
    }
}

// An index of the candidates, or CSPR_FOLLOW_CLOCK.
static int decide(cspr_control_state *s)
{
    const cspr_recorder *r = cspr_control_recorder;
    bool may_fire = cspr_control_may_fire_early();
    int i = CSPR_UNLIKELY(r != NULL) ? r->follow(s->candidates, s->n, may_fire) : CSPR_FOLLOW_NONE;
    if (i != CSPR_FOLLOW_NONE)
        return i;
    if (may_fire && s->early_in && cspr_strategy_pick((uint32_t)s->early_in) == 0)
        return CSPR_FOLLOW_CLOCK;
    cspr_control *last = s->last && s->last->place ? s->last : NULL;
    return (int)cspr_strategy_choose(s->candidates, s->n, last ? (int32_t)last->place - 1 : CSPR_NO_CURRENT,
                                     last && last->gives_way);
}

// NULL: a timer fires early.
static cspr_control *choose(cspr_control_state *s)
{
    int i = decide(s);
    cspr_control *next = i >= 0 ? s->owners[i] : NULL;
    if (CSPR_UNLIKELY(cspr_control_recorder != NULL))
        cspr_control_recorder->executed(s->candidates, s->n, i, next ? next->pc : 0);
    s->decisions += s->n > 1;
    if (!next) {
        cspr_control_fire_early();
        return NULL;
    }
    const cspr_candidate *c = &s->candidates[i];
    if (!next->gives_way) // how often a loop looked in vain makes no other run of it
        cspr_interleaving_executed(c->task, c->op, c->object, c->is_write);
    s->points++;
    next->points++;
    s->last = next;
    return next;
}

cspr_control *cspr_control_pick(void)
{
    cspr_control_state *s = &cspr_control_it;
    for (;;) {
        take_inbox(s);
        cspr_control_fire_deadlines();
        if (CSPR_UNLIKELY(cspr_control_timers_are_due()))
            return &cspr_control_timers;
        cspr_control *next = NULL;
        if (s->n)
            next = choose(s);
        else
            cspr_control_idle();
        if (next)
            return next;
    }
}

// --- points -------------------------------------------------------------------------------------------------------------------------

// How often the same thing may be done to the same object before it looks like waiting.
static uint32_t repeat_limit(int op)
{
    switch (op) {
    case CSP_OP_LOAD:
    case CSP_OP_LEN:
    case CSP_OP_CONTEXT:
        return REPEATED_LOOKS;
    case CSP_OP_TRY_LOCK:
    case CSP_OP_TRY_RLOCK:
    case CSP_OP_TRY_ACQUIRE:
    case CSP_OP_TRY_SEND:
    case CSP_OP_TRY_RECV:
        return REPEATED_TRIES;
    default:
        return REPEATED_UPDATES;
    }
}

static bool seems_to_spin(cspr_control *me, int op, uint32_t object)
{
    if (op == CSP_OP_READ || op == CSP_OP_WRITE)
        return me->gives_way && op == CSP_OP_READ;
    me->repeated = op == me->op && object == me->object ? me->repeated + 1 : 0;
    me->quiet = cspr_op_changes(op) && repeat_limit(op) == REPEATED_UPDATES ? 0 : me->quiet + 1;
    return (me->repeated && me->gives_way) || me->repeated >= repeat_limit(op) || me->quiet >= QUIET;
}

static cspr_control *at_point(void)
{
    cspr_control *me = cspr_control_me();
    if (!me || cspr_self.in_rtl || cspr_self.ignore || me->hold || cspr_in_handler() || !cspr_main_began ||
        cspr_control_it.ended)
        return NULL;
    return me;
}

// A signal handler of the program's runs when its thread has the turn again, and never while the next one is picked.
void cspr_control_go_on(cspr_control *me)
{
    bool own_thread = me->own_thread;
    if (own_thread)
        cspr_enter();
    cspr_control_switch(me, cspr_control_pick());
    if (own_thread)
        cspr_leave();
}

static void pass_point(cspr_control *me, int op, uint32_t object, void *pc, bool gives_way)
{
    if (gives_way != me->gives_way)
        cspr_control_set_gives_way(me, gives_way);
    me->op = op;
    me->object = object;
    me->pc = (uintptr_t)(pc ? pc : __csp_top ? __csp_top->ret : NULL);
    cspr_control_tell(me);
    cspr_control_it.last = me;
    cspr_control_go_on(me);
}

void cspr_control_point_at(int op, const void *obj, void *pc)
{
    cspr_control *me = at_point();
    if (!me)
        return;
    uint32_t object = cspr_control_object(obj);
    pass_point(me, op, object, pc, seems_to_spin(me, op, object));
}

void cspr_control_point(int op, const void *obj)
{
    cspr_control_point_at(op, obj, NULL);
}

void cspr_control_point_idle(int op, const void *obj)
{
    cspr_control *me = at_point();
    if (!me)
        return;
    uint32_t object = cspr_control_object(obj);
    (void)seems_to_spin(me, op, object);
    cspr_control_set_gives_way(me, true);
    if (cspr_control_it.n_giving_way == cspr_control_it.n)
        cspr_control_set_clock(cspr_control_time() + CSPR_CONTROL_TICK_NS);
    pass_point(me, op, object, NULL, true);
}

void cspr_control_hold(void)
{
    cspr_control *me = cspr_control_me();
    if (me)
        me->hold++;
}

void cspr_control_unhold(void)
{
    cspr_control *me = cspr_control_me();
    if (me && me->hold)
        me->hold--;
}

// --- pthreads ----------------------------------------------------------------------------------------------------------------------

void cspr_control_thread_new(cspr_task *t)
{
    cspr_control *me = cspr_control_me();
    if (!cspr_control_it.begun || !me)
        return;
    cspr_control *c = cspr_control_add(t, cspr_control_child_key(), me->number);
    c->own_thread = true;
    cspr_control_it.n_threads++;
    cspr_control_can(c);
}

void cspr_control_thread_failed(cspr_task *t)
{
    if (!t->control)
        return;
    cspr_control_it.n_threads--;
    cspr_control_remove(t->control);
}

void cspr_control_thread_begins(void)
{
    cspr_control *me = cspr_self.task ? cspr_self.task->control : NULL;
    if (!me)
        return;
    me->own.runs = me;
    cspr_control_here = &me->own;
    cspr_enter();
    sleep_until_turn(&me->own);
    cspr_control_it.chosen = NULL;
    cspr_leave();
}

void cspr_control_thread_ends(void)
{
    cspr_control *me = cspr_control_me();
    if (!me || !me->own_thread)
        return;
    cspr_control_it.n_threads--;
    cspr_control_cannot(me);
    if (!cspr_control_it.n_threads && !cspi_runtime_view) { // the last one: libc ends the process
        cspr_control_here = NULL;
        cspr_control_remove(me);
        return;
    }
    cspr_control *next = cspr_control_pick();
    cspr_control_here->has_turn = false;
    cspr_carrier *to = carrier_for(next);
    cspr_control_it.chosen = next;
    cspr_control_here = NULL;
    cspr_control_remove(me);
    give_to(to);
}

// --- the runtime's side: coroutines and their workers ----------------------------------------------------------------------------------

void *cspr_control_carrier_new(void)
{
    cspr_carrier *c = cspr_alloc(sizeof *c), **end = &cspr_control_it.workers;
    while (*end)
        end = &(*end)->next;
    *end = c;
    return c;
}

void cspr_control_carrier_take(void *carrier, csp_co *co)
{
    cspr_control *me = cspr_control_me();
    cspr_carrier *c = carrier;
    bool was_away = c->away;
    c->away = false;
    if (!me)
        return;
    me->own_thread = me->own.has_turn = false;
    cspr_control_it.n_threads -= !was_away;
    me->co = co;
    c->has_turn = true;
    c->runs = me;
    cspr_control_here = c;
}

void cspr_control_carrier_leave(void *carrier, bool away)
{
    cspr_control *me = cspr_control_me();
    cspr_carrier *c = carrier;
    c->away = away;
    if (!me)
        return;
    c->has_turn = false;
    c->runs = NULL;
    me->own_thread = me->own.has_turn = true;
    me->own.runs = me;
    cspr_control_here = &me->own;
    cspr_control_it.n_threads += !away;
}

void cspr_control_co_ready(void *task, csp_co *co)
{
    cspr_task *t = task;
    cspr_control *c = t ? t->control : NULL;
    if (!c)
        return;
    if (co)
        c->co = co;
    if (cspr_control_here && cspr_control_here->has_turn) {
        cspr_control_can(c);
        return;
    }
    cspr_control_not_replayable("a thread outside of the schedule let a task go on");
    c->next_message = __atomic_load_n(&cspr_control_it.inbox, __ATOMIC_RELAXED); // relaxed: the exchange below tells
    while (!__atomic_compare_exchange_n(&cspr_control_it.inbox, &c->next_message, c, true, __ATOMIC_RELEASE, // T2
                                        __ATOMIC_RELAXED))
        ;
}

void cspr_control_co_parks(void *task)
{
    cspr_task *t = task;
    if (t && t->control)
        cspr_control_cannot(t->control);
}

void cspr_control_co_wait(void)
{
    cspr_control *me = cspr_control_me();
    if (me)
        cspr_control_switch(me, cspr_control_pick());
}

csp_co *cspr_control_next(void *carrier)
{
    cspr_carrier *c = carrier;
    cspr_control_here = c;
    c->runs = NULL;
    for (;;) {
        if (!c->has_turn)
            sleep_until_turn(c);
        cspr_control *next = cspr_control_it.chosen;
        cspr_control_it.chosen = NULL;
        if (!next)
            next = cspr_control_pick();
        if (next == &cspr_control_timers)
            return NULL;
        if (next->own_thread) {
            cspr_control_give(next);
            continue;
        }
        c->runs = next;
        return next->co;
    }
}
