// measure.c - runs a program and tells what it took: CPU time in microseconds, peak resident set in KiB, exit status.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Why a program: the peak that the kernel reports includes the process that forked, up to its exec, and Python is large.
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// measure OUTPUT PROGRAM ARGUMENT...
int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    pid_t pid = fork();
    if (pid == 0) {
        int out = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (out >= 0 && dup2(out, STDOUT_FILENO) >= 0)
            execv(argv[2], argv + 2);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (wait4(pid, &status, 0, &usage) != pid)
        return 1;
    long us =
        (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000L + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    printf("%ld %ld %d\n", us, usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
