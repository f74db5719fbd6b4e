// expected_output.c - what CTest's PASS_ and FAIL_REGULAR_EXPRESSION say of what a test wrote.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CMake's regular expressions (cmake.org, string(REGEX)) are POSIX extended ones but for braces, which stand for themselves. ^ and $ are
// the ends of the whole output, as there.
#include "explore/expected_output.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "common/message.h"
#include "common/text.h"

static const char *skip_bracket(const char *p)
{
    p += p[1] == '^' ? 2 : 1;
    p += *p == ']'; // first, it is a character like others
    while (*p && *p != ']')
        p++;
    return p;
}

// As regcomp takes it, to be freed.
static char *to_posix(const char *pattern)
{
    cspt_text out = {0};
    cspt_text_append(&out, "", 0);
    for (const char *p = pattern; *p;) {
        const char *end = p + 1;
        if (*p == '[')
            end = skip_bracket(p);
        else if (*p == '\\' && p[1])
            end = p + 2;
        else if (*p == '{' || *p == '}')
            cspt_text_append(&out, "\\", 1);
        cspt_text_append(&out, p, (size_t)(end - p));
        p = end;
    }
    return out.bytes;
}

static int compile(regex_t *regex, const char *pattern)
{
    char *posix = to_posix(pattern);
    int error = regcomp(regex, posix, REG_EXTENDED | REG_NOSUB);
    free(posix);
    return error;
}

bool cspt_is_pattern(const char *pattern, char **why)
{
    regex_t regex;
    char text[200];
    int error = compile(&regex, pattern);
    if (error) {
        regerror(error, &regex, text, sizeof text);
        *why = cspt_format("%s", text);
        return false;
    }
    regfree(&regex);
    return true;
}

// The first of the patterns that the output has; NULL: none.
static const char *find(const cspt_argv *patterns, const char *output)
{
    const char *found = NULL;
    for (size_t i = 0; i < patterns->count && !found; i++) {
        regex_t regex;
        if (compile(&regex, patterns->items[i]))
            continue;
        if (regexec(&regex, output, 0, NULL, 0) == 0)
            found = patterns->items[i];
        regfree(&regex);
    }
    return found;
}

// In one line.
static char *show(const char *pattern)
{
    cspt_text out = {0};
    cspt_text_append(&out, "", 0);
    for (const char *p = pattern; *p; p++)
        cspt_text_append(&out, *p == '\n' ? "\\n" : *p == '\t' ? "\\t" : p, *p == '\n' || *p == '\t' ? 2 : 1);
    return out.bytes;
}

char *cspt_output_fault(const cspt_target *t, const char *output)
{
    output = output ? output : "";
    const char *bad = find(&t->fail_output, output);
    bool misses = !bad && t->pass_output.count && !find(&t->pass_output, output);
    if (!bad && !misses)
        return NULL;
    char *pattern = show(bad ? bad : t->pass_output.items[0]);
    char *fault = bad ? cspt_format("wrote what its FAIL_REGULAR_EXPRESSION is about: %s", pattern)
                      : cspt_format("wrote nothing that its PASS_REGULAR_EXPRESSION asks for: %s%s", pattern,
                                    t->pass_output.count > 1 ? ", ..." : "");
    free(pattern);
    return fault;
}
