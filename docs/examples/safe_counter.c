// safe_counter.c - a map shared by many coroutines, and the mutex that makes this right.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The mutex lives beside what it protects, and every function that touches the map holds it. safe_counter_race.c is the
// same program without it.
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
    csp_mutex lock; // guards entries
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
    csp_mutex_lock(&c->lock);
    entry *e = find(c, name);
    e->name = name;
    e->count++;
    csp_mutex_unlock(&c->lock);
}

static int value(safe_counter *c, const char *name)
{
    csp_mutex_lock(&c->lock);
    int count = find(c, name)->count;
    csp_mutex_unlock(&c->lock);
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
