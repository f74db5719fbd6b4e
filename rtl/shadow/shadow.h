// shadow.h - the shadow of application memory: finding a word's two cells, taking and giving a word, forgetting ranges.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Taking (rule A3). Who changes a word first takes it, with the three others whose cells lie in the same line of the cache: one
// locked instruction for as much as several threads cannot change at once anyway. Until it is given back only the taker writes
// those cells, reads or writes their side records and their sync objects, so every transition of a word is serial and no third
// party is lost. The inline check reads cells without taking: an own-epoch value it sees late is harmless, because whoever
// replaced it has looked at it.
// Ordering:  E1 give: store-release of the line's first write cell -> take: exchange, acquire; carries all cells and records
// One line is taken at a time, but for an atomic operation that lies in two, which takes them in ascending order; nothing is called
// out to meanwhile.
#ifndef CSP_RTL_SHADOW_H
#define CSP_RTL_SHADOW_H

#include "rtl.h"
#include "support/counters.h"
#include "support/lock.h"

#define CSPR_CELL_TAKEN (1ull << CSPR_TAKEN_SHIFT)
#define CSPR_CELL_REST CSPR_CELL_TAKEN // in a read cell
enum { CSPR_LINE_APP_BYTES = 32, CSPR_LINE_WORDS = 4 };

static inline uint64_t *cspr_shadow_of(uintptr_t addr)
{
    return (uint64_t *)(CSPR_SHADOW_BASE | (addr & CSPR_APP_MASK) << 1);
}

static inline uint32_t cspr_cell_epoch(uint64_t cell)
{
    return (uint32_t)(cell >> CSPR_EPOCH_SHIFT);
}
static inline unsigned cspr_cell_mask(uint64_t cell)
{
    return (cell >> CSPR_MASK_SHIFT) & 0xff;
}
static inline cspr_stack cspr_cell_stack(uint64_t cell)
{
    return cell & ((1u << CSPR_STACK_BITS) - 1);
}
static inline bool cspr_cell_is_aside(uint64_t cell)
{
    return cspr_cell_epoch(cell) == CSPR_EPOCH_ASIDE;
}

// Whether a read cell is the rest of an older write (access_piece.c), and nothing that was read.
static inline bool cspr_cell_is_rest(uint64_t r)
{
    return r & CSPR_CELL_REST;
}
// A cell without the bytes of mask; 0: it has no others.
static inline uint64_t cspr_cell_drop(uint64_t cell, unsigned mask)
{
    uint64_t rest = cell & ~((uint64_t)mask << CSPR_MASK_SHIFT);
    return cspr_cell_mask(rest) ? rest : 0;
}

// A read cell that says no more than the write cell beside it: the same epoch read what it wrote. Who conflicts with such a read
// conflicts with the write, and each byte's first race is the write's, so wherever reads are looked for it counts as nothing.
// It is for the epoch's own inline check: a write leaves it there, since reads under one's own write need no record (A10).
// Never so of words aside, whose cells are equal, too.
static inline bool cspr_cell_says_less(uint64_t r, uint64_t w)
{
    return cspr_cell_epoch(r) == cspr_cell_epoch(w) && cspr_cell_epoch(r) >= CSPR_EPOCH_FIRST &&
           !(cspr_cell_mask(r) & ~cspr_cell_mask(w));
}

// The read cell beside a write of the running epoch; rest: what is left of the reads before, all known to it.
static inline uint64_t cspr_cell_beside(uint64_t rest, uint64_t write)
{
    if (cspr_cell_mask(rest) & ~cspr_cell_mask(write) || !cspr_flags.reads_of_own)
        return rest;
    cspr_count(CSPR_COUNT_READS_OF_OWN);
    return write;
}

static inline uint64_t *cspr_line_of(uint64_t *cells)
{
    return (uint64_t *)((uintptr_t)cells & ~(uintptr_t)(CSPR_LINE_APP_BYTES * 2 - 1));
}

// marks.c: a byte for 512 of the program's.
enum { CSPR_MARK_APP_BYTES = 512 };
extern uint8_t *cspr_marks; // atomic
static inline uint8_t *cspr_mark_of(const uint64_t *cells)
{
    return &cspr_marks[((uintptr_t)cells - CSPR_SHADOW_BASE) / (2 * CSPR_MARK_APP_BYTES)];
}
static inline void cspr_mark(const uint64_t *cells)
{
    uint8_t *mark = cspr_mark_of(cells);
    if (CSPR_UNLIKELY(!__atomic_load_n(mark, __ATOMIC_RELAXED)))
        __atomic_store_n(mark, 1, __ATOMIC_RELAXED); // relaxed, both: M1 in marks.c
}

// Where nothing was ever recorded the shadow may not be in memory: who is going to change it writes before it reads, which is one
// fault instead of two.
static inline bool cspr_shadow_is_fresh(const uint64_t *cells)
{
    return !__atomic_load_n(cspr_mark_of(cells), __ATOMIC_RELAXED); // relaxed: a hint
}
static inline void cspr_shadow_touch(uint64_t *cells)
{
    if (CSPR_UNLIKELY(cspr_shadow_is_fresh(cells)))
        __asm__ volatile("lock orl $0, %0" : "+m"(*(uint32_t *)cells)); // compilers make a load of an atomic `or` of 0
}

// Returns the first write cell, as it counts. It is read beforehand, from a line that the inline check has just looked at: a
// load behind the locked instruction would wait for that.
uint64_t cspr_line_take_slow(uint64_t *line);
static inline uint64_t cspr_line_take(uint64_t *line)
{
    uint64_t w = __atomic_load_n(&line[1], __ATOMIC_RELAXED) & ~CSPR_CELL_TAKEN; // relaxed: compared again
    if (!w) // else it was marked when it was taken first
        cspr_mark(line);
    // Acquire: E1.
    if (CSPR_UNLIKELY(
            !__atomic_compare_exchange_n(&line[1], &w, w | CSPR_CELL_TAKEN, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
        return cspr_line_take_slow(line);
    return w;
}
static inline void cspr_line_give(uint64_t *line)
{
    uint64_t w = __atomic_load_n(&line[1], __ATOMIC_RELAXED);           // relaxed: the line is ours
    __atomic_store_n(&line[1], w & ~CSPR_CELL_TAKEN, __ATOMIC_RELEASE); // E1
}

// The write cell, as it counts. Relaxed: the word is the caller's, or it is a look.
static inline uint64_t cspr_word_write_cell(const uint64_t *cells)
{
    return __atomic_load_n(&cells[1], __ATOMIC_RELAXED) & ~CSPR_CELL_TAKEN;
}
// Whether nothing is recorded there. A look.
static inline bool cspr_word_is_empty(const uint64_t *cells)
{
    return !(__atomic_load_n(&cells[0], __ATOMIC_RELAXED) | cspr_word_write_cell(cells));
}

// Takes the word's line; returns the word's write cell.
static inline uint64_t cspr_word_take(uint64_t *cells)
{
    uint64_t *line = cspr_line_of(cells), first = cspr_line_take(line);
    return cells == line ? first : cspr_word_write_cell(cells);
}

// The read cell of a taken word, which may be a rest. A write cell that is not aside beside a read cell that is: the range was forgotten under a
// racing access; the write cell counts.
static inline uint64_t cspr_word_read_cell(const uint64_t *cells, uint64_t w)
{
    uint64_t r = __atomic_load_n(&cells[0], __ATOMIC_RELAXED); // relaxed: the word is ours
    return (cspr_cell_is_aside(r) && !cspr_cell_is_aside(w)) || cspr_cell_says_less(r, w) ? 0 : r;
}

static inline void cspr_word_put_read(uint64_t *cells, uint64_t r)
{
    // Relaxed, and only when it changes: E1 carries it to the next taker; the inline check needs no order.
    if (__atomic_load_n(&cells[0], __ATOMIC_RELAXED) != r)
        __atomic_store_n(&cells[0], r, __ATOMIC_RELAXED);
}
// Changes a word of a line that stays taken.
static inline void cspr_word_put(uint64_t *cells, uint64_t r, uint64_t w)
{
    cspr_word_put_read(cells, r);
    // Relaxed: likewise.
    __atomic_store_n(&cells[1], w | (cells == cspr_line_of(cells) ? CSPR_CELL_TAKEN : 0), __ATOMIC_RELAXED);
}
static inline void cspr_word_give(uint64_t *cells, uint64_t r, uint64_t w)
{
    uint64_t *line = cspr_line_of(cells);
    if (cells == line) {
        cspr_word_put_read(cells, r);
        __atomic_store_n(&line[1], w, __ATOMIC_RELEASE); // E1
        return;
    }
    cspr_word_put(cells, r, w);
    cspr_line_give(line);
}

// Shadow that is met word after word is put into memory ahead of the accesses: otherwise each page costs two faults, since
// the inline check reads it before it is written, and the second one interrupts all processors. Called after a word's first
// access, with no word taken.
enum { CSPR_PAGE_APP_BYTES = 2048, CSPR_STREAMS = 16 };
extern __thread struct cspr_stream {
    uintptr_t page, ready; // last page met, first page not put into memory; counted from address 0
    uint32_t length;       // pages met one after the other
} cspr_streams[CSPR_STREAMS] __attribute__((tls_model("initial-exec")));
_Static_assert(CSPR_STREAMS == 1 << 4, "cspr_shadow_met");
void cspr_shadow_next_page(struct cspr_stream *s, uintptr_t page);
static inline void cspr_shadow_met(uintptr_t word)
{
    struct cspr_stream *s = &cspr_streams[(uint32_t)(word >> 16) * 0x9e3779b1u >> 28]; // arrays are powers of two apart
    if (CSPR_UNLIKELY(s->page != word / CSPR_PAGE_APP_BYTES))
        cspr_shadow_next_page(s, word / CSPR_PAGE_APP_BYTES);
}

// Reserves the map. On address spaces that would alias, executes the program again (rule E1); argv, envp: main's.
void cspr_shadow_init(char **argv, char **envp);
void cspr_marks_init(void);
// Forgets what was recorded of a coroutine's stack. What others record there meanwhile may stay.
void cspr_shadow_forget_stack(uintptr_t lo, uintptr_t hi);

// Calls fn for the parts of [lo, hi) (8-byte aligned) whose shadow was ever touched; the others count as zero.
void cspr_shadow_each_touched(uintptr_t lo, uintptr_t hi, void (*fn)(uintptr_t lo, uintptr_t hi, void *arg), void *arg);
// Gives the shadow of the inside of [lo, hi) back to the system; nothing recorded there may matter any more.
void cspr_shadow_drop(uintptr_t lo, uintptr_t hi);

#endif
