// trace.c - finds a finding's operations among the steps of a schedule, and turns steps into rows.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A finding's stacks name functions and lines, steps name places in code: a stack belongs to the last step that is in the same
// function as one of its frames, not behind its line, and made by another task than the stacks before - the stack that comes
// first is of who noticed, the task that executed the last step.
#include "replay/trace.h"

#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/message.h"
#include "common/number.h"
#include "explore/fingerprint.h"
#include "explore/source.h"
#include "replay/timeline.h"

enum { MARKS = 8, SHOWN = 4, DEFAULT_WIDTH = 80 };

typedef struct mark {
    const cspt_stack *stack;
    const cspt_frame *frame;
    size_t step; // it happened after this one, or is it
    bool is_it;
} mark;

static const cspt_place *place_of(const cspt_schedule *s, size_t step)
{
    return &s->places[s->steps[step].place];
}

// --- which steps a finding is about ------------------------------------------------------------------------------------------------

static bool is_of_earlier(const cspt_schedule *s, const mark *marks, size_t n, uint32_t task)
{
    for (size_t i = 0; i < n; i++)
        if (s->steps[marks[i].step].task == task)
            return true;
    return false;
}

static bool is_within(const cspt_place *p, const cspt_frame *f)
{
    return p->function && f->function && strcmp(p->function, f->function) == 0;
}

// The frame of the stack that the step at p is in; NULL: none.
static const cspt_frame *frame_at(const cspt_stack *stack, const cspt_place *p)
{
    for (size_t i = 0; i < stack->n_frames; i++) {
        const cspt_frame *f = &stack->frames[i];
        if (!f->library && is_within(p, f))
            return f;
    }
    return NULL;
}

// exact: of this very line; else before it, in the same function.
static bool find_step(const cspt_schedule *s, const mark *marks, size_t n, const cspt_stack *stack, bool exact,
                      size_t *out)
{
    for (size_t i = s->n_until_finding; i-- > 0;) {
        const cspt_place *p = place_of(s, i);
        const cspt_frame *f = frame_at(stack, p);
        if (!f || is_of_earlier(s, marks, n, s->steps[i].task))
            continue;
        if (exact ? p->line == f->line : p->line <= f->line) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool find_mark(const cspt_schedule *s, mark *marks, size_t n)
{
    mark *m = &marks[n];
    m->frame = cspt_own_frame(m->stack);
    if (!m->frame)
        return false;
    if (n == 0) { // who noticed
        m->step = s->n_until_finding - 1;
        const cspt_place *p = place_of(s, m->step);
        m->is_it = is_within(p, m->frame) && p->line == m->frame->line;
        if (frame_at(m->stack, p))
            return true;
    }
    m->is_it = find_step(s, marks, n, m->stack, true, &m->step) && is_within(place_of(s, m->step), m->frame) &&
               place_of(s, m->step)->line == m->frame->line;
    return m->is_it || find_step(s, marks, n, m->stack, false, &m->step);
}

static size_t find_marks(const cspt_schedule *s, const cspt_finding *f, mark *marks)
{
    size_t n = 0;
    for (size_t i = 0; f && s->n_until_finding && i < f->n_stacks && n < MARKS; i++) {
        marks[n] = (mark){.stack = &f->stacks[i]};
        if (f->stacks[i].primary && f->stacks[i].n_frames)
            n += find_mark(s, marks, n);
    }
    return n;
}

size_t cspt_trace_first(const cspt_schedule *s, const cspt_finding *f)
{
    mark marks[MARKS];
    size_t n = find_marks(s, f, marks), first = s->n_steps;
    for (size_t i = 0; i < n; i++)
        if (marks[i].step < first)
            first = marks[i].step;
    return first;
}

// --- rows --------------------------------------------------------------------------------------------------------------------------

typedef struct rows {
    cspt_step *items;
    size_t n, capacity;
    const char *one_file; // in which all is; NULL: there are several
    char **strings;       // of items, to be freed
    size_t n_strings, strings_capacity;
} rows;

static char *keep(rows *r, char *text)
{
    if (r->n_strings == r->strings_capacity) {
        r->strings_capacity = r->strings_capacity ? 2 * r->strings_capacity : 64;
        char **more = reallocarray(r->strings, r->strings_capacity, sizeof *more);
        if (!more)
            cspt_fatal("out of memory");
        r->strings = more;
    }
    return r->strings[r->n_strings++] = text;
}

static cspt_step *add_row(rows *r, size_t column)
{
    if (r->n == r->capacity) {
        r->capacity = r->capacity ? 2 * r->capacity : 64;
        cspt_step *more = reallocarray(r->items, r->capacity, sizeof *more);
        if (!more)
            cspt_fatal("out of memory");
        r->items = more;
    }
    r->items[r->n] = (cspt_step){.task = column, .times = 1};
    return &r->items[r->n++];
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void set_place(rows *r, cspt_step *row, const char *file, unsigned line)
{
    if (!file || !line)
        return;
    row->place = r->one_file ? keep(r, cspt_format("%u", line)) : keep(r, cspt_format("%s:%u", base_of(file), line));
    const char *text = cspt_source_line(file, line);
    if (text && *text)
        row->text = text;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

// The row before is the same thing done once more.
static void fold_last(rows *r)
{
    if (r->n < 2)
        return;
    cspt_step *last = &r->items[r->n - 1], *before = last - 1;
    if (before->task != last->task || last->turn != CSPT_TURN_STAYS || last->note || before->note || !last->place ||
        !same_text(before->place, last->place))
        return;
    before->times += last->times;
    r->n--;
}

// The file that all places are in; NULL: there are several, or none is known.
static const char *find_one_file(const cspt_schedule *s, const mark *marks, size_t n)
{
    const char *file = NULL;
    for (size_t i = 0; i < s->n_steps + n; i++) {
        const char *its = i < s->n_steps ? place_of(s, i)->file : marks[i - s->n_steps].frame->file;
        if (file && its && strcmp(file, its) != 0)
            return NULL;
        file = its ? its : file;
    }
    return file;
}

typedef struct columns {
    uint32_t *tasks;
    const char **titles;
    size_t n;
} columns;

static size_t column_of(const columns *c, uint32_t task)
{
    size_t i = 0;
    while (i < c->n && c->tasks[i] != task)
        i++;
    return i;
}

static int compare_tasks(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

// A task is called by the function in which it is first seen.
static const char *name_of(const cspt_schedule *s, uint32_t task)
{
    if (task == 1)
        return "main";
    for (size_t i = 0; i < s->n_steps; i++)
        if (s->steps[i].task == task && place_of(s, i)->function)
            return place_of(s, i)->function;
    return "";
}

static columns find_columns(const cspt_schedule *s, rows *r)
{
    columns c = {0};
    c.tasks = calloc(s->n_until_finding + 1, sizeof *c.tasks);
    c.titles = calloc(s->n_until_finding + 1, sizeof *c.titles);
    if (!c.tasks || !c.titles)
        cspt_fatal("out of memory");
    for (size_t i = 0; i < s->n_until_finding; i++)
        if (column_of(&c, s->steps[i].task) == c.n)
            c.tasks[c.n++] = s->steps[i].task;
    qsort(c.tasks, c.n, sizeof *c.tasks, compare_tasks);
    for (size_t i = 0; i < c.n; i++)
        c.titles[i] = keep(r, cspt_format("T%u %s", c.tasks[i], name_of(s, c.tasks[i])));
    return c;
}

static bool ends_with(const cspt_schedule *s, size_t step)
{
    return strcmp(s->steps[step].op, "end") == 0;
}

static cspt_turn turn_to(const cspt_schedule *s, size_t i)
{
    if (i == 0 || s->steps[i].task == s->steps[i - 1].task)
        return CSPT_TURN_STAYS;
    if (ends_with(s, i - 1))
        return CSPT_TURN_ENDS;
    return s->steps[i].is_switched ? CSPT_TURN_SWITCHED : CSPT_TURN_WAITS;
}

static void add_step(rows *r, const cspt_schedule *s, const columns *c, size_t i)
{
    const cspt_schedule_step *step = &s->steps[i];
    const cspt_place *p = place_of(s, i);
    cspt_step *row = add_row(r, column_of(c, step->task));
    row->turn = turn_to(s, i);
    set_place(r, row, p->file, p->line);
    if (!row->text)
        row->text = strcmp(step->op, "none") == 0 ? "starts"
                    : p->function                 ? keep(r, cspt_format("%s in %s", step->op, p->function))
                                                  : step->op;
}

static void add_marks(rows *r, const cspt_schedule *s, const columns *c, size_t i, const mark *marks, size_t n)
{
    for (size_t k = n; k-- > 0;) { // who noticed comes last
        const mark *m = &marks[k];
        if (m->step != i)
            continue;
        cspt_step *row = m->is_it ? &r->items[r->n - 1] : add_row(r, column_of(c, s->steps[i].task));
        if (!m->is_it)
            set_place(r, row, m->frame->file, m->frame->line);
        if (!row->text)
            row->text = m->frame->function;
        row->note = m->stack->what ? m->stack->what : m->stack->role;
    }
}

// Of a long row of one task's steps the first and the last ones; what a finding is about stays.
static void leave_out_middles(rows *r, const cspt_trace_look *look)
{
    size_t kept = 0;
    for (size_t from = 0; from < r->n && !look->all;) {
        size_t to = from + 1;
        while (to < r->n && r->items[to].task == r->items[from].task)
            to++;
        for (size_t i = from, left_out = 0; i < to; i++) {
            bool middle = i >= from + SHOWN && i + SHOWN < to && !r->items[i].note && to - from > 2 * SHOWN + 1;
            left_out += middle;
            if (middle && i + 1 < to)
                continue;
            if (left_out) {
                cspt_step gap = {.task = r->items[i].task, .times = 1};
                gap.text = keep(r, cspt_format("%s %zu more", look->ascii ? "..." : "⋮", left_out));
                cspt_step row = r->items[i];
                r->items[kept++] = gap;
                r->items[kept++] = row;
                left_out = 0;
                continue;
            }
            r->items[kept++] = r->items[i];
        }
        from = to;
    }
    if (!look->all)
        r->n = kept;
}

char *cspt_trace_draw(const cspt_schedule *s, const cspt_finding *f, const cspt_trace_look *look)
{
    mark marks[MARKS];
    size_t n_marks = find_marks(s, f, marks);
    rows r = {.one_file = find_one_file(s, marks, n_marks)};
    columns c = find_columns(s, &r);
    for (size_t i = 0; i < s->n_until_finding; i++) {
        add_step(&r, s, &c, i);
        fold_last(&r);
        add_marks(&r, s, &c, i, marks, n_marks);
    }
    leave_out_middles(&r, look);
    char *text = cspt_timeline_draw(&(cspt_timeline){.tasks = c.titles,
                                                     .n_tasks = c.n,
                                                     .steps = r.items,
                                                     .n_steps = r.n,
                                                     .width = look->width,
                                                     .ascii = look->ascii,
                                                     .color = look->color});
    if (r.one_file) {
        char *with_file = cspt_format("%s\n%s", base_of(r.one_file), text);
        free(text);
        text = with_file;
    }
    for (size_t i = 0; i < r.n_strings; i++)
        free(r.strings[i]);
    free(r.strings);
    free(r.items);
    free(c.tasks);
    free(c.titles);
    return text;
}

cspt_trace_look cspt_trace_look_here(void)
{
    cspt_trace_look look = {.width = DEFAULT_WIDTH};
    struct winsize size;
    const char *columns = getenv("COLUMNS"), *no_color = getenv("NO_COLOR");
    uint64_t width;
    bool is_terminal = isatty(STDOUT_FILENO);
    if (is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        look.width = size.ws_col;
    else if (columns && cspt_take_number(&columns, UINT_MAX, &width) && width)
        look.width = (unsigned)width;
    locale_t locale = newlocale(LC_CTYPE_MASK, "", NULL);
    look.ascii = !locale || strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") != 0;
    if (locale)
        freelocale(locale);
    look.color = is_terminal && !(no_color && *no_color);
    return look;
}
