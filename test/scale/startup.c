// startup.c - a program starts wherever its memory lies, or says in one line why it cannot and what to do.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: %python %test_dir/scale/startup.py %if full %{ 1000 %} %else %{ 30 %} %t
#include <csp/csp.h>

static int value;

static void write_it(void *done)
{
    value = 1;
    csp_close(done);
}

int main(void)
{
    csp_chan *done = csp_chan_new(0, 0);
    csp_go(write_it, done);
    csp_recv(done, NULL);
    return value == 1 ? 7 : 1;
}
