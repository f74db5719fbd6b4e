// fd_errors_norace.c - bad descriptors, buffers and sizes, interruptions: calls end as without the detector.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
// RUN: %check --silent --levels=O2 --flags="-fsanitize=cspthread -g -D_FORTIFY_SOURCE=2" %s
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void expect(int line, int holds)
{
    if (!holds) {
        fprintf(stderr, "line %d: errno %d\n", line, errno);
        exit(1);
    }
}
#define EXPECT(condition) expect(__LINE__, condition)
#define FAILS(call, error) (errno = 0, EXPECT((call) == -1), EXPECT(errno == (error)))

static int ends[2];
static char buffer[64];
static void *const nowhere = (void *)8, *const kernels = (void *)0xffffffffffff0000;
static volatile int negative = -4;
static volatile size_t huge = SIZE_MAX / 4;

static void bad_arguments(void)
{
    int pair[2];
    EXPECT(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    FAILS(read(-1, buffer, 4), EBADF);
    FAILS(write(999, buffer, 4), EBADF);
    FAILS(write(-5, nowhere, 4), EBADF);
    FAILS(write(ends[1], nowhere, 4), EFAULT);
    FAILS(write(ends[1], kernels, 4), EFAULT);
    FAILS(write(ends[1], nowhere, huge), EFAULT);
    FAILS(writev(ends[1], nowhere, 4), EFAULT);
    FAILS(writev(ends[1], nowhere, negative), EINVAL);
    FAILS(sendmsg(pair[0], nowhere, 0), EFAULT);
    FAILS(recvmsg(pair[0], nowhere, MSG_DONTWAIT), EFAULT);
    EXPECT(write(ends[1], "abc", 3) == 3);
    FAILS(read(ends[0], nowhere, 4), EFAULT);
    EXPECT(read(ends[0], buffer, sizeof buffer) == 3 && !memcmp(buffer, "abc", 3));
    EXPECT(send(pair[0], "hello", 5, 0) == 5);
    EXPECT(recv(pair[1], buffer, 2, MSG_TRUNC) == 5);
    FAILS(dup2(ends[0], negative), EBADF);
    FAILS(close(-1), EBADF);
}

static void variable_arguments(void)
{
    char path[] = "/tmp/cspthread_fd_errors_XXXXXX";
    close(mkstemp(path));
    unlink(path);
    int fd = open(path, O_CREAT | O_RDWR, 0640), high = fcntl(fd, F_DUPFD, 900);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct iovec out[3] = {{"ab", 2}, {NULL, 0}, {"cd", 2}}, in[2] = {{buffer, 1}, {buffer + 8, 9}};
    unlink(path);
    EXPECT(fd >= 0 && high >= 900);
    EXPECT(fcntl(fd, F_SETLK, &whole) == 0);
    EXPECT(fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    EXPECT(pwritev(fd, out, 3, 0) == 4);
    EXPECT(preadv(high, in, 2, 0) == 4 && buffer[0] == 'a' && !memcmp(buffer + 8, "bcd", 3));
}

static void nothing(int sig)
{
    (void)sig;
}

static void *blocked(void *arg)
{
    return read(ends[0], buffer, 1) < 0 ? NULL : arg;
}

static void interruptions(void)
{
    struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 0);
    FAILS(read(ends[0], buffer, 1), EINTR);
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, blocked, NULL);
    usleep(20000);
    EXPECT(pthread_cancel(thread) == 0);
    EXPECT(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
}

// What the child of vfork, which runs in our memory, does to its descriptors is no concern of ours.
static void child(void)
{
    int status;
    pid_t pid = vfork();
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execl("/bin/echo", "echo", "x", (char *)NULL);
        _exit(1);
    }
    EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
    EXPECT(read(ends[0], buffer, sizeof buffer) == 2 && !memcmp(buffer, "x\n", 2));
}

int main(void)
{
    EXPECT(pipe(ends) == 0);
    bad_arguments();
    variable_arguments();
    interruptions();
    child();
    for (int fd = 3; fd < 2000; fd++)
        close(fd);
    return 0;
}
