// readset.c - the table of read sets.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Why: a record per word that several tasks read costs memory and a call per read; tables are read by the same few tasks.
// Each epoch of a reader makes sets of its own, so a program that releases often could fill memory with them: above the limit
// no new ones are made and such words go aside, where records are reused.
// Invariants:  I1 a set is written once, under the lock, before its id is published
// Ordering:    E1 publish: set written, then its id store-released into its bucket -> find: load-acquire of the bucket.
//              Who comes by a cell instead depends on its value: address dependency; compiled code only compares cells.
#include "shadow/readset.h"

#include "flags.h"
#include "support/alloc.h"
#include "support/counters.h"
#include "support/lock.h"

#include <string.h>

enum {
    N_BUCKETS = 1 << 20,
    MAX_WORDS = 1 << 23,
    VARIANTS = 1 << CSPR_SET_VARIANT_BITS,
    MAX_IDS = 1 << CSPR_STACK_BITS
};

uint64_t *cspr_readsets;
uint32_t *cspr_readset_place;
uint32_t cspr_readset_limit = MAX_WORDS; // 64 MB
uint32_t cspr_readset_after = 16;

static uint32_t *buckets;              // atomic, E1: places of the newest sets, 0: none
static uint32_t *group_buckets;        // under lock: ids of the newest sets by their epochs alone, 0: none
static uint32_t used = 1;              // under lock: words
static uint32_t next_group = VARIANTS; // under lock: its first id
static cspr_lock lock;

void cspr_readset_init(void)
{
    if (cspr_readsets)
        return;
    cspr_readsets = cspr_reserve(MAX_WORDS * sizeof *cspr_readsets);
    cspr_readset_place = cspr_reserve(MAX_IDS * sizeof *cspr_readset_place);
    buckets = cspr_reserve(N_BUCKETS * sizeof *buckets);
    group_buckets = cspr_reserve(N_BUCKETS * sizeof *group_buckets);
}

void cspr_readset_fork_lock(bool take)
{
    cspr_lock_for_fork(&lock, take);
}

static cspr_readset *set_at(uint32_t place)
{
    return (cspr_readset *)&cspr_readsets[place];
}

// Sorted, so that the order in which tasks came to a word makes no difference.
static void sort(uint64_t *sorted, const uint64_t *members, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned k = i;
        for (; k && sorted[k - 1] > members[i]; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = members[i];
    }
}

static uint32_t bucket_of(const uint64_t *sorted, unsigned n, uint64_t counts)
{
    uint64_t hash = n;
    for (unsigned i = 0; i < n; i++)
        hash = (hash ^ (sorted[i] & counts) ^ (sorted[i] & counts) >> 32) * 0x9e3779b97f4a7c15ull;
    return (hash ^ hash >> 31) % N_BUCKETS;
}

// Whether the set has these members, as far as the bits of `counts` say.
static bool is_set_of(const cspr_readset *set, const uint64_t *sorted, unsigned n, uint64_t counts)
{
    if (set->n != n)
        return false;
    while (n && !((set->member[n - 1] ^ sorted[n - 1]) & counts))
        n--;
    return !n;
}

// Sets pay when they are met again. Of a thread's wants, those that found their set pay for those that made one.
enum { CREDIT = 256, EVEN_SO = 64 };
static __thread int credit __attribute__((tls_model("initial-exec"))) = CREDIT;
static __thread uint32_t n_refused __attribute__((tls_model("initial-exec")));

static bool may_make(void)
{
    if (credit <= 0 && ++n_refused % EVEN_SO)
        return false;
    credit--;
    return true;
}

static const cspr_readset *find(const uint32_t *bucket, const uint64_t *sorted, unsigned n)
{
    uint32_t place = __atomic_load_n(bucket, __ATOMIC_ACQUIRE); // E1
    while (place && !is_set_of(set_at(place), sorted, n, ~0ull))
        place = set_at(place)->next; // written before its set was published
    return place ? set_at(place) : NULL;
}

// An id of the group with these epochs, or of a new group. A group whose bucket another one took over is not extended.
static uint32_t new_id_locked(const uint64_t *sorted, unsigned n)
{
    const uint64_t epochs = ~0ull << CSPR_EPOCH_SHIFT;
    uint32_t *bucket = &group_buckets[bucket_of(sorted, n, epochs)], last = *bucket;
    bool extends = last && (last + 1) % VARIANTS && is_set_of(set_at(cspr_readset_place[last]), sorted, n, epochs);
    if (!extends && next_group == MAX_IDS)
        return 0;
    if (!extends)
        next_group += VARIANTS;
    return *bucket = extends ? last + 1 : next_group - VARIANTS;
}

static const cspr_readset *add_locked(uint32_t *bucket, const uint64_t *sorted, unsigned n)
{
    uint32_t words = (sizeof(cspr_readset) / sizeof *cspr_readsets) + n;
    if (used + words > cspr_readset_limit)
        return NULL;
    uint32_t id = new_id_locked(sorted, n);
    if (!id)
        return NULL;
    cspr_readset *set = set_at(used);
    set->next = *bucket;
    set->id = id;
    set->n = n;
    memcpy(set->member, sorted, n * sizeof *sorted);
    cspr_readset_place[id] = used;
    __atomic_store_n(bucket, used, __ATOMIC_RELEASE); // E1
    used += words;
    cspr_count(CSPR_COUNT_READ_SETS);
    return set;
}

uint64_t cspr_readset_cell(const uint64_t *members, unsigned n, unsigned mask)
{
    if (CSPR_UNLIKELY(!cspr_flags.read_sets))
        return 0;
    uint64_t sorted[CSPR_READSET_MAX];
    sort(sorted, members, n);
    uint32_t *bucket = &buckets[bucket_of(sorted, n, ~0ull)];
    const cspr_readset *set = find(bucket, sorted, n);
    if (CSPR_LIKELY(set != NULL)) {
        credit += credit < CREDIT;
    } else {
        if (cspr_readset_after && !may_make()) // 0: tests want them all
            return 0;
        cspr_lock_acquire(&lock);
        set = find(bucket, sorted, n);
        if (!set)
            set = add_locked(bucket, sorted, n);
        cspr_lock_release(&lock);
    }
    return set ? cspr_cell_of(CSPR_EPOCH_SHARED, mask, set->id) : 0;
}
