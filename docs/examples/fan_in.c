// fan_in.c - many senders, one receiver; the channel is closed once, when the last sender is done.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// No sender may close what the others still send on. So one coroutine more waits for them all and closes it.
#include <csp/csp.h>

#include <stdio.h>

enum { SENSORS = 4, READINGS = 25 };

typedef struct fan {
    csp_chan *readings;
    csp_wg sensors;
} fan;

static void measure(void *arg)
{
    fan *f = arg;
    for (int i = 1; i <= READINGS; i++)
        csp_send(f->readings, &i);
    csp_wg_done(&f->sensors);
}

static void close_after_all(void *arg)
{
    fan *f = arg;
    csp_wg_wait(&f->sensors);
    csp_close(f->readings);
}

int main(void)
{
    fan f = {.readings = csp_chan_new(sizeof(int), 0)};
    csp_wg_add(&f.sensors, SENSORS);
    for (int i = 0; i < SENSORS; i++)
        csp_go(measure, &f);
    csp_go(close_after_all, &f);

    int reading, n = 0, sum = 0;
    CSP_RANGE(reading, f.readings) {
        n++;
        sum += reading;
    }
    printf("%d readings, sum %d\n", n, sum);
    csp_chan_free(f.readings);
    return 0;
}
