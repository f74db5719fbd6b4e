// atomics.c - C11 atomics: the operation, its clock transfer and its check are one step while the word is taken (rule F1).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Were they not one step, a load could see a new value with the old clock: a false report. So relaxed stores and failed
// compare-exchanges take the word too.
// Release sequences as in C11/C17: a read-modify-write continues them; a relaxed store by the task that began one keeps it,
// by another ends it. Where a sequence was also fed by read-modify-writes of the storing task we keep all of it: more order
// than there is, never less. Operations run sequentially consistent, which is never weaker than what was asked for.
#include "control/control.h"
#include "shadow/access.h"
#include "shadow/depot.h"
#include "shadow/shadow.h"
#include "sync/sync.h"

typedef unsigned __int128 csp_u128;

enum { LOADS = 1, STORES = 2 };

// One operation while its word, or both of its words, are taken.
typedef struct atomic_op {
    cspr_check check;
    unsigned n_words;
    uint64_t *cells[2];
    uint64_t w[2];
    void *pc; // of the call
} atomic_op;

// what: enum csp_op.
static inline bool begin(atomic_op *o, const volatile void *a, size_t size, int what, void *pc)
{
    if (CSPR_UNLIKELY(cspr_self.in_rtl | cspr_self.ignore))
        return false;
    if (CSPR_UNLIKELY(cspr_controlled))
        cspr_control_point_at(what, (const void *)a, pc);
    cspr_task *t = cspr_task_current();
    if (CSPR_UNLIKELY(!t || t->ignored[CSPR_IGNORE_SYNC]))
        return false;
    cspr_enter();
    uintptr_t addr = (uintptr_t)a;
    cspr_task_open(t);
    o->pc = pc;
    o->check.task = t;
    o->check.addr = addr;
    o->check.size = size;
    o->check.element = o->check.step = 0;
    o->check.epoch = t->epoch; // side records name epochs in full: none is issued for an atomic
    o->check.at = t->at;
    uint32_t locks = cspr_task_locks(t);
    cspr_check_set_stack(&o->check, locks ? cspr_depot_here_locked(pc, NULL, locks) : cspr_depot_here(pc, NULL));
    o->check.n_found = 0;
    o->n_words = (addr & 7) + size > 8 ? 2 : 1;
    for (unsigned i = 0; i < o->n_words; i++) {
        o->cells[i] = cspr_shadow_of(addr + i * 8);
        bool is_taken = i && cspr_line_of(o->cells[1]) == cspr_line_of(o->cells[0]);
        o->w[i] = is_taken ? cspr_word_write_cell(o->cells[i]) : cspr_word_take(o->cells[i]);
    }
    return true;
}

static bool acquires(int order)
{
    return order == __ATOMIC_CONSUME || order == __ATOMIC_ACQUIRE || order == __ATOMIC_ACQ_REL ||
           order == __ATOMIC_SEQ_CST;
}

static bool releases(int order)
{
    return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

// A relaxed load saw this clock: the next acquire fence joins it.
static void remember_loaded(cspr_task *t, cspr_stamp *s)
{
    if (s == t->last_loaded)
        return;
    cspr_stamp_set(&t->last_loaded, s);
    t->loaded = cspr_stamp_merge(t->loaded, s);
}

static void transfer_load(cspr_task *t, cspr_sync *s, int order)
{
    if (!s || !s->clock)
        return;
    cspr_sync_set_turn(s, 0);
    if (acquires(order))
        cspr_task_learn(t, s->clock);
    else
        remember_loaded(t, s->clock);
}

static void transfer_store(cspr_task *t, cspr_sync *s, int order, void *pc)
{
    if (releases(order)) {
        cspr_stamp_unref(s->clock);
        s->clock = cspr_task_publish(t, CSPR_BY_ATOMIC, pc);
    } else {
        bool keeps = s->head == t->who || s->rmw == t->who || s->rmw == CSPR_SEVERAL;
        if (!keeps)
            cspr_stamp_set(&s->clock, NULL);
        s->clock = cspr_stamp_merge(s->clock, t->fence);
    }
    s->head = t->who;
    s->rmw = 0;
}

static void transfer_rmw(cspr_task *t, cspr_sync *s, int order, void *pc)
{
    cspr_stamp *given = releases(order) ? cspr_task_publish(t, CSPR_BY_ATOMIC, pc) : cspr_stamp_ref(t->fence);
    if (!given)
        return; // relaxed: the sequence goes on unchanged
    if (releases(order) && acquires(order)) {
        cspr_stamp_unref(s->clock); // just learned, so part of what is given
        s->clock = given;
    } else {
        s->clock = cspr_stamp_merge(s->clock, given);
        cspr_stamp_unref(given);
    }
    s->rmw = !s->rmw || s->rmw == t->who ? t->who : CSPR_SEVERAL;
}

// What was released to the value that the operation has read.
static void transfer_in(cspr_task *t, cspr_record *rec, uintptr_t addr, int order)
{
    transfer_load(t, cspr_record_sync(rec, addr, false), order);
}

static void transfer_out(cspr_task *t, cspr_record *rec, uintptr_t addr, int what, int order, void *pc)
{
    cspr_sync *s = cspr_record_sync(rec, addr, releases(order) || t->fence);
    if (!s)
        return;
    if (what & LOADS)
        transfer_rmw(t, s, order, pc);
    else
        transfer_store(t, s, order, pc);
}

// Checks and records the operation in one of its words.
static void access_word(cspr_check *c, cspr_record *rec, uintptr_t word)
{
    uintptr_t last = c->addr + c->size, from = word > c->addr ? word : c->addr, to = word + 8 < last ? word + 8 : last;
    unsigned mask = ((1u << (to - from)) - 1) << (from - word);
    c->word = word;
    cspr_check_extent(c, mask & ~cspr_record_written(rec));
    cspr_record_access(rec, c, mask);
}

// After the operation: moves clocks, checks and records it, gives the words back. It is checked after it has acquired: what
// was before the value it read, a plain initialisation of the object say, is before the operation.
static void end(atomic_op *o, int what, int order)
{
    cspr_check *c = &o->check;
    cspr_record *rec[2] = {NULL, NULL};
    c->kind = what & STORES ? CSPR_ATOMIC_WRITE : CSPR_ATOMIC_READ;
    uintptr_t word = c->addr & ~(uintptr_t)7;
    for (unsigned i = 0; i < o->n_words; i++)
        rec[i] = cspr_word_record(word + i * 8, o->cells[i], o->w[i]);
    if (what & LOADS)
        transfer_in(c->task, rec[0], c->addr, order);
    for (unsigned i = 0; i < o->n_words; i++)
        access_word(c, rec[i], word + i * 8);
    if (what & STORES)
        transfer_out(c->task, rec[0], c->addr, what, order, o->pc);
    for (unsigned i = 0; i < o->n_words; i++)
        cspr_word_put(o->cells[i], cspr_record_cell(rec[i]), cspr_record_cell(rec[i]));
    for (unsigned i = o->n_words; i-- > 0;)
        if (!i || cspr_line_of(o->cells[1]) != cspr_line_of(o->cells[0]))
            cspr_line_give(cspr_line_of(o->cells[i]));
    if (CSPR_UNLIKELY(c->task->ignored[(what & STORES) != 0]))
        c->n_found = 0;
    cspr_check_report(c);
    cspr_leave();
}

#define PC() __builtin_return_address(0)

#define DEFINE_RMW(bits, T, name, builtin)                                                                             \
    CSPR_INTERFACE T __csp_atomic##bits##_##name(volatile void *a, T v, int order);                                    \
    CSPR_INTERFACE T __csp_atomic##bits##_##name(volatile void *a, T v, int order)                                     \
    {                                                                                                                  \
        atomic_op o;                                                                                                   \
        bool checked = begin(&o, a, sizeof v, CSP_OP_UPDATE, PC());                                                    \
        T old = builtin((volatile T *)a, v, __ATOMIC_SEQ_CST);                                                         \
        if (checked)                                                                                                   \
            end(&o, LOADS | STORES, order);                                                                            \
        return old;                                                                                                    \
    }

#define DEFINE_ATOMICS(bits, T)                                                                                        \
    CSPR_INTERFACE T __csp_atomic##bits##_load(const volatile void *a, int order);                                     \
    CSPR_INTERFACE T __csp_atomic##bits##_load(const volatile void *a, int order)                                      \
    {                                                                                                                  \
        atomic_op o;                                                                                                   \
        bool checked = begin(&o, a, sizeof(T), CSP_OP_LOAD, PC());                                                     \
        T v = __atomic_load_n((const volatile T *)a, __ATOMIC_SEQ_CST);                                                \
        if (checked)                                                                                                   \
            end(&o, LOADS, order);                                                                                     \
        return v;                                                                                                      \
    }                                                                                                                  \
    CSPR_INTERFACE void __csp_atomic##bits##_store(volatile void *a, T v, int order);                                  \
    CSPR_INTERFACE void __csp_atomic##bits##_store(volatile void *a, T v, int order)                                   \
    {                                                                                                                  \
        atomic_op o;                                                                                                   \
        bool checked = begin(&o, a, sizeof v, CSP_OP_STORE, PC());                                                     \
        __atomic_store_n((volatile T *)a, v, __ATOMIC_SEQ_CST);                                                        \
        if (checked)                                                                                                   \
            end(&o, STORES, order);                                                                                    \
    }                                                                                                                  \
    CSPR_INTERFACE T __csp_atomic##bits##_cas(volatile void *a, T expected, T desired, int order, int fail_order);     \
    CSPR_INTERFACE T __csp_atomic##bits##_cas(volatile void *a, T expected, T desired, int order, int fail_order)      \
    {                                                                                                                  \
        atomic_op o;                                                                                                   \
        bool checked = begin(&o, a, sizeof desired, CSP_OP_UPDATE, PC());                                              \
        bool done = __atomic_compare_exchange_n((volatile T *)a, &expected, desired, false, __ATOMIC_SEQ_CST,          \
                                                __ATOMIC_SEQ_CST);                                                     \
        if (checked)                                                                                                   \
            end(&o, done ? LOADS | STORES : LOADS, done ? order : fail_order);                                         \
        return expected; /* success leaves it as it was */                                                             \
    }                                                                                                                  \
    DEFINE_RMW(bits, T, exchange, __atomic_exchange_n)                                                                 \
    DEFINE_RMW(bits, T, fetch_add, __atomic_fetch_add)                                                                 \
    DEFINE_RMW(bits, T, fetch_sub, __atomic_fetch_sub)                                                                 \
    DEFINE_RMW(bits, T, fetch_and, __atomic_fetch_and)                                                                 \
    DEFINE_RMW(bits, T, fetch_or, __atomic_fetch_or)                                                                   \
    DEFINE_RMW(bits, T, fetch_xor, __atomic_fetch_xor)                                                                 \
    DEFINE_RMW(bits, T, fetch_nand, __atomic_fetch_nand)

DEFINE_ATOMICS(8, uint8_t)
DEFINE_ATOMICS(16, uint16_t)
DEFINE_ATOMICS(32, uint32_t)
DEFINE_ATOMICS(64, uint64_t)
// This file is compiled with -mcx16: a 16-byte operation that took a lock would not be atomic towards other code's.
DEFINE_ATOMICS(128, csp_u128)

CSPR_INTERFACE void __csp_fence(int order);
CSPR_INTERFACE void __csp_fence(int order)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (cspr_self.in_rtl | cspr_self.ignore)
        return;
    if (CSPR_UNLIKELY(cspr_controlled))
        cspr_control_point_at(CSP_OP_FENCE, NULL, __builtin_return_address(0));
    cspr_task *t = cspr_task_current();
    if (!t)
        return;
    cspr_enter();
    if (acquires(order)) {
        cspr_task_learn(t, t->loaded);
        cspr_stamp_set(&t->loaded, NULL);
        cspr_stamp_set(&t->last_loaded, NULL);
    }
    if (releases(order)) {
        // The epoch ends here: what the task does between the fence and the store is not covered.
        cspr_stamp_unref(t->fence);
        t->fence = cspr_task_publish(t, CSPR_BY_FENCE, __builtin_return_address(0));
    }
    cspr_leave();
}

CSPR_INTERFACE void __csp_signal_fence(int order);
CSPR_INTERFACE void __csp_signal_fence(int order)
{
    (void)order; // a compiler barrier; the call is one
}
