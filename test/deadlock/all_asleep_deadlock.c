// all_asleep_deadlock.c - everybody waits: the runtime ends the process, and it is told who waits for whom. Neither an idle timer,
// a signal handler nor a registered descriptor that nobody waits for hides it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --status=2 --args=plain %s
// RUN: %check --status=2 --args=timer %s
// RUN: %check --status=2 --args=handler %s
// RUN: %check --status=2 --args=descriptor %s
#include <csp/csp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static csp_mutex m;
static csp_chan *ch;

static void holder(void *arg)
{
    (void)arg;
    csp_mutex_lock(&m); // line: lock
    csp_send(ch, NULL);
    csp_send(ch, NULL); // line: send
}

static void handle(int sig)
{
    (void)sig;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    ch = csp_chan_new(0, 0); // line: made
    if (!strcmp(what, "timer"))
        csp_ticker_new(3600 * CSP_SECOND);
    if (!strcmp(what, "handler"))
        signal(SIGUSR1, handle);
    int fd[2];
    if (!strcmp(what, "descriptor") && !pipe(fd)) {
        char c = 'x';
        csp_write(fd[1], &c, 1);
        csp_read(fd[0], &c, 1); // known to the poller from now on
    }
    csp_go(holder, NULL);
    csp_recv(ch, NULL); // line: used
    csp_mutex_lock(&m); // line: wait
    return 0;
}

// CHECK: {{^}}fatal error: all coroutines are asleep - deadlock!{{$}}
// CHECK: {{^}}Who waits for whom:{{$}}
// CHECK-NEXT: {{^}}  main coroutine waits at {{.*}}all_asleep_deadlock.c:[[#wait]]:{{[0-9]+}} for mutex M0 'm' ({{0x[0-9a-f]+}}), which coroutine [[H:[0-9]+]] locked at {{.*}}all_asleep_deadlock.c:[[#lock]]:{{[0-9]+}}{{$}}
// CHECK-NEXT: {{^}}  coroutine [[H]] waits at {{.*}}all_asleep_deadlock.c:[[#send]]:{{[0-9]+}} for a receive from the channel of capacity 0 that was made at {{.*}}all_asleep_deadlock.c:[[#made]]:{{[0-9]+}}, which main coroutine used at {{.*}}all_asleep_deadlock.c:[[#used]]:{{[0-9]+}}{{$}}
// CHECK-NEXT: {{^}}Cycle:  Main coroutine => coroutine [[H]] => main coroutine{{$}}
