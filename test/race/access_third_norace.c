// access_third_norace.c - two readers and a writer, all ordered by a mutex.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *done;

static void first_reader(void *arg)
{
    (void)arg;
    invisible_use(value); // line: write
    csp_send(done, NULL);
    invisible_step();
}

static void second_reader(void *arg)
{
    (void)arg;
    invisible_wait(1);
    invisible_use(value);
    csp_send(done, NULL);
    invisible_step();
}

int main(void)
{
    done = csp_chan_new(0, 2);
    csp_go(first_reader, NULL);
    csp_go(second_reader, NULL);
    invisible_wait(2);
    csp_recv(done, NULL);
    csp_recv(done, NULL);
    value = 1; // line: read
    return 0;
}
