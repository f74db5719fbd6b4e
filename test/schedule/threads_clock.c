// threads_clock.c - all clocks and timers are virtual, all random numbers the seed's: an hour takes no time, and is the same each time.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: %python %S/Inputs/replay.py --runs=4 --other-seeds=4 %t
// RUN: %python %S/Inputs/same.py --seeds=3 --limit-s=20 --expect=%t.expected %t -- quiet
// RUN: FileCheck %s < %t.expected
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static void *sleep_an_hour(void *arg)
{
    sleep(3600);
    return arg;
}

static long seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (long)t.tv_sec;
}

static void show_random(void)
{
    unsigned a, b, c = 0, d = 0;
    if (getrandom(&a, sizeof a, 0) < 0 || getentropy(&b, sizeof b))
        return;
    int fd = open("/dev/urandom", O_RDONLY);
    FILE *f = fopen("/dev/urandom", "rb");
    if (read(fd, &c, sizeof c) < 0 || fread(&d, sizeof d, 1, f) != 1)
        return;
    srand((unsigned)time(NULL));
    printf("%08x %08x %08x %08x %08x %08x\n", a, b, c, d, arc4random(), arc4random_uniform(1000000) + (unsigned)rand());
}

int main(int argc, char **argv)
{
    pthread_t t;
    struct timeval wall;
    (void)argv;
    long monotonic = seconds(CLOCK_MONOTONIC), real = seconds(CLOCK_REALTIME), boot = seconds(CLOCK_BOOTTIME);
    if (argc == 1)
        show_random();
    pthread_create(&t, NULL, sleep_an_hour, NULL);
    pthread_join(t, NULL);
    usleep(1500000);
    nanosleep(&(struct timespec){0, 500000000}, NULL);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){1, 0}, NULL);
    thrd_sleep(&(struct timespec){1, 0}, NULL);
    gettimeofday(&wall, NULL);
    // CHECK: 3604 3604 3604 3604 1
    printf("%ld %ld %ld %ld %d\n", seconds(CLOCK_MONOTONIC) - monotonic, seconds(CLOCK_REALTIME) - real,
           seconds(CLOCK_BOOTTIME) - boot, (long)wall.tv_sec - real, time(NULL) == wall.tv_sec);

    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    uint64_t fired = 0;
    struct itimerspec every = {{10, 0}, {60, 0}}, left;
    timerfd_settime(fd, 0, &every, NULL);
    struct pollfd p = {fd, POLLIN, 0};
    printf("poll %d", poll(&p, 1, 30000));
    printf(" %d", poll(&p, 1, 40000));
    printf(" read %zd", read(fd, &fired, sizeof fired));
    printf(" fired %d\n", (int)fired); // CHECK: poll 0 1 read 8 fired 1
    sleep(35);
    timerfd_gettime(fd, &left);
    printf("left %d", left.it_value.tv_sec <= 5);
    printf(" read %zd", read(fd, &fired, sizeof fired));
    printf(" fired %d\n", (int)fired); // CHECK: left 1 read 8 fired 3
    printf("blocks %zd", read(fd, &fired, sizeof fired));
    printf(" fired %d after %ld\n", (int)fired,
           seconds(CLOCK_MONOTONIC) - monotonic - 3604); // CHECK: blocks 8 fired 1 after 100
    return 0;
}
