// leak_peer.c - who should have been on the other side, what became of it, and what would have helped.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Hints are given only where what was seen of the channel fits them; they follow the shapes in which such leaks were fixed in
// practice (Liu et al., GFix, ASPLOS 2021: room for one, close on every path, a stop channel).
#include "deadlock/lock_wait.h"
#include "leak/leak.h"
#include "report/report.h"

#include <string.h>

static bool is_chan_op(int op)
{
    return op == CSP_WAIT_SEND || op == CSP_WAIT_RECV;
}

static bool has_ended(cspr_who who)
{
    cspr_identity id;
    cspr_who_get(who, &id);
    return id.finished;
}

// "coroutine 7 'name' (`worker`, started at main.c:12:5)"
static void add_who(cspr_report *r, cspr_who who)
{
    cspr_identity id;
    cspr_who_get(who, &id);
    cspr_report_who(r, who, false);
    if (id.kind != CSPR_KIND_COROUTINE || !id.site)
        return;
    cspr_text_add(&r->text, " (");
    if (id.site->text[0])
        cspr_text_add(&r->text, "`%s`, ", id.site->text);
    cspr_text_add(&r->text, "started at ");
    cspr_report_site(r, id.site);
    cspr_text_add(&r->text, ")");
}

static void add_stack_place(cspr_report *r, const char *before, cspr_stack stack)
{
    static cspr_view v; // under the report lock
    cspr_view_stack(&v, stack, 0xff);
    for (size_t i = 0; i < v.n; i++)
        if (!v.places[i].ours) {
            cspr_text_add(&r->text, "%s", before);
            cspr_report_place(r, &v.places[i]);
            return;
        }
}

// The one who did it last, NULL: nobody.
static const cspr_leak_peer *last_sender(const cspr_leak_target *t)
{
    const cspr_leak_peer *last = NULL;
    for (size_t i = 0; i < t->n_peers; i++)
        if (t->peers[i].sent && (!last || t->peers[i].sent > last->sent))
            last = &t->peers[i];
    return last;
}

static const cspr_leak_peer *last_receiver(const cspr_leak_target *t)
{
    const cspr_leak_peer *last = NULL;
    for (size_t i = 0; i < t->n_peers; i++)
        if (t->peers[i].received && (!last || t->peers[i].received > last->received))
            last = &t->peers[i];
    return last;
}

// " from worker". The line of the return is not known: nothing is noted there. Of what is inlined into a function's first
// instruction, the function itself is last.
static void add_function(cspr_report *r, uintptr_t entry)
{
    static cspr_view v;                 // under the report lock
    const uintptr_t inside = entry + 1; // frames are return addresses
    cspr_view_frames(&v, &inside, 1, false);
    const cspr_place *p = v.n ? &v.places[v.n - 1] : NULL;
    if (p && !p->ours && p->function)
        cspr_text_add(&r->text, " from %s", p->function);
}

static void add_end(cspr_report *r, cspr_who who, const char *undone)
{
    cspr_identity id;
    cspr_who_get(who, &id);
    if (id.kind == CSPR_KIND_COROUTINE && id.finished) {
        cspr_text_add(&r->text, id.end ? "; it has ended by csp_exit" : "; it has returned");
        if (id.end)
            add_stack_place(r, " at ", id.end);
        else if (id.entry)
            add_function(r, id.entry);
        cspr_text_add(&r->text, "%s", undone);
    }
    cspr_text_add(&r->text, "\n");
}

static void add_chan_peers(cspr_report *r, const cspr_leak_target *t, const char *indent)
{
    bool sends = t->op == CSP_WAIT_SEND;
    bool is_undone = !(t->ever >> (sends ? CSP_CHAN_USE_RECV : CSP_CHAN_USE_SEND) & 1);
    const cspr_leak_peer *other = sends ? last_receiver(t) : last_sender(t);
    if (other) {
        cspr_text_add(&r->text, "%s  the last to %s was ", indent, sends ? "receive" : "send");
        add_who(r, other->who);
        add_stack_place(r, ", at ", sends ? other->recv_stack : other->send_stack);
        add_end(r, other->who, sends ? "" : other->closed ? "" : " without closing");
    } else if (t->n_all && is_undone) {
        cspr_text_add(&r->text, "%s  nobody has ever %s it\n", indent, sends ? "received from" : "sent to");
    }
    if (!other && is_undone && t->info.creator) {
        cspr_text_add(&r->text, "%s  it was made by ", indent);
        add_who(r, t->info.creator);
        add_end(r, t->info.creator, sends ? " without receiving" : " without sending or closing");
    }
}

static bool is_lock_op(int op)
{
    return op == CSP_WAIT_MUTEX || op == CSP_WAIT_RLOCK || op == CSP_WAIT_WLOCK;
}

// Whoever locked it has ended.
static void add_lost_holder(cspr_report *r, const cspr_leak_target *t, const char *indent)
{
    cspr_who who;
    cspr_held held;
    if (!cspr_lock_abandoned(t->obj, &who, &held))
        return;
    cspr_text_add(&r->text, "%s  it was locked by ", indent);
    add_who(r, who);
    cspr_text_add(&r->text, ", which has ended without unlocking it");
    add_stack_place(r, ", at ", held.stack);
    cspr_text_add(&r->text, "\n");
}

void cspr_leak_add_peers(cspr_report *r, const cspr_leak_target *t, const char *indent)
{
    if (t->op == CSP_WAIT_WG && t->count > 0)
        cspr_text_add(&r->text, "%s  the counter is %ld\n", indent, (long)t->count);
    else if (is_lock_op(t->op) && !t->held)
        add_lost_holder(r, t, indent);
    else if (is_chan_op(t->op) && t->has_info) {
        add_chan_peers(r, t, indent);
    } else if (t->held) {
        cspr_text_add(&r->text, "%s  held by ", indent);
        add_who(r, t->holder);
        add_stack_place(r, ", at ", t->hold.stack);
        cspr_text_add(&r->text, "\n");
    }
}

// --- hints ------------------------------------------------------------------------------------------------------------------

static const char *name_of(const cspr_leak_target *t)
{
    return t->site && t->site->text[0] ? t->site->text : "the channel";
}

static void hint_for_send(cspr_report *r, const cspr_leak_target *t)
{
    const cspr_leak_peer *receiver = last_receiver(t);
    if (t->info.cap == 0 && !(t->ever >> CSP_CHAN_USE_RECV & 1) && t->n_all == 1)
        cspr_text_add(&r->text,
                      "  hint: whoever wanted the value has gone; with room for one (csp_chan_new(..., 1)) the send is "
                      "done and the coroutine ends\n");
    else if (receiver && has_ended(receiver->who))
        cspr_text_add(&r->text,
                      "  hint: the receiver stopped early; let it receive until %s is closed, or send in a select with "
                      "csp_ctx_done\n",
                      name_of(t));
    else
        cspr_text_add(&r->text, "  hint: send in a select with csp_ctx_done, so that it ends with those who receive\n");
}

static void hint_for_receive(cspr_report *r, const cspr_leak_target *t)
{
    const cspr_leak_peer *sender = last_sender(t);
    if (sender)
        cspr_text_add(&r->text,
                      "  hint: close %s on every path when the last value has been sent; csp_recv then returns false\n",
                      name_of(t));
    else
        cspr_text_add(&r->text,
                      "  hint: send to or close %s on every path, early returns too, or receive in a select with "
                      "csp_ctx_done\n",
                      name_of(t));
}

// One of the cases is a context's end, as the program writes it.
static bool has_context_case(const cspr_leak_group *g)
{
    static const char call[] = "csp_ctx_done(";
    for (size_t i = 0; i < g->n_targets; i++)
        if (g->targets[i].site && !strncmp(g->targets[i].site->text, call, sizeof call - 1))
            return true;
    return false;
}

void cspr_leak_add_hint(cspr_report *r, const cspr_leak_group *g)
{
    const cspr_leak_target *t = g->targets; // there is one, unless it is a select
    switch (g->op) {
    case CSP_WAIT_SEND:
    case CSP_WAIT_RECV:
        if (!t->obj)
            cspr_text_add(&r->text, "  hint: the channel is NULL: it was not made yet, or its variable was not set\n");
        else if (!t->has_info)
            break;
        else if (g->op == CSP_WAIT_SEND)
            hint_for_send(r, t);
        else
            hint_for_receive(r, t);
        break;
    case CSP_WAIT_SELECT:
        if (has_context_case(g))
            cspr_text_add(&r->text,
                          "  hint: nobody cancels the context: csp_ctx_cancel it, or free its last reference, on every "
                          "path\n");
        else if (g->n_cases)
            cspr_text_add(&r->text, "  hint: no case ends the loop; add one for csp_ctx_done, or csp_case_after\n");
        break;
    case CSP_WAIT_MUTEX:
    case CSP_WAIT_RLOCK:
    case CSP_WAIT_WLOCK:
        if (!t->held)
            cspr_text_add(&r->text, "  hint: whoever locked it has ended or lost it: unlock on every path\n");
        else if (t->holder == g->who)
            cspr_text_add(&r->text, "  hint: it is locked by the same coroutine: locks are not recursive\n");
        break;
    case CSP_WAIT_WG:
        cspr_text_add(&r->text, "  hint: each csp_wg_add needs its csp_wg_done, on every path\n");
        break;
    case CSP_WAIT_COND:
        cspr_text_add(
            &r->text,
            "  hint: a signal that nobody waits for is lost: change the condition and signal under the mutex, "
            "and look at the condition before waiting\n");
        break;
    case CSP_WAIT_SEM:
        cspr_text_add(&r->text, "  hint: each acquire needs its csp_sem_release, on every path\n");
        break;
    default:
        break;
    }
}
