// explore.c - csp_explore: a function under many schedules, by the detector where there is one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#define CSP_EXPLORE_UNMARKED // this file is part of every program
#include "csp/explore.h"

#include "co.h"
#include "csp/go.h"
#include "hooks.h"
#include "worker.h"

#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static bool is_exploring; // main's alone

static double real_seconds(void)
{
    struct timespec t;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t); // not the schedule's clock
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// Without a detector there is no schedule to choose: runs, as many as were asked for.
static void run_plainly(csp_exploration *e)
{
    double until = e->time_ns ? real_seconds() + (double)e->time_ns / 1e9 : 0;
    uint64_t count = e->count ? e->count : e->time_ns ? UINT64_MAX : 1000;
    for (; e->schedules < count && (!e->time_ns || real_seconds() < until); e->schedules++)
        e->fn(e->arg);
}

// True: the detector is there, and the process under control.
static bool is_under_control(void)
{
#if CSP_HOOKS
    if (!CSP_HOOK_VALUE(explore_wanted, false))
        return false;
    if (!CSPI_CONTROLLED())
        csp_panic("csp_explore: no file of the program itself includes csp/explore.h");
    return true;
#else
    return false;
#endif
}

static void explore(csp_exploration *e)
{
    bool controlled = is_under_control(); // before the runtime starts
    const csp_co *co = cspi_self();
    if (co->kind != CO_MAIN)
        csp_panic("csp_explore: called by another coroutine than main");
    if (is_exploring)
        csp_panic("csp_explore: called inside csp_explore");
    is_exploring = true;
    if (controlled)
        CSP_HOOK(explore, e);
    else
        run_plainly(e);
    is_exploring = false;
}

csp_explore_result csp_explore(void (*fn)(void *arg), void *arg, const csp_explore_options *options)
{
    CSPI_FRAME();
    csp_exploration e = {.fn = fn, .arg = arg};
    if (options) {
        e.strategy = options->strategy;
        e.seed = options->seed;
        e.count = options->count;
        e.time_ns = options->time_ns;
        e.depth = options->depth;
    }
    double begun = real_seconds();
    explore(&e);
    return (csp_explore_result){
        .schedules = e.schedules,
        .interleavings = e.interleavings,
        .failing = e.failing,
        .findings = e.findings,
        .first_seed = e.first_seed,
        .tasks = e.tasks,
        .points = e.points,
        .bound = e.bound,
        .seconds = real_seconds() - begun,
    };
}
