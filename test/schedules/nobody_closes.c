// nobody_closes.c - the last of two producers closes the channel; each thinks the other is the last.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: looking how many are left and leaving are two steps.
// Order: both look while both are there, both leave, the range never ends.
// Depth: 2. Shows as: asleep.
// Source: close forgotten on one interleaving; grpc#660 (GoKer) for the shape; atomicity violation, Lu et al., ASPLOS
// 2008.
#include <csp/csp.h>

#include <stdatomic.h>

static csp_chan *numbers;
static atomic_int producers = 2;

static void produce(int number)
{
    csp_send(numbers, &number);
#ifdef FIXED
    if (atomic_fetch_sub(&producers, 1) == 1)
        csp_close(numbers);
#else
    if (atomic_load(&producers) == 1)
        csp_close(numbers);
    atomic_fetch_sub(&producers, 1);
#endif
}

int main(void)
{
    numbers = csp_chan_new(sizeof(int), 2);
    CSP_GO(produce, 1);
    CSP_GO(produce, 2);
    int number, sum = 0;
    CSP_RANGE(number, numbers)
    sum += number;
    return sum != 3;
}
