// schedule_text.c - schedule files as text: what they say, read from any bytes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Knows nothing of a running program, so tests and a fuzzer link it alone.
#include "control/schedule_text.h"

#include "hooks.h"

#include <string.h>

// --- words of a line ---------------------------------------------------------------------------------------------------------------

static bool take_char(cspr_span *s, char c)
{
    if (!s->n || *s->p != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

static bool take_text(cspr_span *s, const char *text)
{
    size_t n = strlen(text);
    if (s->n < n || memcmp(s->p, text, n) != 0)
        return false;
    s->p += n;
    s->n -= n;
    return true;
}

static int digit_of(char c, unsigned base)
{
    int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
    return d < (int)base ? d : -1;
}

// At least one digit, no more than fits.
static bool take_number(cspr_span *s, unsigned base, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    size_t i = 0;
    for (; i < s->n && digit_of(s->p[i], base) >= 0; i++) {
        uint64_t d = (uint64_t)digit_of(s->p[i], base);
        if (v > (max - d) / base)
            return false;
        v = v * base + d;
    }
    s->p += i;
    s->n -= i;
    *out = v;
    return i > 0;
}

static bool take_u32(cspr_span *s, unsigned base, uint32_t *out)
{
    uint64_t v;
    bool good = take_number(s, base, UINT32_MAX, &v);
    if (good)
        *out = (uint32_t)v;
    return good;
}

static bool take_op(cspr_span *s, int *out)
{
    static const char *const names[] = {
#define OP_TEXT(name, text, changes) text,
        CSP_OP_TABLE(OP_TEXT)
#undef OP_TEXT
    };
    size_t n = 0;
    while (n < s->n && s->p[n] != ' ')
        n++;
    for (int op = 0; op < CSP_OPS; op++)
        if (strlen(names[op]) == n && !memcmp(names[op], s->p, n)) {
            s->p += n;
            s->n -= n;
            *out = op;
            return true;
        }
    return false;
}

static bool take_line(cspr_span *text, cspr_span *line)
{
    if (!text->n)
        return false;
    const char *end = memchr(text->p, '\n', text->n);
    line->p = text->p;
    line->n = end ? (size_t)(end - text->p) : text->n;
    size_t used = line->n + (end != NULL);
    text->p += used;
    text->n -= used;
    if (line->n && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

// --- steps -----------------------------------------------------------------------------------------------------------------------------

// "2 9f3c01aa", after the bar.
static bool take_decision(cspr_span *s, cspr_step *step)
{
    return take_u32(s, 10, &step->n) && step->n > 0 && take_char(s, ' ') && take_u32(s, 16, &step->hash);
}

static bool take_place(cspr_span *s, cspr_step *step)
{
    uint64_t module;
    step->module = -1;
    if (take_char(s, '-'))
        return true;
    if (!take_number(s, 10, CSPR_SCHEDULE_MODULES - 1, &module) || !take_char(s, '+'))
        return false;
    step->module = (int)module;
    return take_number(s, 16, UINT64_MAX, &step->offset);
}

static bool take_executed(cspr_span *s, cspr_step *step)
{
    step->kind = CSPR_STEP_EXECUTED;
    step->n = 1;
    return take_op(s, &step->op) && take_char(s, ' ') && take_u32(s, 10, &step->object) && take_char(s, ' ') &&
           take_place(s, step) && (!s->n || (take_char(s, '|') && take_decision(s, step)));
}

static bool take_switch(cspr_span *s, cspr_step *step)
{
    if (take_text(s, "-> clock")) {
        step->kind = CSPR_STEP_SWITCH_CLOCK;
        return true;
    }
    step->kind = *s->p == '=' ? CSPR_STEP_SET_NUMBER : CSPR_STEP_SWITCH;
    return (take_text(s, "-> ") || take_text(s, "= ")) && take_u32(s, 10, &step->value);
}

static const char *read_step(cspr_span s, bool is_switches, cspr_step *step)
{
    static const char malformed[] = "not a step";
    *step = (cspr_step){.module = -1, .n = 1};
    bool good;
    if (!is_switches && take_text(&s, "clock|")) {
        step->kind = CSPR_STEP_CLOCK;
        good = take_decision(&s, step);
    } else if (!is_switches && take_text(&s, "choose ")) {
        step->kind = CSPR_STEP_NUMBER;
        good =
            take_u32(&s, 10, &step->value) && take_char(&s, '|') && take_u32(&s, 10, &step->n) && step->value < step->n;
    } else {
        good = take_u32(&s, 10, &step->task) && take_char(&s, ' ') && take_number(&s, 10, UINT64_MAX, &step->points) &&
               take_char(&s, ' ') && s.n && (is_switches ? take_switch(&s, step) : take_executed(&s, step));
    }
    return good && !s.n ? NULL : malformed;
}

// --- the head ----------------------------------------------------------------------------------------------------------------------------

static const char *read_head(cspr_span line, cspr_schedule *out)
{
    uint64_t module;
    if (take_text(&line, "program: "))
        out->program = line;
    else if (take_text(&line, "build-id: "))
        out->build_id = line;
    else if (take_text(&line, "arguments: "))
        out->arguments = line;
    else if (take_text(&line, "options: "))
        out->options = line;
    else if (take_text(&line, "strategy: "))
        out->strategy = line;
    else if (take_text(&line, "form: "))
        out->is_switches = line.n == 8 && !memcmp(line.p, "switches", 8);
    else if (take_text(&line, "seed: "))
        return take_number(&line, 10, UINT64_MAX, &out->seed) && !line.n ? NULL : "the seed is not a number";
    else if (take_text(&line, "module: ")) {
        if (!take_number(&line, 10, CSPR_SCHEDULE_MODULES - 1, &module) || !take_char(&line, ' '))
            return "not a module";
        out->modules[module] = line;
    } else if (!memchr(line.p, ':', line.n)) {
        return "neither `name: value` nor an empty line";
    }
    return NULL;
}

// --- the whole -----------------------------------------------------------------------------------------------------------------------------

static cspr_span cut_at_nul(const char *text, size_t len)
{
    const char *nul = len ? memchr(text, 0, len) : NULL;
    return (cspr_span){text, nul ? (size_t)(nul - text) : len};
}

size_t cspr_schedule_count_lines(const char *text, size_t len)
{
    cspr_span all = cut_at_nul(text, len), line;
    size_t n = 0;
    while (take_line(&all, &line))
        n++;
    return n;
}

// A killed process may have been in the middle of its last line: that one is left out.
static bool is_cut(const cspr_span *rest, const cspr_span *line)
{
    return !rest->n && line->p + line->n == rest->p;
}

bool cspr_schedule_parse(const char *text, size_t len, cspr_step *steps, cspr_schedule *out)
{
    cspr_span all = cut_at_nul(text, len), line = {0};
    *out = (cspr_schedule){.line = 1, .steps = steps};
    if (!take_line(&all, &line) || line.n != 20 || memcmp(line.p, "cspthread schedule 1", 20) != 0) {
        out->error = "it does not begin with `cspthread schedule 1`";
        return false;
    }
    for (out->line++; take_line(&all, &line) && line.n; out->line++)
        if ((out->error = read_head(line, out)))
            return false;
    for (out->line++; take_line(&all, &line); out->line++) {
        if (!line.n || *line.p == '!' || *line.p == '#')
            continue;
        const char *wrong = read_step(line, out->is_switches, &steps[out->n_steps]);
        if (wrong && is_cut(&all, &line))
            break;
        if ((out->error = wrong))
            return false;
        out->n_steps++;
    }
    return true;
}
