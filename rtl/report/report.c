// report.c - one race: both stacks, the location, the locks, the coroutines; each pair of stacks once.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Order of the work: what may call foreign locks (the physical unwind) comes first, without our lock; then everything is
// symbolized, compared and printed under the report lock, from copied data (rules G2, R3).
#include "report/report.h"
#include "control/explore.h"
#include "interface/annotate.h"
#include "report/race_log.h"
#include "report/unwind.h"
#include "support/modules.h"
#include "support/print.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

// --- reports made before -----------------------------------------------------------------------------------------------------

// Set of 64-bit keys, open addressing, under the report lock. A key stands for an unordered pair of stacks.
typedef struct key_set {
    uint64_t *keys;
    size_t n, cap;
} key_set;

static bool insert_key(key_set *s, uint64_t key);

static void grow_set(key_set *s)
{
    key_set bigger = {cspr_map((s->cap ? s->cap * 2 : 4096) * sizeof(uint64_t)), 0, s->cap ? s->cap * 2 : 4096};
    for (size_t i = 0; i < s->cap; i++)
        if (s->keys[i])
            insert_key(&bigger, s->keys[i]);
    if (s->keys)
        cspr_unmap(s->keys, s->cap * sizeof(uint64_t));
    *s = bigger;
}

// False when it is there already.
static bool insert_key(key_set *s, uint64_t key)
{
    if (s->n * 2 >= s->cap)
        grow_set(s);
    key |= 1; // 0 means free
    size_t i = (key * 0x9e3779b97f4a7c15ull >> 20) % s->cap;
    for (; s->keys[i]; i = (i + 1) % s->cap)
        if (s->keys[i] == key)
            return false;
    s->keys[i] = key;
    s->n++;
    return true;
}

static uint64_t mix(uint64_t hash, uint64_t v)
{
    hash = (hash ^ v) * 0xff51afd7ed558ccdull;
    return hash ^ hash >> 32;
}

static uint64_t pair_key(uint64_t a, uint64_t b)
{
    return a < b ? mix(mix(17, a), b) : mix(mix(17, b), a);
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; text && *text; text++)
        hash = mix(hash, (unsigned char)*text);
    return mix(hash, 0x100);
}

// Equal for stacks that read equal: symbolized by function and line (of ours, which are shown without, by function), else by address.
uint64_t cspr_view_hash(const cspr_view *v)
{
    uint64_t hash = v->n;
    for (size_t i = 0; i < v->n; i++) {
        const cspr_place *p = &v->places[i];
        hash = p->function && (p->line || p->ours) ? mix(hash_text(hash_text(hash, p->function), p->file), p->line)
                                                   : mix(hash, p->pc);
    }
    return hash;
}

static key_set seen_ids, seen_texts; // under the report lock

// --- stacks --------------------------------------------------------------------------------------------------------------------

// The physical stack from the access on, when it contains the access and tells at least as much as the frame records do.
static size_t unwind_access(unw_context_t *context, const uintptr_t *frames, size_t n, uintptr_t *out)
{
    uintptr_t all[CSPR_MAX_FRAMES];
    size_t n_all = cspr_unwind_from(context, all, CSPR_MAX_FRAMES), at = 0;
    bool inside = cspr_pc_is_ours(frames[0]); // in a library function: only its caller's place is exact
    uintptr_t wanted = inside && n > 1 ? frames[1] : frames[0];
    while (at < n_all && all[at] != wanted)
        at++;
    size_t keep = n_all - at;
    if (at == n_all || keep + inside < n)
        return 0;
    if (inside)
        *out++ = frames[0];
    if (keep > (size_t)(CSPR_MAX_FRAMES - inside))
        keep = CSPR_MAX_FRAMES - inside;
    memcpy(out, all + at, keep * sizeof *out);
    return keep + inside;
}

static size_t collect_current(const cspr_side *side, unw_context_t *context, uintptr_t *frames, bool *folded)
{
    uintptr_t physical[CSPR_MAX_FRAMES];
    size_t n = side->stack ? cspr_stack_frames(side->stack, side->byte_mask, frames, CSPR_MAX_FRAMES, folded) : 0;
    size_t n_physical = n ? unwind_access(context, frames, n, physical) : 0;
    if (n_physical == 0)
        return n;
    memcpy(frames, physical, n_physical * sizeof *frames);
    *folded = false;
    return n_physical;
}

// --- parts ---------------------------------------------------------------------------------------------------------------------

static const char *describe_access(const cspr_side *side, bool previous)
{
    static const char *const words[2][2][2] = {
        {{"Read", "Write"}, {"Atomic read", "Atomic write"}},
        {{"Previous read", "Previous write"}, {"Previous atomic read", "Previous atomic write"}}};
    return words[previous][side->is_atomic][side->is_write];
}

// The same for programs.
static const char *name_access(const cspr_side *side)
{
    static const char *const words[2][2] = {{"read", "write"}, {"atomic read", "atomic write"}};
    return side->is_free ? "free" : words[side->is_atomic][side->is_write];
}

static void add_side(cspr_report *r, const cspr_side *side, const cspr_view *v, bool previous)
{
    cspr_text_add(&r->text, "%s  %s of size %zu at 0x%lx by ", r->bold, describe_access(side, previous), side->size,
                  side->addr);
    cspr_report_who(r, side->who, false);
    cspr_report_held(r, side);
    cspr_text_add(&r->text, ":%s\n", r->plain);
    cspr_report_role(r, name_access(side), true, side->who);
    cspr_format(r->role_what, sizeof r->role_what, "%s of size %zu", name_access(side), side->size);
    cspr_report_stack(r, v, true);
}

// Of a block that was freed the memory knows nothing any more, but the one who freed it noted this.
static void add_allocation(cspr_report *r, const cspr_race *race)
{
    static cspr_view v; // under the report lock
    if (!race->freed_allocation)
        return;
    cspr_text_add(&r->text, "%s  The freed block was allocated at:%s\n", r->green, r->plain);
    cspr_view_stack(&v, race->freed_allocation, 0xff);
    cspr_report_role(r, "allocation", false, 0);
    cspr_report_stack(r, &v, false);
}

static void add_tasks(cspr_report *r, const cspr_race *race, const cspr_location *l)
{
    cspr_who whos[3] = {race->current.who, race->previous.who,
                        l->kind == CSPR_AT_HEAP && l->block.alloc_stack      ? l->block.alloc_who
                        : l->kind == CSPR_AT_STACK || l->kind == CSPR_AT_TLS ? l->owner
                        : l->kind == CSPR_AT_FD && l->creation               ? l->owner
                                                                             : 0};
    for (int i = 0; i < 3; i++) {
        bool again = false;
        for (int k = 0; k < i; k++)
            again |= whos[k] == whos[i];
        if (!again)
            cspr_report_creation(r, whos[i], NULL);
    }
}

// --- suppressions --------------------------------------------------------------------------------------------------------------

static bool creation_suppressed(cspr_who who)
{
    static cspr_view v; // under the report lock
    cspr_identity id = {0};
    if (!who)
        return false;
    cspr_who_get(who, &id);
    cspr_view_stack(&v, id.creation, 0xff);
    return cspr_view_suppressed(&v, CSPR_SUPPRESS_RACE, false);
}

// What a library function accessed for its caller in a library that is not to be looked at.
static bool is_called_from_lib(const cspr_view *v)
{
    return cspr_suppress_any(CSPR_SUPPRESS_CALLED_FROM_LIB) && v->n > 1 && v->places[0].ours &&
           cspr_suppressed(CSPR_SUPPRESS_CALLED_FROM_LIB, v->places[1].module);
}

static bool is_suppressed(const cspr_race *race, const cspr_view *current, const cspr_view *previous,
                          const cspr_location *l)
{
    if (cspr_suppress_any(CSPR_SUPPRESS_RACE_TOP) && (cspr_view_suppressed(current, CSPR_SUPPRESS_RACE_TOP, true) ||
                                                      cspr_view_suppressed(previous, CSPR_SUPPRESS_RACE_TOP, true)))
        return true;
    if (is_called_from_lib(current) || is_called_from_lib(previous))
        return true;
    return cspr_suppress_any(CSPR_SUPPRESS_RACE) &&
           (cspr_view_suppressed(current, CSPR_SUPPRESS_RACE, false) ||
            cspr_view_suppressed(previous, CSPR_SUPPRESS_RACE, false) || creation_suppressed(race->current.who) ||
            creation_suppressed(race->previous.who) ||
            (l->kind == CSPR_AT_GLOBAL && (cspr_suppressed(CSPR_SUPPRESS_RACE, l->global.name) ||
                                           cspr_suppressed(CSPR_SUPPRESS_RACE, l->global.module))));
}

// --- the report ----------------------------------------------------------------------------------------------------------------

// A table of virtual functions that a constructor or destructor sets while another task calls: as ThreadSanitizer calls it. What the
// debug information calls the bytes tells it.
static const char *describe_race(const cspr_race *race, const cspr_location *l)
{
    const char *last = l->variable.path ? strrchr(l->variable.path, '.') : NULL;
    bool is_table = last && !strncmp(last, "._vptr", 6);
    if (race->previous.is_free)
        return is_table ? "heap-use-after-free (virtual call vs free)" : "heap-use-after-free";
    return is_table ? "data race on vptr (ctor/dtor vs virtual call)" : "data race";
}

static uint64_t side_id(const cspr_side *side)
{
    return mix(mix(17, side->stack), side->byte_mask); // two steps: small numbers must not cancel each other
}

static void print_race(const cspr_race *race, const cspr_view *current, const cspr_view *previous,
                       const cspr_location *l)
{
    const char *what = describe_race(race, l);
    cspr_report r;
    cspr_report_open(&r, what);
    add_side(&r, &race->current, current, false);
    add_side(&r, &race->previous, previous, true);
    cspr_report_location(&r, l, race->addr);
    add_allocation(&r, race);
    cspr_report_locks(&r, race);
    cspr_report_order(&r, race, current, previous);
    add_tasks(&r, race, l);
    cspr_report_close(&r, what, current);
    cspr_explore_note(pair_key(side_id(&race->current), side_id(&race->previous)));
}

enum { MAX_AHEAD = 4 * CSPR_MAX_FRAMES };

// Equal stack ids mean equal stacks: most repetitions end here, before anything costs much.
static bool was_seen(const cspr_race *race)
{
    cspr_report_lock();
    uint64_t key = pair_key(side_id(&race->current), side_id(&race->previous));
    bool seen = cspr_flags.suppress_equal_stacks && !insert_key(&seen_ids, key);
    if (seen)
        cspr_explore_again(key);
    cspr_report_unlock();
    return seen;
}

static size_t add_frames(uintptr_t *all, size_t n, cspr_stack stack, unsigned byte_mask)
{
    if (!stack || n >= MAX_AHEAD)
        return n;
    return n + cspr_stack_frames(stack, byte_mask, all + n, MAX_AHEAD - n, NULL);
}

// Everything this report is going to show, in one conversation with the symbolizer.
static void ask_ahead(const cspr_race *race, const uintptr_t *frames, size_t n)
{
    static uintptr_t all[MAX_AHEAD]; // under the report lock
    const cspr_side *sides[] = {&race->current, &race->previous};
    n = n < MAX_AHEAD ? n : MAX_AHEAD;
    memcpy(all, frames, n * sizeof *all);
    n = add_frames(all, n, race->previous.stack, race->previous.byte_mask);
    size_t release = n;
    n = add_frames(all, n, race->last_seen, 0xff);
    if (n > release)
        all[release] = all[--n]; // the first one says what it was (depot.h)
    for (int i = 0; i < 2; i++) {
        cspr_identity id = {0};
        if (sides[i]->who)
            cspr_who_get(sides[i]->who, &id);
        n = add_frames(all, n, id.creation, 0xff);
        for (size_t k = 0; k < sides[i]->n_held; k++)
            n = add_frames(all, n, sides[i]->held[k].stack, 0xff);
    }
    cspr_block b;
    if (cspr_heap_find(race->addr, &b))
        n = add_frames(all, n, b.alloc_stack, 0xff);
    cspr_symbolize_ahead(all, n);
}

// Under the report lock.
static void report_locked(const cspr_race *race, const uintptr_t *frames, size_t n, bool folded)
{
    static cspr_view current, previous; // under the report lock
    cspr_location l;
    ask_ahead(race, frames, n);
    cspr_view_frames(&current, frames, n, folded);
    cspr_view_stack(&previous, race->previous.stack, race->previous.byte_mask);
    if (cspr_flags.suppress_equal_stacks &&
        !insert_key(&seen_texts, pair_key(cspr_view_hash(&current), cspr_view_hash(&previous))))
        return;
    cspr_location_find(race, &l);
    if (!is_suppressed(race, &current, &previous, &l))
        print_race(race, &current, &previous, &l);
}

typedef struct job {
    const cspr_race *race;
    unw_context_t context; // of cspr_report_race, which waits
} job;

static void do_job(void *arg)
{
    job *j = arg;
    uintptr_t frames[CSPR_MAX_FRAMES];
    bool folded = false;
    size_t n = collect_current(&j->race->current, &j->context, frames, &folded);
    cspr_report_lock();
    report_locked(j->race, frames, n, folded);
    cspr_report_unlock();
}

void cspr_report_race(const cspr_race *race)
{
    int saved = errno, cancel = cspr_cancel_off();
    cspr_enter();
    cspr_race_log(race);
    if (cspr_flags.report_bugs && !cspr_is_benign(race->addr) && !was_seen(race)) {
        job j = {.race = race};
        unw_getcontext(&j.context);
        cspr_call_on_own_stack(do_job, &j);
    }
    cspr_cancel_on(cancel);
    cspr_leave();
    errno = saved;
}

// --- stacks for the runtime's own messages -------------------------------------------------------------------------------------

typedef struct printed {
    const uintptr_t *frames;
    size_t n;
} printed;

static void print_frames_locked(void *arg)
{
    static cspr_view v; // under the report lock
    const printed *p = arg;
    cspr_report r = {.bold = "", .red = "", .green = "", .blue = "", .plain = ""};
    cspr_view_frames(&v, p->frames, p->n, false);
    cspr_report_stack(&r, &v, false);
    cspr_print_err(r.text.data, r.text.len - 1); // without the blank line
    cspr_text_fini(&r.text);
}

static bool print_frames(const uintptr_t *frames, size_t n)
{
    printed p = {frames, n};
    if (n == 0)
        return false;
    cspr_report_lock();
    cspr_call_on_own_stack(print_frames_locked, &p);
    cspr_report_unlock();
    return true;
}

bool cspr_print_stack(void)
{
    uintptr_t frames[CSPR_MAX_FRAMES];
    int saved = errno;
    cspr_enter();
    bool done = cspr_ready && print_frames(frames, cspr_unwind(frames, CSPR_MAX_FRAMES));
    cspr_leave();
    errno = saved;
    return done;
}

bool cspr_print_stack_of(const cspr_task *t)
{
    uintptr_t frames[CSPR_MAX_FRAMES];
    int saved = errno;
    cspr_enter();
    bool done = t && print_frames(frames, cspr_task_parked_frames(t, frames, CSPR_MAX_FRAMES));
    cspr_leave();
    errno = saved;
    return done;
}
