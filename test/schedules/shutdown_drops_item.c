// shutdown_drops_item.c - a service that is asked to stop takes what is queued first, and still loses an item.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: it looks into the queue, then selects between queue and quit: both may be ready by then, and the choice is
// even.
// Order: the queue is found empty; the item and the quit come; select takes the quit.
// Depth: 2. Shows as: crash.
// Source: select among ready cases, section 6.1.2 of Tu et al., ASPLOS 2019; graceful shutdown.
#include <csp/csp.h>

#include <assert.h>

static csp_chan *items, *quit;
static int handled;
static csp_wg service;

static void serve(void *arg)
{
    (void)arg;
    for (bool stopping = false; !stopping;) {
        int item;
        if (csp_try_recv(items, &item) == 1) {
            handled++;
            continue;
        }
        switch (CSP_SELECT(csp_case_recv(items, &item, NULL), csp_case_recv(quit, NULL, NULL))) {
        case 0:
            handled++;
            break;
        case 1:
            stopping = true;
            break;
        }
    }
#ifdef FIXED
    for (int item; csp_try_recv(items, &item) == 1;)
        handled++;
#endif
    csp_wg_done(&service);
}

int main(void)
{
    items = csp_chan_new(sizeof(int), 2);
    quit = csp_chan_new(0, 0);
    csp_wg_add(&service, 1);
    csp_go(serve, NULL);
    for (int i = 0; i < 2; i++)
        csp_send(items, &i);
    csp_close(quit);
    csp_wg_wait(&service);
    assert(handled == 2);
    return 0;
}
