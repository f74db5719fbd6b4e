// threads_io.c - pthreads that wait for pipes, sockets, signals and processes under a controlled schedule do as without one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// No sleep takes real time: they add up to more than a minute.
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: %python %S/Inputs/same.py --seeds=4 --limit-s=30 --expect=%t.expected %t
// RUN: FileCheck %s < %t.expected
// RUN: %python %S/Inputs/replay.py --runs=5 --other-seeds=0 %t
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int pipe_ends[2], sockets[2], listener;
static char buffer[4096];

// More than a pipe holds.
static void *write_much(void *arg)
{
    static char big[200000];
    sleep(2);
    ssize_t n = write(pipe_ends[1], big, sizeof big);
    close(pipe_ends[1]);
    return n == sizeof big ? arg : NULL;
}

static void test_pipe(void)
{
    pthread_t t;
    void *result;
    ssize_t n, total = 0;
    if (pipe(pipe_ends))
        return;
    pthread_create(&t, NULL, write_much, buffer);
    struct pollfd p = {pipe_ends[0], POLLIN, 0};
    printf("poll %d\n", poll(&p, 1, 1000)); // CHECK: poll 0
    struct timeval limit = {10, 0};
    fd_set in;
    FD_ZERO(&in);
    FD_SET(pipe_ends[0], &in);
    printf("select %d\n", select(pipe_ends[0] + 1, &in, NULL, NULL, &limit)); // CHECK: select 1
    while ((n = read(pipe_ends[0], buffer, sizeof buffer)) > 0)
        total += n;
    pthread_join(t, &result);
    printf("read %zd, all written %d\n", total, result != NULL); // CHECK: read 200000, all written 1
}

static void *echo(void *arg)
{
    char part[64];
    ssize_t n;
    while ((n = recv(sockets[1], part, sizeof part, 0)) > 0)
        send(sockets[1], part, (size_t)n, 0);
    close(sockets[1]);
    return arg;
}

static void test_pair(void)
{
    pthread_t t;
    socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
    pthread_create(&t, NULL, echo, NULL);
    for (int i = 0; i < 3; i++) {
        send(sockets[0], "ping", 4, 0);
        printf("echo %zd\n", recv(sockets[0], buffer, 4, MSG_WAITALL));
    }
    shutdown(sockets[0], SHUT_WR);
    printf("end %zd\n", recv(sockets[0], buffer, 4, 0)); // CHECK: end 0
    pthread_join(t, NULL);
}

static void *be_client(void *arg)
{
    struct sockaddr_in to;
    socklen_t size = sizeof to;
    char part[9];
    getsockname(listener, (struct sockaddr *)&to, &size);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    usleep(1000);
    connect(fd, (struct sockaddr *)&to, size);
    ssize_t sent = write(fd, "hello", 5), got = read(fd, part, sizeof part);
    close(fd);
    return sent == got ? arg : NULL;
}

static int be_server(void)
{
    pthread_t t;
    void *result;
    pthread_create(&t, NULL, be_client, buffer);
    int fd = accept(listener, NULL, NULL);
    ssize_t n = read(fd, buffer, 5);
    n = write(fd, buffer, (size_t)n);
    close(fd);
    pthread_join(t, &result);
    return result ? (int)n : 0;
}

static void test_network(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&at, sizeof at);
    listen(listener, 5);
    printf("served %d\n", be_server()); // CHECK: served 5
}

static void test_epoll(void)
{
    int ends[2], set = epoll_create1(0);
    if (pipe(ends))
        return;
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event);
    printf("epoll %d\n", epoll_wait(set, &event, 1, 60000)); // CHECK: epoll 0
    printf("wrote %zd\n", write(ends[1], "a", 1));
    printf("epoll %d\n", epoll_wait(set, &event, 1, -1)); // CHECK: epoll 1
}

static atomic_int handled;

static void handle(int sig)
{
    handled += sig == SIGUSR1;
}

static atomic_int about_to_sleep;

static void *sleep_long(void *arg)
{
    struct timespec t = {1000, 0};
    while (!handled) {
        about_to_sleep = 1;
        nanosleep(&t, &t);
    }
    return arg;
}

static void *wait_for_signal(void *arg)
{
    sigset_t set;
    int sig;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return sigwait(&set, &sig) == 0 && sig == SIGUSR2 ? arg : NULL;
}

static void test_signals(void)
{
    pthread_t t;
    void *result;
    struct sigaction act = {.sa_handler = handle};
    sigaction(SIGUSR1, &act, NULL);
    raise(SIGUSR1);
    kill(getpid(), SIGUSR1);
    printf("handled %d\n", handled); // CHECK: handled 2
    handled = 0;
    pthread_create(&t, NULL, sleep_long, NULL);
    while (!about_to_sleep)
        sched_yield();
    pthread_kill(t, SIGUSR1);
    pthread_join(t, NULL);
    printf("handled %d\n", handled); // CHECK: handled 1
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_create(&t, NULL, wait_for_signal, buffer);
    usleep(100);
    kill(getpid(), SIGUSR2);
    pthread_join(t, &result);
    printf("sigwait %d\n", result != NULL); // CHECK: sigwait 1
}

// The child is under control, too.
static void test_fork(void)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        sleep(100);
        _exit(be_server());
    }
    printf("waited %d", waitpid(pid, &status, 0) == pid);
    printf(" child %d\n", WEXITSTATUS(status)); // CHECK: waited 1 child 5
}

int main(void)
{
    test_pipe();
    test_pair();
    test_network();
    test_epoll();
    test_signals();
    test_fork();
    return 0;
}
