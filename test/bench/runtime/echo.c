// echo.c - an echo server on TCP with 10,000 idle connections, and 64 clients that ask it: one request of 64 bytes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

enum { IDLE = 10000, CLIENTS = 64, SIZE = 64 };

static struct sockaddr_in address;
static int listener;
static csp_wg asked;

static void quit(const char *what)
{
    perror(what);
    exit(1);
}

static void echo(void *socket)
{
    int s = (int)(intptr_t)socket;
    char text[SIZE];
    for (ssize_t n; (n = csp_read(s, text, sizeof text)) > 0;)
        if (csp_write(s, text, (size_t)n) != n)
            break;
    csp_close_fd(s);
}

static void serve(void *unused)
{
    (void)unused;
    for (int s; (s = csp_accept(listener, NULL, NULL)) >= 0;)
        csp_go(echo, (void *)(intptr_t)s);
    quit("accept");
}

static int dial(void)
{
    int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (csp_connect(s, (struct sockaddr *)&address, sizeof address) != 0)
        quit("connect");
    return s;
}

struct client {
    int socket;
    long requests;
};

static void ask(void *client)
{
    struct client *c = client;
    char text[SIZE] = "hello", back[SIZE];
    for (long i = 0; i < c->requests; i++) {
        if (csp_write(c->socket, text, SIZE) != SIZE)
            quit("write");
        for (ssize_t got = 0, n; got < SIZE; got += n)
            if ((n = csp_read(c->socket, back, SIZE)) <= 0)
                quit("read");
    }
    csp_wg_done(&asked);
}

static struct client clients[CLIENTS];

static void run(long n)
{
    csp_wg_add(&asked, CLIENTS);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i].requests = n / CLIENTS + (i < n % CLIENTS);
        csp_go(ask, &clients[i]);
    }
    csp_wg_wait(&asked);
}

int main(int argc, char **argv)
{
    struct rlimit most;
    getrlimit(RLIMIT_NOFILE, &most);
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1024) ||
        getsockname(listener, (struct sockaddr *)&address, &size))
        quit("listen");
    csp_go(serve, NULL);
    long idle = 0;
    for (; idle < IDLE && idle < ((long)most.rlim_cur - 1000) / 2; idle++)
        dial();
    for (int i = 0; i < CLIENTS; i++)
        clients[i].socket = dial();
    return bench(argc, argv, 100000, run);
}
