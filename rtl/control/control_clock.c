// control_clock.c - virtual time, and what happens when no task can go on.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Time is what the schedule makes of it: it goes on a little with each look at the clock, to the next timer when nobody can go on,
// and now and then to a timer that is due soon, as if those who could go on had been held up that long. How often is drawn per
// run, from never to every fourth point: a program that has many points would else meet every timeout, or a small one none.
//
// What is outside of the process - other ends of its descriptors, signals - takes real time, which then is added to the clock: a
// timeout fires when it would, and the run is marked as not replayable (rule H3).
#include "control/control_state.h"
#include "control/control_world.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NAP_NS 200000

const cspr_control_source *cspr_control_descriptors;

int64_t cspr_control_time(void)
{
    return __atomic_load_n(&cspr_control_it.clock_ns, __ATOMIC_RELAXED); // relaxed: whoever has the turn wrote it
}

void cspr_control_set_clock(int64_t ns)
{
    __atomic_store_n(&cspr_control_it.clock_ns, ns, __ATOMIC_RELAXED); // relaxed: T1 orders it for tasks
}

int64_t cspr_control_now(void)
{
    cspr_control_point_idle(CSP_OP_CLOCK, NULL);
    // relaxed: only distinct readings matter to threads outside of the schedule
    return __atomic_add_fetch(&cspr_control_it.clock_ns, CSPR_CONTROL_READING_NS, __ATOMIC_RELAXED);
}

// --- timers ---------------------------------------------------------------------------------------------------------------------

static int64_t first_timer(void)
{
    return cspi_runtime_view ? cspi_runtime_view->first_timer() : INT64_MAX;
}

bool cspr_control_timers_are_due(void)
{
    return cspi_runtime_view && cspi_runtime_view->first_timer() <= cspr_control_time();
}

static int64_t next_instant(void)
{
    int64_t timer = first_timer(), deadline = cspr_control_first_deadline();
    return timer < deadline ? timer : deadline;
}

bool cspr_control_may_fire_early(void)
{
    int64_t next = next_instant();
    return CSPR_UNLIKELY(next != INT64_MAX) &&
           next - cspr_control_time() <= (int64_t)cspr_flags.schedule_delay_ms * 1000000;
}

void cspr_control_fire_early(void)
{
    cspr_control_set_clock(next_instant());
}

// --- nobody can go on --------------------------------------------------------------------------------------------------------------

static int64_t real_now(void)
{
    struct timespec t;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// Real time passes, and virtual with it.
static void nap(void)
{
    int saved = errno;
    int64_t before = real_now();
    struct timespec t = {0, NAP_NS};
    syscall(SYS_nanosleep, &t, NULL);
    cspr_control_set_clock(cspr_control_time() + real_now() - before);
    errno = saved;
}

// The task that ends the process has waited for this, unless somebody will go on within its time.
static bool is_rest(void)
{
    cspr_control *r = cspr_control_it.resting;
    if (!r)
        return false;
    int64_t until = r->deadline;
    cspr_control_unwait(r); // so that its own deadline does not count
    cspr_control_cannot(r);
    int64_t timer = cspi_runtime_view ? cspi_runtime_view->first_lively_timer() : INT64_MAX;
    int64_t deadline = cspr_control_first_deadline();
    if ((timer < deadline ? timer : deadline) <= until) {
        cspr_control_wait(r, CSP_OP_EXIT, NULL, until);
        return false;
    }
    cspr_control_it.at_rest = true;
    cspr_control_can(r);
    return true;
}

static bool leads_outside(int fd, void *next_ns)
{
    return cspr_world_leads_outside(fd, *(const int64_t *)next_ns);
}

void cspr_control_idle(void)
{
    const csp_runtime_view *view = cspi_runtime_view;
    const cspr_control_source *descriptors = cspr_control_descriptors;
    bool any = view && view->poll();
    if ((descriptors && descriptors->poll()) || any || cspr_world_wake()) {
        cspr_timerfd_jumps = 0;
        return;
    }
    if (is_rest())
        return;
    if (descriptors && descriptors->waits_outside()) {
        nap();
        return;
    }
    int64_t next = cspr_control_first_deadline(), timer = first_timer();
    if (view && timer < next && view->timers_may_wake())
        next = timer;
    if (cspr_world_idle(next) || cspr_timerfd_jump(next))
        return;
    if (view && view->any_polled(leads_outside, &next)) {
        nap();
        return;
    }
    if (next != INT64_MAX) {
        cspr_control_set_clock(next);
        return;
    }
    if (cspr_control_alarm_is_set()) {
        nap();
        return;
    }
    if (view)
        view->all_asleep(
            cspr_control_it.n_threads); // returns when somebody outside of the schedule may yet do something
    else
        cspr_control_stuck();
    nap();
}

// main may be on another stack than its own just now (exit.c), so it must not look like one that has only lost its turn.
void cspr_control_give_up_turn(void)
{
    if (cspi_runtime_view)
        cspi_runtime_view->keep_thread();
    cspr_control_block(CSP_OP_EXIT, NULL, INT64_MAX);
}

bool cspr_control_rest(int64_t grace_ns)
{
    cspr_control *me = cspr_control_me();
    if (!me)
        return false;
    cspr_control_it.resting = me;
    cspr_control_it.at_rest = false;
    cspr_control_block(CSP_OP_EXIT, NULL, cspr_control_time() + grace_ns);
    cspr_control_it.resting = NULL;
    return cspr_control_it.at_rest;
}
