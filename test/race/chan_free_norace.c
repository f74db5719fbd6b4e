// chan_free_norace.c - a channel may be freed once its users are known to be done.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

static csp_chan *values;
static csp_wg all;

static void sender(void *arg)
{
    (void)arg;
    int one = 1;
    csp_send(values, &one); // line: send
    invisible_step();
    csp_wg_done(&all);
}

int main(void)
{
    values = csp_chan_new(sizeof(int), 1);
    csp_wg_add(&all, 1);
    csp_go(sender, NULL);
    invisible_wait(1);
    csp_wg_wait(&all);
    csp_chan_free(values); // line: free
    return 0;
}
