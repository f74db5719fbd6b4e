// syncmap_delete_norace.c - a delete happens before the load that finds nothing.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_syncmap *map;
static const int key = 1, other = 2;

static void writer(void *arg)
{
    (void)arg;
    int v = 7;
    value = 1; // line: write
    csp_syncmap_delete(map, &key);
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
    csp_syncmap_load(map, &key, &v);
    invisible_use(value); // line: read
    return 0;
}
