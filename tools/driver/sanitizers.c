// sanitizers.c - the set of sanitizers that -fsanitize= and -fno-sanitize= build up, and taking our own word out of it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "driver/sanitizers.h"

#include <stdlib.h>
#include <string.h>

#define OWN_NAME "cspthread"

static size_t find(const cspt_sanitizers *s, const char *name)
{
    size_t i = 0;
    while (i < s->enabled.count && strcmp(s->enabled.items[i], name) != 0)
        i++;
    return i;
}

bool cspt_sanitizers_has(const cspt_sanitizers *s, const char *name)
{
    return find(s, name) < s->enabled.count;
}

static void enable(cspt_sanitizers *s, const char *name)
{
    if (!cspt_sanitizers_has(s, name))
        cspt_argv_push(&s->enabled, name);
}

static void disable(cspt_sanitizers *s, const char *name)
{
    if (strcmp(name, "all") == 0) {
        s->enabled.count = 0;
        return;
    }
    size_t i = find(s, name);
    if (i < s->enabled.count)
        s->enabled.items[i] = s->enabled.items[--s->enabled.count];
}

// The same list without our name, "" when it was alone. Calls on_name, when given, for every name.
static const char *strip_own_name(const char *list, cspt_sanitizers *s,
                                  void (*on_name)(cspt_sanitizers *, const char *))
{
    char *names = cspt_format("%s", list), *save = NULL;
    char *rest = cspt_format("%s", "");
    for (char *name = strtok_r(names, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        if (on_name)
            on_name(s, name);
        if (strcmp(name, OWN_NAME) == 0)
            continue;
        char *longer = cspt_format("%s%s%s", rest, *rest ? "," : "", name);
        free(rest);
        rest = longer;
    }
    return rest; // names stays: the set points into it
}

const char *cspt_sanitizers_note(cspt_sanitizers *s, const char *arg)
{
    static const struct {
        const char *option;
        void (*on_name)(cspt_sanitizers *, const char *);
    } lists[] = {
        {"-fsanitize=", enable},
        {"-fno-sanitize=", disable},
        // Reports never stop the program unless CSPTHREAD_OPTIONS says so: nothing to do, and nothing wrong either.
        {"-fsanitize-recover=", NULL},
        {"-fno-sanitize-recover=", NULL},
        {"-fno-sanitize-trap=", NULL},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (!cspt_starts_with(arg, lists[i].option))
            continue;
        const char *list = arg + strlen(lists[i].option);
        const char *rest = strip_own_name(list, s, lists[i].on_name);
        if (strcmp(rest, list) == 0)
            return arg;
        return *rest ? cspt_format("%s%s", lists[i].option, rest) : NULL;
    }
    return arg;
}

const char *cspt_sanitizers_conflict(const cspt_sanitizers *s)
{
    // Those that shadow the address space too, or replace malloc, or move the stack that coroutines live on.
    static const char *const incompatible[] = {
        "address", "hwaddress", "kernel-address", "kernel-hwaddress", "kernel-memory", "leak",
        "memory",  "thread",    "dataflow",       "safe-stack",       "scudo",         "realtime",
        "type",    "numerical", "memtag-stack",   "memtag-heap",      "memtag",        "shadow-call-stack"};
    for (size_t i = 0; i < sizeof incompatible / sizeof *incompatible; i++)
        if (cspt_sanitizers_has(s, incompatible[i]))
            return incompatible[i];
    return NULL;
}
