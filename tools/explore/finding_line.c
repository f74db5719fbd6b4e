// finding_line.c - reads what a run wrote to its finding_log.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "explore/finding_line.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/argv.h"
#include "common/message.h"
#include "common/text.h"
#include "explore/fingerprint.h"

enum { MAX_STACKS = 256, MAX_FRAMES = 1024, MAX_FINDINGS = 10000, LOG_LIMIT = 64 << 20 };

static char *take_string(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s && *s ? cspt_format("%s", s) : NULL;
}

static char *take_string_or(const json_t *o, const char *name, const char *otherwise)
{
    char *s = take_string(o, name);
    return s ? s : cspt_format("%s", otherwise);
}

// Also from a string of digits: 64 bits do not fit what jansson calls an integer.
static uint64_t take_number(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    if (json_is_string(v))
        return strtoull(json_string_value(v), NULL, 10);
    if (json_is_real(v)) // see take_line_of_log
        return json_real_value(v) >= 1 && json_real_value(v) < 1e19 ? (uint64_t)json_real_value(v) : 0;
    return json_is_integer(v) && json_integer_value(v) > 0 ? (uint64_t)json_integer_value(v) : 0;
}

static unsigned take_line(const json_t *o, const char *name)
{
    uint64_t n = take_number(o, name);
    return n > INT_MAX ? 0 : (unsigned)n;
}

static void take_stack(const json_t *o, cspt_stack *s)
{
    size_t i;
    json_t *v;
    s->primary = json_is_true(json_object_get(o, "primary"));
    s->role = take_string_or(o, "role", "");
    s->what = take_string_or(o, "what", "");
    s->task = take_number(o, "task");
    s->task_name = take_string(o, "name");
    json_array_foreach(json_object_get(o, "frames"), i, v)
    {
        if (i == MAX_FRAMES || !json_is_object(v))
            break;
        cspt_frame *f = cspt_stack_add_frame(s);
        f->function = take_string(v, "function");
        f->file = take_string(v, "file");
        f->line = take_line(v, "line");
        f->column = take_line(v, "column");
        f->start_line = take_line(v, "start_line");
        f->module = take_string(v, "module");
        f->offset = take_number(v, "offset");
        f->library = json_is_true(json_object_get(v, "library"));
    }
}

// One line of text: titles stand in lists, file names and annotations.
static void make_line(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            *s = ' ';
}

static void take_finding(const json_t *o, cspt_finding *f)
{
    size_t i;
    json_t *v;
    f->kind = take_string_or(o, "kind", "report");
    f->title = take_string_or(o, "title", f->kind);
    make_line(f->kind);
    make_line(f->title);
    f->text = take_string(o, "text");
    f->mild = json_is_true(json_object_get(o, "mild"));
    f->times = 1;
    json_array_foreach(json_object_get(o, "stacks"), i, v)
    {
        if (i == MAX_STACKS || !json_is_object(v))
            break;
        take_stack(v, cspt_finding_add_stack(f));
    }
    f->fingerprint = cspt_fingerprint(f);
}

void cspt_run_log_take(cspt_run_log *log, cspt_finding *f)
{
    cspt_test all = {.findings = log->findings, .n_findings = log->n_findings};
    cspt_finding *known = cspt_test_find(&all, f->fingerprint);
    if (known) {
        known->times += f->times;
        known->mild &= f->mild;
        cspt_finding_drop(f);
        return;
    }
    *cspt_test_add_finding(&all) = *f;
    log->findings = all.findings;
    log->n_findings = all.n_findings;
}

static void take_run(const json_t *o, cspt_run_record *run)
{
    free(run->strategy);
    free(run->why_not);
    const char *hash = json_string_value(json_object_get(o, "interleaving"));
    *run = (cspt_run_record){
        .present = true,
        .strategy = take_string_or(o, "strategy", "?"),
        .depth = take_line(o, "depth"),
        .seed = take_number(o, "seed"),
        .points = take_number(o, "points"),
        .decisions = take_number(o, "decisions"),
        .tasks = take_number(o, "tasks"),
        .has_interleaving = hash && *hash,
        .interleaving = hash ? strtoull(hash, NULL, 16) : 0,
        .replayable = !json_is_false(json_object_get(o, "replayable")),
        .why_not = take_string(o, "why_not"),
        .diverged_at = take_number(o, "diverged_at"),
    };
    make_line(run->strategy);
    if (run->why_not)
        make_line(run->why_not);
}

static void take_line_of_log(cspt_run_log *log, const char *line, size_t size)
{
    json_error_t error;
    json_t *o = json_loadb(line, size, 0, &error);
    if (!o) // a seed may be above what jansson takes for an integer; nobody needs its last digits
        o = json_loadb(line, size, JSON_DECODE_INT_AS_REAL, &error);
    const char *type = json_string_value(json_object_get(o, "type"));
    if (type && strcmp(type, "finding") == 0 && log->n_findings < MAX_FINDINGS) {
        cspt_finding f = {0};
        take_finding(o, &f);
        cspt_run_log_take(log, &f);
    } else if (type && strcmp(type, "run") == 0) {
        take_run(o, &log->run);
    } else {
        log->malformed++;
    }
    json_decref(o);
}

void cspt_run_log_add(cspt_run_log *log, const char *bytes, size_t size)
{
    while (size) {
        const char *end = memchr(bytes, '\n', size);
        size_t n = end ? (size_t)(end - bytes) : size;
        if (n)
            take_line_of_log(log, bytes, n);
        n += end != NULL;
        bytes += n;
        size -= n;
    }
}

void cspt_run_log_fini(cspt_run_log *log)
{
    cspt_test all = {.findings = log->findings, .n_findings = log->n_findings};
    cspt_test_fini(&all);
    free(log->run.strategy);
    free(log->run.why_not);
    *log = (cspt_run_log){0};
}

void cspt_run_log_read(cspt_run_log *log, const char *path)
{
    cspt_text text = {0};
    struct stat s;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return;
    if (fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_size <= LOG_LIMIT && cspt_text_read_fd(&text, fd))
        cspt_run_log_add(log, text.bytes, text.size);
    close(fd);
    cspt_text_fini(&text);
}
