// libc_blocks_race.c - a block that libc made is the program's once it has it: its free meets the program's accesses.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define _GNU_SOURCE
#define INVISIBLE_THREADS
#include "invisible.h"

#include <netdb.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>

static struct addrinfo *list;
static volatile int family;

static void *reader(void *arg)
{
    family = list->ai_family; // line: read
    invisible_step();
    return arg;
}

int main(void)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    pthread_t thread;
    if (getaddrinfo("127.0.0.1", NULL, &hints, &list))
        return 1;
    pthread_create(&thread, NULL, reader, NULL);
    invisible_wait(1);
    freeaddrinfo(list); // line: free
    pthread_join(thread, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: #0 free
// CHECK: Previous read of size {{[0-9]+}} at {{.*}} by thread T1
// CHECK-NEXT: #0 reader {{.*}}libc_blocks_race.c:18:
