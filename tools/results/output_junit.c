// output_junit.c - results as JUnit XML: a suite per program, a test case per test, a failure per finding.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nobody owns the format; test/ci/schemas/junit.xsd is what Jenkins, GitLab, Bazel, Azure and pytest's readers have in common.
// Findings that are known or mild stand in <system-out>: visible, and no failure. A test that csp could not run is an <error>,
// one that was not run is <skipped> with the reason.
#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/argv.h"
#include "common/message.h"
#include "common/text.h"
#include "results/escape.h"
#include "results/out_file.h"
#include "results/output.h"

typedef struct counts {
    size_t tests, failures, errors, skipped;
    double seconds;
} counts;

// --- writing --------------------------------------------------------------------------------------------------------------

static void check(int result)
{
    if (result < 0)
        cspt_fatal("out of memory"); // the writer writes to memory: nothing else can fail
}

static void start(xmlTextWriter *w, const char *name)
{
    check(xmlTextWriterStartElement(w, BAD_CAST name));
}

static void end(xmlTextWriter *w)
{
    check(xmlTextWriterEndElement(w));
}

static void attribute(xmlTextWriter *w, const char *name, const char *value)
{
    char *clean = cspt_escape_utf8(value);
    check(xmlTextWriterWriteAttribute(w, BAD_CAST name, BAD_CAST clean));
    free(clean);
}

__attribute__((format(printf, 3, 4))) static void attribute_of(xmlTextWriter *w, const char *name, const char *format,
                                                               ...)
{
    char value[64];
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    attribute(w, name, value);
}

static void text(xmlTextWriter *w, const char *s)
{
    char *clean = cspt_escape_utf8(s);
    check(xmlTextWriterWriteString(w, BAD_CAST clean));
    free(clean);
}

static void property(xmlTextWriter *w, const char *name, const char *value)
{
    if (!value)
        return;
    start(w, "property");
    attribute(w, "name", name);
    attribute(w, "value", value);
    end(w);
}

static void property_number(xmlTextWriter *w, const char *name, uint64_t n)
{
    char *value = cspt_format("%" PRIu64, n);
    property(w, name, value);
    free(value);
}

static void property_real(xmlTextWriter *w, const char *name, double n)
{
    char *value = cspt_format("%.6g", n);
    property(w, name, value);
    free(value);
}

// --- results --------------------------------------------------------------------------------------------------------------

// The part of a test's name before its first ':' outside of a drive or path: the program; the rest is the case.
static size_t suite_length(const cspt_test *t)
{
    const char *slash = strrchr(t->name, '/'), *colon = strchr(slash ? slash : t->name, ':');
    return colon && colon[1] ? (size_t)(colon - t->name) : strlen(t->name);
}

static bool same_suite(const cspt_test *a, const cspt_test *b)
{
    size_t n = suite_length(a);
    return n == suite_length(b) && strncmp(a->name, b->name, n) == 0;
}

static void count_test(counts *c, const cspt_test *t)
{
    c->tests++;
    c->seconds += t->seconds;
    c->failures += t->outcome == CSPT_FAILED;
    c->errors += t->outcome == CSPT_BROKEN;
    c->skipped += t->outcome == CSPT_SKIPPED || t->outcome == CSPT_NOT_RUN;
}

static void write_counts(xmlTextWriter *w, const counts *c)
{
    attribute_of(w, "tests", "%zu", c->tests);
    attribute_of(w, "failures", "%zu", c->failures);
    attribute_of(w, "errors", "%zu", c->errors);
    attribute_of(w, "skipped", "%zu", c->skipped);
    attribute_of(w, "time", "%.3f", c->seconds);
}

static void write_finding_text(xmlTextWriter *w, const cspt_test *t, const cspt_finding *f)
{
    char *often = cspt_output_frequency(t, f);
    char *head = cspt_format("%s\n%s\nfingerprint %s\n", f->title, often, f->fingerprint);
    text(w, head);
    if (f->replay_command) {
        char *replay = cspt_format("replay: %s\n", f->replay_command);
        text(w, replay);
        free(replay);
    }
    if (f->text) {
        text(w, "\n");
        text(w, f->text);
    }
    if (f->output) {
        text(w, "\nThe program's output in that run:\n");
        text(w, f->output);
    }
    free(head);
    free(often);
}

static void write_properties(xmlTextWriter *w, const cspt_test *t)
{
    const cspt_explored *e = &t->explored;
    start(w, "properties");
    property_number(w, e->controlled ? "schedules" : "runs", e->schedules);
    if (e->controlled) {
        property_number(w, "interleavings", e->n_interleavings);
        property_number(w, "tasks", e->tasks);
        property_number(w, "points", e->points);
        property_number(w, "not_replayable", e->not_replayable);
    }
    if (e->bound > 0) {
        property_number(w, "bug_depth", e->depth);
        property_real(w, "bound", e->bound);
    }
    for (size_t i = 0; i < t->n_findings; i++) {
        const cspt_finding *f = &t->findings[i];
        property(w, "finding", f->fingerprint);
        if (f->has_seed)
            property_number(w, "seed", f->seed);
        property(w, "strategy", f->strategy);
        property(w, "replay", f->replay_command);
        property(w, "schedule_file", f->schedule_file);
    }
    end(w);
}

// Those that fail nothing.
static void write_quiet_findings(xmlTextWriter *w, const cspt_test *t)
{
    bool any = false;
    for (size_t i = 0; i < t->n_findings; i++) {
        const cspt_finding *f = &t->findings[i];
        if (cspt_output_fails(f))
            continue;
        if (!any)
            start(w, "system-out");
        any = true;
        text(w, f->known ? "Known from the baseline: " : "No failure by itself: ");
        write_finding_text(w, t, f);
    }
    if (any)
        end(w);
}

static void write_message(xmlTextWriter *w, const char *element, const char *prefix, const char *note)
{
    char *message = cspt_format("%s%s", prefix, note ? note : "no reason is known");
    start(w, element);
    attribute(w, "message", message);
    end(w);
    free(message);
}

static void write_test(xmlTextWriter *w, const cspt_test *t)
{
    size_t n = suite_length(t);
    char *suite = cspt_format("%.*s", (int)n, t->name);
    start(w, "testcase");
    attribute(w, "name", t->name[n] ? t->name + n + 1 : t->name);
    attribute(w, "classname", suite);
    attribute_of(w, "time", "%.3f", t->seconds);
    write_properties(w, t);
    if (t->outcome == CSPT_SKIPPED)
        write_message(w, "skipped", "", t->note);
    if (t->outcome == CSPT_NOT_RUN)
        write_message(w, "skipped", "not run: ", t->note);
    for (size_t i = 0; i < t->n_findings; i++) {
        const cspt_finding *f = &t->findings[i];
        if (!cspt_output_fails(f))
            continue;
        start(w, "failure");
        attribute(w, "message", f->title);
        attribute(w, "type", f->kind);
        write_finding_text(w, t, f);
        end(w);
    }
    if (t->outcome == CSPT_BROKEN)
        write_message(w, "error", "", t->note);
    write_quiet_findings(w, t);
    end(w);
    free(suite);
}

static void write_suite(xmlTextWriter *w, const cspt_results *r, size_t first)
{
    const cspt_test *t = &r->tests[first];
    counts c = {0};
    for (size_t i = first; i < r->n_tests; i++)
        if (same_suite(t, &r->tests[i]))
            count_test(&c, &r->tests[i]);
    char *name = cspt_format("%.*s", (int)suite_length(t), t->name), stamp[32], host[256] = "localhost";
    time_t started = (time_t)r->started;
    struct tm utc;
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", gmtime_r(&started, &utc));
    gethostname(host, sizeof host - 1);
    start(w, "testsuite");
    attribute(w, "name", name);
    write_counts(w, &c);
    attribute(w, "timestamp", stamp);
    attribute(w, "hostname", host);
    start(w, "properties");
    property_number(w, "seed", r->seed);
    property(w, "strategy", r->strategy);
    if (r->shard_count > 1) {
        property_number(w, "shard", r->shard_index);
        property_number(w, "shards", r->shard_count);
    }
    end(w);
    for (size_t i = first; i < r->n_tests; i++)
        if (same_suite(t, &r->tests[i]))
            write_test(w, &r->tests[i]);
    end(w);
    free(name);
}

static void write_suites(xmlTextWriter *w, const cspt_results *r)
{
    counts all = {0};
    for (size_t i = 0; i < r->n_tests; i++)
        count_test(&all, &r->tests[i]);
    start(w, "testsuites");
    attribute(w, "name", "csp test");
    write_counts(w, &all);
    for (size_t i = 0; i < r->n_tests; i++) {
        bool first = true;
        for (size_t j = 0; j < i && first; j++)
            first = !same_suite(&r->tests[i], &r->tests[j]);
        if (first)
            write_suite(w, r, i);
    }
    end(w);
}

bool cspt_output_junit(const cspt_results *r, const char *path, char **error)
{
    xmlBuffer *buffer = xmlBufferCreate();
    xmlTextWriter *w = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
    if (!w)
        cspt_fatal("out of memory");
    check(xmlTextWriterSetIndent(w, 1));
    check(xmlTextWriterStartDocument(w, NULL, "UTF-8", NULL));
    write_suites(w, r);
    check(xmlTextWriterEndDocument(w));
    xmlFreeTextWriter(w);
    bool done = cspt_out_file_write(path, (const char *)xmlBufferContent(buffer), error);
    xmlBufferFree(buffer);
    return done;
}
