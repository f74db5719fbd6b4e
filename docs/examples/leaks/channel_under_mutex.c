// channel_under_mutex.c - one sends, one receives, both under the mutex: whoever has it waits for the other in vain.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fixed: channel_under_mutex_fixed.c.
#include <csp/csp.h>
#include <stdio.h>

static csp_mutex m;
static csp_chan *events;
static int sent, received;

static void producer(void *arg)
{
    (void)arg;
    csp_send(events, &(int){0}); // this one is no problem
    csp_mutex_lock(&m);
    sent++;
    csp_send(events, &sent);
    csp_mutex_unlock(&m);
}

static void consumer(void *arg)
{
    int event;
    (void)arg;
    csp_recv(events, &event);
    csp_mutex_lock(&m);
    csp_recv(events, &event);
    received++;
    csp_mutex_unlock(&m);
}

int main(void)
{
    events = csp_chan_new(sizeof(int), 0);
    csp_go(producer, NULL);
    csp_go(consumer, NULL);
    printf("started\n");
    return 0;
}
