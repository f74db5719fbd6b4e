// fd_vector_norace.c - writev happens before the readv that returns its bytes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <sys/uio.h>
#include <unistd.h>

int value;
static int ends[2];

static void *writer(void *arg)
{
    value = 1; // line: write
    static struct iovec out[2] = {{"x", 1}, {"y", 1}};
    invisible_use(writev(ends[1], out, 2));
    invisible_step();
    return arg;
}

int main(void)
{
    if (pipe(ends))
        return 1;
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    char bytes[2];
    struct iovec in[2] = {{bytes, 1}, {bytes + 1, 1}};
    if (readv(ends[0], in, 2) < 1)
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
