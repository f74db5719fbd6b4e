// signal.c - leak_check_signal: a running program that gets the signal reports who is stuck, and goes on; one that handles the
// signal itself keeps it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --status=66 --options='leak_check_signal=SIGUSR2 detect_leaks=0' --args=leak --prefix=LEAK %s
// RUN: %check --status=66 --options='leak_check_signal=12 detect_leaks=0' --args=leak --prefix=LEAK %s
// RUN: %check --options='leak_check_signal=USR2 detect_leaks=0' --args=none --prefix=NONE %s
// RUN: %check --options='leak_check_signal=USR2 detect_leaks=0' --args='leak before' --prefix=BEFORE %s
// RUN: %check --silent --options='leak_check_signal=USR2 detect_leaks=0' --args='leak after' %s
// RUN: %check --options='leak_check_signal=SIGKILL detect_leaks=0' --args='wrong' --prefix=WRONG %s
#include <csp/csp.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANY = 8 }; // a stale word may hide one

static volatile sig_atomic_t n_handled;

static void handle(int sig)
{
    (void)sig;
    n_handled = n_handled + 1;
}

static void sender(void *ch)
{
    csp_send(ch, NULL); // line: send
}

static void start(void *unused)
{
    (void)unused;
    for (int i = 0; i < MANY; i++)
        csp_go(sender, csp_chan_new(0, 0));
}

// A report is one write to standard error, which is a file here.
static bool something_was_written(void)
{
    struct stat s;
    return fstat(STDERR_FILENO, &s) == 0 && s.st_size > 0;
}

int main(int argc, char **argv)
{
    const char *what = argv[1], *own = argc > 2 ? argv[2] : "";
    if (!strcmp(own, "before"))
        signal(SIGUSR2, handle);
    if (!strcmp(what, "leak"))
        csp_go(start, NULL);
    csp_leak_options all = {.parked_too = true};
    while (!strcmp(what, "leak") && csp_leak_check(&all, NULL, 0) < MANY)
        csp_sleep(CSP_MS);
    if (!strcmp(own, "after"))
        signal(SIGUSR2, handle);
    if (strcmp(what, "wrong") != 0)
        kill(getpid(), SIGUSR2);
    while (*own ? !n_handled : !something_was_written())
        csp_sleep(CSP_MS);
    printf("goes on\n");
    return 0;
}

// OUT: goes on
// LEAK: WARNING: CspThreadSanitizer: coroutine leak
// LEAK-NEXT: parked in chan send{{.*}} (stuck: nothing that can run leads to what would wake it):
// LEAK: #1 sender {{.*}}signal.c:[[#send]]
// LEAK: SUMMARY: CspThreadSanitizer: coroutine leak {{.*}}signal.c:[[#send]]{{.*}} in sender
// LEAK: CspThreadSanitizer: reported 1 warning
// NONE: CspThreadSanitizer: leak check: no coroutine is stuck
// NONE-NOT: WARNING
// BEFORE: leak_check_signal: the program handles signal 12 itself
// BEFORE-NOT: WARNING
// WRONG: CspThreadSanitizer: leak_check_signal: 'SIGKILL' is no signal that can be used for it
