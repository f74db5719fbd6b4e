// bench.h - what the C programs beside Go share: one measured run, told in one line.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A program calls bench(ops, run) from main: run(n) does n operations. A tenth as many are run first and not counted, so that
// threads, stacks and caches are there. The line names what runtime.py reads: the operations done, wall and CPU time.
#ifndef CSP_TEST_BENCH_H
#define CSP_TEST_BENCH_H

#include <csp/csp.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static inline int64_t bench_cpu_ns(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * CSP_SECOND + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1000L;
}

// argv[1], where given, is how many operations to run instead of ops.
static inline int bench(int argc, char **argv, long ops, void (*run)(long n))
{
    if (argc > 1)
        ops = atol(argv[1]);
    run(ops / 10 + 1);
    int64_t wall = csp_now(), cpu = bench_cpu_ns();
    run(ops);
    cpu = bench_cpu_ns() - cpu;
    wall = csp_now() - wall;
    printf("ops=%ld wall_ns=%lld cpu_ns=%lld\n", ops, (long long)wall, (long long)cpu);
    return 0;
}

#endif
