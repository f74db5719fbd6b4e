// pthread_and_coroutine_norace.c - a channel also orders a pthread of the program and a coroutine.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <pthread.h>

int value;
static csp_chan *done;

static void *writer(void *arg)
{
    value = 1; // line: write
    csp_send(done, NULL);
    invisible_step();
    return arg;
}

int main(void)
{
    done = csp_chan_new(0, 1);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    csp_recv(done, NULL);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
