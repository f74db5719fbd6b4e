// runq.c - per-worker run queue: the owner pushes at the tail, the owner and thieves take from the head.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Why: a ready coroutine should run where its data is cached; stealing repairs imbalance.
// Invariants:  I1 tail - head <= CSPI_RUNQ_CAP, unsigned, both wrap     I2 slots in [head, tail) are not NULL
// Ordering:  E1 push: store-release of tail -> taker: load-acquire of tail; carries the slot and all the pusher wrote
//            E2 taker: CAS-release of head -> push: load-acquire of head; the taker has read the slot before it is reused
//            E3 taker: load-acquire of head -> its load of tail comes later, so that tail - head is never too small
//            E4 put_next: exchange -> take_next: exchange; carries what the putter wrote
// A take is linearised at its CAS of head; a push at its store of tail.
#include "runq.h"

#include "base/atomic.h"

// Slots are read by thieves that may lose the race for them, hence atomic; relaxed, since E1 and E2 order them.
static csp_co *read_slot(const cspi_runq *q, uint32_t i)
{
    return csp_load_rlx(&q->slots[i % CSPI_RUNQ_CAP]);
}

static void write_slot(cspi_runq *q, uint32_t i, csp_co *co)
{
    csp_store_rlx(&q->slots[i % CSPI_RUNQ_CAP], co);
}

static size_t spill_half(cspi_runq *q, uint32_t head, csp_co *co, csp_co **spill)
{
    uint32_t n = CSPI_RUNQ_CAP / 2;
    for (uint32_t i = 0; i < n; i++)
        spill[i] = read_slot(q, head + i);
    if (!csp_cas_rel(&q->head, &head, head + n)) // E2
        return 0;                                // a thief made room meanwhile
    spill[n] = co;
    return n + 1;
}

size_t cspi_runq_push(cspi_runq *q, csp_co *co, csp_co *spill[CSPI_RUNQ_SPILL])
{
    uint32_t tail = csp_load_rlx(&q->tail); // relaxed: only the owner writes it
    for (;;) {
        uint32_t head = csp_load_acq(&q->head); // E2
        if (tail - head < CSPI_RUNQ_CAP) {
            write_slot(q, tail, co);
            csp_store_rel(&q->tail, tail + 1); // E1
            return 0;
        }
        size_t n = spill_half(q, head, co, spill);
        if (n)
            return n;
    }
}

csp_co *cspi_runq_pop(cspi_runq *q)
{
    uint32_t tail = csp_load_rlx(&q->tail); // relaxed: only the owner writes it
    uint32_t head = csp_load_acq(&q->head); // E3
    while (head != tail) {
        csp_co *co = read_slot(q, head);
        if (csp_cas_rel(&q->head, &head, head + 1)) // E2
            return co;
    }
    return NULL;
}

csp_co *cspi_runq_put_next(cspi_runq *q, csp_co *co)
{
    return csp_xchg_acqrel(&q->next, co); // E4
}

csp_co *cspi_runq_take_next(cspi_runq *q)
{
    if (!csp_load_rlx(&q->next)) // relaxed: only a hint
        return NULL;
    return csp_xchg_acqrel(&q->next, (csp_co *)NULL); // E4
}

csp_co *cspi_runq_steal(cspi_runq *victim, cspi_runq *mine)
{
    uint32_t my_tail = csp_load_rlx(&mine->tail); // relaxed: only the owner writes it
    uint32_t head = csp_load_acq(&victim->head);  // E3
    for (;;) {
        uint32_t n = csp_load_acq(&victim->tail) - head; // E1
        n -= n / 2;
        if (n == 0)
            return NULL;
        if (n > CSPI_RUNQ_CAP / 2) {            // head and tail belong to different moments
            head = csp_load_acq(&victim->head); // E3
            continue;
        }
        for (uint32_t i = 0; i < n; i++)
            write_slot(mine, my_tail + i, read_slot(victim, head + i));
        if (csp_cas_acqrel(&victim->head, &head, head + n)) { // E2; acquire: E3 of the next round
            // The last one runs at once; the others become visible in my ring.
            csp_co *co = read_slot(mine, my_tail + n - 1);
            csp_store_rel(&mine->tail, my_tail + n - 1); // E1
            return co;
        }
    }
}

bool cspi_runq_is_empty(const cspi_runq *q)
{
    uint32_t head = csp_load_acq(&q->head); // E3
    return head == csp_load_acq(&q->tail) && !csp_load_acq(&q->next);
}

size_t cspi_runq_size(const cspi_runq *q)
{
    uint32_t head = csp_load_acq(&q->head);            // E3
    uint32_t n = csp_load_acq(&q->tail) - head;        // E1, though nothing behind it is read
    size_t in_ring = n <= CSPI_RUNQ_CAP ? n : 0;       // head and tail belong to different moments
    return in_ring + (csp_load_rlx(&q->next) != NULL); // relaxed: a moment's value
}
