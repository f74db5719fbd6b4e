// access_bitfields_race.c - adjacent bit-fields are one memory location (C11 3.14).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

struct {
    unsigned a : 4, b : 4;
} both;

static void writer(void *arg)
{
    (void)arg;
    both.a = 1; // line: first
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    both.b = 2; // line: second
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: {{^}}    #0 main {{.*}}access_bitfields_race.c:[[#second]]:
// CHECK: {{^}}    #0 writer {{.*}}access_bitfields_race.c:[[#first]]:
// CHECK: {{^}}  Location is global 'both'
