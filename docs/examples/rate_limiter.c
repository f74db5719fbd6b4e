// rate_limiter.c - at most one request per tick, by a ticker.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ticker's channel holds one tick: who comes late after a pause finds one waiting, but not a whole crowd of them.
#include <csp/csp.h>

#include <stdio.h>

enum { REQUESTS = 5 };
#define INTERVAL (2 * CSP_MS)

int main(void)
{
    int64_t start = csp_now();
    csp_ticker *ticker = csp_ticker_new(INTERVAL);
    for (int i = 0; i < REQUESTS; i++) {
        int64_t at;
        csp_recv(csp_ticker_chan(ticker), &at);
        // ... the request ...
    }
    // No tick comes before it is due, however late we are with receiving it.
    bool limited = csp_now() - start >= REQUESTS * INTERVAL;
    printf("%d requests, %s\n", REQUESTS, limited ? "not faster than allowed" : "too fast");
    csp_ticker_free(ticker);
    return 0;
}
