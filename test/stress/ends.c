// ends.c - the ends of a process that no googletest frame may stand around: main ends, bound to its thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "stress.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>

static int started; // atomic

static void *call_in_and_park(void *unused)
{
    (void)unused;
    csp_yield();
    __atomic_store_n(&started, 1, __ATOMIC_RELEASE);
    usleep(50000);
    csp_recv(NULL, NULL);
    return NULL;
}

// Another thread starts the runtime, main calls in late and ends; then the other one parks for ever.
static void late_main_ends(void)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, call_in_and_park, NULL) == 0);
    while (!__atomic_load_n(&started, __ATOMIC_ACQUIRE))
        usleep(100);
    csp_exit();
}

int main(void)
{
    int fds[2];
    CHECK(pipe(fds) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(20);
        dup2(fds[1], 2);
        late_main_ends();
    }
    close(fds[1]);
    char text[4096] = "";
    ssize_t n = read(fds[0], text, sizeof text - 1);
    int status;
    waitpid(pid, &status, 0);
    CHECK(n > 0 && strncmp(text, "fatal error: no coroutines (main called csp_exit) - deadlock!\n", 61) == 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 2);
}
