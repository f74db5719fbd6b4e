// epoll_sets.c - where the descriptors of an epoll set lead, under a controlled schedule: of a large set, of one that names itself.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: sh -c 'sleep 0.2; echo hello' | env CSPTHREAD_OPTIONS=schedule=random:seed=1 %t large | FileCheck %s
// RUN: sh -c 'sleep 0.2; echo hello' | env CSPTHREAD_OPTIONS=schedule=random:seed=1 %t renamed | FileCheck %s
// CHECK: 1 ready: 7
// CHECK-NEXT: 6 bytes
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { STANDARD_INPUT = 7, OTHERS = 500 };

static int add(int set, int fd, unsigned word)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = word};
    return epoll_ctl(set, EPOLL_CTL_ADD, fd, &e);
}

// The set tells of what it was given by the number it had then, which is the set's own now.
static int rename_input(int set)
{
    int name = dup(0);
    return add(set, name, STANDARD_INPUT) || dup2(set, name) != name;
}

// What is not ready, and never will be; the system tells of them in no order.
static int add_others(int set)
{
    for (int i = 0; i < OTHERS; i++)
        if (add(set, eventfd(0, 0), 0))
            return 1;
    return add(set, 0, STANDARD_INPUT);
}

int main(int argc, char **argv)
{
    int set = epoll_create1(0);
    struct epoll_event ready;
    char text[16];
    if (argc < 2 || (strcmp(argv[1], "large") ? rename_input(set) : add_others(set)))
        return 1;
    printf("%d ready: %u\n", epoll_wait(set, &ready, 1, -1), ready.data.u32);
    printf("%zd bytes\n", read(0, text, sizeof text));
    return 0;
}
