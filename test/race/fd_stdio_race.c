// fd_stdio_race.c - a store after the output is not ordered before the input.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

int value;
static int ends[2];

static FILE *out;

static void *writer(void *arg)
{
    fprintf(out, "%s\n", "text");
    fflush(out);
    value = 1; // line: write
    invisible_step();
    return arg;
}

int main(void)
{
    if (pipe(ends))
        return 1;
    FILE *in = fdopen(ends[0], "r");
    out = fdopen(ends[1], "w");
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    char line[100];
    if (!in || !fgets(line, sizeof line, in))
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main thread:
// CHECK-NEXT: {{^}}    #0 main {{.*}}fd_stdio_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by thread T{{[0-9]+}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}fd_stdio_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Thread T{{[0-9]+}} (tid={{[0-9]+}}, {{running|finished}}) created by main thread at:
// CHECK-NEXT: {{^}}    #0 pthread_create
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}fd_stdio_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
