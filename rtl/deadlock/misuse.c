// misuse.c - locks used wrongly, calls that a signal handler must not make: reported with ThreadSanitizer's words.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "deadlock/misuse.h"
#include "report/report.h"
#include "support/alloc.h"
#include "support/lock.h"

#include <errno.h>
#include <string.h>

// --- where locks were made -------------------------------------------------------------------------------------------------

// A lock in a heap block is the one that was made there only while the block is the same.
typedef struct made {
    struct made *next;
    const void *lock;
    uintptr_t block; // 0: not in one
    cspr_stack block_stack, stack;
} made;
enum { BUCKETS = 4096 };
static made *buckets[BUCKETS]; // under made_lock
static cspr_lock made_lock;

void cspr_made_fork_lock(bool take)
{
    cspr_lock_for_fork(&made_lock, take);
}

static made **find_locked(const void *lock)
{
    made **m = &buckets[((uintptr_t)lock >> 3) * 0x9e3779b97f4a7c15ull >> 52];
    while (*m && (*m)->lock != lock)
        m = &(*m)->next;
    return m;
}

void cspr_lock_made(const void *lock, cspr_stack stack)
{
    cspr_block b = {0};
    cspr_enter();
    cspr_heap_find((uintptr_t)lock, &b);
    made *fresh = cspr_alloc(sizeof *fresh), *spare = NULL;
    *fresh = (made){NULL, lock, b.start, b.alloc_stack, stack};
    cspr_lock_acquire(&made_lock);
    made **m = find_locked(lock);
    if (*m) {
        fresh->next = (*m)->next;
        spare = *m;
    }
    *m = fresh;
    cspr_lock_release(&made_lock);
    if (spare)
        cspr_free(spare, sizeof *spare);
    cspr_leave();
}

void cspr_lock_gone(const void *lock)
{
    cspr_enter();
    cspr_lock_acquire(&made_lock);
    made **m = find_locked(lock), *gone = *m;
    if (gone)
        *m = gone->next;
    cspr_lock_release(&made_lock);
    if (gone)
        cspr_free(gone, sizeof *gone);
    cspr_leave();
}

cspr_stack cspr_lock_creation(const void *lock)
{
    cspr_block b = {0};
    cspr_heap_find((uintptr_t)lock, &b);
    cspr_lock_acquire(&made_lock);
    const made *m = *find_locked(lock);
    cspr_stack stack = m && m->block == b.start && m->block_stack == b.alloc_stack ? m->stack : 0;
    cspr_lock_release(&made_lock);
    return stack;
}

// --- reports -----------------------------------------------------------------------------------------------------------------

static const char *const what_text[] = {
    [CSPR_BAD_UNLOCK] = "unlock of an unlocked mutex (or by a wrong thread)",
    [CSPR_DOUBLE_LOCK] = "double lock of a mutex",
    [CSPR_READ_TWICE] = "recursive read lock behind a waiting writer",
    [CSPR_DESTROY_LOCKED] = "destroy of a locked mutex",
    [CSPR_INVALID_LOCK] = "use of an invalid mutex (e.g. uninitialized or destroyed)",
    [CSPR_LOCK_HELD] = "mutex held in the wrong context",
    [CSPR_SIGNAL_UNSAFE] = "signal-unsafe call inside of a signal",
    [CSPR_SIGNAL_ERRNO] = "signal handler spoils errno",
};

typedef struct job {
    cspr_misuse what;
    const void *lock;
    cspr_stack stack, other;
} job;

static bool is_wanted(cspr_misuse what)
{
    if (what == CSPR_SIGNAL_UNSAFE || what == CSPR_SIGNAL_ERRNO)
        return cspr_flags.report_signal_unsafe;
    return what == CSPR_DESTROY_LOCKED ? cspr_flags.report_destroy_locked : cspr_flags.report_mutex_bugs;
}

static bool was_told(const job *j, const cspr_view *v)
{
    enum { MAX_TOLD = 4096 };
    static uint64_t told[MAX_TOLD]; // under the report lock
    static size_t n_told;
    uint64_t key = cspr_view_hash(v) * 16 + j->what;
    for (size_t i = 0; i < n_told; i++)
        if (told[i] == key)
            return true;
    if (n_told < MAX_TOLD)
        told[n_told++] = key;
    return n_told == MAX_TOLD; // nobody reads that many
}

static void report_locked(void *arg)
{
    static cspr_view where, v; // under the report lock
    const job *j = arg;
    bool by_signal = j->what == CSPR_SIGNAL_UNSAFE || j->what == CSPR_SIGNAL_ERRNO;
    cspr_suppress_type type = by_signal ? CSPR_SUPPRESS_SIGNAL : CSPR_SUPPRESS_MUTEX;
    cspr_view_stack(&where, j->stack, 0xff);
    if (was_told(j, &where) || (cspr_suppress_any(type) && cspr_view_suppressed(&where, type, false)))
        return;
    cspr_report r;
    cspr_report_open(&r, what_text[j->what]);
    cspr_report_role(&r, "here", true, cspr_self.task ? cspr_task_who(cspr_self.task) : 0);
    cspr_report_stack(&r, &where, true);
    if (j->other) {
        cspr_text_add(&r.text, "  and:\n");
        cspr_view_stack(&v, j->other, 0xff);
        cspr_report_role(&r, "lock", true, 0);
        cspr_report_stack(&r, &v, false);
    }
    if (j->lock)
        cspr_report_lock_made(&r, j->lock);
    cspr_report_close(&r, what_text[j->what], &where);
}

void cspr_report_misuse(cspr_misuse what, const void *lock, cspr_stack stack, cspr_stack other)
{
    job j = {what, lock, stack, other};
    int saved = errno;
    if (!cspr_flags.report_bugs || !is_wanted(what))
        return;
    cspr_report_lock();
    cspr_call_on_own_stack(report_locked, &j);
    cspr_report_unlock();
    errno = saved;
}
