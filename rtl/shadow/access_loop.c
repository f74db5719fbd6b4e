// access_loop.c - entries for the accesses of a loop: rows of elements, and rows of rows.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass takes checks out of loops (pass/LoopChecks.cpp). Elements that touch are one range, words of which are looked at
// as one access would; others are looked at one by one, and what lies between them is not.
#include "shadow/access.h"

typedef struct row {
    size_t n;
    size_t stride;
} row;

// Elements of `size` bytes at addr, n[i] times at row[i].stride for each i < rows.
typedef struct pattern {
    uintptr_t addr;
    size_t size;
    unsigned rows;
    row row[3];
    bool is_write;
    void *pc, *leaf_ret;
} pattern;

// Adds a row, strides upwards and in ascending order; false: the loop did nothing.
static bool add_row(pattern *p, size_t n, ptrdiff_t stride)
{
    if (!n)
        return false;
    if (n == 1 || !stride)
        return true;
    if (stride < 0) {
        p->addr += (uintptr_t)stride * (n - 1);
        stride = -stride;
    }
    unsigned i = p->rows++;
    for (; i && p->row[i - 1].stride > (size_t)stride; i--)
        p->row[i] = p->row[i - 1];
    p->row[i] = (row){n, (size_t)stride};
    return true;
}

// Elements that touch become one larger element.
static void join_rows(pattern *p)
{
    while (p->rows && p->row[0].stride <= p->size) {
        p->size += p->row[0].stride * (p->row[0].n - 1);
        p->rows--;
        for (unsigned i = 0; i < p->rows; i++)
            p->row[i] = p->row[i + 1];
    }
}

typedef struct walk {
    const pattern *p;
    size_t element, step;
    cspr_task *task;
    bool entered;
    cspr_check check;
} walk;

CSPR_NOINLINE static void check_piece(walk *w, uintptr_t addr)
{
    const pattern *p = w->p;
    if (!w->entered) {
        cspr_enter();
        cspr_count_slow();
        w->entered = true;
        uint32_t locks = cspr_task_locks(w->task);
        cspr_stack stack =
            locks ? cspr_depot_here_locked(p->pc, p->leaf_ret, locks) : cspr_depot_here(p->pc, p->leaf_ret);
        cspr_check_begin(&w->check, w->task, addr, p->size, p->is_write ? CSPR_WRITE : CSPR_READ, stack);
        w->check.element = w->element;
        w->check.step = w->step;
    }
    w->check.addr = addr;
    cspr_check_words(&w->check);
}

static void walk_rows(walk *w, uintptr_t addr, unsigned rows)
{
    const pattern *p = w->p;
    if (!rows) {
        if (!cspr_is_recorded(addr, p->size, p->is_write))
            check_piece(w, addr);
        return;
    }
    const row *r = &p->row[rows - 1];
    for (size_t i = 0; i < r->n; i++)
        walk_rows(w, addr + i * r->stride, rows - 1);
}

static void check_pattern(pattern *p)
{
    cspr_task *t = cspr_self.task;
    if (CSPR_UNLIKELY(cspr_self.in_rtl | cspr_self.ignore | !t) && !(t = cspr_enter_unknown()))
        return;
    if (CSPR_UNLIKELY(t->ignored[p->is_write]))
        return;
    walk w; // not initialised as a whole: room for races is large
    w.p = p;
    w.element = p->size;
    w.step = p->rows ? p->row[0].stride : p->size;
    w.task = t;
    w.entered = false;
    join_rows(p);
    walk_rows(&w, p->addr, p->rows);
    if (w.entered)
        cspr_leave();
}

// Most rows are short, upwards, without gaps, and recorded already.
static inline bool is_short_and_recorded(uintptr_t addr, size_t size, size_t n, ptrdiff_t stride, bool is_write)
{
    enum { SHORT = 32 };
    return (size_t)stride == size && n <= SHORT / size && cspr_is_recorded(addr, n * size, is_write);
}

static void check_row(const void *addr, size_t size, size_t n, ptrdiff_t stride, bool is_write, void *leaf_ret,
                      void *pc)
{
    if (CSPR_UNLIKELY(cspr_control_everywhere))
        cspr_control_point_at(is_write ? CSP_OP_WRITE : CSP_OP_READ, addr, pc);
    if (is_short_and_recorded((uintptr_t)addr, size, n, stride, is_write))
        return;
    pattern p = {.addr = (uintptr_t)addr, .size = size, .is_write = is_write, .pc = pc, .leaf_ret = leaf_ret};
    if (add_row(&p, n, stride))
        check_pattern(&p);
}

static void check_grid(const void *addr, size_t size, const row *rows, bool is_write, void *leaf_ret, void *pc)
{
    if (CSPR_UNLIKELY(cspr_control_everywhere))
        cspr_control_point_at(is_write ? CSP_OP_WRITE : CSP_OP_READ, addr, pc);
    pattern p = {.addr = (uintptr_t)addr, .size = size, .is_write = is_write, .pc = pc, .leaf_ret = leaf_ret};
    for (unsigned i = 0; i < 3; i++)
        if (!add_row(&p, rows[i].n, (ptrdiff_t)rows[i].stride))
            return;
    check_pattern(&p);
}

#define ROW_ENTRY(name, qualifier, is_write)                                                                           \
    CSPR_INTERFACE void name(qualifier void *addr, size_t size, size_t n, ptrdiff_t stride, void *leaf_ret);           \
    CSPR_INTERFACE void name(qualifier void *addr, size_t size, size_t n, ptrdiff_t stride, void *leaf_ret)            \
    {                                                                                                                  \
        check_row(addr, size, n, stride, is_write, leaf_ret, __builtin_return_address(0));                             \
    }
#define GRID_PARAMETERS(qualifier)                                                                                     \
    (qualifier void *addr, size_t size, size_t n, ptrdiff_t stride, size_t n2, ptrdiff_t stride2, size_t n3,           \
     ptrdiff_t stride3, void *leaf_ret)
#define GRID_ENTRY(name, qualifier, is_write)                                                                          \
    CSPR_INTERFACE void name GRID_PARAMETERS(qualifier);                                                               \
    CSPR_INTERFACE void name GRID_PARAMETERS(qualifier)                                                                \
    {                                                                                                                  \
        const row rows[] = {{n, (size_t)stride}, {n2, (size_t)stride2}, {n3, (size_t)stride3}};                        \
        check_grid(addr, size, rows, is_write, leaf_ret, __builtin_return_address(0));                                 \
    }
ROW_ENTRY(__csp_read_row, const, false)
ROW_ENTRY(__csp_write_row, , true)
GRID_ENTRY(__csp_read_grid, const, false)
GRID_ENTRY(__csp_write_grid, , true)
