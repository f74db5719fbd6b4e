// side_short.c - the short ways of records: where nothing has to be checked, an access is recorded in place.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Words come here that are written or read piece by piece over an older epoch, and those that several tasks read in epoch after
// epoch. What is done is what the long way (side.c) would do: rule A1 with all that is replaced known. Now and then the long way
// is taken all the same: it also lets go of what every task knows.
#include "shadow/side.h"

#include "shadow/depot.h"
#include "shadow/readset.h"
#include "shadow/reread.h"
#include "shadow/shadow.h"
#include "support/counters.h"

enum { SHORT_SET = 4, LONG_WAY_EVERY = 64, LONG_WAY_EVERY_PIECE = 16 };
static __thread uint32_t n_reread, n_pieces __attribute__((tls_model("initial-exec")));

static bool is_ours(const cspr_entry *e, const cspr_task *t)
{
    return e->at == t->at && e->id == t->clock.own;
}

static bool is_settled(const cspr_entry *e, const cspr_task *t)
{
    return is_ours(e, t) || (e->epoch && cspr_task_knows_epoch(t, e->epoch));
}

static bool all_settled(const cspr_set *s, const cspr_task *t, unsigned mask)
{
    for (uint32_t i = 0; i < s->n; i++)
        if ((s->entry[i].mask & mask) && !is_settled(&s->entry[i], t))
            return false;
    return true;
}

static bool is_short(const cspr_record *rec)
{
    return !rec->atomics.n && rec->writes.n <= SHORT_SET && !rec->writes.index && !rec->reads.index;
}

static cspr_entry new_entry(const cspr_task *t, uint32_t epoch, unsigned mask, bool is_write, cspr_stack stack)
{
    return (cspr_entry){
        .at = t->at,
        .id = t->clock.own,
        .who = t->who,
        .epoch = epoch,
        .stack = stack,
        .mask = (uint8_t)mask,
        .kind = is_write ? CSPR_WRITE : CSPR_READ,
    };
}

// Whether a word that was read again, and stays aside, should be so in slots of its readers' own: not at once.
static bool counts_as_spread(cspr_record *rec)
{
    if (rec->spread || rec->n_again >= cspr_reread_after)
        return cspr_flags.own_rereads;
    rec->n_again++;
    return false;
}

// --- pieces of a word -------------------------------------------------------------------------------------------------------

static cspr_entry *entry_of_epoch(const cspr_set *s, const cspr_task *t)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->entry[i].mask && is_ours(&s->entry[i], t))
            return &s->entry[i];
    return NULL;
}

// An earlier access, settled, that one to the bytes of mask stands for where they overlap; or nobody's any more.
static bool makes_way(const cspr_entry *e, const cspr_task *t, unsigned mask)
{
    return (!e->mask || (e->mask & mask)) && !is_ours(e, t);
}

// Whether one entry more fits once those are gone.
static bool has_room(const cspr_set *s, const cspr_task *t, unsigned mask)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (!(s->entry[i].mask & ~mask) && makes_way(&s->entry[i], t, mask))
            return true;
    return s->n < s->cap;
}

static void drop_settled(cspr_set *s, const cspr_task *t, unsigned mask)
{
    for (uint32_t i = 0; i < s->n; i++) {
        cspr_entry *e = &s->entry[i];
        if (!makes_way(e, t, mask))
            continue;
        e->mask &= (uint8_t)~mask;
        if (!e->mask)
            s->entry[i--] = s->entry[--s->n];
    }
}

// Whether the task read some of these bytes in an earlier epoch; *others: others did.
static bool is_read_again(const cspr_set *s, const cspr_task *t, unsigned mask, bool *others)
{
    bool earlier = false;
    *others = false;
    for (uint32_t i = 0; i < s->n; i++) {
        const cspr_entry *e = &s->entry[i];
        *others |= (e->mask & mask) && e->id != t->clock.own;
        earlier |= (e->mask & mask) && e->id == t->clock.own && e->at != t->at;
    }
    return earlier;
}

// A new read, in an entry of its own, of a word that its task has read before. What two cells can say goes back there instead.
static void spread_if_stuck(cspr_record *rec, cspr_task *t, cspr_entry *read)
{
    uint64_t r, w;
    if (cspr_flags.reread_in_place && !cspr_record_fits(rec, &r, &w) && counts_as_spread(rec))
        cspr_reread_spread(t, rec, read);
}

bool cspr_record_piece(cspr_record *rec, cspr_task *t, uint32_t epoch, unsigned mask, bool is_write, cspr_stack stack)
{
    cspr_set *s = is_write ? &rec->writes : &rec->reads;
    if (!is_short(rec) || rec->reads.n > SHORT_SET || !(++n_pieces % LONG_WAY_EVERY_PIECE))
        return false;
    // Reads that are not known are no concern of a read, but together they may be a read set.
    if (!all_settled(&rec->writes, t, mask) || !all_settled(&rec->reads, t, mask))
        return false;
    cspr_entry *own = entry_of_epoch(s, t);
    if (!own && !has_room(s, t, mask))
        return false;
    bool others, again = !is_write && is_read_again(s, t, mask, &others);
    rec->by_turns |= again && others && cspr_flags.reread_in_place;
    if (is_write)
        drop_settled(&rec->writes, t, mask);
    drop_settled(&rec->reads, t, mask);
    own = own ? entry_of_epoch(s, t) : NULL; // it may have moved
    if (!own) {
        s->entry[s->n++] = new_entry(t, epoch, mask, is_write, stack);
        if (again)
            spread_if_stuck(rec, t, &s->entry[s->n - 1]);
        return true;
    }
    own->stack = own->mask & ~mask ? cspr_depot_composite(own->stack, own->mask, stack, mask & ~own->mask) : stack;
    own->mask |= (uint8_t)mask;
    return true;
}

cspr_record *cspr_record_split(uintptr_t word, uint64_t r, uint64_t w, const cspr_task *t, uint32_t epoch,
                               unsigned mask, bool is_write, cspr_stack stack)
{
    cspr_record *rec = cspr_record_new(word, r, w);
    cspr_set *s = is_write ? &rec->writes : &rec->reads;
    s->entry[s->n++] = new_entry(t, epoch, mask, is_write, stack);
    return rec;
}

static bool one_cell(const cspr_set *s, uint64_t *cell)
{
    const cspr_entry *e = s->entry;
    *cell = 0;
    if (!s->n)
        return true;
    if (s->n > 1 || !e->mask || !e->epoch || e->stack >= cspr_depot_cell_limit)
        return false;
    *cell = cspr_cell_of(e->epoch, e->mask, e->stack);
    return true;
}

bool cspr_record_fits(const cspr_record *rec, uint64_t *r, uint64_t *w)
{
    return !rec->syncs && !rec->atomics.n && one_cell(&rec->writes, w) && one_cell(&rec->reads, r);
}

// --- read by several, epoch after epoch -------------------------------------------------------------------------------------
// A table that several tasks read, each in short epochs: a read set would have to be made for every epoch of each of them and
// be met by few words, so such words stay aside, where one's earlier read is written over in place.

// A place for a read that stands for what was there: the task's own earlier one, and others' that it is ordered after (as far as
// that is remembered). NULL: the set would have to grow, or some are of more bytes. *again: there was one of its own.
static cspr_entry *place_of_read(cspr_set *reads, uint32_t own, unsigned mask, bool *again)
{
    *again = false;
    cspr_entry *place = NULL;
    for (uint32_t i = 0; i < reads->n; i++) {
        cspr_entry *e = &reads->entry[i];
        if (!(e->mask & mask) || !(e->id == own || (e->epoch && cspr_epoch_is_known(e->epoch))))
            continue;
        if (e->mask & ~mask)
            return NULL;
        *again |= e->id == own;
        if (!place)
            place = e;
        else
            reads->entry[i--] = reads->entry[--reads->n];
    }
    return place || reads->n == reads->cap ? place : &reads->entry[reads->n++];
}

bool cspr_record_stays(const cspr_record *rec)
{
    return rec->reread || rec->spread || (rec->by_turns && cspr_shared_reads <= cspr_readset_after);
}

bool cspr_record_reread(cspr_record *rec, cspr_task *t, uint32_t epoch, unsigned mask, cspr_stack stack)
{
    if (!is_short(rec))
        return false;
    if (!rec->spread && !(++n_reread % LONG_WAY_EVERY)) {
        rec->reread = rec->by_turns = false; // unless it still is, as the long way finds out
        return false;
    }
    if (!all_settled(&rec->writes, t, mask))
        return false;
    bool again;
    cspr_entry *e = place_of_read(&rec->reads, t->clock.own, mask, &again);
    if (!e)
        return false;
    *e = new_entry(t, epoch, mask, false, stack);
    bool is_near = cspr_reread_is_near(t, rec->word, mask);
    rec->reread |= is_near;
    if ((again || is_near) && counts_as_spread(rec))
        cspr_reread_spread(t, rec, e);
    cspr_count(CSPR_COUNT_REREADS);
    return true;
}
