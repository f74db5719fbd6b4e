// child.c - runs one program to its end: its standard error comes to us, signals sent to us go to it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Signals arrive through a descriptor, beside the program's output, so that nothing here runs in a handler. The end of
// the program is its process's end, not the end of the pipe: something it left behind may hold that open for ever.
#include "common/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/message.h"
#include "explore/launch.h"

static const int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { N_FORWARDED = sizeof forwarded / sizeof *forwarded };

static sigset_t waited_for;  // blocked since cspt_child_prepare
static sigset_t mask_before; // what the program starts with
static int signals = -1;     // the signalfd

void cspt_child_prepare(void)
{
    sigemptyset(&waited_for);
    sigaddset(&waited_for, SIGCHLD);
    for (int i = 0; i < N_FORWARDED; i++)
        sigaddset(&waited_for, forwarded[i]);
    signal(SIGCHLD, SIG_DFL); // ignored by whoever started us, it would take the exit status away
    sigprocmask(SIG_BLOCK, &waited_for, &mask_before);
    signals = signalfd(-1, &waited_for, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0)
        cspt_fatal("signalfd: %s", strerror(errno));
}

int cspt_child_signals(void)
{
    return signals;
}

// Passes a signal on. One from the terminal (SI_KERNEL) has reached the whole foreground group, the program too.
static void take_signals(pid_t pid, cspt_child_result *result)
{
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            continue;
        result->interrupted = (int)info.ssi_signo;
        if (info.ssi_code != SI_KERNEL)
            kill(pid, (int)info.ssi_signo);
    }
}

// Reads what there is; false at the end of the stream.
static bool drain(int fd, void (*on_error_output)(void *, const char *, size_t), void *arg)
{
    char buffer[16384];
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n > 0)
            on_error_output(arg, buffer, (size_t)n);
        else if (n == 0)
            return false;
        else if (errno == EAGAIN)
            return true;
        else if (errno != EINTR)
            cspt_fatal("reading the program's standard error: %s", strerror(errno));
    }
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// How long poll may sleep until the program's time is up; -1: it has no limit, or is killed already.
static int wait_ms(int64_t deadline_ms, const cspt_child_result *result)
{
    if (deadline_ms == INT64_MAX || result->timed_out)
        return -1;
    int64_t left = deadline_ms - now_ms();
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

int cspt_child_run(const cspt_target *program, double timeout_s,
                   void (*on_error_output)(void *arg, const char *bytes, size_t size), void *arg,
                   cspt_child_result *out)
{
    int ends[2];
    pid_t pid;
    *out = (cspt_child_result){0};
    if (pipe2(ends, O_CLOEXEC) < 0)
        cspt_fatal("pipe: %s", strerror(errno));
    int error = cspt_launch_start(program,
                                  &(cspt_launch){.in = CSPT_LAUNCH_OURS,
                                                 .out = CSPT_LAUNCH_OURS,
                                                 .err = ends[1],
                                                 .kept = -1,
                                                 .is_foreground = true,
                                                 .mask = &mask_before},
                                  &pid);
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return error;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    int64_t deadline_ms = timeout_s > 0 ? now_ms() + (int64_t)(timeout_s * 1000) : INT64_MAX;

    struct pollfd fds[] = {{.fd = signals, .events = POLLIN}, {.fd = ends[0], .events = POLLIN}};
    for (;;) {
        // Signals before the status before the output: nothing the program wrote before it ended is left behind.
        take_signals(pid, out);
        pid_t done = waitpid(pid, &out->wait_status, WNOHANG);
        if (done < 0)
            cspt_fatal("waitpid: %s", strerror(errno));
        if (fds[1].fd >= 0 && !drain(fds[1].fd, on_error_output, arg))
            fds[1].fd = -1; // poll skips it from now on
        if (done == pid)
            break;
        if (!out->timed_out && now_ms() >= deadline_ms) {
            out->timed_out = true;
            kill(pid, SIGKILL);
        }
        if (poll(fds, 2, wait_ms(deadline_ms, out)) < 0 && errno != EINTR)
            cspt_fatal("poll: %s", strerror(errno));
    }
    close(ends[0]);
    return 0;
}

void cspt_child_die_by(int signal_number)
{
    sigset_t one;
    signal(signal_number, SIG_DFL);
    sigemptyset(&one);
    sigaddset(&one, signal_number);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    raise(signal_number);
    _exit(128 + signal_number);
}
