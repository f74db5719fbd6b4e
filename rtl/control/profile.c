// profile.c - the table of a profile: by key, with the operations of all descendants added up.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "control/profile.h"

#include "support/alloc.h"

#include <string.h>

typedef struct entry {
    uint64_t key; // 0: free
    uint64_t parent;
    uint64_t subtree;
} entry;

static struct {
    entry *slots; // open addressing; keys are hashes already
    size_t capacity, used;
    uint64_t length;
} profile;

static entry *find_slot(uint64_t key)
{
    size_t i = key & (profile.capacity - 1);
    while (profile.slots[i].key && profile.slots[i].key != key)
        i = (i + 1) & (profile.capacity - 1);
    return &profile.slots[i];
}

static void grow(void)
{
    entry *old = profile.slots;
    size_t n = profile.capacity;
    profile.capacity = n ? 2 * n : 64;
    profile.slots = cspr_alloc(profile.capacity * sizeof *old);
    for (size_t i = 0; i < n; i++)
        if (old[i].key)
            *find_slot(old[i].key) = old[i];
    cspr_free(old, n * sizeof *old);
}

void cspr_profile_clear(void)
{
    cspr_free(profile.slots, profile.capacity * sizeof *profile.slots);
    memset(&profile, 0, sizeof profile);
}

void cspr_profile_add(uint64_t key, uint64_t parent, uint64_t points)
{
    if (2 * (profile.used + 1) > profile.capacity)
        grow();
    entry *e = find_slot(key);
    if (!key || e->key)
        return; // 0 is nobody's key; two tasks of one key do not happen
    profile.used++;
    *e = (entry){key, parent, 0};
    profile.length += points;
    // Parents come before children, so the way up ends: a parent that is not there yet has no entry.
    for (; e->key; e = find_slot(e->parent)) {
        e->subtree += points;
        if (!e->parent)
            break;
    }
}

uint64_t cspr_profile_length(void)
{
    return profile.length;
}

uint64_t cspr_profile_tasks(void)
{
    return profile.used;
}

uint64_t cspr_profile_subtree(uint64_t key)
{
    return profile.used && key ? find_slot(key)->subtree : 0;
}

// A number and the byte behind it; false: there is none.
static bool take_number(const char **at, unsigned base, char end, uint64_t *out)
{
    const char *p = *at;
    *out = 0;
    for (;; p++) {
        unsigned digit = *p >= '0' && *p <= '9'   ? (unsigned)(*p - '0')
                         : *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a') + 10
                                                  : base;
        if (digit >= base)
            break;
        *out = *out * base + digit;
    }
    bool ok = p > *at && *p == end;
    *at = p + 1;
    return ok;
}

bool cspr_profile_parse(const char *text)
{
    static const char first[] = "cspthread profile 1\n";
    cspr_profile_clear();
    if (strncmp(text, first, sizeof first - 1) != 0)
        return false;
    for (text += sizeof first - 1; *text;) {
        uint64_t key, parent, points;
        if (!take_number(&text, 16, ' ', &key) || !take_number(&text, 16, ' ', &parent) ||
            !take_number(&text, 10, '\n', &points)) {
            cspr_profile_clear();
            return false;
        }
        cspr_profile_add(key, parent, points);
    }
    return true;
}
