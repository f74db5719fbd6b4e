// map_at_race.c - a value used in place while another coroutine takes out its copy.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

static csp_map *ages;
static int *ada;

static void writer(void *arg)
{
    (void)arg;
    *ada = 36; // line: write
    invisible_step();
}

int main(void)
{
    int age;
    ages = csp_map_new_str(sizeof age);
    csp_map_ensure(ages, "grace");
    csp_map_ensure(ages, "ada");
    ada = csp_map_at(ages, "ada");
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_map_get(ages, "ada", &age); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine:
// CHECK-NEXT: {{^}}    #0 csp_map_get
// CHECK-NEXT: {{^}}    #1 main {{.*}}map_at_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}map_at_race.c:[[#write]]:
// CHECK: {{^}}  Location is heap block of size {{[0-9]+}} at {{.*}} allocated by main coroutine
// CHECK-NEXT: {{^}}    #0 csp_map_ensure
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}map_at_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
