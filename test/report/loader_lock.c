// loader_lock.c - a race is told while another thread holds the loader's lock and waits for the one that reports.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define _GNU_SOURCE
#define INVISIBLE_THREADS
#include "../race/invisible.h"
#include <link.h>
#include <pthread.h>

volatile int value;

static void *reporter(void *arg)
{
    invisible_wait(1);
    value = 2; // line: later
    return arg;
}

// Called with the loader's lock.
static int on_module(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)info, (void)size, (void)arg;
    pthread_t thread;
    pthread_create(&thread, NULL, reporter, NULL);
    value = 1; // line: earlier
    invisible_step();
    pthread_join(thread, NULL);
    return 1;
}

int main(void)
{
    return dl_iterate_phdr(on_module, NULL) != 1;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Write of size 4 at 0x{{[0-9a-f]+}} by thread T1:
// CHECK-NEXT: {{^}}    #0 reporter {{.*}}loader_lock.c:[[#later]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by main thread:
// CHECK-NEXT: {{^}}    #0 on_module {{.*}}loader_lock.c:[[#earlier]]:
// CHECK-NEXT: {{^}}    #1 dl_iterate_phdr
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}loader_lock.c:[[#later]]:{{[0-9]+}} in reporter
