// stats.c - what happens inside, as counts: each worker keeps its own, they are summed when somebody asks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "stats.h"

#include "poll.h"
#include "worker.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

// --- the struct ------------------------------------------------------------------------------------------------------------

// Relaxed everywhere: moments' values.
static void add_worker(csp_stats *s, const cspi_worker *w)
{
    s->created += csp_load_rlx(&w->created);
    s->ended += csp_load_rlx(&w->ended);
    s->switches += csp_load_rlx(&w->tick);
    s->parks += csp_load_rlx(&w->parks);
    s->steals += csp_load_rlx(&w->steals);
    s->runnable += cspi_runq_size(&w->runq);
}

static void add_scheduler(csp_stats *s)
{
    cspi_lock_acquire(&cspi_sched.lock);
    s->created += cspi_sched.created_unowned;
    s->handovers = cspi_sched.handovers;
    s->runnable += (uint64_t)cspi_sched.n_global;
    s->workers = (uint64_t)cspi_sched.n_started;
    s->workers_idle = (uint64_t)cspi_sched.n_idle;
    s->workers_stuck = (uint64_t)cspi_sched.n_stuck;
    s->maxprocs = (uint64_t)cspi_sched.n_procs;
    cspi_lock_release(&cspi_sched.lock);
}

void cspi_stats_get(csp_stats *s)
{
    *s = (csp_stats){.live = (uint64_t)cspi_count_live()};
    for (int i = 0; i < csp_load_acq(&cspi_sched.n_max); i++)
        add_worker(s, cspi_sched.workers[i]);
    add_scheduler(s);
    s->ended = s->created > s->live ? s->created - s->live : 0; // of those that a forked child lost, too
    s->threads = (uint64_t)cspi_count_threads();
    s->descriptors = (uint64_t)csp_load_rlx(&cspi_poll_waiting); // relaxed: a moment's value
    s->timers_pending = cspi_timers_count();
    s->stacks_mapped_bytes = cspi_stack_mapped();
    s->uptime_ns = cspi_now() - cspi_sched.started_ns;
}

void csp_stats_get(csp_stats *stats)
{
    (void)cspi_self(); // the runtime has started
    cspi_stats_get(stats);
}

// --- Prometheus' text ------------------------------------------------------------------------------------------------------

struct text {
    char *buf;
    size_t n, cap; // n counts on beyond cap
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->n < t->cap ? t->buf + t->n : NULL, t->n < t->cap ? t->cap - t->n : 0, format, args);
    va_end(args);
    t->n += n > 0 ? (size_t)n : 0;
}

static void say_head(struct text *t, const char *name, const char *type, const char *help)
{
    say(t, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void say_number(struct text *t, const char *name, const char *type, const char *help, uint64_t value)
{
    say_head(t, name, type, help);
    say(t, "%s %" PRIu64 "\n", name, value);
}

// Parked coroutines by what they wait for.
struct parked {
    size_t n[CSP_WAIT_OTHER + 1];
};

// What it sees may be a moment old: the wait lies on the coroutine's stack, which stays mapped, whatever is there by now.
CSPI_LOOKS static bool count_parked(csp_co *co, void *arg)
{
    struct parked *p = arg;
    const cspi_wait *wait = csp_load_rlx(&co->wait);
    int op = csp_load_acq(&co->state) == CO_PARKED && wait ? csp_load_rlx(&wait->op) : CSP_WAIT_NONE;
    if (op > CSP_WAIT_NONE && op <= CSP_WAIT_OTHER)
        p->n[op]++;
    return true;
}

static void say_parked(struct text *t)
{
    static const char *const names[CSP_WAIT_OTHER + 1] = {
        [CSP_WAIT_SEND] = "send",    [CSP_WAIT_RECV] = "recv",   [CSP_WAIT_SELECT] = "select",
        [CSP_WAIT_MUTEX] = "mutex",  [CSP_WAIT_RLOCK] = "rlock", [CSP_WAIT_WLOCK] = "wlock",
        [CSP_WAIT_WG] = "waitgroup", [CSP_WAIT_COND] = "cond",   [CSP_WAIT_ONCE] = "once",
        [CSP_WAIT_SEM] = "sem",      [CSP_WAIT_SLEEP] = "sleep", [CSP_WAIT_IO] = "io",
        [CSP_WAIT_OTHER] = "other",
    };
    struct parked p = {{0}};
    cspi_co_each(count_parked, &p);
    say_head(t, "csp_coroutines_parked", "gauge", "Coroutines that are parked, by what they wait for.");
    for (int op = CSP_WAIT_NONE + 1; op <= CSP_WAIT_OTHER; op++)
        say(t, "csp_coroutines_parked{reason=\"%s\"} %zu\n", names[op], p.n[op]);
}

size_t cspi_stats_print(char *buf, size_t n)
{
    csp_stats all, *s = &all;
    cspi_stats_get(s);
    struct text t = {buf, 0, n};
    say_number(&t, "csp_coroutines", "gauge", "Coroutines that have not ended, main included.", s->live);
    say_number(&t, "csp_coroutines_runnable", "gauge", "Coroutines in run queues.", s->runnable);
    say_parked(&t);
    say_number(&t, "csp_coroutines_created_total", "counter", "Coroutines created.", s->created);
    say_number(&t, "csp_coroutines_ended_total", "counter", "Coroutines that ended.", s->ended);
    say_number(&t, "csp_switches_total", "counter", "Times that a worker ran a coroutine.", s->switches);
    say_number(&t, "csp_parks_total", "counter", "Times that a coroutine parked.", s->parks);
    say_number(&t, "csp_steals_total", "counter", "Times that a worker took work from another.", s->steals);
    say_number(&t, "csp_handovers_total", "counter", "Times that a blocked or computing worker was replaced.",
               s->handovers);
    say_number(&t, "csp_workers", "gauge", "Threads that run coroutines.", s->workers);
    say_number(&t, "csp_workers_idle", "gauge", "Workers without work.", s->workers_idle);
    say_number(&t, "csp_workers_stuck", "gauge", "Workers in blocking calls, or computing while others wait.",
               s->workers_stuck);
    say_number(&t, "csp_maxprocs", "gauge", "Workers that may be at work at once.", s->maxprocs);
    say_number(&t, "csp_threads", "gauge", "Threads of the process.", s->threads);
    say_number(&t, "csp_timers_pending", "gauge", "Timers that are armed.", s->timers_pending);
    say_number(&t, "csp_poller_descriptors", "gauge", "Descriptors that the netpoller watches.", s->descriptors);
    say_number(&t, "csp_stacks_mapped_bytes", "gauge", "Address space of coroutines' stacks.", s->stacks_mapped_bytes);
    say_number(&t, "csp_stacks_free", "gauge", "Stacks kept for coroutines to come.", s->stacks_free);
    say_head(&t, "csp_uptime_seconds", "gauge", "Time since the runtime started.");
    say(&t, "csp_uptime_seconds %" PRId64 ".%03" PRId64 "\n", s->uptime_ns / 1000000000, s->uptime_ns / 1000000 % 1000);
    return t.n;
}

size_t csp_stats_prometheus(char *buf, size_t n)
{
    (void)cspi_self(); // the runtime has started
    return cspi_stats_print(buf, n);
}
