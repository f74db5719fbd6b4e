// report_parse.c - the stacks of a report, read back from its text: for programs that are run as they are.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   WARNING: CspThreadSanitizer: data race (pid=1234)
//     Write of size 8 at 0x7f12 by coroutine 7:
//       #0 push queue.c:12:3 (queue+0x1234)
#include "explore/report_parse.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/argv.h"
#include "common/message.h"
#include "common/number.h"
#include "explore/report_scan.h"

// What the finding log calls it (rtl/report/finding_log.h).
static char *make_kind(const char *words)
{
    const char *end = strstr(words, " (pid=");
    char *kind = end ? cspt_format("%.*s", (int)(end - words), words) : cspt_format("%s", words);
    const char *other = strcmp(kind, "coroutine leak") == 0              ? "leak"
                        : cspt_starts_with(kind, "lock-order-inversion") ? "lock inversion"
                                                                         : NULL;
    if (!other)
        return kind;
    free(kind);
    return cspt_format("%s", other);
}

static char *lower_words(const char *start, size_t n)
{
    char *role = cspt_format("%.*s", (int)n, start);
    for (char *p = role; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return role;
}

// "Write of size 8 ..." and "Previous atomic read of ..." are what the report is about.
static void take_heading(cspt_stack *s, const char *heading, bool first)
{
    const char *words = heading + strspn(heading, " ");
    if (cspt_starts_with(words, "Previous "))
        words += strlen("Previous ");
    const char *of = strstr(words, " of size ");
    s->what = cspt_format("%.*s", (int)strcspn(words, ":"), words);
    s->primary = of || first;
    s->role = of ? lower_words(words, (size_t)(of - words))
                 : cspt_format("%s", strstr(words, " created ") ? "creation" : "here");
}

// ":12", a line or a column; 0: none is there.
static unsigned take_position(const char **at)
{
    uint64_t n = 0;
    if (**at != ':')
        return 0;
    ++*at;
    return cspt_take_number(at, UINT_MAX, &n) ? (unsigned)n : 0;
}

// "#0 push queue.c:12:3 (queue+0x1234)", where file, line and column may be missing.
static void take_frame(cspt_stack *s, char *text)
{
    cspt_frame *f = cspt_stack_add_frame(s);
    text += strspn(text, "#0123456789");
    text += strspn(text, " ");
    char *module = strrchr(text, '(');
    if (module && strstr(module, "+0x")) {
        char *plus = strstr(module, "+0x");
        f->module = cspt_format("%.*s", (int)(plus - module - 1), module + 1);
        f->offset = strtoull(plus + 1, NULL, 16);
        *module = 0;
    }
    size_t n = strlen(text);
    while (n && text[n - 1] == ' ')
        text[--n] = 0;
    char *place = strrchr(text, ' ');
    if (place && strchr(place, ':')) {
        *place++ = 0;
        const char *at = strchr(place, ':');
        f->file = cspt_format("%.*s", (int)(at - place), place);
        f->line = take_position(&at);
        f->column = take_position(&at);
    }
    if (*text)
        f->function = cspt_format("%s", text);
}

void cspt_report_parse(cspt_finding *f, const char *report, size_t size)
{
    static const char warning[] = "WARNING: CspThreadSanitizer: ";
    char *plain = malloc(size + 1), *heading = NULL;
    if (!plain)
        cspt_fatal("out of memory");
    cspt_strip_colour(plain, report, size);
    f->text = cspt_format("%s", plain);
    cspt_stack *stack = NULL;
    char *rest = plain;
    for (char *line; (line = strsep(&rest, "\n"));) {
        const char *text = line + strspn(line, " ");
        if (*text == '#' && isdigit((unsigned char)text[1])) {
            if (!stack) {
                stack = cspt_finding_add_stack(f);
                take_heading(stack, heading ? heading : "", f->n_stacks == 1);
            }
            take_frame(stack, line + (text - line));
            continue;
        }
        stack = NULL;
        heading = line;
        if (!f->kind && cspt_starts_with(line, warning))
            f->kind = make_kind(line + strlen(warning));
    }
    if (!f->kind)
        f->kind = cspt_format("report");
    free(plain);
}
