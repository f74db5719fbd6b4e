// intercept_exit.c - exit handlers: what happened before one was registered happens before it runs.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// That is libc's doing: it keeps them in a list under a lock. C++ registers the destructors of its static objects here, too,
// and dlclose runs those of the library. Each handler has a record of its own, whose address is the sync object, so that
// one is not ordered after another's registration.
#include "support/alloc.h"
#include "support/libc.h"
#include "sync/sync.h"

typedef struct handler {
    void (*fn)(void *);
    void (*fn_status)(int status, void *); // on_exit's
    void *arg;
} handler;

static handler *note(handler what)
{
    cspr_enter();
    handler *h = cspr_alloc(sizeof *h);
    *h = what;
    cspr_leave();
    cspr_release(h, NULL);
    return h;
}

static handler take(handler *h)
{
    handler what = *h;
    cspr_acquire(h, NULL);
    cspr_enter();
    cspr_shadow_forget((uintptr_t)h, (uintptr_t)(h + 1));
    cspr_free(h, sizeof *h);
    cspr_leave();
    return what;
}

static void run(void *noted)
{
    handler h = take(noted);
    h.fn(h.arg);
}

static void run_with_status(int status, void *noted)
{
    handler h = take(noted);
    h.fn_status(status, h.arg);
}

static bool is_checked(void)
{
    return cspr_ready && !cspr_bypass();
}

// Another sanitizer's runtime may come here before ours has started.
static int register_unseen(void (*fn)(void *), void *arg, void *dso)
{
    if (!cspr_real___cxa_atexit)
        cspr_real___cxa_atexit = (int (*)(void (*)(void *), void *, void *))cspr_find_real("__cxa_atexit", NULL);
    return cspr_real___cxa_atexit(fn, arg, dso);
}

CSPR_INTERCEPTOR int __cxa_atexit(void (*fn)(void *), void *arg, void *dso)
{
    if (!is_checked())
        return register_unseen(fn, arg, dso);
    CSPR_FRAME();
    handler *h = note((handler){.fn = fn, .arg = arg});
    int error = cspr_real___cxa_atexit(run, h, dso);
    if (error)
        take(h);
    return error;
}

CSPR_INTERCEPTOR int on_exit(void (*fn)(int status, void *arg), void *arg)
{
    if (!is_checked())
        return cspr_real_on_exit(fn, arg);
    CSPR_FRAME();
    handler *h = note((handler){.fn_status = fn, .arg = arg});
    int error = cspr_real_on_exit(run_with_status, h);
    if (error)
        take(h);
    return error;
}
