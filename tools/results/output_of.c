// output_of.c - runs a helper command and keeps what it prints.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "results/output_of.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/message.h"
#include "explore/launch.h"

enum { LIMIT = 64 << 20 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// True at the end of the stream, false when the time was up or there was too much.
static bool read_all(int fd, int64_t until_ms, cspt_text *out)
{
    char buffer[16384];
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    while (out->size < LIMIT) {
        int64_t left = until_ms - now_ms();
        if (left <= 0)
            return false;
        if (poll(&readable, 1, left > INT_MAX ? INT_MAX : (int)left) <= 0)
            continue;
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n == 0)
            return true;
        if (n > 0)
            cspt_text_append(out, buffer, (size_t)n);
        else if (errno != EINTR)
            return false;
    }
    return false;
}

int cspt_output_of(const cspt_target *command, unsigned timeout_s, cspt_text *out, int *wait_status)
{
    int ends[2];
    pid_t pid;
    cspt_text_append(out, "", 0);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return errno;
    int error = cspt_launch_start(
        command, &(cspt_launch){.in = CSPT_LAUNCH_NULL, .out = ends[1], .err = CSPT_LAUNCH_NULL, .kept = -1}, &pid);
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return error;
    }
    bool ended = read_all(ends[0], now_ms() + 1000 * (int64_t)timeout_s, out);
    close(ends[0]);
    if (!ended)
        kill(-pid, SIGKILL);
    while (waitpid(pid, wait_status, 0) < 0 && errno == EINTR)
        ;
    return ended ? 0 : ETIMEDOUT;
}
