// wait_group_miscount_fixed.c - done on every path; what counts up stands next to what starts.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <stdio.h>

static csp_wg workers;
static csp_chan *results;

static void work(void *arg)
{
    int n = *(int *)arg;
    if (n >= 0)
        csp_send(results, &n);
    csp_wg_done(&workers);
}

static void close_when_done(void *arg)
{
    (void)arg;
    csp_wg_wait(&workers);
    csp_close(results);
}

int main(void)
{
    static int numbers[] = {1, -1, 2};
    int sum = 0, n;
    results = csp_chan_new(sizeof(int), 0);
    for (int i = 0; i < 3; i++) {
        csp_wg_add(&workers, 1);
        csp_go(work, &numbers[i]);
    }
    csp_go(close_when_done, NULL);
    CSP_RANGE(n, results)
    sum += n;
    printf("%d\n", sum);
    return 0;
}
