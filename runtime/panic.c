// panic.c - how the runtime ends a process: panics and fatal errors, in Go's form, exit status 2.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whoever comes first ends the process; coroutines and threads that also want to are held for ever, so that two messages
// never mix. What the program printed before comes out first: standard output is flushed before the message. Other streams
// are not: fflush(NULL) waits for each stream's lock, and a thread that reads one may hold its lock for ever.
#include "panic.h"

#include "base/check.h"
#include "co.h"
#include "csp/go.h"
#include "hooks.h"
#include "worker.h"

#include <execinfo.h>
#include <stdio.h>
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

void cspi_end_claim(void)
{
    uint32_t free_state = 0;
    if (csp_cas_acq(&ending, &free_state, 1u)) {
        ending_here = true;
        CSP_HOOK(ignore_begin);
        flush_stdout();
        return;
    }
    if (ending_here) // failed while failing
        _exit(2);
    for (;;)
        pause();
}

void cspi_print_own_stack(void)
{
    if (CSP_HOOK_VALUE(print_stack, false))
        return;
    void *frames[64];
    int n = backtrace(frames, 64);
    // The innermost are this function and those that end the process; they say nothing to the program's author, but
    // how many there are depends on inlining, so only our own frame is left out.
    if (n > 1)
        backtrace_symbols_fd(frames + 1, n - 1, STDERR_FILENO);
}

void cspi_end_process(void)
{
    CSP_HOOK(before_exit);
    _exit(2);
}

__attribute__((noreturn)) static void end_with(const char *kind, const char *format, va_list args)
{
    cspi_end_claim();
    char text[400];
    vsnprintf(text, sizeof text, format, args);
    const csp_co *co = cspi_worker_self() ? cspi_worker_self()->current : cspi_foreign_self();
    // Before the runtime has started there is only main's flow, which will be coroutine 1.
    unsigned long long id = co ? co->id : getpid() == gettid() ? 1 : 0;
    if (id)
        cspi_say("%s: %s\n\ncoroutine %llu [running]:\n", kind, text, id);
    else
        cspi_say("%s: %s\n\n", kind, text);
    cspi_print_own_stack();
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
