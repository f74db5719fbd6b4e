// chan_use.c - who used a channel last: a close races with an unordered send, a free with any unordered use (rule F1).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A report shows them as accesses of two bytes of the runtime's channel: every use but close and free is a read.
// Ids are reused only by who knows all of the last owner's epochs (task.c), so one entry per id suffices.
#include "sync/chan_use.h"

#include "leak/leak.h"
#include "shadow/access.h"
#include "shadow/shadow.h"
#include "support/alloc.h"

// What is marked in shadow: that the channel was freed, so that later uses meet it without looking into the channel.
enum { BYTE_ANY_USE = 0, BYTE_SEND_CLOSE = 8, BYTES = 16, MAX_FOUND = 8 };

void cspr_uses_init(cspr_uses *u, const void *chan)
{
    u->chan = chan;
    u->users = u->first;
    u->cap = CSPR_USERS_INLINE;
    for (uint32_t i = 0; i < u->cap; i++)
        u->first[i].id = CSPR_NO_ID;
    // What this memory was before is no concern of the channel.
    cspr_shadow_forget((uintptr_t)chan, (uintptr_t)chan + BYTES);
}

void cspr_uses_fini(cspr_uses *u)
{
    if (u->users != u->first)
        cspr_free(u->users, u->cap * sizeof *u->users);
}

// --- the map; callers hold the lock -----------------------------------------------------------------------------------------

// The user with this id, or the free place where it belongs. A quarter of the places is free.
static cspr_user *place_of(cspr_user *users, uint32_t cap, uint32_t id)
{
    uint32_t i = (id * 0x9e3779b1u >> 7) & (cap - 1);
    while (users[i].id != id && users[i].id != CSPR_NO_ID)
        i = (i + 1) & (cap - 1);
    return &users[i];
}

static void grow(cspr_uses *u)
{
    uint32_t cap = u->cap < 8 ? 8 : 2 * u->cap;
    cspr_user *users = cspr_alloc(cap * sizeof *users);
    for (uint32_t i = 0; i < cap; i++)
        users[i].id = CSPR_NO_ID;
    for (uint32_t i = 0; i < u->cap; i++)
        if (u->users[i].id != CSPR_NO_ID)
            *place_of(users, cap, u->users[i].id) = u->users[i];
    cspr_uses_fini(u);
    u->users = users;
    u->cap = cap;
}

static cspr_user *user_of(cspr_uses *u, uint32_t id)
{
    cspr_user *user = place_of(u->users, u->cap, id);
    if (user->id == id)
        return user;
    if (4 * (u->n + 1) > 3 * u->cap) {
        grow(u);
        user = place_of(u->users, u->cap, id);
    }
    u->n++;
    *user = (cspr_user){.id = id};
    return user;
}

// --- races ------------------------------------------------------------------------------------------------------------------

// Small, since it lies on a coroutine's stack at every use of a channel.
typedef struct conflict {
    cspr_who who;
    uint32_t id;
    cspr_stack stack;
    uint8_t byte;
    bool closes;
} conflict;

typedef struct found {
    size_t n;
    conflict all[MAX_FOUND];
} found;

static void check(const cspr_task *t, const cspr_user *user, bool closes, found *f)
{
    bool send = !closes && user->send_at == user->any_at;
    if (user->id == t->clock.own || !user->any_at || cspr_task_knows(t, user->id, user->any_at) || f->n == MAX_FOUND)
        return;
    f->all[f->n++] = (conflict){
        .who = user->who,
        .id = user->id,
        .stack = user->any_stack,
        .byte = send || closes ? BYTE_SEND_CLOSE : BYTE_ANY_USE,
        .closes = closes,
    };
}

static void check_sends(const cspr_uses *u, const cspr_task *t, found *f)
{
    for (uint32_t i = 0; i < u->cap; i++) {
        cspr_user sender = u->users[i];
        sender.any_at = sender.send_at;
        sender.any_stack = sender.send_stack;
        if (sender.id != CSPR_NO_ID)
            check(t, &sender, false, f);
    }
}

static void check_all(const cspr_uses *u, const cspr_task *t, found *f)
{
    for (uint32_t i = 0; i < u->cap; i++)
        if (u->users[i].id != CSPR_NO_ID)
            check(t, &u->users[i], false, f);
    check(t, &u->closer, true, f);
}

CSPR_NOINLINE static void report(const cspr_uses *u, const cspr_task *t, const found *f, int use, cspr_stack stack)
{
    bool frees = use == CSP_CHAN_USE_FREE;
    for (size_t i = 0; i < f->n; i++) {
        const conflict *c = &f->all[i];
        uintptr_t addr = (uintptr_t)u->chan + c->byte;
        cspr_race race = {
            .addr = addr,
            .current =
                {
                    .who = t->who,
                    .addr = frees ? (uintptr_t)u->chan : addr,
                    .size = frees ? BYTES : 1,
                    .is_write = frees || use == CSP_CHAN_USE_CLOSE,
                    .stack = stack,
                    .byte_mask = 1,
                },
            .previous =
                {
                    .who = c->who,
                    .addr = addr,
                    .size = 1,
                    .is_write = c->closes,
                    .stack = c->stack,
                    .byte_mask = 1,
                },
        };
        cspr_tell_race(&race, t, c->id, 0);
    }
}

// --- a use ------------------------------------------------------------------------------------------------------------------

static void note_locked(cspr_uses *u, cspr_task *t, int use, cspr_stack stack, found *f)
{
    if (use == CSP_CHAN_USE_FREE) {
        check_all(u, t, f);
        return;
    }
    cspr_user *user = user_of(u, t->clock.own);
    bool news = user->any_at != t->clock.own_at; // of one epoch the first use stands for all
    if (user->who != t->who) {                   // the id's last owner has ended
        user->who = t->who;
        user->did = 0;
        user->sent = user->received = 0;
    }
    user->did |= (uint8_t)(1u << use);
    u->ever |= 1u << use;
    u->n_uses++;
    if (news) {
        user->any_at = t->clock.own_at;
        user->any_stack = stack;
    }
    if (use == CSP_CHAN_USE_RECV) {
        user->received = u->n_uses;
        user->recv_stack = stack;
    } else if (use == CSP_CHAN_USE_SEND) {
        user->sent = u->n_uses;
        if (user->send_at != t->clock.own_at) {
            user->send_at = t->clock.own_at;
            user->send_stack = stack;
        }
        check(t, &u->closer, true, f);
    } else if (use == CSP_CHAN_USE_CLOSE) {
        check_sends(u, t, f);
        u->closed = u->n_uses;
        u->closer = (cspr_user){.id = t->clock.own, .who = t->who, .any_at = t->clock.own_at, .any_stack = stack};
    }
}

// Both write, then look, so that one sees the other: a free marks the word, then goes through the users; a use notes itself,
// then looks for the mark. The lock orders the two sections.
static bool is_freed(const cspr_uses *u)
{
    return cspr_word_write_cell(cspr_shadow_of((uintptr_t)u->chan)) != 0; // the lock orders
}

static void access_channel(const cspr_uses *u, int use, cspr_stack stack)
{
    cspr_access((uintptr_t)u->chan, BYTES, use == CSP_CHAN_USE_CLOSE || use == CSP_CHAN_USE_FREE, stack);
}

void cspr_uses_note(cspr_uses *u, cspr_task *t, int use, cspr_stack stack)
{
    if (use == CSP_CHAN_USE_FREE || is_freed(u)) {
        bool again = is_freed(u);
        access_channel(u, use, stack); // a use after the free is found here
        if (again)
            return;
    }
    found f;
    f.n = 0;
    cspr_enter();
    stack = cspr_depot_locked(stack, cspr_task_locks(t));
    cspr_task_open(t);
    cspr_lock_acquire(&u->lock);
    note_locked(u, t, use, stack, &f);
    cspr_lock_release(&u->lock);
    if (CSPR_UNLIKELY(f.n))
        report(u, t, &f, use, stack);
    cspr_leave();
    if (CSPR_UNLIKELY(use != CSP_CHAN_USE_FREE && is_freed(u)))
        access_channel(u, use, stack);
}

void cspr_uses_each(cspr_uses *u, void (*fn)(const cspr_user *user, void *arg), void *arg)
{
    cspr_lock_acquire(&u->lock);
    for (uint32_t i = 0; i < u->cap; i++)
        if (u->users[i].id != CSPR_NO_ID)
            fn(&u->users[i], arg);
    cspr_lock_release(&u->lock);
}

// --- for leak reports -------------------------------------------------------------------------------------------------------

static uint32_t latest(const cspr_leak_peer *p)
{
    uint32_t last = p->sent > p->received ? p->sent : p->received;
    return last > p->closed ? last : p->closed;
}

// Kept sorted; the earliest falls out.
static void insert_peer(cspr_leak_peer *out, size_t *n, size_t max, cspr_leak_peer peer)
{
    size_t i = *n < max ? (*n)++ : max;
    for (; i > 0 && latest(&out[i - 1]) < latest(&peer); i--)
        if (i < max)
            out[i] = out[i - 1];
    if (i < max)
        out[i] = peer;
}

size_t cspr_uses_list(cspr_uses *u, cspr_leak_peer *out, size_t max, uint32_t *ever)
{
    size_t n = 0;
    *ever = UINT32_MAX;
    if (!cspr_lock_try(&u->lock))
        return 0;
    for (uint32_t i = 0; i < u->cap; i++) {
        const cspr_user *user = &u->users[i];
        bool closed = u->closer.any_at && user->who == u->closer.who;
        cspr_leak_peer peer = {.who = user->who,
                               .sent = user->sent,
                               .received = user->received,
                               .closed = closed ? u->closed : 0,
                               .send_stack = user->send_stack,
                               .recv_stack = user->recv_stack,
                               .close_stack = u->closer.any_stack};
        if (user->id != CSPR_NO_ID)
            insert_peer(out, &n, max, peer);
    }
    size_t all = u->n;
    *ever = u->ever;
    cspr_lock_release(&u->lock);
    return all;
}
