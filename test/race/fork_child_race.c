// fork_child_race.c - a forked child goes on being checked: its own races are reported.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int value;

static void *writer(void *arg)
{
    value = 1; // line: write
    invisible_step();
    return arg;
}

int main(void)
{
    int status;
    pthread_t thread;
    pid_t child = fork();
    if (child)
        return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    exit(0);
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main thread:
// CHECK-NEXT: {{^}}    #0 main {{.*}}fork_child_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by thread T{{[0-9]+}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}fork_child_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}fork_child_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
