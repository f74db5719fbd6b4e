// fd_rights_norace.c - a descriptor received as a message leads where the sent one does.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int value;
static int received;

// Sends a descriptor through a socketpair and receives it there: another number of the same thing.
static int sent_to_ourselves(int fd)
{
    int way[2];
    char byte = 0, control[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec vector = {&byte, 1};
    struct msghdr m = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, way) || sendmsg(way[0], &m, 0) != 1 || recvmsg(way[1], &m, 0) != 1)
        return -1;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
    return fd;
}

static void *writer(void *arg)
{
    value = 1; // line: write
    invisible_use(write(received, "x", 1));
    invisible_step();
    return arg;
}

int main(void)
{
    int ends[2];
    if (pipe(ends))
        return 1;
    received = sent_to_ourselves(ends[1]);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    char byte;
    if (read(ends[0], &byte, 1) != 1)
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
