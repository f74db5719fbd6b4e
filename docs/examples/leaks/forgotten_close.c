// forgotten_close.c - a range over a channel that nobody closes: the consumer waits for one more.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fixed: forgotten_close_fixed.c.
#include <csp/csp.h>
#include <stdio.h>

static void print_all(void *arg)
{
    csp_chan *numbers = arg;
    int n;
    CSP_RANGE(n, numbers)
    printf("%d\n", n);
}

static void produce(csp_chan *numbers)
{
    for (int i = 1; i <= 3; i++)
        csp_send(numbers, &i);
}

int main(void)
{
    csp_chan *numbers = csp_chan_new(sizeof(int), 0);
    csp_go(print_all, numbers);
    produce(numbers);
    return 0;
}
