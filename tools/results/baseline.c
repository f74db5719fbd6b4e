// baseline.c - findings that are known: a file of fingerprints, so that a run fails only by new ones.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fingerprint alone decides, not the test that shows it: code that several tests share is wrong in all of them. Kind, title
// and test stand there for people, who review the file as they do sources, and may delete lines from it.
#include "results/baseline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/argv.h"
#include "common/message.h"
#include "results/json_out.h"

#define FORMAT "cspthread baseline 1"

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// NULL, or what is wrong with it.
static const char *take(cspt_baseline *b, const json_t *o)
{
    const char *format = json_string_value(json_object_get(o, "format"));
    const json_t *findings = json_object_get(o, "findings"), *finding;
    size_t i;
    if (!format || strcmp(format, FORMAT) != 0)
        return "its \"format\" is not \"" FORMAT "\"";
    if (!json_is_array(findings))
        return "it has no array \"findings\"";
    b->fingerprints = calloc(json_array_size(findings) + 1, sizeof *b->fingerprints);
    if (!b->fingerprints)
        cspt_fatal("out of memory");
    json_array_foreach(findings, i, finding)
    {
        const char *fingerprint = json_string_value(json_object_get(finding, "fingerprint"));
        if (!fingerprint || !*fingerprint)
            return "a finding in it has no fingerprint";
        b->fingerprints[b->count++] = cspt_format("%s", fingerprint);
    }
    qsort(b->fingerprints, b->count, sizeof *b->fingerprints, compare);
    return NULL;
}

bool cspt_baseline_read(cspt_baseline *b, const char *path, char **error)
{
    json_error_t failure;
    *b = (cspt_baseline){0};
    errno = 0;
    json_t *o = json_load_file(path, JSON_REJECT_DUPLICATES, &failure);
    const char *wrong = o ? take(b, o) : errno ? strerror(errno) : failure.text;
    if (wrong) {
        *error =
            !o && !errno ? cspt_format("%s:%d: %s", path, failure.line, wrong) : cspt_format("%s: %s", path, wrong);
        cspt_baseline_fini(b);
    }
    json_decref(o);
    return !wrong;
}

bool cspt_baseline_has(const cspt_baseline *b, const char *fingerprint)
{
    return b->count && bsearch(&fingerprint, b->fingerprints, b->count, sizeof *b->fingerprints, compare);
}

void cspt_baseline_fini(cspt_baseline *b)
{
    for (size_t i = 0; i < b->count; i++)
        free(b->fingerprints[i]);
    free(b->fingerprints);
    *b = (cspt_baseline){0};
}

void cspt_baseline_mark(const cspt_baseline *b, cspt_test *t)
{
    for (size_t i = 0; i < t->n_findings; i++)
        t->findings[i].known = cspt_baseline_has(b, t->findings[i].fingerprint);
}

size_t cspt_baseline_unseen(const cspt_baseline *b, const cspt_results *r)
{
    size_t unseen = 0;
    for (size_t i = 0; i < b->count; i++) {
        bool seen = i > 0 && strcmp(b->fingerprints[i], b->fingerprints[i - 1]) == 0;
        for (size_t k = 0; k < r->n_tests && !seen; k++)
            seen = cspt_test_find(&r->tests[k], b->fingerprints[i]) != NULL;
        unseen += !seen;
    }
    return unseen;
}

typedef struct entry {
    const char *fingerprint, *kind, *title, *test;
} entry;

static int compare_entries(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    int order = strcmp(x->fingerprint, y->fingerprint);
    return order ? order : strcmp(x->test, y->test);
}

bool cspt_baseline_write(const cspt_results *r, const char *path, char **error)
{
    size_t n = 0, k = 0;
    for (size_t i = 0; i < r->n_tests; i++)
        n += r->tests[i].n_findings;
    entry *entries = calloc(n ? n : 1, sizeof *entries);
    if (!entries)
        cspt_fatal("out of memory");
    for (size_t i = 0; i < r->n_tests; i++)
        for (size_t j = 0; j < r->tests[i].n_findings && k < n; j++) {
            const cspt_finding *f = &r->tests[i].findings[j];
            entries[k++] = (entry){f->fingerprint, f->kind, f->title, r->tests[i].name};
        }
    qsort(entries, k, sizeof *entries, compare_entries);
    json_t *o = cspt_json_object();
    cspt_json_set_string(o, "format", FORMAT);
    json_t *findings = cspt_json_set_array(o, "findings");
    for (size_t i = 0; i < k; i++) {
        if (i && strcmp(entries[i].fingerprint, entries[i - 1].fingerprint) == 0)
            continue;
        json_t *finding = cspt_json_add_object(findings);
        cspt_json_set_string(finding, "fingerprint", entries[i].fingerprint);
        cspt_json_set_string(finding, "kind", entries[i].kind);
        cspt_json_set_string(finding, "title", entries[i].title);
        cspt_json_set_string(finding, "test", entries[i].test);
    }
    free(entries);
    return cspt_json_write_file(o, path, JSON_INDENT(1), error);
}
