// ddmin.c - delta debugging: parts are left out, larger ones first.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See: Zeller, Hildebrandt: Simplifying and isolating failure-inducing input, 2002. Tests are runs of a program, so each counts:
// all is left out first (a bug that needs no switch), then halves, quarters, ... of what is left; a part alone is not tried, as
// the switches that matter are seldom neighbours.
#include "replay/ddmin.h"

#include <stdlib.h>
#include <string.h>

#include "common/message.h"

typedef struct search {
    bool *keep, *tried;
    size_t n, left;
    cspt_ddmin_test *test;
    void *arg;
    const volatile bool *stop;
} search;

static bool stopped(const search *s)
{
    return s->stop && *s->stop;
}

// Leaves out those kept ones whose number among the kept is in [from, to), if that can be.
static bool leave_out(search *s, size_t from, size_t to)
{
    size_t number = 0;
    if (to - from == s->left && s->left < s->n)
        return false; // without any it does not come about: that was the first test
    for (size_t i = 0; i < s->n; i++) {
        s->tried[i] = s->keep[i] && !(number >= from && number < to);
        number += s->keep[i];
    }
    if (!s->test(s->tried, s->n, s->arg) || stopped(s))
        return false;
    memcpy(s->keep, s->tried, s->n);
    s->left -= to - from;
    return true;
}

// From the end: what happened last depends on what was before, and goes more easily.
static bool leave_out_parts(search *s, size_t size)
{
    bool any = false;
    for (size_t to = s->left; to > 0 && !stopped(s);) {
        size_t from = to > size ? to - size : 0;
        any |= leave_out(s, from, to);
        to = from;
    }
    return any;
}

void cspt_ddmin(bool *keep, size_t n, cspt_ddmin_test *test, void *arg, const volatile bool *stop)
{
    search s = {keep, malloc(n + 1), n, n, test, arg, stop};
    if (!s.tried)
        cspt_fatal("out of memory");
    memset(keep, true, n);
    for (size_t size = n; size && s.left && !stopped(&s);) {
        bool any = leave_out_parts(&s, size);
        if (size > s.left)
            size = s.left / 2;
        else if (!any || size > 1)
            size /= 2; // with single ones: until a whole round leaves out none
    }
    free(s.tried);
}
