// map_race.c - a map written and read without order races on the map, at the callers' lines.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

static csp_map *ages;
static csp_mutex lock;

static void writer(void *arg)
{
    (void)arg;
    int age = 36;
    csp_mutex_lock(&lock);
    csp_map_set(ages, "ada", &age); // line: write
    csp_mutex_unlock(&lock);
    invisible_step();
}

int main(void)
{
    int age;
    ages = csp_map_new_str(sizeof age); // line: new
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_map_get(ages, "grace", &age); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 8 at 0x{{[0-9a-f]+}} by main coroutine:
// CHECK-NEXT: {{^}}    #0 csp_map_get
// CHECK-NEXT: {{^}}    #1 main {{.*}}map_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 8 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 csp_map_set
// CHECK-NEXT: {{^}}    #1 writer {{.*}}map_race.c:[[#write]]:
// CHECK: {{^}}  Location is heap block of size {{[0-9]+}} at {{.*}} allocated by main coroutine
// CHECK-NEXT: {{^}}    #0 csp_map_new_str
// CHECK-NEXT: {{^}}    #1 main {{.*}}map_race.c:[[#new]]:
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}map_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
