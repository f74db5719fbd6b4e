// producer_consumer_bad.c - DOES NOT COMPILE: a consumer that sends on the end it was given for receiving.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>

CSP_CHAN_TYPE(numbers, int)

static void consume(numbers_rx in)
{
    int n;
    CSP_RANGE(n, in)
        numbers_send(in, n + 1); // error: in is a numbers_rx
}

int main(void)
{
    numbers c = numbers_new(1);
    numbers_send(c, 1);
    numbers_close(c);
    consume(c);
    numbers_free(c);
    return 0;
}
