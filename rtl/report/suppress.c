// suppress.c - suppressions: "type:pattern" lines that keep matching reports from being printed.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Syntax and meaning are ThreadSanitizer's, with one more type, leak. A file that cannot be read or understood ends the start:
// a typing error must not silently turn a suppression off.
#include "report/suppress.h"
#include "rtl.h"
#include "support/print.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static const char *const type_names[CSPR_SUPPRESS_TYPES] = {"race",   "race_top",        "mutex",    "thread",
                                                            "signal", "called_from_lib", "deadlock", "leak"};

typedef struct suppression {
    cspr_suppress_type type;
    const char *pattern;
    _Atomic unsigned hits; // relaxed: a number for people
} suppression;

// --- immutable after start
static suppression *list;
static size_t n_list, cap_list;

// A program may define these.
CSPR_INTERFACE __attribute__((weak)) const char *__csp_default_suppressions(void);
CSPR_INTERFACE __attribute__((weak)) const char *__tsan_default_suppressions(void);

// Finds the piece [piece, piece + n) in text; NULL when it is not there.
static const char *find_piece(const char *text, const char *piece, size_t n)
{
    for (;; text++) {
        if (!strncmp(text, piece, n))
            return text;
        if (!*text)
            return NULL;
    }
}

bool cspr_suppress_pattern(const char *pattern, const char *text)
{
    bool at_start = *pattern == '^';
    const char *p = pattern + at_start, *end = p + strlen(p);
    bool at_end = end > p && end[-1] == '$';
    end -= at_end;
    for (;; at_start = false) {
        const char *star = memchr(p, '*', (size_t)(end - p));
        size_t n = (size_t)((star ? star : end) - p);
        if (!star && at_end) {
            size_t len = strlen(text);
            return (at_start ? len == n : len >= n) && !memcmp(text + len - n, p, n);
        }
        const char *found = at_start ? (strncmp(text, p, n) ? NULL : text) : find_piece(text, p, n);
        if (!found || !star)
            return found != NULL;
        text = found + n;
        p = star + 1;
    }
}

static void append(cspr_suppress_type type, const char *pattern)
{
    if (n_list == cap_list) {
        size_t cap = cap_list ? cap_list * 2 : 64;
        suppression *bigger = cspr_map(cap * sizeof *bigger);
        if (list) {
            memcpy(bigger, list, n_list * sizeof *list);
            cspr_unmap(list, cap_list * sizeof *list);
        }
        list = bigger;
        cap_list = cap;
    }
    list[n_list].type = type;
    list[n_list++].pattern = pattern;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static const char *add_line(const char *p, size_t n)
{
    while (n && is_blank(p[0]))
        p++, n--;
    while (n && is_blank(p[n - 1]))
        n--;
    if (n == 0 || *p == '#')
        return NULL;
    const char *colon = memchr(p, ':', n);
    if (!colon)
        return "expected type:pattern";
    size_t type_len = (size_t)(colon - p);
    if (type_len + 1 == n)
        return "the pattern is empty";
    for (int i = 0; i < CSPR_SUPPRESS_TYPES; i++)
        if (strlen(type_names[i]) == type_len && !memcmp(type_names[i], p, type_len)) {
            append((cspr_suppress_type)i, cspr_keep(colon + 1, n - type_len - 1));
            return NULL;
        }
    return "unknown type (known: race, race_top, mutex, thread, signal, called_from_lib, deadlock, leak)";
}

unsigned cspr_suppress_add(const char *text, const char **why)
{
    for (unsigned line = 1; *text; line++) {
        size_t n = strcspn(text, "\n");
        *why = add_line(text, n);
        if (*why)
            return line;
        text += n + (text[n] == '\n');
    }
    return 0;
}

static void add_or_die(const char *text, const char *source)
{
    const char *why;
    unsigned line = cspr_suppress_add(text, &why);
    if (line)
        cspr_die("suppressions: %s:%u: %s", source, line, why);
}

// A relative path that is not found is looked for beside the executable.
static char *read_beside_executable(const char *path, size_t *len, size_t *map_size)
{
    char exe[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    while (n > 0 && exe[n - 1] != '/')
        n--;
    char full[8192];
    cspr_format(full, sizeof full, "%.*s%s", (int)n, exe, path);
    return n > 0 ? cspr_read_file(full, len, map_size) : NULL;
}

static void add_file(const char *path)
{
    size_t len, map_size;
    char *text = cspr_read_file(path, &len, &map_size);
    int why = errno;
    if (!text && *path != '/')
        text = read_beside_executable(path, &len, &map_size);
    if (!text)
        cspr_die("suppressions: %s:0: cannot read the file: %s", path, strerrordesc_np(why));
    if (strlen(text) != len)
        cspr_die("suppressions: %s:1: this is not a text file", path);
    add_or_die(text, path);
    cspr_unmap(text, map_size);
}

void cspr_suppress_init(void)
{
    if (__tsan_default_suppressions)
        add_or_die(__tsan_default_suppressions(), "__tsan_default_suppressions()");
    if (__csp_default_suppressions)
        add_or_die(__csp_default_suppressions(), "__csp_default_suppressions()");
    if (cspr_flags.suppressions && *cspr_flags.suppressions)
        add_file(cspr_flags.suppressions);
}

bool cspr_suppressed(cspr_suppress_type type, const char *text)
{
    for (size_t i = 0; text && i < n_list; i++)
        if (list[i].type == type && cspr_suppress_pattern(list[i].pattern, text)) {
            atomic_fetch_add_explicit(&list[i].hits, 1, memory_order_relaxed); // relaxed: a number for people
            return true;
        }
    return false;
}

bool cspr_suppress_any(cspr_suppress_type type)
{
    for (size_t i = 0; i < n_list; i++)
        if (list[i].type == type)
            return true;
    return false;
}

void cspr_suppress_print(void)
{
    unsigned total = 0;
    cspr_text text = {0};
    for (size_t i = 0; i < n_list; i++)
        total += list[i].hits;
    if (total == 0)
        return;
    cspr_text_add(&text, "CspThreadSanitizer: Matched %u suppressions (pid=%d):\n", total, (int)getpid());
    for (size_t i = 0; i < n_list; i++)
        if (list[i].hits)
            cspr_text_add(&text, "%u %s:%s\n", list[i].hits, type_names[list[i].type], list[i].pattern);
    cspr_print(text.data, text.len);
    cspr_text_fini(&text);
}
