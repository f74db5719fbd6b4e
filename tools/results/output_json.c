// output_json.c - results as JSON lines: one event each, as soon as it is known. Schema: docs/ci/csp-test.schema.json.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Seeds are strings of digits: readers that take numbers for doubles would round them.
#include <inttypes.h>
#include <stdlib.h>

#include "common/argv.h"
#include "common/message.h"
#include "results/json_out.h"
#include "results/output.h"

static const char *const outcomes[] = {
    [CSPT_PASSED] = "passed",   [CSPT_FAILED] = "failed", [CSPT_SKIPPED] = "skipped",
    [CSPT_NOT_RUN] = "not_run", [CSPT_BROKEN] = "broken",
};

// Takes the event over.
static bool write_event(json_t *event, FILE *out)
{
    char *line = json_dumps(event, JSON_COMPACT);
    json_decref(event);
    if (!line)
        cspt_fatal("out of memory");
    bool done = fputs(line, out) != EOF && putc('\n', out) != EOF && fflush(out) == 0;
    free(line);
    return done;
}

static json_t *make_event(const char *name)
{
    json_t *event = cspt_json_object();
    cspt_json_set_string(event, "event", name);
    return event;
}

static void set_seed(json_t *o, uint64_t seed)
{
    char *digits = cspt_format("%" PRIu64, seed);
    cspt_json_set_string(o, "seed", digits);
    free(digits);
}

static void set_stacks(json_t *event, const cspt_finding *f)
{
    json_t *stacks = cspt_json_set_array(event, "stacks");
    for (size_t i = 0; i < f->n_stacks; i++) {
        const cspt_stack *s = &f->stacks[i];
        json_t *stack = cspt_json_add_object(stacks);
        cspt_json_set_string(stack, "role", s->role);
        cspt_json_set_string(stack, "what", s->what);
        cspt_json_set_bool(stack, "primary", s->primary);
        if (s->task)
            cspt_json_set_number(stack, "task", s->task);
        cspt_json_set_string(stack, "name", s->task_name);
        json_t *frames = cspt_json_set_array(stack, "frames");
        for (size_t j = 0; j < s->n_frames; j++) {
            const cspt_frame *from = &s->frames[j];
            json_t *frame = cspt_json_add_object(frames);
            cspt_json_set_string(frame, "function", from->function);
            cspt_json_set_string(frame, "file", from->file);
            if (from->line)
                cspt_json_set_number(frame, "line", from->line);
            if (from->column)
                cspt_json_set_number(frame, "column", from->column);
            cspt_json_set_string(frame, "module", from->module);
            cspt_json_set_number(frame, "offset", from->offset);
        }
    }
}

static json_t *make_finding(const cspt_test *t, const cspt_finding *f)
{
    json_t *event = make_event("finding");
    cspt_json_set_string(event, "test", t->name);
    cspt_json_set_string(event, "fingerprint", f->fingerprint);
    cspt_json_set_string(event, "kind", f->kind);
    cspt_json_set_string(event, "title", f->title);
    cspt_json_set_bool(event, "fails", cspt_output_fails(f));
    cspt_json_set_bool(event, "known", f->known);
    cspt_json_set_number(event, "schedules", f->schedules);
    cspt_json_set_number(event, "times", f->times);
    if (f->first)
        cspt_json_set_number(event, "first", f->first);
    if (f->has_seed)
        set_seed(event, f->seed);
    cspt_json_set_string(event, "strategy", f->strategy);
    cspt_json_set_string(event, "replay_command", f->replay_command);
    cspt_json_set_string(event, "schedule_file", f->schedule_file);
    if (f->replay != CSPT_REPLAY_UNTRIED)
        cspt_json_set_bool(event, "replayed", f->replay == CSPT_REPLAY_SAME);
    cspt_json_set_string(event, "replay_note", f->replay_note);
    set_stacks(event, f);
    cspt_json_set_string(event, "text", f->text);
    cspt_json_set_string(event, "output", f->output);
    return event;
}

static void set_explored(json_t *event, const cspt_explored *e)
{
    json_t *o = cspt_json_set_object(event, "explored");
    cspt_json_set_bool(o, "controlled", e->controlled);
    cspt_json_set_number(o, "schedules", e->schedules);
    cspt_json_set_number(o, "failing", e->failing);
    if (!e->controlled)
        return;
    cspt_json_set_number(o, "first_iteration", e->first_iteration);
    cspt_json_set_number(o, "interleavings", e->n_interleavings);
    cspt_json_set_number(o, "tasks", e->tasks);
    cspt_json_set_number(o, "points", e->points);
    json_t *strategies = cspt_json_set_object(o, "strategies");
    for (size_t i = 0; i < e->n_strategies; i++)
        cspt_json_set_number(strategies, e->strategies[i].name, e->strategies[i].schedules);
    if (e->bound > 0) {
        cspt_json_set_number(o, "depth", e->depth);
        cspt_json_set_number(o, "pct_schedules", e->pct_schedules);
        cspt_json_set(o, "bound", json_real(e->bound));
    }
    cspt_json_set_number(o, "not_replayable", e->not_replayable);
    json_t *reasons = cspt_json_set_array(o, "why_not");
    for (size_t i = 0; i < e->n_why_not; i++)
        cspt_json_add(reasons, cspt_json_string(e->why_not[i]));
}

bool cspt_output_json_begin(const cspt_results *r, FILE *out)
{
    json_t *event = make_event("begin");
    cspt_json_set_string(event, "format", "csp test 1");
    cspt_json_set_string(event, "version", CSP_VERSION);
    cspt_json_set(event, "started", json_integer(r->started));
    set_seed(event, r->seed);
    cspt_json_set_string(event, "strategy", r->strategy);
    cspt_json_set_number(event, "shard", r->shard_index);
    cspt_json_set_number(event, "shards", r->shard_count);
    cspt_json_set_number(event, "tests", r->n_tests);
    cspt_json_set_number(event, "tests_total", r->tests_total);
    return write_event(event, out);
}

bool cspt_output_json_test(const cspt_test *t, FILE *out)
{
    for (size_t i = 0; i < t->n_findings; i++)
        if (!write_event(make_finding(t, &t->findings[i]), out))
            return false;
    json_t *event = make_event("test");
    cspt_json_set_string(event, "test", t->name);
    json_t *command = cspt_json_set_array(event, "command");
    for (char **arg = t->command; arg && *arg; arg++)
        cspt_json_add(command, cspt_json_string(*arg));
    cspt_json_set_string(event, "directory", t->directory);
    cspt_json_set_string(event, "outcome", outcomes[t->outcome]);
    cspt_json_set_string(event, "note", t->note);
    cspt_json_set(event, "seconds", json_real(t->seconds));
    cspt_json_set_number(event, "findings", t->n_findings);
    set_explored(event, &t->explored);
    return write_event(event, out);
}

bool cspt_output_json_end(const cspt_results *r, const cspt_output_context *context, FILE *out)
{
    json_t *event = make_event("end");
    size_t counts[sizeof outcomes / sizeof *outcomes] = {0}, findings = 0;
    uint64_t schedules = 0;
    for (size_t i = 0; i < r->n_tests; i++) {
        counts[r->tests[i].outcome]++;
        findings += r->tests[i].n_findings;
        schedules += r->tests[i].explored.schedules;
    }
    cspt_json_set_number(event, "status", (uint64_t)context->status);
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
        cspt_json_set_number(event, outcomes[i], counts[i]);
    cspt_json_set_number(event, "findings", findings);
    cspt_json_set_number(event, "new_findings", cspt_results_new_findings(r));
    cspt_json_set_number(event, "schedules", schedules);
    cspt_json_set(event, "seconds", json_real(r->seconds));
    if (r->interrupted)
        cspt_json_set_number(event, "interrupted", (uint64_t)r->interrupted);
    return write_event(event, out);
}
