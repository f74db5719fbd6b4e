// runq.h - per-worker run queue: a ring that thieves may take from, and one place for what should run next.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_RUNQ_H
#define CSP_RUNTIME_RUNQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct csp_co csp_co;

#define CSPI_RUNQ_CAP 256u
#define CSPI_RUNQ_SPILL (CSPI_RUNQ_CAP / 2 + 1) // most that a push gives back

typedef struct cspi_runq {
    uint32_t head;                              // atomic: E2, E3; moved by CAS, by the owner and thieves
    uint32_t tail __attribute__((aligned(64))); // atomic: E1; stored by the owner only
    csp_co *next;                               // atomic: E4
    csp_co *slots[CSPI_RUNQ_CAP];
} cspi_runq;

// Appends co. When the ring is full, moves half of it and co to spill, oldest first, and returns how many; the caller puts
// them on the global queue. Owner only.
size_t cspi_runq_push(cspi_runq *q, csp_co *co, csp_co *spill[CSPI_RUNQ_SPILL]);
// The oldest of the ring, or NULL. Owner only.
csp_co *cspi_runq_pop(cspi_runq *q);
// Makes co the one to run next; returns the one it replaces (to be pushed), or NULL. Owner only.
csp_co *cspi_runq_put_next(cspi_runq *q, csp_co *co);
// Takes the one to run next, or NULL. Anyone.
csp_co *cspi_runq_take_next(cspi_runq *q);
// Moves half of the victim's ring, rounded up, to mine, which must be empty, and returns one of them; NULL: there was
// nothing. Called by the owner of mine.
csp_co *cspi_runq_steal(cspi_runq *victim, cspi_runq *mine);
// Anyone; moments' values.
size_t cspi_runq_size(const cspi_runq *q);
bool cspi_runq_is_empty(const cspi_runq *q);

#ifdef __cplusplus
}
#endif
#endif
