// forgotten_close_fixed.c - who sends closes when it is done, on every path.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
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
    csp_close(numbers);
}

int main(void)
{
    csp_chan *numbers = csp_chan_new(sizeof(int), 0);
    csp_go(print_all, numbers);
    produce(numbers);
    return 0;
}
