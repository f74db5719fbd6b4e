// channel_mutex_deadlock.c - one sends under a mutex, the receiver wants the mutex first; the rest of the program goes on.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_mutex m;
static csp_chan *ch;
static csp_chan *locked;

static void sender(void *arg)
{
    (void)arg;
    csp_send(ch, &(int){1});
    csp_mutex_lock(&m); // line: lock
    csp_close(locked);
    csp_send(ch, &(int){2}); // line: send
    csp_mutex_unlock(&m);
}

static void receiver(void *arg)
{
    int v;
    (void)arg;
    csp_recv(ch, &v); // line: used
    csp_recv(locked, NULL);
    csp_mutex_lock(&m); // line: wait
    csp_recv(ch, &v);
    csp_mutex_unlock(&m);
}

int main(void)
{
    ch = csp_chan_new(sizeof(int), 0); // line: made
    locked = csp_chan_new(0, 0);
    csp_go(sender, NULL);
    csp_go(receiver, NULL);
    return 0;
}

// CHECK: {{^}}WARNING: CspThreadSanitizer: deadlock (pid={{[0-9]+}}){{$}}
// CHECK-NEXT: {{^}}  Coroutine [[S:[0-9]+]] => coroutine [[R:[0-9]+]] => coroutine [[S]]{{$}}
// CHECK: {{^}}  Coroutine [[S]] waits for a receive from the channel of capacity 0 that was made at {{.*}}channel_mutex_deadlock.c:[[#made]]:{{[0-9]+}}, at:{{$}}
// CHECK-NEXT: {{^}}    #0 csp_send
// CHECK-NEXT: {{^}}    #1 sender {{.*}}channel_mutex_deadlock.c:[[#send]]:
// CHECK: {{^}}  Coroutine [[R]] used it before, at:{{$}}
// CHECK-NEXT: {{^}}    #0 csp_recv
// CHECK-NEXT: {{^}}    #1 receiver {{.*}}channel_mutex_deadlock.c:[[#used]]:
// CHECK: {{^}}  Coroutine [[R]] waits for mutex M{{[0-9]+}} 'm' ({{0x[0-9a-f]+}}), at:{{$}}
// CHECK-NEXT: {{^}}    #0 csp_mutex_lock
// CHECK-NEXT: {{^}}    #1 receiver {{.*}}channel_mutex_deadlock.c:[[#wait]]:
// CHECK: {{^}}  Coroutine [[S]] locked it at:{{$}}
// CHECK-NEXT: {{^}}    #0 csp_mutex_lock
// CHECK-NEXT: {{^}}    #1 sender {{.*}}channel_mutex_deadlock.c:[[#lock]]:
// CHECK: CspThreadSanitizer: reported 1 warnings
