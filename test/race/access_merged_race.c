// access_merged_race.c - neighbours that share a check are reported each at its own line, with its own size.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

struct {
    long first;
    double second;
    short third;
    long fourth;
} shared;

static void writer(void *arg)
{
    (void)arg;
    shared.first = 1;
    shared.second = 2;
    shared.third = 3; // line: write
    shared.fourth = 4;
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    return shared.third - 3; // line: read
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK-NEXT: {{^}}  Read of size 2 at
// CHECK-NEXT: {{^}}    #0 main {{.*}}access_merged_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 2 at
// CHECK-NEXT: {{^}}    #0 writer {{.*}}access_merged_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'shared'
// CHECK: CspThreadSanitizer: reported 1 warnings
