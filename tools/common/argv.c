// argv.c - a growing argument vector, NULL-terminated at all times so that it can be handed to exec.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "common/argv.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/message.h"

void cspt_argv_push(cspt_argv *v, const char *arg)
{
    if (v->count + 1 >= v->capacity) {
        size_t capacity = v->capacity ? 2 * v->capacity : 32;
        const char **items = realloc(v->items, capacity * sizeof *items);
        if (!items)
            cspt_fatal("out of memory");
        v->items = items;
        v->capacity = capacity;
    }
    v->items[v->count++] = arg;
    v->items[v->count] = NULL;
}

void cspt_argv_push_all(cspt_argv *v, const cspt_argv *more)
{
    for (size_t i = 0; i < more->count; i++)
        cspt_argv_push(v, more->items[i]);
}

void cspt_argv_fini(cspt_argv *v)
{
    free(v->items);
    *v = (cspt_argv){0};
}

static bool needs_quotes(const char *s)
{
    return !*s || s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=/.,:@%")];
}

static void print_single_quoted(FILE *out, const char *s)
{
    fputc('\'', out);
    for (; *s; s++) {
        if (*s == '\'')
            fputs("'\\''", out);
        else
            fputc(*s, out);
    }
    fputc('\'', out);
}

static void print_double_quoted(FILE *out, const char *s)
{
    fputc('"', out);
    for (; *s; s++) {
        if (strchr("\"\\$", *s))
            fputc('\\', out);
        fputc(*s, out);
    }
    fputc('"', out);
}

void cspt_argv_print(FILE *out, const cspt_argv *v, bool always)
{
    for (size_t i = 0; i < v->count; i++) {
        if (i)
            fputc(' ', out);
        if (always)
            print_double_quoted(out, v->items[i]);
        else if (needs_quotes(v->items[i]))
            print_single_quoted(out, v->items[i]);
        else
            fputs(v->items[i], out);
    }
}

char *cspt_format(const char *format, ...)
{
    va_list args;
    char *s;
    va_start(args, format);
    int n = vasprintf(&s, format, args);
    va_end(args);
    if (n < 0)
        cspt_fatal("out of memory");
    return s;
}

bool cspt_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}
