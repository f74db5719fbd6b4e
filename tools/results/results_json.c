// results_json.c - results as a JSON file: what one shard hands to csp merge.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file from elsewhere is believed nothing: types are checked, counts are those of the arrays, and what is missing is the
// zero that it stands for. 64-bit numbers are strings of decimal digits, since JSON's are doubles to many readers.
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/argv.h"
#include "common/message.h"
#include "results/results.h"

#define FORMAT "cspthread results 1"

static const char *const outcomes[] = {"passed", "failed", "skipped", "not run", "broken"};
static const char *const replays[] = {"untried", "same", "failed"};

// --- writing: NULL and zero are left out --------------------------------------------------------------------------------

// jansson refuses what is not UTF-8: file names and output may be anything.
static json_t *make_string(const char *s)
{
    json_t *string = json_string(s);
    if (string)
        return string;
    char *clean = cspt_format("%s", s);
    for (char *p = clean; *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    string = json_string(clean);
    free(clean);
    return string;
}

static void put(json_t *object, const char *name, json_t *value)
{
    if (!value || json_object_set_new(object, name, value) < 0)
        cspt_fatal("out of memory");
}

static void put_string(json_t *object, const char *name, const char *s)
{
    if (s)
        put(object, name, make_string(s));
}

static void put_number(json_t *object, const char *name, uint64_t n)
{
    if (n)
        put(object, name, json_integer((json_int_t)n));
}

static void put_real(json_t *object, const char *name, double n)
{
    if (n > 0)
        put(object, name, json_real(n));
}

static void put_true(json_t *object, const char *name, bool b)
{
    if (b)
        put(object, name, json_true());
}

static void put_digits(json_t *object, const char *name, uint64_t n)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, n);
    put(object, name, json_string(digits));
}

static json_t *put_array(json_t *object, const char *name)
{
    json_t *array = json_array();
    put(object, name, array);
    return array;
}

static json_t *append_object(json_t *array)
{
    json_t *object = json_object();
    if (!object || json_array_append_new(array, object) < 0)
        cspt_fatal("out of memory");
    return object;
}

static void append_string(json_t *array, const char *s)
{
    if (json_array_append_new(array, make_string(s)) < 0)
        cspt_fatal("out of memory");
}

static void put_stack(json_t *o, const cspt_stack *s)
{
    put_true(o, "primary", s->primary);
    put_string(o, "role", s->role);
    put_string(o, "what", s->what);
    put_number(o, "task", s->task);
    put_string(o, "name", s->task_name);
    json_t *frames = put_array(o, "frames");
    for (size_t i = 0; i < s->n_frames; i++) {
        const cspt_frame *f = &s->frames[i];
        json_t *frame = append_object(frames);
        put_string(frame, "function", f->function);
        put_string(frame, "file", f->file);
        put_number(frame, "line", f->line);
        put_number(frame, "column", f->column);
        put_number(frame, "start_line", f->start_line);
        put_string(frame, "module", f->module);
        put_number(frame, "offset", f->offset);
        put_true(frame, "library", f->library);
    }
}

static void put_finding(json_t *o, const cspt_finding *f)
{
    put_string(o, "fingerprint", f->fingerprint);
    put_string(o, "kind", f->kind);
    put_string(o, "title", f->title);
    put_string(o, "text", f->text);
    put_string(o, "output", f->output);
    json_t *stacks = put_array(o, "stacks");
    for (size_t i = 0; i < f->n_stacks; i++)
        put_stack(append_object(stacks), &f->stacks[i]);
    put_number(o, "schedules", f->schedules);
    put_number(o, "times", f->times);
    put_number(o, "first", f->first);
    put_true(o, "in_trial", f->in_trial);
    if (f->has_seed)
        put_digits(o, "seed", f->seed);
    put_string(o, "strategy", f->strategy);
    put_string(o, "options", f->options);
    put_string(o, "schedule_file", f->schedule_file);
    put_string(o, "replay_command", f->replay_command);
    put_string(o, "replay", replays[f->replay]);
    put_string(o, "replay_note", f->replay_note);
    put_true(o, "mild", f->mild);
    put_true(o, "known", f->known);
}

static void put_explored(json_t *o, const cspt_explored *e)
{
    put_true(o, "controlled", e->controlled);
    put_number(o, "schedules", e->schedules);
    put_number(o, "failing", e->failing);
    put_number(o, "first_iteration", e->first_iteration);
    json_t *strategies = put_array(o, "strategies");
    for (size_t i = 0; i < e->n_strategies; i++) {
        json_t *strategy = append_object(strategies);
        put_string(strategy, "name", e->strategies[i].name);
        put_number(strategy, "schedules", e->strategies[i].schedules);
    }
    json_t *interleavings = put_array(o, "interleavings");
    for (size_t i = 0; i < e->n_interleavings; i++) {
        char hex[24];
        snprintf(hex, sizeof hex, "%016" PRIx64, e->interleavings[i]);
        append_string(interleavings, hex);
    }
    put_number(o, "tasks", e->tasks);
    put_number(o, "points", e->points);
    put_number(o, "depth", e->depth);
    put_number(o, "pct_schedules", e->pct_schedules);
    put_real(o, "bound", e->bound);
    put_real(o, "needed", e->needed);
    put_number(o, "not_replayable", e->not_replayable);
    json_t *reasons = put_array(o, "why_not");
    for (size_t i = 0; i < e->n_why_not; i++)
        append_string(reasons, e->why_not[i]);
}

static void put_test(json_t *o, const cspt_test *t)
{
    put_string(o, "name", t->name);
    json_t *command = put_array(o, "command");
    for (size_t i = 0; t->command && t->command[i]; i++)
        append_string(command, t->command[i]);
    put_string(o, "directory", t->directory);
    put_string(o, "outcome", outcomes[t->outcome]);
    put_string(o, "note", t->note);
    put_real(o, "seconds", t->seconds);
    json_t *explored = json_object();
    put(o, "explored", explored);
    put_explored(explored, &t->explored);
    json_t *findings = put_array(o, "findings");
    for (size_t i = 0; i < t->n_findings; i++)
        put_finding(append_object(findings), &t->findings[i]);
}

static json_t *make_json(const cspt_results *r)
{
    json_t *o = json_object();
    put_string(o, "format", FORMAT);
    put(o, "started", json_integer(r->started));
    put_real(o, "seconds", r->seconds);
    put_digits(o, "seed", r->seed);
    put_string(o, "strategy", r->strategy);
    put_number(o, "shard_index", r->shard_index);
    put_number(o, "shard_count", r->shard_count);
    put_number(o, "tests_total", r->tests_total);
    put_true(o, "seed_space_sharded", r->seed_space_sharded);
    put_number(o, "interrupted", (uint64_t)r->interrupted);
    json_t *tests = put_array(o, "tests");
    for (size_t i = 0; i < r->n_tests; i++)
        put_test(append_object(tests), &r->tests[i]);
    return o;
}

bool cspt_results_write(const cspt_results *r, const char *path, char **error)
{
    json_t *o = make_json(r);
    errno = 0;
    bool done = json_dump_file(o, path, JSON_INDENT(1)) == 0;
    if (!done)
        *error = cspt_format("%s: %s", path, errno ? strerror(errno) : "cannot be written");
    json_decref(o);
    return done;
}

// --- reading: the first thing that is wrong is kept -----------------------------------------------------------------------

typedef struct reader {
    char *error;
} reader;

static void refuse(reader *in, const char *name, const char *expected)
{
    if (!in->error)
        in->error = cspt_format("\"%s\" is not %s", name, expected);
}

static char *take_string(reader *in, const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    if (v && !json_is_string(v))
        refuse(in, name, "a string");
    return json_is_string(v) ? cspt_format("%s", json_string_value(v)) : NULL;
}

static char *take_string_or(reader *in, const json_t *o, const char *name, const char *otherwise)
{
    char *s = take_string(in, o, name);
    return s ? s : cspt_format("%s", otherwise);
}

static uint64_t take_number(reader *in, const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    if (v && !json_is_integer(v))
        refuse(in, name, "a whole number");
    return (uint64_t)json_integer_value(v);
}

static unsigned take_unsigned(reader *in, const json_t *o, const char *name)
{
    uint64_t n = take_number(in, o, name);
    if (n > INT_MAX)
        refuse(in, name, "a number of that kind");
    return n > INT_MAX ? 0 : (unsigned)n;
}

static double take_real(reader *in, const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    if (v && !json_is_number(v))
        refuse(in, name, "a number");
    return json_number_value(v);
}

static bool take_bool(reader *in, const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    if (v && !json_is_boolean(v))
        refuse(in, name, "true or false");
    return json_is_true(v);
}

static bool parse_number(const char *s, int base, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(s, &end, base);
    return !errno && end != s && !*end && *s != '-' && *s != '+' && *s != ' ';
}

// False when there is none.
static bool take_digits(reader *in, const json_t *o, const char *name, uint64_t *out)
{
    const json_t *v = json_object_get(o, name);
    if (!v)
        return false;
    if (!json_is_string(v) || !parse_number(json_string_value(v), 10, out)) {
        refuse(in, name, "a string of decimal digits");
        return false;
    }
    return true;
}

static const json_t *take_array(reader *in, const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    if (v && !json_is_array(v))
        refuse(in, name, "an array");
    return json_is_array(v) ? v : NULL;
}

// Its place in the list of words; 0 when it is missing.
static unsigned take_word(reader *in, const json_t *o, const char *name, const char *const *words, unsigned n)
{
    const json_t *v = json_object_get(o, name);
    if (!v)
        return 0;
    for (unsigned i = 0; json_is_string(v) && i < n; i++)
        if (strcmp(words[i], json_string_value(v)) == 0)
            return i;
    refuse(in, name, "one of the words it may be");
    return 0;
}

static void take_stack(reader *in, const json_t *o, cspt_stack *s)
{
    size_t i;
    json_t *v;
    s->primary = take_bool(in, o, "primary");
    s->role = take_string_or(in, o, "role", "");
    s->what = take_string_or(in, o, "what", "");
    s->task = take_number(in, o, "task");
    s->task_name = take_string(in, o, "name");
    json_array_foreach(take_array(in, o, "frames"), i, v)
    {
        cspt_frame *f = cspt_stack_add_frame(s);
        f->function = take_string(in, v, "function");
        f->file = take_string(in, v, "file");
        f->line = take_unsigned(in, v, "line");
        f->column = take_unsigned(in, v, "column");
        f->start_line = take_unsigned(in, v, "start_line");
        f->module = take_string(in, v, "module");
        f->offset = take_number(in, v, "offset");
        f->library = take_bool(in, v, "library");
    }
}

static void take_finding(reader *in, const json_t *o, cspt_finding *f)
{
    size_t i;
    json_t *v;
    f->fingerprint = take_string_or(in, o, "fingerprint", "");
    f->kind = take_string_or(in, o, "kind", "");
    f->title = take_string_or(in, o, "title", "");
    if (!*f->fingerprint || !*f->kind)
        refuse(in, "fingerprint", "there, or the kind is not");
    f->text = take_string(in, o, "text");
    f->output = take_string(in, o, "output");
    json_array_foreach(take_array(in, o, "stacks"), i, v) take_stack(in, v, cspt_finding_add_stack(f));
    f->schedules = take_number(in, o, "schedules");
    f->times = take_number(in, o, "times");
    f->first = take_number(in, o, "first");
    f->in_trial = take_bool(in, o, "in_trial");
    f->has_seed = take_digits(in, o, "seed", &f->seed);
    f->strategy = take_string(in, o, "strategy");
    f->options = take_string(in, o, "options");
    f->schedule_file = take_string(in, o, "schedule_file");
    f->replay_command = take_string(in, o, "replay_command");
    f->replay = take_word(in, o, "replay", replays, sizeof replays / sizeof *replays);
    f->replay_note = take_string(in, o, "replay_note");
    f->mild = take_bool(in, o, "mild");
    f->known = take_bool(in, o, "known");
}

static void take_explored(reader *in, const json_t *o, cspt_explored *e)
{
    size_t i;
    json_t *v;
    e->controlled = take_bool(in, o, "controlled");
    e->schedules = take_number(in, o, "schedules");
    e->failing = take_number(in, o, "failing");
    e->first_iteration = take_number(in, o, "first_iteration");
    json_array_foreach(take_array(in, o, "strategies"), i, v)
    {
        char *name = take_string_or(in, v, "name", "");
        cspt_explored_count_strategy(e, name, take_number(in, v, "schedules"));
        free(name);
    }
    json_array_foreach(take_array(in, o, "interleavings"), i, v)
    {
        uint64_t hash;
        if (!json_is_string(v) || !parse_number(json_string_value(v), 16, &hash))
            refuse(in, "interleavings", "an array of hexadecimal numbers");
        else
            cspt_explored_add_interleaving(e, hash);
    }
    e->tasks = take_number(in, o, "tasks");
    e->points = take_number(in, o, "points");
    e->depth = take_unsigned(in, o, "depth");
    e->pct_schedules = take_number(in, o, "pct_schedules");
    e->bound = take_real(in, o, "bound");
    e->needed = take_real(in, o, "needed");
    e->not_replayable = take_number(in, o, "not_replayable");
    json_array_foreach(take_array(in, o, "why_not"), i, v)
    {
        if (json_is_string(v))
            cspt_explored_add_reason(e, json_string_value(v));
        else
            refuse(in, "why_not", "an array of strings");
    }
}

static char **take_command(reader *in, const json_t *o)
{
    size_t i;
    json_t *v;
    const json_t *array = take_array(in, o, "command");
    char **command = calloc(json_array_size(array) + 1, sizeof *command);
    if (!command)
        cspt_fatal("out of memory");
    json_array_foreach(array, i, v)
    {
        if (!json_is_string(v))
            refuse(in, "command", "an array of strings");
        command[i] = cspt_format("%s", json_is_string(v) ? json_string_value(v) : "");
    }
    return command;
}

static void take_test(reader *in, const json_t *o, cspt_test *t)
{
    size_t i;
    json_t *v;
    t->name = take_string_or(in, o, "name", "");
    if (!*t->name)
        refuse(in, "name", "the name of a test");
    t->command = take_command(in, o);
    t->directory = take_string(in, o, "directory");
    t->outcome = take_word(in, o, "outcome", outcomes, sizeof outcomes / sizeof *outcomes);
    t->note = take_string(in, o, "note");
    t->seconds = take_real(in, o, "seconds");
    take_explored(in, json_object_get(o, "explored"), &t->explored);
    json_array_foreach(take_array(in, o, "findings"), i, v) take_finding(in, v, cspt_test_add_finding(t));
}

static void take_results(reader *in, const json_t *o, cspt_results *r)
{
    size_t i;
    json_t *v;
    const json_t *format = json_object_get(o, "format");
    if (!json_is_string(format) || strcmp(json_string_value(format), FORMAT) != 0)
        refuse(in, "format", "\"" FORMAT "\"");
    r->started = json_integer_value(json_object_get(o, "started"));
    r->seconds = take_real(in, o, "seconds");
    take_digits(in, o, "seed", &r->seed);
    r->strategy = take_string(in, o, "strategy");
    r->shard_index = take_unsigned(in, o, "shard_index");
    r->shard_count = take_unsigned(in, o, "shard_count");
    r->tests_total = take_number(in, o, "tests_total");
    r->seed_space_sharded = take_bool(in, o, "seed_space_sharded");
    r->interrupted = (int)take_unsigned(in, o, "interrupted");
    json_array_foreach(take_array(in, o, "tests"), i, v) take_test(in, v, cspt_results_add_test(r));
}

bool cspt_results_read(cspt_results *r, const char *path, char **error)
{
    json_error_t failure;
    reader in = {0};
    *r = (cspt_results){0};
    errno = 0;
    json_t *o = json_load_file(path, JSON_REJECT_DUPLICATES, &failure);
    if (!o)
        in.error = cspt_format("%s", errno ? strerror(errno) : failure.text);
    else
        take_results(&in, o, r);
    json_decref(o);
    if (!in.error)
        return true;
    *error = cspt_format("%s: %s", path, in.error);
    free(in.error);
    cspt_results_fini(r);
    return false;
}
