// labels.c - key-value labels of a coroutine, which those it starts inherit.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A set of labels never changes once a coroutine has it: setting one makes a new set, so that starting a coroutine only
// counts a reference, and a dump may read a set without a lock. Sets are small; a new one copies all.
#include "labels.h"

#include "co.h"
#include "csp/go.h"
#include "panic.h"

#include <stdlib.h>
#include <string.h>

struct cspi_labels {
    uint32_t refs; // atomic: E1 of labels.h
    size_t n;
    csp_label_view items[];
};

cspi_labels *cspi_labels_ref(cspi_labels *l)
{
    if (l)
        csp_add_rlx(&l->refs, 1u); // relaxed: the caller has a reference already
    return l;
}

void cspi_labels_unref(cspi_labels *l)
{
    if (!l)
        return;
    CSP_HOOK(release_merge, l, NULL);
    if (__atomic_fetch_sub(&l->refs, 1u, __ATOMIC_ACQ_REL) !=
        1) // E1: the last one frees after the others' last reading
        return;
    CSP_HOOK(acquire, l, NULL);
    free(l);
}

const csp_label_view *cspi_labels_items(const cspi_labels *l, size_t *n)
{
    *n = l ? l->n : 0;
    return l ? l->items : NULL;
}

static const csp_label_view *find(const cspi_labels *l, const char *key)
{
    for (size_t i = 0; l && i < l->n; i++)
        if (strcmp(l->items[i].key, key) == 0)
            return &l->items[i];
    return NULL;
}

// Puts a copy of the text to *at, which moves behind it.
static const char *put_text(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);
    *at += size;
    return copy;
}

static size_t text_size(const csp_label_view *label)
{
    return strlen(label->key) + strlen(label->value) + 2;
}

// What `old` has, but for the key; and the label, unless its value is NULL.
static cspi_labels *copy_with(const cspi_labels *old, csp_label_view label)
{
    size_t n_old, n = 0, size = label.value ? text_size(&label) : 0;
    const csp_label_view *items = cspi_labels_items(old, &n_old);
    for (size_t i = 0; i < n_old; i++)
        size += text_size(&items[i]);
    cspi_labels *l = malloc(sizeof *l + (n_old + 1) * sizeof l->items[0] + size);
    if (!l)
        return NULL;
    char *text = (char *)&l->items[n_old + 1];
    for (size_t i = 0; i <= n_old; i++) {
        const csp_label_view *from = i < n_old ? &items[i] : &label;
        if (!from->value || (i < n_old && strcmp(from->key, label.key) == 0))
            continue;
        const char *key = put_text(&text, from->key);
        l->items[n++] = (csp_label_view){key, put_text(&text, from->value)};
    }
    l->refs = 1;
    l->n = n;
    return l;
}

void csp_label_set(const char *key, const char *value)
{
    CSPI_FRAME();
    csp_co *co = cspi_self();
    if (!value && !find(co->labels, key))
        return;
    cspi_labels *l = copy_with(co->labels, (csp_label_view){key, value});
    if (!l)
        cspi_fatal("out of memory: no room for a coroutine's labels");
    cspi_labels *old = co->labels;
    co->labels = l;
    cspi_labels_unref(old);
}

const char *csp_label(const char *key)
{
    const csp_label_view *label = find(cspi_self()->labels, key);
    return label ? label->value : NULL;
}
