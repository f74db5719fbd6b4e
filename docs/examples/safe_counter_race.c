// safe_counter_race.c - RACE: a map shared by many coroutines, with nothing to protect it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two visitors may look at the same entry at the same time and both write count + 1, so that one visit is lost; worse,
// both may take the same free place. It hardly ever goes wrong, which is what makes it bad. Fixed in safe_counter.c.
#include <csp/csp.h>

#include <stdio.h>
#include <string.h>

enum { PLACES = 16, VISITORS = 100 };

// A map from names to counts: open addressing, no deletion, never full here.
typedef struct entry {
    const char *name;
    int count;
} entry;

typedef struct safe_counter {
    entry entries[PLACES];
} safe_counter;

static entry *find(safe_counter *c, const char *name)
{
    unsigned place = (unsigned char)name[0] % PLACES;
    while (c->entries[place].name && strcmp(c->entries[place].name, name) != 0)
        place = (place + 1) % PLACES;
    return &c->entries[place];
}

static void inc(safe_counter *c, const char *name)
{
    entry *e = find(c, name);
    e->name = name;
    e->count++;
}

static int value(safe_counter *c, const char *name)
{
    int count = find(c, name)->count;
    return count;
}

static safe_counter counter;
static csp_wg visitors;

static void visit(void *arg)
{
    (void)arg;
    inc(&counter, "somekey");
    csp_wg_done(&visitors);
}

int main(void)
{
    csp_wg_add(&visitors, VISITORS);
    for (int i = 0; i < VISITORS; i++)
        csp_go(visit, NULL);
    csp_wg_wait(&visitors);
    printf("somekey: %d\n", value(&counter, "somekey"));
    return 0;
}
