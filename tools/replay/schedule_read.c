// schedule_read.c - reads schedule files, and writes those of switches.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "replay/schedule_read.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/message.h"
#include "common/text.h"

enum { MODULES = 64 };

typedef struct reader {
    cspt_schedule *s;
    char *modules[MODULES];
    size_t steps_capacity, switches_capacity, places_capacity;
    size_t *index, index_size; // places by hash; 0: free, else the place's number + 1
    uint32_t last_task;        // who executed last
    uint64_t last_points;
} reader;

static void *grow(void *items, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity)
        return items;
    *capacity = *capacity ? 2 * *capacity : 256;
    items = reallocarray(items, *capacity, size);
    if (!items)
        cspt_fatal("out of memory");
    return items;
}

// --- places: each once ------------------------------------------------------------------------------------------------------------

static size_t *find_slot(const reader *r, const char *module, uint64_t offset)
{
    size_t i = (offset * 0x9e3779b97f4a7c15u >> 20) & (r->index_size - 1);
    for (; r->index[i]; i = (i + 1) & (r->index_size - 1)) {
        const cspt_place *p = &r->s->places[r->index[i] - 1];
        if (p->module == module && p->offset == offset)
            break;
    }
    return &r->index[i];
}

static void grow_index(reader *r)
{
    if (2 * (r->s->n_places + 1) <= r->index_size)
        return;
    r->index_size = r->index_size ? 2 * r->index_size : 1024;
    free(r->index);
    r->index = calloc(r->index_size, sizeof *r->index);
    if (!r->index)
        cspt_fatal("out of memory");
    for (size_t i = 0; i < r->s->n_places; i++)
        *find_slot(r, r->s->places[i].module, r->s->places[i].offset) = i + 1;
}

static size_t add_place(reader *r, const char *module, uint64_t offset)
{
    grow_index(r);
    size_t *slot = find_slot(r, module, offset);
    if (!*slot) {
        r->s->places = grow(r->s->places, r->s->n_places, &r->places_capacity, sizeof *r->s->places);
        r->s->places[r->s->n_places] = (cspt_place){.module = module, .offset = offset};
        *slot = ++r->s->n_places;
    }
    return *slot - 1;
}

// --- lines -----------------------------------------------------------------------------------------------------------------------------

static bool take(char **at, const char *text)
{
    size_t n = strlen(text);
    if (strncmp(*at, text, n) != 0)
        return false;
    *at += n;
    return true;
}

static bool take_number(char **at, int base, uint64_t max, uint64_t *out)
{
    char *end;
    if (!((**at >= '0' && **at <= '9') || (base == 16 && **at >= 'a' && **at <= 'f')))
        return false;
    errno = 0;
    *out = strtoull(*at, &end, base);
    *at = end;
    return !errno && *out <= max;
}

static void add_switch(reader *r, int kind, uint64_t value)
{
    cspt_schedule *s = r->s;
    s->switches = grow(s->switches, s->n_switches, &r->switches_capacity, sizeof *s->switches);
    s->switches[s->n_switches++] =
        (cspt_switch){.task = r->last_task, .points = r->last_points, .kind = kind, .value = (uint32_t)value};
}

static bool read_place(reader *r, char **at, size_t *out)
{
    uint64_t module, offset;
    if (take(at, "-")) {
        *out = add_place(r, NULL, 0);
        return true;
    }
    if (!take_number(at, 10, MODULES - 1, &module) || !take(at, "+") || !take_number(at, 16, UINT64_MAX, &offset))
        return false;
    *out = add_place(r, r->modules[module], offset);
    return true;
}

// "2 9f3c01aa", behind the bar.
static bool read_decision(reader *r, char *at)
{
    uint64_t n, hash;
    r->s->decisions++;
    return take_number(&at, 10, UINT32_MAX, &n) && take(&at, " ") && take_number(&at, 16, UINT32_MAX, &hash) && !*at;
}

static bool read_step(reader *r, char *at)
{
    cspt_schedule *s = r->s;
    uint64_t task, points, object;
    size_t place;
    if (!take_number(&at, 10, UINT32_MAX, &task) || !take(&at, " ") || !take_number(&at, 10, UINT64_MAX, &points) ||
        !take(&at, " "))
        return false;
    char *op = at;
    at = strchrnul(at, ' ');
    if (at == op || !*at)
        return false;
    *at++ = 0;
    if (!take_number(&at, 10, UINT32_MAX, &object) || !take(&at, " ") || !read_place(r, &at, &place))
        return false;
    s->steps = grow(s->steps, s->n_steps, &r->steps_capacity, sizeof *s->steps);
    s->steps[s->n_steps++] =
        (cspt_schedule_step){(uint32_t)task, points, op, (uint32_t)object, place, .decisions = s->decisions};
    if (task != r->last_task)
        add_switch(r, CSPT_SWITCH_TASK, task);
    r->last_task = (uint32_t)task;
    r->last_points = points + 1;
    return !*at || (*at == '|' && read_decision(r, at + 1));
}

static bool read_other_number(reader *r, char *at)
{
    uint64_t value, n;
    r->s->decisions++;
    if (!take_number(&at, 10, UINT32_MAX, &value) || !take(&at, "|") || !take_number(&at, 10, UINT32_MAX, &n) || *at)
        return false;
    if (value)
        add_switch(r, CSPT_SWITCH_NUMBER, value);
    return true;
}

static bool read_switch(reader *r, char *at)
{
    uint64_t task, value = 0;
    if (!take_number(&at, 10, UINT32_MAX, &task) || !take(&at, " ") ||
        !take_number(&at, 10, UINT64_MAX, &r->last_points) || !take(&at, " "))
        return false;
    r->last_task = (uint32_t)task;
    bool is_number = *at == '=', is_clock = take(&at, "-> clock");
    if (!is_clock && ((!take(&at, "-> ") && !take(&at, "= ")) || !take_number(&at, 10, UINT32_MAX, &value)))
        return false;
    add_switch(r, is_number ? CSPT_SWITCH_NUMBER : is_clock ? CSPT_SWITCH_CLOCK : CSPT_SWITCH_TASK, value);
    return !*at;
}

static bool read_finding(reader *r, char *at)
{
    char *tab = strchr(at, '\t');
    if (!tab || r->s->kind)
        return tab != NULL;
    *tab = 0;
    r->s->n_until_finding = r->s->n_steps;
    r->s->kind = at;
    r->s->title = tab + 1;
    return true;
}

static bool read_body_line(reader *r, char *line)
{
    char *at = line;
    if (!*at || *at == '#')
        return true;
    if (take(&at, "! "))
        return read_finding(r, at);
    if (r->s->is_switches)
        return read_switch(r, at);
    if (take(&at, "clock|")) {
        add_switch(r, CSPT_SWITCH_CLOCK, 0);
        return read_decision(r, at);
    }
    return take(&at, "choose ") ? read_other_number(r, at) : read_step(r, at);
}

static bool read_head_line(reader *r, char *at)
{
    cspt_schedule *s = r->s;
    uint64_t module;
    if (take(&at, "program: "))
        s->program = at;
    else if (take(&at, "build-id: "))
        s->build_id = at;
    else if (take(&at, "options: "))
        s->options = at;
    else if (take(&at, "strategy: "))
        s->strategy = at;
    else if (take(&at, "form: "))
        s->is_switches = strcmp(at, "switches") == 0;
    else if (take(&at, "seed: "))
        return take_number(&at, 10, UINT64_MAX, &s->seed);
    else if (take(&at, "module: ")) {
        if (!take_number(&at, 10, MODULES - 1, &module) || !take(&at, " "))
            return false;
        r->modules[module] = at;
    } else if (take(&at, "arguments: ")) {
        size_t i;
        json_t *list = json_loads(at, 0, NULL), *word;
        json_array_foreach(list, i, word) if (json_is_string(word))
            cspt_argv_push(&s->command, cspt_format("%s", json_string_value(word)));
        json_decref(list);
    }
    return true;
}

// --- the whole -------------------------------------------------------------------------------------------------------------------------

// The program goes in front of its arguments.
static bool complete_command(cspt_schedule *s)
{
    cspt_argv arguments = s->command;
    if (!s->program || !*s->program)
        return false;
    s->command = (cspt_argv){0};
    cspt_argv_push(&s->command, s->program);
    cspt_argv_push_all(&s->command, &arguments);
    cspt_argv_fini(&arguments);
    return true;
}

// NULL, or what is wrong. A process that was killed leaves its last line cut off: that one is left out.
static const char *read_lines(reader *r, char *text, size_t *line)
{
    bool in_head = true;
    for (*line = 1; text && *text; ++*line) {
        char *end = strchr(text, '\n'), *next = end ? end + 1 : NULL;
        if (end)
            *end = 0;
        if (*line == 1) {
            if (strcmp(text, "cspthread schedule 1") != 0)
                return "it does not begin with `cspthread schedule 1`";
        } else if (in_head && !*text) {
            in_head = false;
        } else if (!(in_head ? read_head_line(r, text) : read_body_line(r, text)) && end) {
            return in_head ? "not a line of its head" : "not a step";
        }
        text = next;
    }
    if (in_head)
        return "it ends within its head";
    if (!r->s->kind)
        r->s->n_until_finding = r->s->n_steps;
    return complete_command(r->s) ? NULL : "it does not say which program";
}

bool cspt_schedule_read(cspt_schedule *s, const char *path, char **error)
{
    reader r = {.s = s};
    cspt_text text = {0};
    size_t line = 0;
    *s = (cspt_schedule){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || !cspt_text_read_fd(&text, fd)) {
        *error = cspt_format("%s: %s", path, strerror(errno));
        cspt_text_fini(&text);
        if (fd >= 0)
            close(fd);
        return false;
    }
    close(fd);
    s->text = text.bytes;
    const char *wrong = read_lines(&r, s->text, &line);
    free(r.index);
    if (!wrong)
        return true;
    *error = cspt_format("%s:%zu: %s", path, line, wrong);
    cspt_schedule_fini(s);
    return false;
}

void cspt_schedule_fini(cspt_schedule *s)
{
    cspt_places_fini(s->places, s->n_places);
    for (size_t i = 1; i < s->command.count; i++)
        free((char *)(uintptr_t)s->command.items[i]);
    cspt_argv_fini(&s->command);
    free(s->places);
    free(s->steps);
    free(s->switches);
    free(s->text);
    *s = (cspt_schedule){0};
}

// --- switches --------------------------------------------------------------------------------------------------------------------------

static void write_arguments(FILE *out, const cspt_schedule *s)
{
    json_t *list = json_array();
    for (size_t i = 1; i < s->command.count; i++)
        json_array_append_new(list, json_string(s->command.items[i]));
    char *text = json_dumps(list, JSON_COMPACT);
    fprintf(out, "arguments: %s\n", text ? text : "[]");
    free(text);
    json_decref(list);
}

void cspt_schedule_write_switches(FILE *out, const cspt_schedule *s, const bool *keep)
{
    fprintf(out, "cspthread schedule 1\nform: switches\nprogram: %s\n", s->program);
    if (s->build_id)
        fprintf(out, "build-id: %s\n", s->build_id);
    write_arguments(out, s);
    if (s->options)
        fprintf(out, "options: %s\n", s->options);
    if (s->strategy)
        fprintf(out, "strategy: %s\n", s->strategy);
    fprintf(out, "seed: %" PRIu64 "\n\n", s->seed);
    for (size_t i = 0; i < s->n_switches; i++) {
        const cspt_switch *w = &s->switches[i];
        if (!keep[i])
            continue;
        fprintf(out, "%" PRIu32 " %" PRIu64, w->task, w->points);
        if (w->kind == CSPT_SWITCH_CLOCK)
            fputs(" -> clock\n", out);
        else
            fprintf(out, " %s %" PRIu32 "\n", w->kind == CSPT_SWITCH_TASK ? "->" : "=", w->value);
    }
    if (s->kind)
        fprintf(out, "! %s\t%s\n", s->kind, s->title);
}

char *cspt_schedule_strategy(const char *path)
{
    char line[256], *strategy = NULL;
    FILE *in = fopen(path, "re");
    while (in && !strategy && fgets(line, sizeof line, in) && line[0] != '\n')
        if (cspt_starts_with(line, "strategy: "))
            strategy = cspt_format("%.*s", (int)strcspn(line + 10, "\n"), line + 10);
    if (in)
        fclose(in);
    return strategy;
}
