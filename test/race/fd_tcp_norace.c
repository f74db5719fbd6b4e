// fd_tcp_norace.c - a send over a loopback connection happens before the receive.
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
    invisible_use(send(client, "x", 1, 0));
    invisible_step();
    return arg;
}

int main(void)
{
    struct sockaddr_in address = listening();
    client = socket(AF_INET, SOCK_STREAM, 0);
    connect(client, (struct sockaddr *)&address, sizeof address);
    int server = accept(listener, NULL, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    char byte;
    if (recv(server, &byte, 1, 0) != 1)
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
