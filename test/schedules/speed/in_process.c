// in_process.c - what ab_ba.c does when it is right, as a function that csp_explore runs: prints schedules per second.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Usage: in_process SECONDS. For measure.py, which runs the same work by the fork server and by a process for each schedule.
#define FIXED
#define main transfer_both_ways
#include "../ab_ba.c"
#undef main

#include <csp/explore.h>

#include <stdio.h>
#include <stdlib.h>

static void run(void *arg)
{
    (void)arg;
    (void)transfer_both_ways();
}

int main(int argc, char **argv)
{
    csp_explore_options options = {.strategy = "random",
                                   .time_ns = argc > 1 ? atoll(argv[1]) * 1000000000 : 1000000000};
    csp_explore_result result = csp_explore(run, NULL, &options);
    printf("%.0f\n", (double)result.schedules / result.seconds);
    return result.findings != 0;
}
