// channel_under_mutex_fixed.c - the mutex guards the counters only; what may wait is done without it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <stdio.h>

static csp_mutex m;
static csp_chan *events;
static int sent, received;

static void producer(void *arg)
{
    (void)arg;
    csp_send(events, &(int){0});
    csp_mutex_lock(&m);
    int event = ++sent;
    csp_mutex_unlock(&m);
    csp_send(events, &event);
}

static void consumer(void *arg)
{
    int event;
    (void)arg;
    csp_recv(events, &event);
    csp_recv(events, &event);
    csp_mutex_lock(&m);
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
