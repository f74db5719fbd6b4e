// interleaving.c - the hash of a run's order of dependent operations.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "control/interleaving.h"

#include "base/seed.h"
#include "support/alloc.h"

#include <stddef.h>
#include <string.h>

typedef struct object {
    uint64_t changed; // hash of the last change
    uint64_t read;    // sum of those of the readings since: they commute
} object;

static struct {
    uint64_t *tasks; // by number: hash of the task's last operation
    size_t tasks_capacity;
    object *objects; // by number
    size_t objects_capacity;
    uint64_t sum;
} run;

static void *grow(void *old, size_t *capacity, size_t entry, size_t needed)
{
    size_t n = *capacity ? *capacity : 64;
    while (n < needed)
        n *= 2;
    void *table = cspr_alloc(n * entry);
    if (old)
        memcpy(table, old, *capacity * entry);
    cspr_free(old, *capacity * entry);
    *capacity = n;
    return table;
}

static uint64_t *task_of(uint32_t number)
{
    if (number >= run.tasks_capacity)
        run.tasks = grow(run.tasks, &run.tasks_capacity, sizeof *run.tasks, (size_t)number + 1);
    return &run.tasks[number];
}

static object *object_of(uint32_t number)
{
    if (number >= run.objects_capacity)
        run.objects = grow(run.objects, &run.objects_capacity, sizeof *run.objects, (size_t)number + 1);
    return &run.objects[number];
}

static uint64_t join(uint64_t hash, uint64_t value)
{
    return csp_seed_mix(hash * 3 + value + CSP_SEED_STEP); // times 3: the two do not change places
}

void cspr_interleaving_begin(void)
{
    if (run.tasks)
        memset(run.tasks, 0, run.tasks_capacity * sizeof *run.tasks);
    if (run.objects)
        memset(run.objects, 0, run.objects_capacity * sizeof *run.objects);
    run.sum = 0;
}

void cspr_interleaving_created(uint32_t task, uint64_t key, uint32_t creator)
{
    uint64_t from = creator ? *task_of(creator) : 0;
    *task_of(task) = join(from, key);
}

void cspr_interleaving_executed(uint32_t task, uint8_t op, uint32_t number, bool is_write)
{
    object none = {0}, *o = number ? object_of(number) : &none;
    uint64_t *last = task_of(task);
    uint64_t hash = join(join(*last, o->changed), (uint64_t)op << 1 | is_write);
    if (is_write) {
        hash = join(hash, o->read);
        *o = (object){hash, 0};
    } else {
        o->read += csp_seed_mix(hash);
    }
    *last = hash;
    run.sum += csp_seed_mix(hash ^ CSP_SEED_STEP);
}

void cspr_interleaving_decided(uint32_t task, uint64_t value)
{
    uint64_t *last = task_of(task);
    *last = join(*last, ~value);
}

void cspr_interleaving_forget(uint32_t number)
{
    if (number < run.objects_capacity)
        run.objects[number] = (object){0};
}

uint64_t cspr_interleaving_hash(void)
{
    return run.sum;
}
