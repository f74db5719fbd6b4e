// progress.c - says how far the exploration is: a bar on a terminal, now and then a line elsewhere.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bar is one line on standard error, drawn over itself at most ten times a second and gone before anything else is
// written. It never reaches the last column, where terminals differ in what they do next. On a narrow terminal parts are
// left out, the least needed first; the findings stay to the last.
#include "explore/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/argv.h"
#include "common/message.h"

enum { DEFAULT_COLUMNS = 80, BAR_WIDEST = 40, BAR_NARROWEST = 8, NAME_NARROWEST = 12 };
static const double redraw_s = 0.1, line_s = 5;

// Between 0 and 1; of what ends first.
static double fraction(const cspt_progress *p)
{
    double of_count = p->total ? (double)p->done / (double)p->total : 0;
    double of_time = p->limit_s > 0 ? p->elapsed_s / p->limit_s : 0;
    double f = of_count > of_time ? of_count : of_time;
    return f > 1 ? 1 : f;
}

static char *format_duration(double seconds)
{
    if (!(seconds < 360000)) // also when it is no number
        return cspt_format("--:--");
    unsigned s = (unsigned)(seconds + 0.999);
    if (s < 3600)
        return cspt_format("%u:%02u", s / 60, s % 60);
    return cspt_format("%u:%02u:%02u", s / 3600, s / 60 % 60, s % 60);
}

static char *format_left(const cspt_progress *p)
{
    double done = fraction(p);
    return format_duration(done > 0 ? p->elapsed_s * (1 - done) / done : 1e9);
}

static double rate(const cspt_progress *p)
{
    return p->elapsed_s > 0 ? (double)p->done / p->elapsed_s : 0;
}

static char *draw_bar(double done, size_t width)
{
    char *bar = malloc(width + 3);
    if (!bar)
        cspt_fatal("out of memory");
    size_t full = (size_t)(done * (double)width);
    memset(bar + 1, '-', width);
    memset(bar + 1, '#', full);
    bar[0] = '[';
    bar[width + 1] = ']';
    bar[width + 2] = 0;
    return bar;
}

// Columns that text takes: UTF-8's continuation bytes take none. Wide characters do not occur but in names.
static size_t width_of(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

// Its last characters, which tell tests apart, when it is too long.
static char *fit_name(const char *name, size_t width)
{
    size_t n = width_of(name);
    if (n <= width)
        return cspt_format("%s", name);
    for (size_t skip = n - width + 2; skip; name++)
        skip -= (((unsigned char)name[1] & 0xc0) != 0x80);
    return cspt_format("..%s", name);
}

// Adds "  part" if it still fits; what comes first is needed most.
static void add_part(char **line, char *part, unsigned columns)
{
    bool fits = *part && width_of(*line) + width_of(part) + (**line ? 2 : 0) < columns;
    if (fits) {
        char *longer = cspt_format("%s%s%s", *line, **line ? "  " : "", part);
        free(*line);
        *line = longer;
    }
    free(part);
}

char *cspt_progress_bar(const cspt_progress *p, unsigned columns)
{
    char *line = cspt_format("%s", ""), *left = format_left(p);
    add_part(&line,
             p->total ? cspt_format("%" PRIu64 "/%" PRIu64, p->done, p->total)
                      : cspt_format("%" PRIu64 " %s", p->done, p->what),
             columns);
    add_part(&line, cspt_format("%zu finding%s", p->findings, p->findings == 1 ? "" : "s"), columns);
    add_part(&line, cspt_format("ETA %s", left), columns);
    add_part(&line, cspt_format("%.*f/s", rate(p) < 10 ? 1 : 0, rate(p)), columns);
    if (p->tests_total > 1)
        add_part(&line, cspt_format("test %zu/%zu", p->tests_done + 1, p->tests_total), columns);
    size_t used = width_of(line), room = columns > used + 3 ? columns - used - 3 : 0; // blanks, and the last column
    if (p->test && room >= BAR_NARROWEST + 2 + 2 + NAME_NARROWEST)
        add_part(&line,
                 fit_name(p->test, room - BAR_NARROWEST - 2 - 2 < BAR_WIDEST ? room - BAR_NARROWEST - 4 : BAR_WIDEST),
                 columns);
    used = width_of(line);
    room = columns > used + 4 ? columns - used - 4 : 0; // two brackets, a blank, the last column
    if (room >= BAR_NARROWEST) {
        char *bar = draw_bar(fraction(p), room > BAR_WIDEST ? BAR_WIDEST : room),
             *whole = cspt_format("%s %s", bar, line);
        free(bar);
        free(line);
        line = whole;
    }
    free(left);
    return line;
}

char *cspt_progress_line(const cspt_progress *p)
{
    char *left = format_left(p);
    char *of = p->total ? cspt_format(" of %" PRIu64, p->total) : cspt_format("%s", "");
    char *test = p->tests_total > 1 ? cspt_format(", test %zu of %zu", p->tests_done + 1, p->tests_total)
                                    : cspt_format("%s", "");
    char *line =
        cspt_format("%s: %" PRIu64 "%s %s%s, %.*f/s, %zu finding%s, %s left", p->test ? p->test : "", p->done, of,
                    p->what, test, rate(p) < 10 ? 1 : 0, rate(p), p->findings, p->findings == 1 ? "" : "s", left);
    free(test);
    free(of);
    free(left);
    return line;
}

void cspt_progress_init(cspt_progress *p)
{
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    *p = (cspt_progress){.what = "schedules", .last_s = -1};
    p->is_terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    p->colour = p->is_terminal && !(no_colour && *no_colour);
}

static unsigned columns_of_terminal(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : DEFAULT_COLUMNS;
}

void cspt_progress_update(cspt_progress *p, double now_s)
{
    if (p->is_quiet)
        return;
    if (p->last_s < 0)
        p->last_s = now_s; // the first one comes after a while: what is quick needs none
    if (now_s - p->last_s < (p->is_terminal ? redraw_s : line_s))
        return;
    p->last_s = now_s;
    if (p->is_terminal) {
        char *bar = cspt_progress_bar(p, columns_of_terminal());
        fprintf(stderr, "\r%s%s%s\033[K", p->colour && p->findings ? "\033[31m" : "", bar,
                p->colour && p->findings ? "\033[0m" : "");
        free(bar);
        p->shown = true;
    } else {
        char *line = cspt_progress_line(p);
        fprintf(stderr, "csp test: %s\n", line);
        free(line);
    }
    fflush(stderr);
}

void cspt_progress_hide(cspt_progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    fflush(stderr);
    p->shown = false;
}
