// double_send_fixed.c - one answer per call: the error returns.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <stdio.h>

static void divide(void *results)
{
    int by = 0, result = -1;
    if (by == 0) {
        csp_send(results, &result);
        return;
    }
    result = 42 / by;
    csp_send(results, &result);
}

int main(void)
{
    int result;
    csp_chan *results = csp_chan_new(sizeof(int), 0);
    csp_go(divide, results);
    csp_recv(results, &result);
    printf("%d\n", result);
    csp_chan_free(results);
    return 0;
}
