// descriptor_race.c - a descriptor that one thread closes while another may still use it is a race, on the number itself; so is
// the use of a number that was closed, and of one that another thread has just opened. Closing by csp_close_fd wakes the users.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
// RUN: %check_norace --flags='-fsanitize=cspthread -g -DRIGHT' %s
#include "../race/invisible.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { FORESEEN = 50, NOT_REUSED = 60 }; // numbers nobody else takes
static int ends[2], file;

static void *use_all(void *arg)
{
    char c;
    (void)arg;
    invisible_use(read(ends[0], &c, 1)); // line: use
    invisible_step();                    // 1
    invisible_wait(2);
#ifndef RIGHT
    invisible_use(read(file, &c, 1) + write(FORESEEN, &c, 1)); // line: later
#endif
    invisible_step(); // 3
    return NULL;
}

static void close_after(pthread_t t)
{
#ifdef RIGHT
    pthread_join(t, NULL);
#endif
    close(ends[0]); // line: closed
#ifndef RIGHT
    close(file); // line: file_closed
#endif
    (void)t;
}

static void rude(void *arg)
{
    csp_close_fd(*(int *)arg);
}

static void read_until_closed(void)
{
    static int pair[2];
    char c;
    if (pipe(pair))
        abort();
    int number = fcntl(pair[0], F_DUPFD, NOT_REUSED); // it may be closed before it is read
    csp_go(rude, &number);
    invisible_use(csp_read(number, &c, 1));
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    pthread_t t;
    if (pipe(ends)) // line: made
        abort();
    file = open("/dev/null", O_RDONLY); // line: opened
    read_until_closed();
    invisible_use(write(ends[1], "x", 1));
    pthread_create(&t, NULL, use_all, NULL);
    invisible_wait(1);
#ifdef RIGHT
    invisible_step(); // 2
#endif
    close_after(t);
#ifndef RIGHT
    invisible_use(fcntl(1, F_DUPFD, FORESEEN)); // line: again
    invisible_step();                           // 2
    invisible_wait(3);
    pthread_join(t, NULL);
#endif
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK-NEXT: {{^}}  Write of size 8 at 0x{{[0-9a-f]+}} by main coroutine:
// CHECK-NEXT: {{^}}    #0 close
// CHECK-NEXT: {{^}}    #1 close_after {{.*}}descriptor_race.c:[[#closed]]
// CHECK: {{^}}  Previous read of size 8 at 0x{{[0-9a-f]+}} by thread T1:
// CHECK-NEXT: {{^}}    #0 read
// CHECK-NEXT: {{^}}    #1 use_all {{.*}}descriptor_race.c:[[#use]]
// CHECK: {{^}}  Location is file descriptor {{[0-9]+}} created by main coroutine at:
// CHECK-NEXT: {{^}}    #0 pipe
// CHECK-NEXT: {{^}}    #1 main {{.*}}descriptor_race.c:[[#made]]
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}descriptor_race.c:[[#closed]]:5 in close_after
// CHECK: {{^}}  Read of size 8 at 0x{{[0-9a-f]+}} by thread T1:
// CHECK-NEXT: {{^}}    #0 read
// CHECK-NEXT: {{^}}    #1 use_all {{.*}}descriptor_race.c:[[#later]]
// CHECK: {{^}}  Previous write of size 8
// CHECK-NEXT: {{^}}    #0 close
// CHECK-NEXT: {{^}}    #1 close_after {{.*}}descriptor_race.c:[[#file_closed]]
// CHECK: {{^}}  Location is file descriptor {{[0-9]+}} created by main coroutine at:
// CHECK-NEXT: {{^}}    #0 open
// CHECK-NEXT: {{^}}    #1 main {{.*}}descriptor_race.c:[[#opened]]
// CHECK: {{^}}  Read of size 8 at 0x{{[0-9a-f]+}} by thread T1:
// CHECK-NEXT: {{^}}    #0 write
// CHECK-NEXT: {{^}}    #1 use_all {{.*}}descriptor_race.c:[[#later]]
// CHECK: {{^}}  Previous write of size 8
// CHECK-NEXT: {{^}}    #0 fcntl
// CHECK-NEXT: {{^}}    #1 main {{.*}}descriptor_race.c:[[#again]]
// CHECK: CspThreadSanitizer: reported 3 warnings
