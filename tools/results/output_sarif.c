// output_sarif.c - results as SARIF 2.1.0: a rule per kind, a result per fingerprint, a code flow thread per coroutine.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One run always: GitHub takes no second one of the same tool and category. Its limits (25,000 results, 1,000 locations a
// result of which 100 are shown, 10,000 thread flow locations) are ours too; what is left out is said in a notification.
// Paths are relative to %SRCROOT% where they can be. A finding without a place of its own - a crash, a timeout - stands at the
// program, since a result without a location is refused.
// A code flow thread is what one coroutine or thread did: how it came to be, outermost call first, then its own stack.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/argv.h"
#include "common/message.h"
#include "results/escape.h"
#include "results/json_out.h"
#include "results/kinds.h"
#include "results/output.h"

enum {
    MAX_RESULTS = 25000,
    MAX_RELATED = 100,
    MAX_FLOW = 1000,    // of one result; GitHub shows no more
    MAX_CREATION = 64,  // of those, calls that led to a creation
    MAX_REPORTS = 500,  // results that carry the whole report
    MAX_REPORT = 16384, // bytes of it
};

// A finding, and the tests that have it: the first of them speaks for it.
typedef struct result {
    const cspt_test *test;
    const cspt_finding *finding;
    json_t *tests;
} result;

typedef struct writer {
    const cspt_results *results;
    const cspt_output_context *context;
    result *items;
    size_t n_items, n_left_out;
    json_t *rules;
} writer;

// --- places ---------------------------------------------------------------------------------------------------------------

static void set_message(json_t *o, const char *text)
{
    cspt_json_set_string(cspt_json_set_object(o, "message"), "text", text);
}

static void set_artifact(const writer *w, json_t *physical, const char *file)
{
    json_t *artifact = cspt_json_set_object(physical, "artifactLocation");
    char *relative = cspt_relative_path(w->context->source_root, file);
    char *encoded = cspt_escape_path(relative ? relative : file);
    if (relative || *file != '/') {
        cspt_json_set_string(artifact, "uri", encoded);
        if (relative)
            cspt_json_set_string(artifact, "uriBaseId", "%SRCROOT%");
    } else {
        char *uri = cspt_format("file://%s", encoded);
        cspt_json_set_string(artifact, "uri", uri);
        free(uri);
    }
    free(encoded);
    free(relative);
}

// A location object for the frame; NULL when it has no file.
static json_t *make_location(const writer *w, const cspt_frame *f)
{
    if (!f->file)
        return NULL;
    json_t *location = cspt_json_object(), *physical = cspt_json_set_object(location, "physicalLocation");
    set_artifact(w, physical, f->file);
    json_t *region = cspt_json_set_object(physical, "region");
    cspt_json_set_number(region, "startLine", f->line ? f->line : 1);
    if (f->line && f->column)
        cspt_json_set_number(region, "startColumn", f->column);
    if (f->function) {
        json_t *logical = cspt_json_add_object(cspt_json_set_array(location, "logicalLocations"));
        cspt_json_set_string(logical, "fullyQualifiedName", f->function);
        cspt_json_set_string(logical, "kind", "function");
    }
    return location;
}

// Where a finding is that has no place in the sources.
static json_t *make_program_location(const writer *w, const cspt_test *t)
{
    const char *program = t->command && t->command[0] ? t->command[0] : t->name;
    cspt_frame frame = {.file = (char *)(uintptr_t)program};
    return make_location(w, &frame);
}

static const cspt_frame *innermost_place(const cspt_stack *s)
{
    for (size_t i = 0; i < s->n_frames; i++)
        if (s->frames[i].file)
            return &s->frames[i];
    return NULL;
}

static char *describe_stack(const cspt_stack *s)
{
    const char *what = s->what && *s->what ? s->what : s->role ? s->role : "here";
    return s->task_name && !strstr(what, s->task_name) ? cspt_format("%s (%s)", what, s->task_name)
                                                       : cspt_format("%s", what);
}

// --- code flows -----------------------------------------------------------------------------------------------------------

static bool is_creation(const cspt_stack *s)
{
    return s->role && strcmp(s->role, "creation") == 0;
}

// The stack's frames, outermost first, into a thread flow; the innermost gets the message of what happened there.
static void add_steps(const writer *w, json_t *steps, const cspt_stack *s, unsigned importance)
{
    static const char *const words[] = {"unimportant", "important", "essential"};
    size_t room = MAX_FLOW - json_array_size(steps);
    if (is_creation(s) && room > MAX_CREATION)
        room = MAX_CREATION;
    size_t shown = s->n_frames < room ? s->n_frames : room; // the innermost ones
    const cspt_frame *last = innermost_place(s);
    for (size_t i = shown; i-- > 0;) {
        json_t *location = make_location(w, &s->frames[i]);
        if (!location)
            continue;
        bool is_last = &s->frames[i] == last;
        char *text = is_last                 ? describe_stack(s)
                     : s->frames[i].function ? cspt_format("in %s", s->frames[i].function)
                                             : cspt_format("called from here");
        set_message(location, text);
        free(text);
        json_t *step = cspt_json_add_object(steps);
        cspt_json_set(step, "location", location);
        cspt_json_set_number(step, "nestingLevel", s->n_frames - 1 - i);
        cspt_json_set_string(step, "importance", is_last ? words[importance] : words[0]);
    }
}

static void add_flow(const writer *w, json_t *flows, const cspt_finding *f, const cspt_stack *of)
{
    json_t *flow = cspt_json_object(), *steps = cspt_json_set_array(flow, "locations");
    for (int round = 0; round < 2; round++) // how it came to be goes first
        for (size_t i = 0; i < f->n_stacks; i++) {
            const cspt_stack *s = &f->stacks[i];
            bool its = of->task ? s->task == of->task : s == of;
            if (its && is_creation(s) == (round == 0) && (s->primary || is_creation(s)))
                add_steps(w, steps, s, s->primary ? 2 : 1);
        }
    if (!json_array_size(steps)) { // the schema wants one at least
        json_decref(flow);
        return;
    }
    char *name = of->task_name ? cspt_format("%s (%" PRIu64 ")", of->task_name, of->task)
                 : of->task    ? cspt_format("task %" PRIu64, of->task)
                               : cspt_format("%s", of->what && *of->what ? of->what : "unknown task");
    cspt_json_set_string(flow, "id", name);
    set_message(flow, name);
    free(name);
    cspt_json_add(flows, flow);
}

static void set_code_flows(const writer *w, json_t *out, const cspt_finding *f)
{
    json_t *flows = cspt_json_array();
    for (size_t i = 0; i < f->n_stacks; i++) {
        const cspt_stack *s = &f->stacks[i];
        bool seen = false; // an earlier stack of the same task has made its thread
        for (size_t j = 0; j < i && s->task && !seen; j++)
            seen = f->stacks[j].primary && f->stacks[j].task == s->task;
        if (s->primary && !seen)
            add_flow(w, flows, f, s);
    }
    if (!json_array_size(flows)) {
        json_decref(flows);
        return;
    }
    json_t *code_flow = cspt_json_add_object(cspt_json_set_array(out, "codeFlows"));
    set_message(code_flow, "What each coroutine or thread did.");
    cspt_json_set(code_flow, "threadFlows", flows);
}

// Every other stack: where a coroutine was created, memory allocated, a lock taken; also the second access of a race.
static void set_related(const writer *w, json_t *out, const cspt_finding *f)
{
    json_t *related = cspt_json_array();
    bool is_first = true; // the one that the result itself stands at
    for (size_t i = 0; i < f->n_stacks && json_array_size(related) < MAX_RELATED; i++) {
        const cspt_frame *place = innermost_place(&f->stacks[i]);
        json_t *location = place && !is_first ? make_location(w, place) : NULL;
        is_first = is_first && !place;
        if (!location)
            continue;
        char *text = describe_stack(&f->stacks[i]);
        cspt_json_set_number(location, "id", json_array_size(related) + 1);
        set_message(location, text);
        free(text);
        cspt_json_add(related, location);
    }
    if (json_array_size(related))
        cspt_json_set(out, "relatedLocations", related);
    else
        json_decref(related);
}

// --- results --------------------------------------------------------------------------------------------------------------

static size_t find_rule(writer *w, const char *kind)
{
    char *id = cspt_kind_id(kind);
    size_t i;
    json_t *rule;
    json_array_foreach(w->rules, i, rule)
    {
        if (strcmp(json_string_value(json_object_get(rule, "id")), id) == 0)
            break;
    }
    if (i == json_array_size(w->rules)) {
        const cspt_kind *k = cspt_kind_find(kind);
        rule = cspt_json_add_object(w->rules);
        cspt_json_set_string(rule, "id", id);
        cspt_json_set_string(rule, "name", kind);
        cspt_json_set_string(cspt_json_set_object(rule, "shortDescription"), "text", kind);
        cspt_json_set_string(cspt_json_set_object(rule, "fullDescription"), "text", k->summary);
        cspt_json_set_string(cspt_json_set_object(rule, "help"), "text", k->help);
        cspt_json_set_string(cspt_json_set_object(rule, "defaultConfiguration"), "level", "error");
        json_t *properties = cspt_json_set_object(rule, "properties");
        cspt_json_add(cspt_json_set_array(properties, "tags"), cspt_json_string("concurrency"));
        cspt_json_set_string(properties, "precision", "very-high");
    }
    free(id);
    return i;
}

static void set_result_message(json_t *out, const result *item)
{
    const cspt_finding *f = item->finding;
    char *often = cspt_output_frequency(item->test, f);
    char *text = cspt_format("%s\nShown by %s, %s.%s%s", f->title, item->test->name, often,
                             f->replay_command ? "\nReplay: " : "", f->replay_command ? f->replay_command : "");
    set_message(out, text);
    free(text);
    free(often);
}

static void set_result_properties(const writer *w, json_t *out, const result *item)
{
    const cspt_finding *f = item->finding;
    json_t *properties = cspt_json_set_object(out, "properties");
    cspt_json_set(properties, "tests", json_incref(item->tests));
    if (f->has_seed) {
        char *seed = cspt_format("%" PRIu64, f->seed);
        cspt_json_set_string(properties, "seed", seed);
        free(seed);
    }
    cspt_json_set_string(properties, "strategy", f->strategy);
    cspt_json_set_string(properties, "replayCommand", f->replay_command);
    cspt_json_set_string(properties, "scheduleFile", f->schedule_file);
    if (f->text && item - w->items < MAX_REPORTS) {
        char *clipped = cspt_format("%.*s", MAX_REPORT, f->text);
        cspt_json_set_string(properties, "report", clipped);
        free(clipped);
    }
}

static void add_result(writer *w, json_t *results, const result *item)
{
    const cspt_finding *f = item->finding;
    json_t *out = cspt_json_add_object(results);
    char *id = cspt_kind_id(f->kind);
    cspt_json_set_string(out, "ruleId", id);
    free(id);
    cspt_json_set_number(out, "ruleIndex", find_rule(w, f->kind));
    cspt_json_set_string(out, "kind", "fail");
    cspt_json_set_string(out, "level", f->mild ? "note" : "error");
    set_result_message(out, item);
    const cspt_frame *place = cspt_finding_place(f);
    json_t *location = place ? make_location(w, place) : NULL;
    cspt_json_add(cspt_json_set_array(out, "locations"), location ? location : make_program_location(w, item->test));
    set_related(w, out, f);
    set_code_flows(w, out, f);
    json_t *prints = cspt_json_set_object(out, "partialFingerprints");
    cspt_json_set_string(prints, "cspthread/v1", f->fingerprint);
    char *line_hash = cspt_format("%s:1", f->fingerprint); // the one that GitHub goes by
    cspt_json_set_string(prints, "primaryLocationLineHash", line_hash);
    free(line_hash);
    cspt_json_set_number(out, "occurrenceCount", f->times ? f->times : 1);
    if (w->context->baseline) {
        json_t *suppressions = cspt_json_set_array(out, "suppressions"); // all results have it or none
        cspt_json_set_string(out, "baselineState", f->known ? "unchanged" : "new");
        if (f->known) {
            char *why = cspt_format("known from the baseline %s", w->context->baseline);
            json_t *suppression = cspt_json_add_object(suppressions);
            cspt_json_set_string(suppression, "kind", "external");
            cspt_json_set_string(suppression, "status", "accepted");
            cspt_json_set_string(suppression, "justification", why);
            free(why);
        }
    }
    set_result_properties(w, out, item);
}

// One item per fingerprint: tests that share code find the same.
static void collect(writer *w)
{
    const cspt_results *r = w->results;
    size_t n = 0;
    for (size_t i = 0; i < r->n_tests; i++)
        n += r->tests[i].n_findings;
    w->items = calloc(n ? n : 1, sizeof *w->items);
    json_t *known = cspt_json_object(); // fingerprint -> place in items
    if (!w->items)
        cspt_fatal("out of memory");
    for (size_t i = 0; i < r->n_tests; i++)
        for (size_t j = 0; j < r->tests[i].n_findings; j++) {
            const cspt_finding *f = &r->tests[i].findings[j];
            const json_t *at = json_object_get(known, f->fingerprint);
            size_t k = at ? (size_t)json_integer_value(at) : w->n_items;
            if (!at && (w->n_items == MAX_RESULTS || w->n_items == n)) {
                w->n_left_out++;
                continue;
            }
            if (!at) {
                cspt_json_set_number(known, f->fingerprint, k);
                w->items[w->n_items++] = (result){&r->tests[i], f, cspt_json_array()};
            }
            cspt_json_add(w->items[k].tests, cspt_json_string(r->tests[i].name));
        }
    json_decref(known);
}

// --- the run --------------------------------------------------------------------------------------------------------------

static void set_time(json_t *o, const char *name, int64_t seconds)
{
    char text[32];
    time_t t = (time_t)seconds;
    struct tm utc;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &utc));
    cspt_json_set_string(o, name, text);
}

static void add_notification(json_t *list, const char *level, const char *text)
{
    json_t *notification = cspt_json_add_object(list);
    cspt_json_set_string(notification, "level", level);
    set_message(notification, text);
}

static void set_invocation(const writer *w, json_t *run)
{
    const cspt_results *r = w->results;
    json_t *invocation = cspt_json_add_object(cspt_json_set_array(run, "invocations"));
    cspt_json_set_bool(invocation, "executionSuccessful", w->context->status == 0 || w->context->status == 66);
    cspt_json_set_number(invocation, "exitCode", (uint64_t)w->context->status);
    set_time(invocation, "startTimeUtc", r->started);
    set_time(invocation, "endTimeUtc", r->started + (int64_t)(r->seconds + 0.5));
    json_t *notes = cspt_json_set_array(invocation, "toolExecutionNotifications");
    for (size_t i = 0; i < r->n_tests; i++) {
        const cspt_test *t = &r->tests[i];
        if (t->outcome != CSPT_BROKEN && t->outcome != CSPT_NOT_RUN)
            continue;
        char *text = cspt_format("%s %s: %s", t->name, t->outcome == CSPT_BROKEN ? "could not be run" : "was not run",
                                 t->note ? t->note : "no reason is known");
        add_notification(notes, t->outcome == CSPT_BROKEN ? "error" : "warning", text);
        free(text);
    }
    if (w->n_left_out) {
        char *text = cspt_format("%zu more results than SARIF readers take are left out", w->n_left_out);
        add_notification(notes, "warning", text);
        free(text);
    }
}

static void set_run_properties(const writer *w, json_t *run)
{
    const cspt_results *r = w->results;
    json_t *properties = cspt_json_set_object(run, "properties");
    uint64_t schedules = 0;
    for (size_t i = 0; i < r->n_tests; i++)
        schedules += r->tests[i].explored.schedules;
    char *seed = cspt_format("%" PRIu64, r->seed);
    cspt_json_set_number(properties, "tests", r->n_tests);
    cspt_json_set_number(properties, "schedules", schedules);
    cspt_json_set_string(properties, "seed", seed);
    cspt_json_set_string(properties, "strategy", r->strategy);
    free(seed);
}

static json_t *make_run(writer *w)
{
    const cspt_results *r = w->results;
    json_t *run = cspt_json_object();
    json_t *driver = cspt_json_set_object(cspt_json_set_object(run, "tool"), "driver");
    cspt_json_set_string(driver, "name", "cspthread");
    cspt_json_set_string(driver, "semanticVersion", CSP_VERSION);
    cspt_json_set_string(driver, "fullName", "csp test of cspthread " CSP_VERSION);
    cspt_json_set(driver, "rules", w->rules);
    char *category = r->shard_count > 1 ? cspt_format("csp-test/shard-%u-of-%u/", r->shard_index, r->shard_count)
                                        : cspt_format("csp-test/");
    cspt_json_set_string(cspt_json_set_object(run, "automationDetails"), "id", category);
    free(category);
    char *encoded = cspt_escape_path(w->context->source_root), *uri = cspt_format("file://%s/", encoded);
    cspt_json_set_string(cspt_json_set_object(cspt_json_set_object(run, "originalUriBaseIds"), "%SRCROOT%"), "uri",
                         uri);
    free(uri);
    free(encoded);
    set_invocation(w, run);
    json_t *results = cspt_json_set_array(run, "results");
    for (size_t i = 0; i < w->n_items; i++)
        add_result(w, results, &w->items[i]);
    set_run_properties(w, run);
    return run;
}

bool cspt_output_sarif(const cspt_results *r, const cspt_output_context *context, const char *path, char **error)
{
    writer w = {.results = r, .context = context, .rules = cspt_json_array()};
    collect(&w);
    json_t *log = cspt_json_object();
    cspt_json_set_string(log, "$schema",
                         "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json");
    cspt_json_set_string(log, "version", "2.1.0");
    cspt_json_add(cspt_json_set_array(log, "runs"), make_run(&w));
    for (size_t i = 0; i < w.n_items; i++)
        json_decref(w.items[i].tests);
    free(w.items);
    return cspt_json_write_file(log, path, JSON_INDENT(1), error);
}
