// timeline.c - draws rows into cells of one character each, and joins them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "replay/timeline.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/argv.h"
#include "common/message.h"
#include "common/text.h"

enum { NARROWEST = 24, NARROWEST_TEXT = 30 };

typedef struct glyphs {
    const char *bar, *line, *cross, *from_left, *from_right, *to_right, *to_left, *dot, *more;
} glyphs;
static const glyphs unicode = {"│", "─", "┼", "╰", "╯", "▶", "◀", "●", "…"};
static const glyphs ascii = {"|", "-", "+", "`", "'", ">", "<", "*", "~"};

typedef struct canvas {
    const cspt_timeline *t;
    const glyphs *g;
    char (*cells)[8]; // one character each, UTF-8
    const char **color;
    size_t width;
    size_t column; // width of one
    cspt_text out;
} canvas;

static void put(canvas *c, size_t x, const char *glyph, size_t size)
{
    if (x >= c->width)
        return;
    memcpy(c->cells[x], glyph, size);
    c->cells[x][size] = 0;
}

// Bytes of the character at s; control characters and bytes that are no UTF-8 are none (0).
static size_t character_at(const char *s)
{
    unsigned char c = (unsigned char)*s;
    size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            return 0;
    return c < 0x20 || c == 0x7f ? 0 : n;
}

static size_t length_of(const char *s)
{
    size_t n = 0;
    for (; *s; n++) {
        size_t size = character_at(s);
        s += size ? size : 1;
    }
    return n;
}

// Text from x on, cut where it would pass `end`. Returns where it ended.
static size_t put_text(canvas *c, size_t x, size_t end, const char *s)
{
    if (x >= end)
        return x;
    bool cut = length_of(s) > end - x;
    for (; *s && x < end; x++) {
        size_t size = character_at(s);
        if (cut && x + 1 == end)
            put(c, x, c->g->more, strlen(c->g->more));
        else if (!size || (size > 1 && c->t->ascii))
            put(c, x, *s == '\t' ? " " : "?", 1);
        else
            put(c, x, s, size);
        s += size ? size : 1;
    }
    return x;
}

static void paint(canvas *c, size_t from, size_t to, const char *color)
{
    for (size_t x = from; x < to && x < c->width && c->t->color; x++)
        c->color[x] = color;
}

static void clear_row(canvas *c)
{
    for (size_t x = 0; x < c->width; x++) {
        put(c, x, " ", 1);
        c->color[x] = NULL;
    }
}

static void end_row(canvas *c)
{
    size_t n = c->width;
    const char *color = NULL;
    while (n && strcmp(c->cells[n - 1], " ") == 0)
        n--;
    for (size_t x = 0; x < n; x++) {
        if (color != c->color[x]) {
            color = c->color[x];
            const char *code = color ? color : "\033[0m";
            cspt_text_append(&c->out, code, strlen(code));
        }
        cspt_text_append(&c->out, c->cells[x], strlen(c->cells[x]));
    }
    if (color)
        cspt_text_append(&c->out, "\033[0m", 4);
    cspt_text_append(&c->out, "\n", 1);
}

static const char BOLD[] = "\033[1m", RED[] = "\033[31m", DIM[] = "\033[2m", YELLOW[] = "\033[33m";

static void put_step(canvas *c, size_t x, size_t end, const cspt_step *s)
{
    char *note = s->note ? cspt_format("  %s %s", c->g->to_left, s->note) : strdup("");
    char *times = s->times > 1 ? cspt_format("  (%u times)", s->times) : strdup("");
    if (!note || !times)
        cspt_fatal("out of memory");
    size_t tail = length_of(note) + length_of(times), room = end - x;
    size_t least = s->place ? length_of(s->place) + 1 : 0; // the source line is what is cut first, then the note
    size_t text_end = least + tail < room ? end - tail : least < room ? x + least : end;
    if (s->place) {
        size_t start = x;
        x = put_text(c, x, text_end, s->place);
        paint(c, start, x, DIM);
        x = put_text(c, x, text_end, " ");
    }
    x = put_text(c, x, text_end, s->text ? s->text : "");
    x = put_text(c, x, end, times);
    size_t start = x;
    x = put_text(c, x, end, note);
    paint(c, start, x, RED);
    free(note);
    free(times);
}

static const char *word_of(cspt_turn turn)
{
    switch (turn) {
    case CSPT_TURN_SWITCHED:
        return "switched";
    case CSPT_TURN_WAITS:
        return "waits";
    default:
        return "ends";
    }
}

// --- columns ---------------------------------------------------------------------------------------------------------------

static size_t left_of(const canvas *c, size_t task)
{
    return task * (c->column + 1);
}

static size_t right_of(const canvas *c, size_t task)
{
    return task + 1 == c->t->n_tasks ? c->width : left_of(c, task) + c->column;
}

static void put_bars(canvas *c)
{
    for (size_t i = 1; i < c->t->n_tasks; i++) {
        put(c, left_of(c, i) - 1, c->g->bar, strlen(c->g->bar));
        paint(c, left_of(c, i) - 1, left_of(c, i), DIM);
    }
}

static void draw_head(canvas *c)
{
    clear_row(c);
    put_bars(c);
    for (size_t i = 0; i < c->t->n_tasks; i++) {
        size_t end = put_text(c, left_of(c, i) + 1, right_of(c, i), c->t->tasks[i]);
        paint(c, left_of(c, i) + 1, end, BOLD);
    }
    end_row(c);
    clear_row(c);
    for (size_t x = 0; x < c->width; x++)
        put(c, x, c->g->line, strlen(c->g->line));
    for (size_t i = 1; i < c->t->n_tasks; i++)
        put(c, left_of(c, i) - 1, c->g->cross, strlen(c->g->cross));
    paint(c, 0, c->width, DIM);
    end_row(c);
}

// From the column of who had the turn to that of who has it now.
static void draw_arrow(canvas *c, size_t from, size_t to, cspt_turn turn)
{
    const glyphs *g = c->g;
    char *word = cspt_format(" %s ", word_of(turn));
    size_t start = left_of(c, from) + 1, end = left_of(c, to) + 1;
    clear_row(c);
    put_bars(c);
    size_t low = from < to ? start : end, high = from < to ? end : start + 2 + strlen(word);
    for (size_t x = low; x <= high; x++)
        put(c, x, g->line, strlen(g->line));
    for (size_t i = 1; i < c->t->n_tasks; i++)
        if (left_of(c, i) - 1 > low && left_of(c, i) - 1 < high)
            put(c, left_of(c, i) - 1, g->cross, strlen(g->cross));
    size_t at = from < to ? start + 2 : start + 1;
    put_text(c, at, at + strlen(word), word);
    if (from < to) {
        put(c, start, g->from_left, strlen(g->from_left));
        put(c, end, g->to_right, strlen(g->to_right));
    } else {
        put(c, high, g->from_right, strlen(g->from_right));
        put(c, end, g->to_left, strlen(g->to_left));
    }
    paint(c, low, high + 1, turn == CSPT_TURN_SWITCHED ? YELLOW : DIM);
    end_row(c);
    free(word);
}

static void draw_columns(canvas *c)
{
    const cspt_timeline *t = c->t;
    draw_head(c);
    for (size_t i = 0; i < t->n_steps; i++) {
        const cspt_step *s = &t->steps[i];
        if (i && s->task != t->steps[i - 1].task)
            draw_arrow(c, t->steps[i - 1].task, s->task, s->turn);
        clear_row(c);
        put_bars(c);
        put_step(c, left_of(c, s->task) + 1, right_of(c, s->task), s);
        end_row(c);
    }
}

// --- lanes: many tasks -------------------------------------------------------------------------------------------------------

// As many lanes as leave room for text; tasks behind them have none, their title tells.
static size_t count_lanes(const canvas *c)
{
    size_t room = c->width > NARROWEST_TEXT ? (c->width - NARROWEST_TEXT) / 2 : 0;
    return c->t->n_tasks < room ? c->t->n_tasks : room;
}

static void draw_lanes(canvas *c)
{
    const cspt_timeline *t = c->t;
    size_t lanes = count_lanes(c);
    for (size_t i = 0; i < t->n_steps; i++) {
        const cspt_step *s = &t->steps[i];
        bool comes = i == 0 || s->task != t->steps[i - 1].task;
        clear_row(c);
        for (size_t lane = 0; lane < lanes; lane++)
            put(c, 2 * lane + 1, lane == s->task ? c->g->dot : c->g->bar,
                strlen(lane == s->task ? c->g->dot : c->g->bar));
        size_t x = 2 * lanes + 1;
        paint(c, 0, x, DIM);
        if (comes) {
            char *title =
                i && s->turn != CSPT_TURN_STAYS
                    ? cspt_format("%s: (%s %s)", t->tasks[s->task], t->tasks[t->steps[i - 1].task], word_of(s->turn))
                    : cspt_format("%s:", t->tasks[s->task]);
            paint(c, x, put_text(c, x, c->width, title), s->turn == CSPT_TURN_SWITCHED ? YELLOW : BOLD);
            free(title);
            end_row(c);
            clear_row(c);
            for (size_t lane = 0; lane < lanes; lane++)
                put(c, 2 * lane + 1, lane == s->task ? c->g->dot : c->g->bar,
                    strlen(lane == s->task ? c->g->dot : c->g->bar));
            paint(c, 0, x, DIM);
        }
        put_step(c, x + 2, c->width, s);
        end_row(c);
    }
}

char *cspt_timeline_draw(const cspt_timeline *t)
{
    size_t width = t->width < NARROWEST_TEXT ? NARROWEST_TEXT : t->width > 400 ? 400 : t->width;
    size_t n = t->n_tasks ? t->n_tasks : 1;
    canvas c = {.t = t, .g = t->ascii ? &ascii : &unicode, .width = width};
    c.cells = calloc(width, sizeof *c.cells);
    c.color = calloc(width, sizeof *c.color);
    if (!c.cells || !c.color)
        cspt_fatal("out of memory");
    cspt_text_append(&c.out, "", 0);
    c.column = (width - (n < width ? n - 1 : 0)) / n;
    if (c.column >= NARROWEST)
        draw_columns(&c);
    else
        draw_lanes(&c);
    free(c.cells);
    free(c.color);
    return c.out.bytes;
}
