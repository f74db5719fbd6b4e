// access_flexible_race.c - the same element of a flexible array member.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

#include <stdlib.h>

struct list {
    int n;
    short items[];
};

static void writer(void *arg)
{
    struct list *list = arg;
    list->items[3] = 1; // line: first
    invisible_step();
}

int main(void)
{
    struct list *list = calloc(1, sizeof *list + 8 * sizeof *list->items);
    csp_go(writer, list);
    invisible_wait(1);
    list->items[3] = 2; // line: second
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: {{^}}    #0 main {{.*}}access_flexible_race.c:[[#second]]:
// CHECK: {{^}}    #0 writer {{.*}}access_flexible_race.c:[[#first]]:
