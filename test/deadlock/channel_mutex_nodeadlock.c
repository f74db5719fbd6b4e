// channel_mutex_nodeadlock.c - the same with a buffer: the sender goes on.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_mutex m;
static csp_chan *ch;
static csp_chan *locked;

static void sender(void *arg)
{
    (void)arg;
    csp_send(ch, &(int){1});
    csp_mutex_lock(&m);
    csp_close(locked);
    csp_send(ch, &(int){2});
    csp_mutex_unlock(&m);
}

static void receiver(void *arg)
{
    int v;
    (void)arg;
    csp_recv(ch, &v);
    csp_recv(locked, NULL);
    csp_mutex_lock(&m);
    csp_recv(ch, &v);
    csp_mutex_unlock(&m);
}

int main(void)
{
    ch = csp_chan_new(sizeof(int), 1);
    locked = csp_chan_new(0, 0);
    csp_go(sender, NULL);
    csp_go(receiver, NULL);
    return 0;
}
