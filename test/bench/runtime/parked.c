// parked.c - a million coroutines parked on one channel: the time to start and to release them, memory, mappings.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

#include <csp/csp.h>
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

static double seconds(void)
{
    return (double)csp_now() / 1e9;
}

static double resident_mb(void)
{
    char line[256];
    double kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kb = atof(line + 6);
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
    long n = operations(argc, argv, 1000000);
    gate = csp_chan_new(0, 0);
    csp_wg_add(&parked, (int)n);
    csp_wg_add(&ended, (int)n);
    double start = seconds(), cpu = cpu_ns();
    for (long i = 0; i < n; i++)
        csp_go(wait_at_gate, NULL);
    csp_wg_wait(&parked);
    double all_parked = seconds(), cpu_parked = cpu_ns();
    figure("parked_spawn", all_parked - start, "s");
    figure("parked_spawn_cpu", (cpu_parked - cpu) / 1e9, "s");
    figure("parked_memory", resident_mb(), "MB");
    figure("parked_mappings", (double)count_mappings(), "");
    start = seconds(), cpu = cpu_ns();
    csp_close(gate);
    csp_wg_wait(&ended);
    figure("parked_release", seconds() - start, "s");
    figure("parked_release_cpu", (cpu_ns() - cpu) / 1e9, "s");
    return 0;
}
