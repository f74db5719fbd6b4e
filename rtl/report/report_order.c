// report_order.c - the order that a race is missing, in plain words: how far the later side is ordered after the earlier one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the later side knew of the earlier one is an epoch; the release that ended it is remembered (epoch.h). The sentences
// say what holds whatever way the knowledge came, also through third parties: the one is ordered after what the other did
// before that release, and after nothing later.
#include "report/report.h"
#include "shadow/depot.h"

#include <string.h>

// Call sites of the executable, put there by the compiler plugin; bounds by the linker.
extern const csp_site sites_start[] __asm__("__start_csp_sites") __attribute__((weak, visibility("hidden")));
extern const csp_site sites_stop[] __asm__("__stop_csp_sites") __attribute__((weak, visibility("hidden")));

// The channel, lock, ... as written in the call at this place, NULL when there is none.
static const char *find_object_text(const cspr_place *p)
{
    const csp_site *only = NULL;
    if (!p->file || !p->line)
        return NULL;
    for (const csp_site *s = sites_start; s < sites_stop; s++) {
        if (s->line != p->line || !s->text[0])
            continue;
        size_t n = strlen(p->file), k = strlen(s->file); // debug information may have put a directory before it
        if (k > n || strcmp(p->file + n - k, s->file) != 0)
            continue;
        if (s->column == p->column)
            return s->text;
        only = only ? sites_stop : s;
    }
    return only && only != sites_stop ? only->text : NULL;
}

static void add_at(cspr_report *r, const cspr_place *p, const char *preposition)
{
    const char *text = find_object_text(p);
    if (text)
        cspr_text_add(&r->text, " %s '%s'", preposition, text);
    cspr_text_add(&r->text, " at ");
    cspr_report_place(r, p);
}

// Of a release: "its send on 'results' at foo.c:12:5".
static void add_release(cspr_report *r, cspr_stack release)
{
    static const char *const words[CSPR_BY_KINDS] = {
        [CSPR_BY_CALL] = "synchronisation",
        [CSPR_BY_GO] = "csp_go",
        [CSPR_BY_THREAD] = "pthread_create",
        [CSPR_BY_SEND] = "send",
        [CSPR_BY_RECV] = "receive",
        [CSPR_BY_CLOSE] = "close",
        [CSPR_BY_UNLOCK] = "unlock",
        [CSPR_BY_ATOMIC] = "release",
        [CSPR_BY_FENCE] = "release fence",
        [CSPR_BY_TIMER] = "timer",
        [CSPR_BY_END] = "end",
    };
    static cspr_view v; // under the report lock
    uintptr_t frames[CSPR_MAX_FRAMES];
    size_t n = cspr_stack_frames(release, 0xff, frames, CSPR_MAX_FRAMES, NULL);
    const char *word = n && frames[0] < CSPR_BY_KINDS ? words[frames[0]] : NULL;
    if (!word) {
        cspr_view_frames(&v, frames, n ? 1 : 0, false);
        word = v.n && v.places[0].function && !strncmp(v.places[0].function, "csp_", 4) ? v.places[0].function
                                                                                        : words[CSPR_BY_CALL];
    }
    cspr_text_add(&r->text, "its %s", word);
    cspr_view_frames(&v, frames + 1, n > 1 ? n - 1 : 0, false);
    if (v.n)
        add_at(r, &v.places[0], n && (frames[0] == CSPR_BY_GO || frames[0] == CSPR_BY_THREAD) ? "of" : "on");
}

static bool share_a_lock(const cspr_race *race)
{
    for (size_t i = 0; i < race->current.n_held; i++)
        for (size_t k = 0; k < race->previous.n_held; k++)
            if (race->current.held[i].lock == race->previous.held[k].lock)
                return true;
    return false;
}

static void add_locks_say(cspr_report *r, const cspr_race *race)
{
    if (!race->current.n_held && !race->previous.n_held)
        return;
    if (share_a_lock(race)) // read-locked by both, say, or unlocked in between
        cspr_text_add(&r->text, "  The lock that both held does not keep them apart.\n");
    else
        cspr_text_add(&r->text, "  They held no lock in common.\n");
}

// An access that a channel operation made is shown by the frame of that operation: what it was an operation on.
static void add_channel(cspr_report *r, const cspr_view *v, const char *which)
{
    const char *text = v->n > 1 && v->places[0].ours ? find_object_text(&v->places[1]) : NULL;
    if (text)
        cspr_text_add(&r->text, "  The %s access is part of %s on '%s'.\n", which, v->places[0].function, text);
}

void cspr_report_order(cspr_report *r, const cspr_race *race, const cspr_view *current, const cspr_view *previous)
{
    cspr_text_add(&r->text, "%s", r->green);
    if (race->order == CSPR_ORDER_NONE) {
        cspr_text_add(&r->text, "  Nothing orders the two accesses: ");
        cspr_report_who(r, race->current.who, false);
        cspr_text_add(&r->text, " is ordered after nothing that ");
        cspr_report_who(r, race->previous.who, false);
        cspr_text_add(&r->text, " did.\n");
    } else {
        cspr_text_add(&r->text, "  ");
        cspr_report_who(r, race->current.who, true);
        cspr_text_add(&r->text, " is ordered after what ");
        cspr_report_who(r, race->previous.who, false);
        cspr_text_add(&r->text, " did before ");
        if (race->last_seen)
            add_release(r, race->last_seen);
        else
            cspr_text_add(&r->text, "they last synchronised");
        cspr_text_add(&r->text, ", but not after the previous %s, which came later.\n",
                      race->previous.is_free    ? "free"
                      : race->previous.is_write ? "write"
                                                : "read");
    }
    add_locks_say(r, race);
    add_channel(r, current, "current");
    add_channel(r, previous, "previous");
    cspr_text_add(&r->text, "%s\n", r->plain);
}
