// control_task.c - the tasks of a controlled schedule, who of them can go on, and the numbers of objects.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Numbers, not addresses, are what decisions are made of and what is recorded: the same in every process.
#include "base/seed.h"
#include "control/control_state.h"
#include "support/alloc.h"
#include "task/task.h"

// --- tasks ------------------------------------------------------------------------------------------------------------------

static cspr_control *free_list; // by next_message

static cspr_control *take_record(void)
{
    cspr_control *c = free_list;
    if (!c)
        return cspr_alloc(sizeof *c);
    free_list = c->next_message;
    *c = (cspr_control){0};
    return c;
}

uint64_t cspr_control_child_key(void)
{
    cspr_control *me = cspr_control_me();
    uint64_t index = me ? ++me->children : cspr_control_it.n_tasks + 1;
    return csp_seed_mix((me ? me->key : 0) + index * CSP_SEED_STEP);
}

cspr_control *cspr_control_add(cspr_task *t, uint64_t key, uint32_t creator)
{
    cspr_control *c = take_record();
    c->number = ++cspr_control_it.n_tasks;
    c->key = key;
    c->task = t;
    c->deadline = INT64_MAX;
    t->control = c;
    cspr_strategy_task_created(c->number, c->key, creator);
    cspr_interleaving_created(c->number, c->key, creator);
    return c;
}

void cspr_control_remove(cspr_control *c)
{
    cspr_control_cannot(c);
    cspr_strategy_task_ended(c->number);
    if (cspr_control_it.last == c)
        cspr_control_it.last = NULL;
    c->task->control = NULL;
    c->task = NULL;
    c->next_message = free_list;
    free_list = c;
}

// --- who can go on ------------------------------------------------------------------------------------------------------------

static void grow(cspr_control_state *s)
{
    uint32_t cap = s->cap ? 2 * s->cap : 64;
    cspr_candidate *candidates = cspr_alloc(cap * sizeof *candidates);
    cspr_control **owners = cspr_alloc(cap * sizeof *owners);
    for (uint32_t i = 0; i < s->n; i++) {
        candidates[i] = s->candidates[i];
        owners[i] = s->owners[i];
    }
    if (s->cap) {
        cspr_free(s->candidates, s->cap * sizeof *candidates);
        cspr_free(s->owners, s->cap * sizeof *owners);
    }
    s->candidates = candidates;
    s->owners = owners;
    s->cap = cap;
}

void cspr_control_tell(cspr_control *c)
{
    cspr_control_it.candidates[c->place - 1] = (cspr_candidate){
        .task = c->number,
        .object = c->object,
        .key = c->key,
        .points = c->points,
        .op = (uint8_t)c->op,
        .is_write = cspr_op_changes(c->op),
    };
}

void cspr_control_can(cspr_control *c)
{
    cspr_control_state *s = &cspr_control_it;
    if (c->place || c->dropped)
        return;
    if (s->n == s->cap)
        grow(s);
    s->owners[s->n++] = c;
    c->place = s->n;
    s->n_giving_way += c->gives_way;
    cspr_control_tell(c);
}

// The last one takes its place: the order is as the schedule made it, and so the same in a replay.
void cspr_control_cannot(cspr_control *c)
{
    cspr_control_state *s = &cspr_control_it;
    if (!c->place)
        return;
    uint32_t i = c->place - 1, last = --s->n;
    s->candidates[i] = s->candidates[last];
    s->owners[i] = s->owners[last];
    s->owners[i]->place = i + 1;
    s->n_giving_way -= c->gives_way;
    c->place = 0;
}

void cspr_control_set_gives_way(cspr_control *c, bool gives_way)
{
    if (c->place)
        cspr_control_it.n_giving_way += (uint32_t)gives_way - (uint32_t)c->gives_way;
    c->gives_way = gives_way;
}

// --- objects --------------------------------------------------------------------------------------------------------------------

typedef struct object {
    uintptr_t addr; // 0: none
    uint32_t number;
} object;

static object *objects; // open addressing, at most half full
static uint32_t n_objects, objects_bits;

static object *find_object(object *table, uint32_t bits, uintptr_t addr)
{
    uint32_t mask = (1u << bits) - 1;
    for (uint32_t i = (uint32_t)((addr * 0x9e3779b97f4a7c15u) >> (64 - bits));; i = (i + 1) & mask)
        if (!table[i].addr || table[i].addr == addr)
            return &table[i];
}

static void grow_objects(void)
{
    uint32_t bits = objects ? objects_bits + 1 : 10;
    object *table = cspr_alloc(sizeof *table << bits);
    for (uint32_t i = 0; objects && i < 1u << objects_bits; i++)
        if (objects[i].addr)
            *find_object(table, bits, objects[i].addr) = objects[i];
    if (objects)
        cspr_free(objects, sizeof *objects << objects_bits);
    objects = table;
    objects_bits = bits;
}

uint32_t cspr_control_object(const void *obj)
{
    if (!obj)
        return 0;
    if (CSPR_UNLIKELY(!objects || 2 * n_objects >= 1u << objects_bits))
        grow_objects();
    object *o = find_object(objects, objects_bits, (uintptr_t)obj);
    if (!o->addr)
        *o = (object){(uintptr_t)obj, ++n_objects};
    return o->number;
}

void cspr_control_forget_objects(void)
{
    for (uint32_t i = 0; objects && i < 1u << objects_bits; i++)
        objects[i] = (object){0};
    n_objects = 0;
}
