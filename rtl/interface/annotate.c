// annotate.c - dynamic annotations (dynamic_annotations.h of Chromium, CPython, Valgrind, ...) with the meaning ThreadSanitizer gives them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// All weak: a program that brings its own empty ones, for builds without a detector, keeps them. Those that ThreadSanitizer
// accepts and does nothing about are accepted here too.
#include "interface/annotate.h"
#include "support/libc.h"
#include "support/lock.h"
#include "sync/sync.h"

#include <string.h>

#define ANNOTATION(name, ...)                                                                                          \
    CSPR_INTERCEPTOR void name(const char *file, int line, ##__VA_ARGS__);                                             \
    CSPR_INTERCEPTOR void name(const char *file, int line, ##__VA_ARGS__)

static bool is_checked(void)
{
    return cspr_ready && !cspr_bypass();
}

// Begins every annotation that does something.
#define BEGIN()                                                                                                        \
    (void)file;                                                                                                        \
    (void)line;                                                                                                        \
    if (!is_checked())                                                                                                 \
        return;                                                                                                        \
    CSPR_FRAME()

// --- order -----------------------------------------------------------------------------------------------------------------

ANNOTATION(AnnotateHappensBefore, uintptr_t addr)
{
    BEGIN();
    cspr_release_merge((void *)addr, NULL);
}

ANNOTATION(AnnotateHappensAfter, uintptr_t addr)
{
    BEGIN();
    cspr_acquire((void *)addr, NULL);
}

// --- locks -----------------------------------------------------------------------------------------------------------------

ANNOTATION(AnnotateRWLockCreate, uintptr_t lock)
{
    BEGIN();
    cspr_sync_reset((void *)lock);
}

ANNOTATION(AnnotateRWLockCreateStatic, uintptr_t lock)
{
    BEGIN();
    cspr_sync_reset((void *)lock);
}

ANNOTATION(AnnotateRWLockDestroy, uintptr_t lock)
{
    BEGIN();
    cspr_sync_reset((void *)lock);
}

ANNOTATION(AnnotateRWLockAcquired, uintptr_t lock, uintptr_t is_writer)
{
    BEGIN();
    cspr_locked((void *)lock, is_writer ? CSP_LOCK_WRITE : CSP_LOCK_READ, NULL, CSPR_STACK());
}

ANNOTATION(AnnotateRWLockReleased, uintptr_t lock, uintptr_t is_writer)
{
    BEGIN();
    cspr_unlocking_for_good((void *)lock, is_writer ? CSP_LOCK_WRITE : CSP_LOCK_READ, NULL);
}

// --- accesses not to be looked at ------------------------------------------------------------------------------------------

static void ignore(enum cspr_ignore what, int change)
{
    cspr_task *t = cspr_task_current();
    if (!t)
        return;
    if (change > 0 && t->ignored[what] < UINT16_MAX)
        t->ignored[what]++;
    else if (change < 0 && t->ignored[what])
        t->ignored[what]--;
}

#define IGNORES(name, what, change)                                                                                    \
    ANNOTATION(name)                                                                                                   \
    {                                                                                                                  \
        BEGIN();                                                                                                       \
        ignore(what, change);                                                                                          \
    }
IGNORES(AnnotateIgnoreReadsBegin, CSPR_IGNORE_READS, 1)
IGNORES(AnnotateIgnoreReadsEnd, CSPR_IGNORE_READS, -1)
IGNORES(AnnotateIgnoreWritesBegin, CSPR_IGNORE_WRITES, 1)
IGNORES(AnnotateIgnoreWritesEnd, CSPR_IGNORE_WRITES, -1)
IGNORES(AnnotateIgnoreSyncBegin, CSPR_IGNORE_SYNC, 1)
IGNORES(AnnotateIgnoreSyncEnd, CSPR_IGNORE_SYNC, -1)

void cspr_ignore_all(int change)
{
    ignore(CSPR_IGNORE_READS, change);
    ignore(CSPR_IGNORE_WRITES, change);
    ignore(CSPR_IGNORE_SYNC, change);
}

ANNOTATION(AnnotateEnableRaceDetection, int enable)
{
    BEGIN();
    ignore(CSPR_IGNORE_READS, enable ? -1 : 1);
    ignore(CSPR_IGNORE_WRITES, enable ? -1 : 1);
}

// --- races that are meant ----------------------------------------------------------------------------------------------------

typedef struct range {
    uintptr_t lo, hi;
} range;
enum { MAX_BENIGN = 16384 };
static range *benign;   // under benign_lock; MAX_BENIGN of them
static size_t n_benign; // under benign_lock
static cspr_lock benign_lock;

void cspr_benign_fork_lock(bool take)
{
    cspr_lock_for_fork(&benign_lock, take);
}

static void add_benign(uintptr_t addr, size_t size)
{
    cspr_enter();
    range *room = benign ? NULL : cspr_map(MAX_BENIGN * sizeof *room);
    cspr_lock_acquire(&benign_lock);
    if (!benign) {
        benign = room;
        room = NULL;
    }
    bool known = !benign; // never, from here on
    for (size_t i = 0; i < n_benign && !known; i++)
        known = benign[i].lo <= addr && addr + size <= benign[i].hi;
    if (!known && n_benign < MAX_BENIGN)
        benign[n_benign++] = (range){addr, addr + size};
    cspr_lock_release(&benign_lock);
    if (room)
        cspr_unmap(room, MAX_BENIGN * sizeof *room);
    cspr_leave();
}

bool cspr_is_benign(uintptr_t addr)
{
    bool found = false;
    cspr_lock_acquire(&benign_lock);
    for (size_t i = 0; i < n_benign && !found; i++)
        found = addr >= benign[i].lo && addr < benign[i].hi;
    cspr_lock_release(&benign_lock);
    return found;
}

ANNOTATION(AnnotateBenignRaceSized, uintptr_t addr, uintptr_t size, const char *why)
{
    BEGIN();
    (void)why;
    add_benign(addr, size);
}

ANNOTATION(AnnotateBenignRace, uintptr_t addr, const char *why)
{
    BEGIN();
    (void)why;
    add_benign(addr, 1);
}

ANNOTATION(WTFAnnotateBenignRaceSized, uintptr_t addr, uintptr_t size, const char *why)
{
    BEGIN();
    (void)why;
    add_benign(addr, size);
}

ANNOTATION(WTFAnnotateHappensBefore, uintptr_t addr)
{
    BEGIN();
    cspr_release_merge((void *)addr, NULL);
}

ANNOTATION(WTFAnnotateHappensAfter, uintptr_t addr)
{
    BEGIN();
    cspr_acquire((void *)addr, NULL);
}

// --- names -------------------------------------------------------------------------------------------------------------------

ANNOTATION(AnnotateThreadName, const char *name)
{
    BEGIN();
    cspr_task *t = cspr_task_current();
    if (t && name)
        cspr_task_set_name(t, name);
}

CSPR_INTERCEPTOR int RunningOnValgrind(void);
CSPR_INTERCEPTOR int RunningOnValgrind(void)
{
    return 0;
}

CSPR_INTERCEPTOR double ValgrindSlowdown(void);
CSPR_INTERCEPTOR double ValgrindSlowdown(void)
{
    return 10.0;
}

// --- accepted ------------------------------------------------------------------------------------------------------------------

#define NOTHING(name, ...)                                                                                             \
    ANNOTATION(name, ##__VA_ARGS__)                                                                                    \
    {                                                                                                                  \
        (void)file;                                                                                                    \
        (void)line;                                                                                                    \
    }
// NOLINTBEGIN(readability-named-parameter,misc-unused-parameters)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunused-parameter"
NOTHING(AnnotateCondVarSignal, uintptr_t cond)
NOTHING(AnnotateCondVarSignalAll, uintptr_t cond)
NOTHING(AnnotateCondVarWait, uintptr_t cond, uintptr_t lock)
NOTHING(AnnotateMutexIsNotPHB, uintptr_t lock)
NOTHING(AnnotateMutexIsUsedAsCondVar, uintptr_t lock)
NOTHING(AnnotatePCQCreate, uintptr_t queue)
NOTHING(AnnotatePCQDestroy, uintptr_t queue)
NOTHING(AnnotatePCQPut, uintptr_t queue)
NOTHING(AnnotatePCQGet, uintptr_t queue)
NOTHING(AnnotateNewMemory, uintptr_t addr, uintptr_t size)
NOTHING(AnnotateNoOp, uintptr_t addr)
NOTHING(AnnotateTraceMemory, uintptr_t addr)
NOTHING(AnnotateFlushState)
NOTHING(AnnotateFlushExpectedRaces)
NOTHING(AnnotatePublishMemoryRange, uintptr_t addr, uintptr_t size)
NOTHING(AnnotateUnpublishMemoryRange, uintptr_t addr, uintptr_t size)
NOTHING(AnnotateMemoryIsInitialized, uintptr_t addr, uintptr_t size)
NOTHING(AnnotateMemoryIsUninitialized, uintptr_t addr, uintptr_t size)
NOTHING(AnnotateExpectRace, uintptr_t addr, const char *why)
#pragma clang diagnostic pop
// NOLINTEND(readability-named-parameter,misc-unused-parameters)
