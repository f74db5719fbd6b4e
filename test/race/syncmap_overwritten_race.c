// syncmap_overwritten_race.c - only the last store of a key is seen by its load, not the one before.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static csp_syncmap *map;
static const int key = 1, other = 2;

static void writer(void *arg)
{
    (void)arg;
    int v = 7;
    value = 1; // line: write
    csp_syncmap_store(map, &key, &v);
    invisible_step();
}

int main(void)
{
    int v = 5;
    map = csp_syncmap_new(sizeof key, sizeof v);
    csp_syncmap_store(map, &key, &v);
    csp_syncmap_store(map, &other, &v);
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_syncmap_store(map, &key, &v);
    csp_syncmap_load(map, &key, &v);
    invisible_use(value); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}syncmap_overwritten_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}syncmap_overwritten_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}syncmap_overwritten_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
