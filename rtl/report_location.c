// report_location.c - what lies at a racy address: a global, a heap block, a stack.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "report.h"

#include <string.h>

void cspr_location_find(uintptr_t addr, cspr_location *l)
{
    memset(l, 0, sizeof *l);
    if (cspr_heap_find(addr, &l->block))
        l->kind = CSPR_AT_HEAP;
    else if ((l->owner = cspr_who_of_stack(addr)) != 0)
        l->kind = CSPR_AT_STACK;
    else if (cspr_symbolize_data(addr, &l->global))
        l->kind = CSPR_AT_GLOBAL;
}

static void add_global(cspr_report *r, const cspr_location *l, uintptr_t addr)
{
    const cspr_object_name *g = &l->global;
    const char *slash = strrchr(g->module, '/');
    if (g->name)
        cspr_text_add(&r->text, "%s  Location is global '%s' of size %zu at 0x%lx (%s+0x%lx)%s\n\n", r->green, g->name,
                      g->size, g->start, slash ? slash + 1 : g->module, g->offset - (addr - g->start), r->plain);
    else
        cspr_text_add(&r->text, "%s  Location is global '<null>' at 0x%lx (%s+0x%lx)%s\n\n", r->green, addr,
                      slash ? slash + 1 : g->module, g->offset, r->plain);
}

void cspr_report_location(cspr_report *r, const cspr_location *l, uintptr_t addr)
{
    static cspr_view v; // under the report lock
    switch (l->kind) {
    case CSPR_AT_NOWHERE:
        return;
    case CSPR_AT_GLOBAL:
        add_global(r, l, addr);
        return;
    case CSPR_AT_STACK:
        cspr_text_add(&r->text, "%s  Location is stack of ", r->green);
        cspr_report_who(r, l->owner, false);
        cspr_text_add(&r->text, ".%s\n\n", r->plain);
        return;
    case CSPR_AT_HEAP:
        cspr_text_add(&r->text, "%s  Location is heap block of size %zu at 0x%lx", r->green, l->block.size,
                      l->block.start);
        if (!l->block.alloc_stack) {
            cspr_text_add(&r->text, "%s\n\n", r->plain);
            return;
        }
        cspr_text_add(&r->text, " allocated by ");
        cspr_report_who(r, l->block.alloc_who, false);
        cspr_text_add(&r->text, ":%s\n", r->plain);
        cspr_view_stack(&v, l->block.alloc_stack, 0xff);
        cspr_report_stack(r, &v, false);
        return;
    }
}
