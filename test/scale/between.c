// between.c - what lies between two racing accesses does not matter: the race is reported, with both stacks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --status=66 --args="o %scale_divisor" %s
// RUN: %check --status=66 --args="s %scale_divisor" %s
// RUN: %check --status=66 --args="e %scale_divisor" %s
// RUN: %check --status=66 --args="r %scale_divisor" %s
// RUN: %check --status=66 --args="oser %scale_divisor" %s
//
// usage: between what divisor; what: letters of o (5 million channel operations), s (20 million stores), e (20,000 ends of
// coroutines), r (5,000 readers, ordered after the write). All is done by who made the first access, and by others.
#include "../race/invisible.h"

#include <stdlib.h>
#include <string.h>

int value;
static long divisor;
static long cells[4096];

__attribute__((noinline)) static void first_access(void)
{
    value = 1; // line: write
}

__attribute__((noinline)) static void deep(int levels)
{
    if (levels > 0)
        deep(levels - 1);
    else
        first_access();
    __asm__ volatile("" ::: "memory"); // no tail call
}

static void echo(void *arg)
{
    csp_chan **c = arg;
    for (long n; csp_recv(c[0], &n);)
        csp_send(c[1], &n);
    csp_close(c[1]);
}

static void operate_on_channels(void)
{
    csp_chan *c[2] = {csp_chan_new(sizeof(long), 0), csp_chan_new(sizeof(long), 0)};
    csp_go(echo, c);
    for (long i = 0; i < 1250000 / divisor; i++) { // four operations
        csp_send(c[0], &i);
        csp_recv(c[1], &i);
    }
    csp_close(c[0]);
    csp_recv(c[1], NULL);
}

__attribute__((noinline)) static void store(volatile long *p, long n)
{
    for (long i = 0; i < n; i++)
        p[i & 4095] = i;
}

static csp_wg ended;

static void end_at_once(void *arg)
{
    (void)arg;
    csp_wg_done(&ended);
}

static void read_it(void *arg)
{
    invisible_use(value);
    end_at_once(arg);
}

static void many(void (*fn)(void *), long n)
{
    for (long i = 0; i < n; i++) {
        csp_wg_add(&ended, 1);
        csp_go(fn, NULL);
        if (i % 64 == 63)
            csp_wg_wait(&ended);
    }
    csp_wg_wait(&ended);
}

static void first(void *arg)
{
    deep(3);
    for (const char *what = arg; *what; what++)
        switch (*what) {
        case 'o':
            operate_on_channels();
            break;
        case 's':
            store(cells, 20000000 / divisor);
            break;
        case 'e':
            many(end_at_once, 20000 / divisor);
            break;
        case 'r':
            many(read_it, 5000 / divisor);
            break;
        default:
            abort();
        }
    invisible_step();
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 64;
    divisor = atol(argv[2]);
    csp_go(first, argv[1]);
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine:
// CHECK-NEXT: {{^}}    #0 main {{.*}}between.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}:
// CHECK-NEXT: {{^}}    #0 first_access {{.*}}between.c:[[#write]]:
// CHECK-NEXT: {{^}}    #1 deep
// CHECK-NEXT: {{^}}    #2 deep
// CHECK-NEXT: {{^}}    #3 deep
// CHECK-NEXT: {{^}}    #4 deep
// CHECK-NEXT: {{^}}    #5 first {{.*}}between.c
// CHECK: {{^}}  Location is global 'value'
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}between.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
