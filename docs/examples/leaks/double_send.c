// double_send.c - the error has been sent, and the result is sent, too: for the second nobody comes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fixed: double_send_fixed.c.
#include <csp/csp.h>
#include <stdio.h>

static void divide(void *results)
{
    int by = 0, result = -1;
    if (by == 0)
        csp_send(results, &result); // and goes on
    result = by ? 42 / by : 0;
    csp_send(results, &result);
}

int main(void)
{
    int result;
    csp_chan *results = csp_chan_new(sizeof(int), 0);
    csp_go(divide, results);
    csp_recv(results, &result);
    printf("%d\n", result);
    return 0;
}
