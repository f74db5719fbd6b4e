// co.h - a coroutine: its descriptor and states.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A coroutine's descriptor lies at the top of its own stack, so that one that is parked costs about one page of memory.
// Main's is static; a pthread of the program that calls in gets one from the heap (kind CO_FOREIGN, always bound).
//
// States, who may touch the stack, who may leave the state:
//   CO_FREE      nobody; stack.c hands it out
//   CO_RUNNABLE  nobody; in exactly one run queue; the worker that takes it makes it CO_RUNNING
//   CO_RUNNING   the coroutine itself, on some worker; it leaves by parking, yielding or ending
//   CO_PARKED    nobody; whoever took it off what it waits for calls cspi_ready once, making it CO_RUNNABLE
#ifndef CSP_RUNTIME_CO_H
#define CSP_RUNTIME_CO_H

#include "base/atomic.h"
#include "base/check.h"
#include "fiber.h"
#include "labels.h"
#include "sched.h"

// On functions of dumps and statistics: they read what others may be writing, and check what they saw where it matters.
#if __has_attribute(disable_sanitizer_instrumentation)
#define CSPI_LOOKS __attribute__((disable_sanitizer_instrumentation)) // atomics included, which no_sanitize leaves
#else
#define CSPI_LOOKS __attribute__((no_sanitize("address", "thread")))
#endif

enum cspi_co_state { CO_FREE, CO_RUNNABLE, CO_RUNNING, CO_PARKED };
enum cspi_co_kind { CO_COROUTINE, CO_MAIN, CO_FOREIGN };

struct csp_co {
    // --- immutable from creation to end
    uint64_t id;
    void *task; // the detector's
    union {
        const csp_site *site; // of csp_go, for the detector
        void *created_at;     // in builds without: where csp_go returned to; NULL: unknown
    };
    uint8_t kind; // enum cspi_co_kind
    // --- the state's owner (see above)
    uint8_t state; // enum cspi_co_state; atomic for readers that only look
    bool bound;    // parks by blocking its thread: foreign, or the thread that ends the process
    int saved_errno;
    void *sp; // saved state while not running
    cspi_fiber fiber;
    csp_co *link; // in a run queue, a free list
    // --- valid while parked
    const cspi_wait *wait;
    int64_t since_ns; // when it parked, by its worker's clock_ns
    // --- bound only
    uint32_t token; // atomic, futex: 1 once made ready. Edge F1
    // --- stack.c's, also while free
    uint16_t slab;
    // --- immutable from creation to end
    bool daemon; // csp_go_options
    bool named;  // at the top of its stack
    // --- its own; the set itself never changes
    cspi_labels *labels;
    union {
        struct {
            csp_co *foreign_prev, *foreign_next; // CO_FOREIGN; under cspi_sched.lock
        };
        struct {
            void (*fn)(void *); // CO_COROUTINE whose switches are announced (fiber.h), until it begins
            void *arg;
        };
        struct {
            void (*at_end)(void *); // CO_COROUTINE from then on: cspi_at_end
            void *at_end_arg;
        };
    };
};
_Static_assert(sizeof(csp_co) <= 128, "two cache lines on every stack");

// The one place that changes a state. Among those that run it the queue or lock through which the coroutine passes carries
// the order. Release is for who only looks (cspi_co_each): one that is seen live is seen as its creator made it.
static inline void cspi_co_set_state(csp_co *co, uint8_t from, uint8_t to)
{
    CSP_CHECK(csp_load_rlx(&co->state) == from);
    csp_store_rel(&co->state, to);
}

#define CSPI_NAME_SPACE 64u // with its end

// NULL: it has none.
static inline const char *cspi_co_name(const csp_co *co)
{
    return co->named ? (const char *)co - CSPI_NAME_SPACE : NULL;
}

// Where its frames begin.
static inline void *cspi_co_stack_top(const csp_co *co)
{
    return (char *)co - (co->named ? CSPI_NAME_SPACE : 0);
}

// What the wait is called in "coroutine 7 [chan receive]:".
const char *cspi_wait_name(const cspi_wait *w);

// Calls fn for every live coroutine, main and foreign threads included, until it returns false. The stacks' lock is held:
// fn creates and ends none. What it sees of running ones is a moment's value.
void cspi_co_each(bool (*fn)(csp_co *co, void *arg), void *arg);
// As above, for dumps. from_signal: without the stacks' lock, and without threads of the program if the scheduler's lock
// is taken, since the handler's thread may hold them.
void cspi_co_each_moment(bool (*fn)(csp_co *co, void *arg), void *arg, bool from_signal);

#endif
