// fingerprint.c - what makes two findings the same one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A race is seen from either side, so its stacks are a set. Of each only the innermost own frame counts: the same mistake is
// reached by many ways. Changing this changes everybody's baselines; FORMAT is part of the hash and says so.
#include "explore/fingerprint.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/argv.h"
#include "common/message.h"
#include "common/text.h"

#define FORMAT "1"

// FNV-1a, 64 bits: identity, not security; mixed at the end, as short texts leave the upper bits alone.
char *cspt_fingerprint_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        hash = (hash ^ *p) * 0x100000001b3u;
    hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93u;
    hash ^= hash >> 32;
    return cspt_format("%016" PRIx64, hash);
}

// What the system and the C++ library bring along is not where people look for their mistake.
static bool is_foreign(const cspt_frame *frame)
{
    static const char *const folders[] = {"/usr/include/", "/usr/lib/", "/usr/src/",   "../sysdeps/",
                                          "./nptl/",       "./stdlib/", "../include/", "./csu/"};
    if (frame->library || (!frame->function && !frame->module))
        return true;
    for (size_t i = 0; frame->file && i < sizeof folders / sizeof *folders; i++)
        if (cspt_starts_with(frame->file, folders[i]))
            return true;
    return false;
}

const cspt_frame *cspt_own_frame(const cspt_stack *s)
{
    for (size_t i = 0; i < s->n_frames; i++)
        if (!is_foreign(&s->frames[i]))
            return &s->frames[i];
    return NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// "read push+3"; without debug information the place in the module, which holds as long as nobody builds it anew.
static char *describe(const cspt_stack *s)
{
    const cspt_frame *f = cspt_own_frame(s);
    if (!f && s->n_frames)
        f = &s->frames[0];
    if (!f)
        return cspt_format("%s ?", s->role);
    if (!f->function)
        return cspt_format("%s %s+0x%" PRIx64, s->role, f->module ? base_name(f->module) : "?", f->offset);
    if (f->start_line && f->line >= f->start_line)
        return cspt_format("%s %s+%u", s->role, f->function, f->line - f->start_line);
    return cspt_format("%s %s", s->role, f->function);
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Numbers change from run to run; those inside of names do not.
static void append_without_numbers(cspt_text *out, const char *text)
{
    for (const char *p = text; *p;) {
        bool in_name = p > text && (isalnum((unsigned char)p[-1]) || p[-1] == '_');
        if (isdigit((unsigned char)*p) && !in_name) {
            while (isxdigit((unsigned char)*p) || *p == 'x' || *p == '.')
                p++;
            cspt_text_append(out, "N", 1);
        } else {
            cspt_text_append(out, p++, 1);
        }
    }
}

static cspt_argv describe_stacks(const cspt_finding *f, bool primary)
{
    cspt_argv places = {0};
    for (size_t i = 0; i < f->n_stacks; i++)
        if (f->stacks[i].primary || !primary)
            cspt_argv_push(&places, describe(&f->stacks[i]));
    return places;
}

char *cspt_fingerprint(const cspt_finding *f)
{
    cspt_text text = {0};
    cspt_argv places = describe_stacks(f, true);
    if (!places.count)
        places = describe_stacks(f, false);
    if (places.count)
        qsort(places.items, places.count, sizeof *places.items, compare_strings);
    cspt_text_append(&text, FORMAT "\n", strlen(FORMAT "\n"));
    cspt_text_append(&text, f->kind, strlen(f->kind));
    for (size_t i = 0; i < places.count; i++) {
        bool repeated = i && strcmp(places.items[i - 1], places.items[i]) == 0;
        if (repeated) // a set
            continue;
        cspt_text_append(&text, "\n", 1);
        cspt_text_append(&text, places.items[i], strlen(places.items[i]));
    }
    if (!places.count) {
        cspt_text_append(&text, "\n", 1);
        append_without_numbers(&text, f->title);
    }
    for (size_t i = 0; i < places.count; i++)
        free((char *)places.items[i]);
    cspt_argv_fini(&places);
    char *result = cspt_fingerprint_text(text.bytes);
    cspt_text_fini(&text);
    return result;
}
