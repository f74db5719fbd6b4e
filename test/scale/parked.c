// parked.c - a million coroutines: what a ping-pong costs does not depend on how many are parked; nor do they cost much memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --silent --procs=1 --args="20000 150" %s
// RUN: %if full %{ %check --silent --procs=1 --args="1000000 120" %s %}
//
// usage: parked how-many percent. Both are measured in one process, and in the same state but for those who are parked: the
// best of several rounds before they are there, and after. Time alone would tell little on a busy machine, so the limit of the
// ratio is wide in `check`; it is the full run that holds it to 1.2.
#include <csp/csp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 15, TURNS = 20000, FEW = 10, BYTES_PER_PARKED = 10 * 1024 };

static csp_chan *ping, *pong, *never, *parked;

static void answer(void *arg)
{
    (void)arg;
    for (long n; csp_recv(ping, &n);)
        csp_send(pong, &n);
}

static void park(void *arg)
{
    (void)arg;
    csp_send(parked, NULL);
    csp_recv(never, NULL);
}

static void park_many(long n)
{
    for (long i = 0; i < n; i++) {
        csp_go(park, NULL);
        csp_recv(parked, NULL);
    }
    csp_yield();
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double best_round(void)
{
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_seconds();
        for (long i = 0; i < TURNS; i++) {
            csp_send(ping, &i);
            csp_recv(pong, &i);
        }
        double took = cpu_seconds() - start;
        best = took < best ? took : best;
    }
    return best;
}

static long resident(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long pages = 0;
    if (!f || fscanf(f, "%*s %ld", &pages) != 1)
        abort();
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 64;
    long n = atol(argv[1]);
    ping = csp_chan_new(sizeof(long), 0), pong = csp_chan_new(sizeof(long), 0);
    never = csp_chan_new(0, 0), parked = csp_chan_new(0, 0);
    csp_go(answer, NULL);
    park_many(FEW);
    double few = best_round();
    long before = resident();
    park_many(n);
    long each = (resident() - before) / n;
    double many = best_round();
    int status = 0;
    if (many * 100 > few * atof(argv[2]))
        status = 1, fprintf(stderr, "ping-pong with %ld parked costs %.2f times as much\n", n, many / few);
    if (each > BYTES_PER_PARKED)
        status = 1, fprintf(stderr, "%ld bytes for each that is parked\n", each);
    printf("%ld parked: %.2f times the time, %ld bytes each\n", n, many / few, each);
    fflush(stdout);
    csp_close(never); // no leaks
    _exit(status);
}
