// interface_tsan.c - <sanitizer/tsan_interface.h>: order, locks and external objects that programs tell a detector about.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names and meaning are ThreadSanitizer's, so that its header serves unchanged. Not here: the fiber functions (the calling
// contexts of stacks that we do not switch ourselves cannot be followed) and the access to reports from debuggers.
#include "deadlock/misuse.h"
#include "interface/annotate.h"
#include "support/libc.h"
#include "sync/sync.h"

enum { READ_LOCK = 1 << 3, TRY_LOCK_FAILED = 1 << 5, RECURSIVE_LOCK = 1 << 6, RECURSIVE_UNLOCK = 1 << 7 };

static bool is_checked(void)
{
    return cspr_ready && !cspr_bypass();
}

#define INTERFACE(ret, name, params)                                                                                   \
    CSPR_INTERFACE ret name params;                                                                                    \
    CSPR_INTERFACE ret name params

INTERFACE(void, __tsan_acquire, (void *addr))
{
    if (is_checked())
        cspr_acquire(addr, NULL);
}

INTERFACE(void, __tsan_release, (void *addr))
{
    if (!is_checked())
        return;
    CSPR_FRAME();
    cspr_release_merge(addr, NULL);
}

// --- locks: what happens between pre and post is the lock's own business -----------------------------------------------------

static int mode_of(unsigned flags)
{
    return flags & READ_LOCK ? CSP_LOCK_READ : CSP_LOCK_WRITE;
}

INTERFACE(void, __tsan_mutex_create, (void *addr, unsigned flags))
{
    (void)flags;
    if (!is_checked())
        return;
    CSPR_FRAME();
    cspr_sync_reset(addr);
    cspr_lock_made(addr, CSPR_STACK());
}

INTERFACE(void, __tsan_mutex_destroy, (void *addr, unsigned flags))
{
    (void)flags;
    if (!is_checked())
        return;
    CSPR_FRAME();
    cspr_lock_gone(addr);
    cspr_sync_reset(addr);
}

INTERFACE(void, __tsan_mutex_pre_lock, (void *addr, unsigned flags))
{
    (void)addr;
    (void)flags;
    if (is_checked())
        cspr_ignore_all(1);
}

INTERFACE(void, __tsan_mutex_post_lock, (void *addr, unsigned flags, int recursion))
{
    if (!is_checked())
        return;
    CSPR_FRAME();
    cspr_ignore_all(-1);
    if (flags & TRY_LOCK_FAILED)
        return;
    for (int n = flags & RECURSIVE_LOCK && recursion > 0 ? recursion : 1; n > 0; n--)
        cspr_locked(addr, mode_of(flags), NULL, CSPR_STACK());
}

INTERFACE(int, __tsan_mutex_pre_unlock, (void *addr, unsigned flags))
{
    if (!is_checked())
        return 0;
    CSPR_FRAME();
    cspr_task *t = cspr_task_current();
    int n = 0;
    if (t && flags & RECURSIVE_UNLOCK) {
        while (cspr_task_holds(t, addr, mode_of(flags))) {
            cspr_unlocking_for_good(addr, mode_of(flags), t);
            n++;
        }
    } else if (t) {
        if (!cspr_task_holds(t, addr, mode_of(flags)))
            cspr_report_misuse(CSPR_BAD_UNLOCK, addr, CSPR_STACK(), 0);
        cspr_unlocking_for_good(addr, mode_of(flags), t);
    }
    cspr_ignore_all(1);
    return n;
}

INTERFACE(void, __tsan_mutex_post_unlock, (void *addr, unsigned flags))
{
    (void)addr;
    (void)flags;
    if (is_checked())
        cspr_ignore_all(-1);
}

#define PAUSES(name, change)                                                                                           \
    INTERFACE(void, name, (void *addr, unsigned flags))                                                                \
    {                                                                                                                  \
        (void)addr;                                                                                                    \
        (void)flags;                                                                                                   \
        if (is_checked())                                                                                              \
            cspr_ignore_all(change);                                                                                   \
    }
PAUSES(__tsan_mutex_pre_signal, 1)
PAUSES(__tsan_mutex_post_signal, -1)
PAUSES(__tsan_mutex_pre_divert, -1)
PAUSES(__tsan_mutex_post_divert, 1)

INTERFACE(void, __tsan_check_no_mutexes_held, (void))
{
    if (!is_checked())
        return;
    CSPR_FRAME();
    cspr_held held;
    cspr_task *t = cspr_task_current();
    if (t && cspr_task_held(t, &held, 1))
        cspr_report_misuse(CSPR_LOCK_HELD, held.lock, CSPR_STACK(), held.stack);
}

// --- objects that are not memory: an operation on one is an access of its first byte -------------------------------------------

INTERFACE(void *, __tsan_external_register_tag, (const char *object_type))
{
    return (void *)(uintptr_t)(object_type ? object_type : "");
}

INTERFACE(void, __tsan_external_register_header, (void *tag, const char *header))
{
    (void)tag;
    (void)header;
}

INTERFACE(void, __tsan_external_assign_tag, (void *addr, void *tag))
{
    (void)addr;
    (void)tag;
}

static void access_external(void *addr, void *caller_pc, bool is_write)
{
    if (is_checked())
        cspr_access((uintptr_t)addr, 1, is_write, cspr_stack_here(caller_pc, NULL));
}

INTERFACE(void, __tsan_external_read, (void *addr, void *caller_pc, void *tag))
{
    (void)tag;
    access_external(addr, caller_pc, false);
}

INTERFACE(void, __tsan_external_write, (void *addr, void *caller_pc, void *tag))
{
    (void)tag;
    access_external(addr, caller_pc, true);
}

INTERFACE(void, __tsan_flush_memory, (void))
{
    // the shadow of freed memory has been given back already
}
