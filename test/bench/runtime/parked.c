// parked.c - a million coroutines parked on one channel: the time to start and to release them, memory, mappings.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nothing is run before and not counted: getting the memory is what is measured.
#include "bench.h"

#include <string.h>

static csp_chan *gate;
static csp_wg parked, ended;

static void wait_at_gate(void *unused)
{
    (void)unused;
    csp_wg_done(&parked);
    csp_recv(gate, NULL);
    csp_wg_done(&ended);
}

static long resident_mb(void)
{
    char line[256];
    long kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kb = atol(line + 6);
    if (f)
        fclose(f);
    return kb / 1024;
}

static long count_mappings(void)
{
    long lines = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    for (int c; f && (c = getc(f)) != EOF;)
        lines += c == '\n';
    if (f)
        fclose(f);
    return lines;
}

int main(int argc, char **argv)
{
    long n = argc > 1 ? atol(argv[1]) : 1000000;
    gate = csp_chan_new(0, 0);
    csp_wg_add(&parked, (int)n);
    csp_wg_add(&ended, (int)n);
    int64_t wall[3], cpu[3];
    wall[0] = csp_now(), cpu[0] = bench_cpu_ns();
    for (long i = 0; i < n; i++)
        csp_go(wait_at_gate, NULL);
    csp_wg_wait(&parked);
    wall[1] = csp_now(), cpu[1] = bench_cpu_ns();
    long memory = resident_mb(), mappings = count_mappings();
    int64_t pause = csp_now() - wall[1], pause_cpu = bench_cpu_ns() - cpu[1];
    csp_close(gate);
    csp_wg_wait(&ended);
    wall[2] = csp_now() - pause, cpu[2] = bench_cpu_ns() - pause_cpu;
    printf("ops=%ld wall_ns=%lld cpu_ns=%lld spawn_ms=%lld spawn_cpu_ms=%lld release_ms=%lld release_cpu_ms=%lld "
           "rss_mb=%ld "
           "mappings=%ld\n",
           n, (long long)(wall[2] - wall[0]), (long long)(cpu[2] - cpu[0]), (long long)(wall[1] - wall[0]) / CSP_MS,
           (long long)(cpu[1] - cpu[0]) / CSP_MS, (long long)(wall[2] - wall[1]) / CSP_MS,
           (long long)(cpu[2] - cpu[1]) / CSP_MS, memory, mappings);
    return 0;
}
