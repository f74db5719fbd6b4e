// results.c - what an exploration found and explored: building it, sorting it, judging it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "results/results.h"

#include <stdlib.h>
#include <string.h>

#include "common/argv.h"
#include "common/message.h"
#include "explore/fingerprint.h"

// Capacity is not kept: it is the next power of two, so an array grows when its count is one.
static void *add_item(void *items, size_t *count, size_t size)
{
    char *grown = items;
    if ((*count & (*count - 1)) == 0) {
        grown = reallocarray(items, *count ? 2 * *count : 1, size);
        if (!grown)
            cspt_fatal("out of memory");
    }
    memset(grown + *count * size, 0, size);
    ++*count;
    return grown;
}

cspt_test *cspt_results_add_test(cspt_results *r)
{
    r->tests = add_item(r->tests, &r->n_tests, sizeof *r->tests);
    return &r->tests[r->n_tests - 1];
}

cspt_finding *cspt_test_add_finding(cspt_test *t)
{
    t->findings = add_item(t->findings, &t->n_findings, sizeof *t->findings);
    return &t->findings[t->n_findings - 1];
}

cspt_stack *cspt_finding_add_stack(cspt_finding *f)
{
    f->stacks = add_item(f->stacks, &f->n_stacks, sizeof *f->stacks);
    return &f->stacks[f->n_stacks - 1];
}

cspt_frame *cspt_stack_add_frame(cspt_stack *s)
{
    s->frames = add_item(s->frames, &s->n_frames, sizeof *s->frames);
    return &s->frames[s->n_frames - 1];
}

cspt_finding *cspt_test_find(const cspt_test *t, const char *fingerprint)
{
    for (size_t i = 0; i < t->n_findings; i++)
        if (strcmp(t->findings[i].fingerprint, fingerprint) == 0)
            return &t->findings[i];
    return NULL;
}

void cspt_explored_count_strategy(cspt_explored *e, const char *name, uint64_t schedules)
{
    size_t i = 0;
    while (i < e->n_strategies && strcmp(e->strategies[i].name, name) < 0)
        i++;
    if (i == e->n_strategies || strcmp(e->strategies[i].name, name) != 0) {
        e->strategies = add_item(e->strategies, &e->n_strategies, sizeof *e->strategies);
        memmove(e->strategies + i + 1, e->strategies + i, (e->n_strategies - 1 - i) * sizeof *e->strategies);
        e->strategies[i] = (cspt_strategy_count){.name = cspt_format("%s", name)};
    }
    e->strategies[i].schedules += schedules;
}

void cspt_explored_add_reason(cspt_explored *e, const char *why_not)
{
    for (size_t i = 0; i < e->n_why_not; i++)
        if (strcmp(e->why_not[i], why_not) == 0)
            return;
    e->why_not = add_item(e->why_not, &e->n_why_not, sizeof *e->why_not);
    e->why_not[e->n_why_not - 1] = cspt_format("%s", why_not);
}

bool cspt_explored_add_interleaving(cspt_explored *e, uint64_t hash)
{
    size_t low = 0, high = e->n_interleavings;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (e->interleavings[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < e->n_interleavings && e->interleavings[low] == hash)
        return false;
    e->interleavings = add_item(e->interleavings, &e->n_interleavings, sizeof hash);
    memmove(e->interleavings + low + 1, e->interleavings + low, (e->n_interleavings - 1 - low) * sizeof hash);
    e->interleavings[low] = hash;
    return true;
}

static int compare_findings(const void *left, const void *right)
{
    const cspt_finding *a = left, *b = right;
    int order = strcmp(a->kind, b->kind);
    if (!order)
        order = strcmp(a->title, b->title);
    return order ? order : strcmp(a->fingerprint, b->fingerprint);
}

void cspt_test_sort(cspt_test *t)
{
    if (t->n_findings)
        qsort(t->findings, t->n_findings, sizeof *t->findings, compare_findings);
}

void cspt_results_sort(cspt_results *r)
{
    for (size_t i = 0; i < r->n_tests; i++)
        cspt_test_sort(&r->tests[i]);
}

static size_t count_new(const cspt_test *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_findings; i++)
        n += !t->findings[i].known && !t->findings[i].mild;
    return n;
}

void cspt_test_judge(cspt_test *t)
{
    if (count_new(t))
        t->outcome = CSPT_FAILED;
    else if (t->outcome == CSPT_FAILED)
        t->outcome = CSPT_PASSED;
}

void cspt_results_judge(cspt_results *r)
{
    for (size_t i = 0; i < r->n_tests; i++)
        cspt_test_judge(&r->tests[i]);
}

size_t cspt_results_new_findings(const cspt_results *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_tests; i++)
        n += count_new(&r->tests[i]);
    return n;
}

const cspt_frame *cspt_finding_place(const cspt_finding *f)
{
    for (size_t i = 0; i < f->n_stacks; i++) {
        const cspt_frame *frame = cspt_own_frame(&f->stacks[i]);
        if (frame && frame->file && frame->line)
            return frame;
    }
    return NULL;
}

static void free_stack(cspt_stack *s)
{
    for (size_t i = 0; i < s->n_frames; i++) {
        free(s->frames[i].function);
        free(s->frames[i].file);
        free(s->frames[i].module);
    }
    free(s->frames);
    free(s->role);
    free(s->what);
    free(s->task_name);
}

void cspt_finding_drop(cspt_finding *f)
{
    for (size_t i = 0; i < f->n_stacks; i++)
        free_stack(&f->stacks[i]);
    free(f->stacks);
    free(f->fingerprint);
    free(f->kind);
    free(f->title);
    free(f->text);
    free(f->output);
    free(f->strategy);
    free(f->options);
    free(f->schedule_file);
    free(f->replay_command);
    free(f->replay_note);
    *f = (cspt_finding){0};
}

static void free_explored(cspt_explored *e)
{
    for (size_t i = 0; i < e->n_strategies; i++)
        free(e->strategies[i].name);
    for (size_t i = 0; i < e->n_why_not; i++)
        free(e->why_not[i]);
    free(e->strategies);
    free(e->why_not);
    free(e->interleavings);
}

void cspt_test_fini(cspt_test *t)
{
    for (size_t i = 0; i < t->n_findings; i++)
        cspt_finding_drop(&t->findings[i]);
    for (size_t i = 0; t->command && t->command[i]; i++)
        free(t->command[i]);
    free(t->findings);
    free(t->command);
    free(t->name);
    free(t->directory);
    free(t->note);
    free_explored(&t->explored);
    *t = (cspt_test){0};
}

void cspt_results_fini(cspt_results *r)
{
    for (size_t i = 0; i < r->n_tests; i++)
        cspt_test_fini(&r->tests[i]);
    free(r->tests);
    free(r->strategy);
    *r = (cspt_results){0};
}
