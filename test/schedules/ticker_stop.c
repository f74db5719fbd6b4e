// ticker_stop.c - a loop waits for the next tick of a ticker that is stopped meanwhile.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: stopping a ticker does not close its channel: who looked at the flag before it was set waits for ever.
// Order: main is held up between the last result and the flag, so the loop looks too early.
// Depth: 2. Shows as: leak.
// Source: istio#18454 in GoKer (GoBench, CGO 2021); timers in section 6.1 of Tu et al., ASPLOS 2019.
#include <csp/csp.h>

static csp_ticker *ticker;
static csp_chan *results, *stop;

static void count_ticks(void *arg)
{
    (void)arg;
    for (int n = 1; csp_try_recv(stop, NULL) == 0; n++) {
#ifdef FIXED
        if (CSP_SELECT(csp_case_recv(csp_ticker_chan(ticker), NULL, NULL), csp_case_recv(stop, NULL, NULL)) == 1 ||
            CSP_SELECT(csp_case_send(results, &n), csp_case_recv(stop, NULL, NULL)) == 1)
            return;
#else
        csp_recv(csp_ticker_chan(ticker), NULL);
        csp_send(results, &n);
#endif
        csp_sleep(CSP_MS);
    }
}

int main(void)
{
    ticker = csp_ticker_new(2 * CSP_MS);
    results = csp_chan_new(sizeof(int), 0);
    stop = csp_chan_new(0, 0);
    csp_go(count_ticks, NULL);
    for (int i = 0, n; i < 2; i++)
        csp_recv(results, &n);
    csp_close(stop);
    csp_ticker_stop(ticker);
    return 0;
}
