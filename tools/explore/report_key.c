// report_key.c - what makes two reports the same finding, by their text alone.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two reports are one finding when their paragraphs are the same set, whatever their order: of two accesses that race,
// either may be the one that noticed. Paragraphs are compared without what changes from run to run: colours, addresses,
// process and coroutine numbers, durations, counts, and the state a coroutine happened to be in. Stack frames and
// file:line places are what tells findings apart; the SUMMARY line only repeats one of them.
#include "explore/report_key.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/argv.h"
#include "common/message.h"
#include "explore/report_scan.h"

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

// Past a number with fraction and unit ("3.2s", "120 ms", "1m30s"), or p itself when there is none.
static const char *skip_quantity(const char *p)
{
    static const char *const units[] = {"ns", "us", "ms", "min", "s", "m", "h"};
    while (isdigit((unsigned char)*p)) {
        while (isdigit((unsigned char)*p) || (*p == '.' && isdigit((unsigned char)p[1])))
            p++;
        const char *unit = *p == ' ' ? p + 1 : p;
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            size_t n = strlen(units[i]);
            if (strncmp(unit, units[i], n) == 0 && !isalpha((unsigned char)unit[n])) {
                p = unit + n;
                break;
            }
        }
    }
    return p;
}

static const char *skip_hex(const char *p)
{
    for (p += 2; isxdigit((unsigned char)*p);)
        p++;
    return p;
}

// "(running)", "(parked 3 s)": the state of a coroutine at the time of the report.
static const char *skip_state(const char *p)
{
    static const char *const states[] = {"(running", "(runnable", "(parked", "(finished", "(tid="};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (cspt_starts_with(p, states[i]))
            return strchr(p, ')') ? strchr(p, ')') + 1 : p;
    return p;
}

// A digit at p that belongs to a name or to file:line:column.
static bool is_part_of_place(const char *line, const char *p)
{
    if (p == line)
        return false;
    if (p[-1] == ':' && p - line >= 2)
        return is_word_char(p[-2]);
    if (p - line >= 1 && p[-1] == 'T') // T12, a thread's short name, unless inside a longer one
        return p - line >= 2 && is_word_char(p[-2]);
    return is_word_char(p[-1]);
}

// "Coroutine 3 is parked in chan send for 2ms:" and "5 coroutines are parked in chan send, the longest for 1.2s
// (coroutines 3, ...):" say one thing: returns it, "parked in chan send...", and its length; else NULL.
static const char *find_wait(const char *line, size_t *length)
{
    const char *wait = strstr(line, " parked in ");
    if (!wait || line[strlen(line) - 1] != ':')
        return NULL;
    const char *end = strstr(wait, ", the longest for ");
    if (!end)
        end = strstr(wait, " for ");
    *length = end ? (size_t)(end - wait) : strlen(wait);
    return wait;
}

static void append_normal_line(cspt_text *out, const char *line)
{
    size_t length;
    const char *wait = find_wait(line, &length);
    if (wait) {
        cspt_text_append(out, wait, length);
        cspt_text_append(out, "\n", 1);
        return;
    }
    const char *text = line + strspn(line, " ");
    bool is_frame = *text == '#' && isdigit((unsigned char)text[1]);
    if (!is_frame && cspt_starts_with(text, "Previous "))
        text += strlen("Previous ");
    for (const char *p = text; *p;) {
        char c = *p;
        const char *after = p;
        if (cspt_starts_with(p, "0x"))
            after = skip_hex(p);
        else if (!is_frame && *p == '(')
            after = skip_state(p);
        else if (!is_frame && isdigit((unsigned char)*p) && !is_part_of_place(text, p))
            after = skip_quantity(p);
        if (after != p) {
            cspt_text_append(out, "N", 1);
            p = after;
            continue;
        }
        c = p == text ? (char)toupper((unsigned char)c) : c; // "Previous write" and "Write"
        cspt_text_append(out, &c, 1);
        p++;
    }
    cspt_text_append(out, "\n", 1);
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Takes the paragraph collected so far over into the list.
static void end_paragraph(cspt_argv *paragraphs, cspt_text *current)
{
    if (current->size)
        cspt_argv_push(paragraphs, current->bytes);
    *current = (cspt_text){0};
}

static char *join_sorted(cspt_argv *paragraphs)
{
    cspt_text key = {0};
    if (paragraphs->count)
        qsort(paragraphs->items, paragraphs->count, sizeof *paragraphs->items, compare_strings);
    cspt_text_append(&key, "", 0);
    for (size_t i = 0; i < paragraphs->count; i++) {
        cspt_text_append(&key, paragraphs->items[i], strlen(paragraphs->items[i]));
        free((char *)paragraphs->items[i]);
    }
    cspt_argv_fini(paragraphs);
    return key.bytes;
}

// plain is taken apart. title_out gets what follows "SUMMARY: CspThreadSanitizer: ", or the WARNING line's kind.
static char *make_key(char *plain, char **title_out)
{
    static const char warning[] = "WARNING: CspThreadSanitizer: ", summary[] = "SUMMARY: CspThreadSanitizer: ";
    cspt_argv paragraphs = {0};
    cspt_text current = {0};
    char *title = NULL, *save = plain;
    for (char *line; (line = strsep(&save, "\n"));) {
        line[strcspn(line, "\r")] = 0;
        bool is_summary = cspt_starts_with(line, summary);
        if (is_summary || (!title && cspt_starts_with(line, warning))) {
            free(title);
            title = cspt_format("%s", line + strlen(is_summary ? summary : warning));
        }
        if (is_summary || !*line || *line == '=') {
            end_paragraph(&paragraphs, &current);
            continue;
        }
        append_normal_line(&current, line);
        if (cspt_starts_with(line, warning)) // the first access stands right below it
            end_paragraph(&paragraphs, &current);
    }
    end_paragraph(&paragraphs, &current);
    *title_out = title ? title : cspt_format("a report without a summary");
    return join_sorted(&paragraphs);
}

char *cspt_report_key(const char *report, size_t size, char **title)
{
    char *plain = malloc(size + 1);
    if (!plain)
        cspt_fatal("out of memory");
    cspt_strip_colour(plain, report, size);
    char *key = make_key(plain, title);
    free(plain);
    return key;
}
