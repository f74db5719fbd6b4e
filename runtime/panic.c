// panic.c - how the runtime ends a process: panics and fatal errors, in Go's form, exit status 2.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whoever comes first ends the process; coroutines and threads that also want to are held for ever, so that two messages
// never mix. What the program printed before comes out first: standard output is flushed before the message. Other streams
// are not: fflush(NULL) waits for each stream's lock, and a thread that reads one may hold its lock for ever.
// CSP_TRACEBACK says what is printed, as GOTRACEBACK does: none, single (the default), all, crash (all, then abort).
#include "panic.h"

#include "base/check.h"
#include "co.h"
#include "csp/go.h"
#include "dump.h"
#include "hooks.h"
#include "worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint32_t ending; // atomic: 1 once somebody ends the process
static __thread bool ending_here;

void cspi_say(const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n >= (int)sizeof line)
        n = (int)sizeof line - 1;
    for (int done = 0; done < n;) {
        ssize_t w = write(STDERR_FILENO, line + done, (size_t)(n - done));
        if (w <= 0)
            return;
        done += (int)w;
    }
}

// Whoever is printing now gets a moment to finish; a stream blocked for longer keeps its buffer.
static void flush_stdout(void)
{
    for (int tries = 0; tries < 100; tries++) {
        if (ftrylockfile(stdout) == 0) {
            fflush_unlocked(stdout);
            funlockfile(stdout);
            return;
        }
        struct timespec nap = {0, 100000};
        nanosleep(&nap, NULL);
    }
}

bool cspi_end_claim_from_signal(void)
{
    uint32_t free_state = 0;
    if (!csp_cas_acq(&ending, &free_state, 1u))
        return false;
    ending_here = true;
    CSP_HOOK(ignore_begin);
    return true;
}

void cspi_end_claim(void)
{
    if (cspi_end_claim_from_signal()) {
        flush_stdout();
        return;
    }
    if (ending_here) // failed while failing
        _exit(2);
    for (;;)
        pause();
}

static void say_to_stderr(void *unused, const char *format, ...)
{
    (void)unused;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cspi_say("%s", text);
}

void cspi_print_stack(const cspi_frames *frames)
{
    cspi_walk_print(frames, say_to_stderr, NULL);
}

void cspi_print_own_stack(void)
{
    if (CSP_HOOK_VALUE(print_stack, false))
        return;
    static cspi_frames frames; // only who ends the process comes here, perhaps with little stack left
    cspi_walk_own(&frames);
    cspi_print_stack(&frames);
}

void cspi_say_running(const csp_co *co)
{
    const char *name = cspi_co_name(co);
    cspi_say("coroutine %llu%s%s%s [running]:\n", (unsigned long long)co->id, name ? " \"" : "", name ? name : "",
             name ? "\"" : "");
}

void cspi_end_process(void)
{
    CSP_HOOK(before_exit);
    if (cspi_traceback() == CSPI_TRACEBACK_CRASH) {
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    _exit(2);
}

static void print_traceback(enum cspi_traceback traceback)
{
    const csp_co *co = cspi_worker_self() ? cspi_worker_self()->current : cspi_foreign_self();
    cspi_say("\n");
    if (co)
        cspi_say_running(co);
    else if (getpid() ==
             gettid()) // before the runtime has started there is only main's flow, which will be coroutine 1
        cspi_say("coroutine 1 [running]:\n");
    cspi_print_own_stack();
    if (traceback >= CSPI_TRACEBACK_ALL && csp_load_acq(&cspi_sched.started)) {
        static cspi_frames own;
        cspi_walk_own(&own);
        cspi_dump_at_end(&own);
    }
}

__attribute__((noreturn)) static void end_with(const char *kind, const char *format, va_list args)
{
    cspi_end_claim();
    char text[400];
    vsnprintf(text, sizeof text, format, args);
    cspi_say("%s: %s\n", kind, text);
    CSP_HOOK(ending, kind, text, NULL);
    enum cspi_traceback traceback = cspi_traceback();
    if (traceback != CSPI_TRACEBACK_NONE)
        print_traceback(traceback);
    cspi_end_process();
}

void csp_panic(const char *format, ...)
{
    CSPI_FRAME();
    va_list args;
    va_start(args, format);
    end_with("panic", format, args);
}

void cspi_fatal(const char *format, ...)
{
    CSPI_FRAME();
    va_list args;
    va_start(args, format);
    end_with("fatal error", format, args);
}

void cspi_check_failed(const char *what, const char *file, int line)
{
    cspi_fatal("cspthread: internal check failed: %s at %s:%d", what, file, line);
}
