// send_on_closed.c - PANIC: only receivers learn that a channel is closed; sending on it is a bug and ends the program.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The program prints where it happened and ends with status 2. Leave closing to the sender, who knows when it is done.
#include <csp/csp.h>

int main(void)
{
    csp_chan *numbers = csp_chan_new(sizeof(int), 1);
    csp_close(numbers);
    int number = 1;
    csp_send(numbers, &number);
    return 0;
}
