// fd_churn_norace.c - numbers and objects are reused by many threads at once, while the process forks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 500, FORKS = 20 };

// Passes a number through the two descriptors and closes them.
static void pass(int out, int in, int *box)
{
    int got = 0, *sent = malloc(sizeof *sent);
    *sent = ++*box;
    if (write(out, sent, sizeof *sent) != sizeof *sent || read(in, &got, sizeof got) != sizeof got || got != *sent)
        abort();
    free(sent);
    close(out);
    close(in);
}

static void *churn(void *arg)
{
    int box = 0, ends[2];
    for (int i = 0; i < ROUNDS; i++) {
        eventfd_t count = 0;
        int event = eventfd(3, 0);
        if (eventfd_read(event, &count) || count != 3 || pipe(ends))
            abort();
        close(event);
        int copy = dup(ends[1]);
        close(ends[1]);
        pass(copy, ends[0], &box);
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
            abort();
        pass(ends[0], ends[1], &box);
    }
    return arg;
}

static void fork_once(void)
{
    int status, box = 0, ends[2];
    pid_t pid = fork();
    if (pid == 0) {
        if (pipe(ends))
            _exit(1);
        pass(ends[1], ends[0], &box);
        _exit(0);
    }
    if (waitpid(pid, &status, 0) != pid || status)
        abort();
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, churn, NULL);
    for (int i = 0; i < FORKS; i++)
        fork_once();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
