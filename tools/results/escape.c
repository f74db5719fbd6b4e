// escape.c - strings of any bytes as other formats want them: clean UTF-8, URIs, workflow commands, HTML.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "results/escape.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/argv.h"
#include "common/text.h"

static char *finish(cspt_text *out)
{
    cspt_text_append(out, "", 0); // never NULL
    return out->bytes;
}

static void append(cspt_text *out, const char *s)
{
    cspt_text_append(out, s, strlen(s));
}

// --- UTF-8 --------------------------------------------------------------------------------------------------------------

// Bytes of the well-formed sequence at p: not overlong, no surrogate, not above U+10FFFF, no U+FFFE nor U+FFFF, which XML
// forbids; 0: there is none.
static size_t utf8_length(const unsigned char *p)
{
    size_t n = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : *p >> 3 == 30 ? 4 : 0;
    uint32_t code = n == 1 ? *p : *p & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if (p[i] >> 6 != 2) // also at the end of the string
            return 0;
        code = code << 6 | (p[i] & 0x3fU);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool bad = code < least[n] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff || (code & 0xfffeU) == 0xfffe;
    return bad ? 0 : n;
}

// Bytes of the ANSI sequence at p: ESC [ parameters letter; 0: it is none.
static size_t ansi_length(const char *p)
{
    if (p[0] != '\x1b' || p[1] != '[')
        return 0;
    size_t n = 2 + strspn(p + 2, "0123456789;:?");
    return isalpha((unsigned char)p[n]) ? n + 1 : 0;
}

char *cspt_escape_utf8(const char *s)
{
    cspt_text out = {0};
    for (const char *p = s ? s : ""; *p;) {
        size_t ansi = ansi_length(p), n = utf8_length((const unsigned char *)p);
        bool control = ((unsigned char)*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f;
        if (ansi)
            p += ansi;
        else if (*p == '\r' && p[1] == '\n')
            p++;
        else if (!n)
            append(&out, "\xef\xbf\xbd"), p++;
        else if (control)
            append(&out, "?"), p++;
        else
            cspt_text_append(&out, p, n), p += n;
    }
    return finish(&out);
}

// --- by tables ----------------------------------------------------------------------------------------------------------

typedef struct replacement {
    char c;
    const char *text;
} replacement;

static char *replace(const char *s, const replacement *table)
{
    cspt_text out = {0};
    for (const char *p = s; *p; p++) {
        const replacement *r = table;
        while (r->c && r->c != *p)
            r++;
        cspt_text_append(&out, r->c ? r->text : p, r->c ? strlen(r->text) : 1);
    }
    return finish(&out);
}

char *cspt_escape_github_message(const char *s)
{
    static const replacement table[] = {{'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}, {0, NULL}};
    return replace(s, table);
}

char *cspt_escape_github_property(const char *s)
{
    static const replacement table[] = {{'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"},
                                        {':', "%3A"}, {',', "%2C"},  {0, NULL}};
    return replace(s, table);
}

// What Markdown could take for markup becomes a character reference, too.
char *cspt_escape_html(const char *s)
{
    static const replacement table[] = {{'&', "&amp;"},  {'<', "&lt;"},  {'>', "&gt;"},   {'"', "&quot;"},
                                        {'|', "&#124;"}, {'`', "&#96;"}, {'*', "&#42;"},  {'_', "&#95;"},
                                        {'[', "&#91;"},  {']', "&#93;"}, {'\\', "&#92;"}, {'~', "&#126;"},
                                        {0, NULL}};
    return replace(s, table);
}

char *cspt_escape_path(const char *path)
{
    cspt_text out = {0};
    for (const char *p = path; *p; p++) {
        char code[4];
        if (isalnum((unsigned char)*p) || strchr("/-._~", *p)) {
            cspt_text_append(&out, p, 1);
            continue;
        }
        snprintf(code, sizeof code, "%%%02X", (unsigned char)*p);
        append(&out, code);
    }
    return finish(&out);
}

// --- paths --------------------------------------------------------------------------------------------------------------

// Without "//", "/./" and "/x/..". A leading ".." stays.
static char *normalize(const char *path)
{
    cspt_text out = {0};
    bool absolute = *path == '/';
    append(&out, absolute ? "/" : "");
    size_t floor = out.size; // nothing before it is taken back
    for (const char *p = path; *p;) {
        size_t n = strcspn(p, "/");
        if (n == 2 && strncmp(p, "..", 2) == 0 && out.size > floor) {
            while (out.size > floor && out.bytes[out.size - 1] != '/')
                out.size--;
            out.size -= out.size > floor; // the slash
            out.bytes[out.size] = 0;
        } else if (n && !(n == 1 && *p == '.') && !(n == 2 && strncmp(p, "..", 2) == 0 && absolute)) {
            if (out.size && out.bytes[out.size - 1] != '/')
                append(&out, "/");
            cspt_text_append(&out, p, n);
            if (n == 2 && strncmp(p, "..", 2) == 0)
                floor = out.size;
        }
        p += n;
        p += *p == '/';
    }
    return finish(&out);
}

char *cspt_relative_path(const char *root, const char *file)
{
    char *path = normalize(file), *from = normalize(root);
    size_t n = strlen(from);
    char *found = NULL;
    if (*path != '/')
        found = strncmp(path, "..", 2) == 0 && (path[2] == '/' || !path[2]) ? NULL : cspt_format("%s", path);
    else if (strncmp(path, from, n) == 0 && n && (path[n] == '/' || from[n - 1] == '/'))
        found = cspt_format("%s", path + n + (path[n] == '/'));
    free(path);
    free(from);
    if (found && !*found) {
        free(found);
        found = NULL;
    }
    return found;
}
