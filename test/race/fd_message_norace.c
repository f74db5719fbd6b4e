// fd_message_norace.c - sendmsg happens before the recvmsg that returns its bytes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

int value;
static int ends[2];
static struct iovec out = {"x", 1};
static struct msghdr message = {.msg_iov = &out, .msg_iovlen = 1};

static void *writer(void *arg)
{
    value = 1; // line: write
    invisible_use(sendmsg(ends[1], &message, 0));
    invisible_step();
    return arg;
}

int main(void)
{
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends))
        return 1;
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    char byte;
    struct iovec in = {&byte, 1};
    struct msghdr received = {.msg_iov = &in, .msg_iovlen = 1};
    if (recvmsg(ends[0], &received, 0) != 1)
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
