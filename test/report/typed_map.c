// typed_map.c - a race on a typed map: its wrappers leave no trace, the second frame is the program's line, at every level.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --levels=O0,O1,O2 --status=66 %s
#include "../race/invisible.h"

CSP_MAP_TYPE(ages, const char *, int)

static ages map;

static void writer(void *arg)
{
    (void)arg;
    ages_set(map, "ada", 36); // line: write
    invisible_step();
}

int main(void)
{
    map = ages_new(); // line: new
    csp_go(writer, NULL);
    invisible_wait(1);
    ages_at(map, "ada"); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: {{^}}    #0 csp_map_at
// CHECK-NEXT: {{^}}    #1 main {{.*}}typed_map.c:[[#read]]:
// CHECK: {{^}}    #0 csp_map_set
// CHECK-NEXT: {{^}}    #1 writer {{.*}}typed_map.c:[[#write]]:
// CHECK: {{^}}    #0 csp_map_new_str
// CHECK-NEXT: {{^}}    #1 main {{.*}}typed_map.c:[[#new]]:
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}typed_map.c:[[#read]]:{{[0-9]+}} in main
