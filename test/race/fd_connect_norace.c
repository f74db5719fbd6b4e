// fd_connect_norace.c - connect happens before the accept of the connection.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

int value;
static int client;
static struct sockaddr_in address;

static int listener;

// The address of a listening loopback socket.
static struct sockaddr_in listening(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&address, &size);
    return address;
}

static void *writer(void *arg)
{
    value = 1; // line: write
    connect(client, (struct sockaddr *)&address, sizeof address);
    invisible_step();
    return arg;
}

int main(void)
{
    address = listening();
    client = socket(AF_INET, SOCK_STREAM, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    if (accept(listener, NULL, NULL) < 0)
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
