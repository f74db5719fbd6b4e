// signal_unsafe.c - malloc in a signal handler and a handler that changes errno are reported, once per place.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
// RUN: %check_norace --options='report_signal_unsafe=0' %s
// RUN: echo 'signal:^on_' > %t.supp
// RUN: %check_norace --options='suppressions=%t.supp' %s
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>

static void *volatile block;
static sigjmp_buf back;

static void on_first(int sig)
{
    (void)sig;
    block = malloc(10); // line: malloc
}

static void on_second(int sig)
{
    (void)sig;
    errno = 77;
}

static void on_third(int sig)
{
    int saved = errno;
    (void)sig;
    errno = 5;
    errno = saved;
    siglongjmp(back, 1);
}

int main(void)
{
    signal(SIGUSR1, on_first);
    signal(SIGUSR2, on_second);
    signal(SIGHUP, on_third);
    if (!sigsetjmp(back, 1))
        raise(SIGHUP);
    free(malloc(1)); // the handler was left by a jump: this is not inside it
    for (int i = 0; i < 2; i++) // told once
        raise(SIGUSR1); // line: raised
    raise(SIGUSR2);
    free(block);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: signal-unsafe call inside of a signal (pid=
// CHECK-NEXT: {{^}}    #0 malloc
// CHECK-NEXT: {{^}}    #1 on_first {{.*}}signal_unsafe.c:[[#malloc]]:
// CHECK-NEXT: {{^}}    #2 <signal handler called>
// CHECK-NEXT: {{^}}    #3 main {{.*}}signal_unsafe.c:[[#raised]]:
// CHECK: WARNING: CspThreadSanitizer: signal handler spoils errno (pid=
// CHECK-NEXT: {{^}}    #0 on_second {{.*}}signal_unsafe.c:
// CHECK: reported 2 warnings
