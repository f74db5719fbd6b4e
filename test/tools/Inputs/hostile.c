// hostile.c - what programs do to whoever runs them; argv[1] says which of it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// To whoever waits for this program to say that it is ready, for as long as it listens.
static void chatter(const char *words)
{
    for (int fd = 3; fd < 1000; fd++) {
        int type = 0;
        socklen_t size = sizeof type;
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_SEQPACKET)
            continue;
        while (send(fd, words, strlen(words), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 || errno == EAGAIN)
            ;
    }
}

__attribute__((constructor)) static void leave_early(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "constructor") == 0)
        _exit(3);
    if (argc > 2 && strcmp(argv[1], "chatter") == 0)
        chatter(argv[2]);
}

static void nothing(void *done)
{
    csp_wg_done(done);
}

// Something concurrent, so that there is a schedule.
static void run_some(void)
{
    csp_wg done = {0};
    csp_wg_add(&done, 2);
    csp_go(nothing, &done);
    csp_go(nothing, &done);
    csp_wg_wait(&done);
}

static void flood(void)
{
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    puts("the beginning");
    fflush(stdout);
    for (int i = 0; i < 60; i++)
        if (write(1, block, sizeof block) < 0)
            exit(9);
    puts("\nthe end");
}

// Leaves a process behind that holds all it got and ends when nobody wants it any more.
static void leave_daemon(const char *folder)
{
    if (fork() != 0)
        return;
    setsid();
    if (chdir(folder) != 0)
        _exit(1);
    for (int i = 0; i < 600 && access("stop", F_OK) != 0; i++)
        usleep(100000);
    _exit(0);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    run_some();
    if (strcmp(what, "status") == 0)
        return 7;
    if (strcmp(what, "crash") == 0)
        *(volatile int *)8 = 1;
    if (strcmp(what, "close") == 0)
        for (int fd = 0; fd < 1000; fd++)
            close(fd);
    if (strcmp(what, "flood") == 0)
        flood();
    if (strcmp(what, "daemon") == 0)
        leave_daemon(argv[2]);
    if (strcmp(what, "group") == 0)
        kill(0, SIGKILL);
    if (strcmp(what, "hang") == 0) {
        signal(SIGTERM, SIG_IGN);
        for (;;)
            usleep(1000);
    }
    return 0;
}
