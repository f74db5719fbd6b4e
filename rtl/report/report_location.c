// report_location.c - what lies at a racy address: a global, a heap block, a stack, a thread-local; with the variable's name.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "report/report.h"
#include "support/modules.h"
#include "sync/fd.h"
#include "task/task.h"
#include "task/tls.h"

#include <elf.h>
#include <string.h>
#include <sys/auxv.h>

// --- thread-locals -----------------------------------------------------------------------------------------------------------

// How far below the thread pointer the program's own block begins; *within: an address in the program.
static size_t measure_program_tls(uintptr_t *within)
{
    const Elf64_Phdr *ph = (const Elf64_Phdr *)getauxval(AT_PHDR);
    *within = (uintptr_t)ph;
    for (size_t i = 0; ph && i < getauxval(AT_PHNUM); i++)
        if (ph[i].p_type == PT_TLS)
            return (ph[i].p_memsz + ph[i].p_align - 1) / ph[i].p_align * ph[i].p_align;
    return 0;
}

static void name_thread_local(cspr_location *l, uintptr_t addr, size_t size, uintptr_t thread_pointer)
{
    uintptr_t within;
    size_t span = measure_program_tls(&within);
    if (addr >= thread_pointer - span)
        cspr_symbolize_tls(within, addr - (thread_pointer - span), size, &l->variable);
}

// --- finding -----------------------------------------------------------------------------------------------------------------

static void name_local(cspr_location *l, const cspr_race *race, size_t size)
{
    static uintptr_t frames[CSPR_MAX_FRAMES]; // under the report lock
    uintptr_t pc;
    intptr_t offset;
    size_t n = l->owner == race->current.who
                   ? cspr_stack_frames(race->current.stack, race->current.byte_mask, frames, CSPR_MAX_FRAMES, NULL)
                   : 0;
    if (!cspr_frame_of(l->owner, race->addr, frames, n, &pc, &offset) ||
        !cspr_symbolize_local(pc, offset, size, &l->variable))
        return;
    cspr_place places[16];
    size_t n_places = cspr_symbolize(pc + 1, places, sizeof places / sizeof *places);
    l->function = places[n_places - 1].function;
}

static void name_in_block(cspr_location *l, uintptr_t addr, size_t size)
{
    static uintptr_t frames[CSPR_MAX_FRAMES]; // under the report lock
    size_t n = l->block.alloc_stack ? cspr_stack_frames(l->block.alloc_stack, 0xff, frames, CSPR_MAX_FRAMES, NULL) : 0;
    size_t ours = 0;
    while (ours < n && cspr_pc_is_ours(frames[ours]))
        ours++;
    cspr_symbolize_block(frames + ours, n - ours, l->block.size, addr - l->block.start, size, &l->variable);
}

// Of the bytes at race->addr those that the accesses have in common.
static size_t common_size(const cspr_race *race)
{
    uintptr_t end = race->current.addr + race->current.size, other = race->previous.addr + race->previous.size;
    end = end < other ? end : other;
    return end > race->addr ? end - race->addr : 1;
}

void cspr_location_find(const cspr_race *race, cspr_location *l)
{
    uintptr_t addr = race->addr, thread_pointer;
    size_t size = common_size(race);
    memset(l, 0, sizeof *l);
    if ((l->fd = cspr_fd_at(addr, &l->owner, &l->creation)) >= 0) {
        l->kind = CSPR_AT_FD;
    } else if (cspr_heap_find(addr, &l->block)) {
        l->kind = CSPR_AT_HEAP;
        name_in_block(l, addr, size);
    } else if ((l->owner = cspr_who_of_tls(addr, &thread_pointer)) != 0) {
        l->kind = CSPR_AT_TLS;
        name_thread_local(l, addr, size, thread_pointer);
    } else if ((l->owner = cspr_who_of_stack(addr)) != 0) {
        l->kind = CSPR_AT_STACK;
        name_local(l, race, size);
    } else if (cspr_symbolize_data(addr, &l->global)) {
        l->kind = CSPR_AT_GLOBAL;
        cspr_symbolize_global(addr, size, &l->variable);
    }
}

// --- printing ------------------------------------------------------------------------------------------------------------------

static void add_global(cspr_report *r, const cspr_location *l, uintptr_t addr)
{
    const cspr_object_name *g = &l->global;
    const char *slash = strrchr(g->module, '/');
    if (g->name)
        cspr_text_add(&r->text, "  Location is global '%s' of size %zu at 0x%lx (%s+0x%lx)\n", g->name, g->size,
                      g->start, slash ? slash + 1 : g->module, g->offset - (addr - g->start));
    else
        cspr_text_add(&r->text, "  Location is global '<null>' at 0x%lx (%s+0x%lx)\n", addr,
                      slash ? slash + 1 : g->module, g->offset);
}

static void add_owner(cspr_report *r, const char *what, cspr_who owner)
{
    cspr_text_add(&r->text, "  Location is %s of ", what);
    cspr_report_who(r, owner, false);
    cspr_text_add(&r->text, ".\n");
}

static void add_variable(cspr_report *r, const cspr_location *l)
{
    const cspr_variable *v = &l->variable;
    if (!v->name)
        return;
    cspr_text_add(&r->text, "  It is ");
    if (l->kind == CSPR_AT_TLS)
        cspr_text_add(&r->text, "thread-local ");
    cspr_text_add(&r->text, "'%s'", v->path);
    if (l->function)
        cspr_text_add(&r->text, " in a call of %s", l->function);
    if (v->file && v->line)
        cspr_text_add(&r->text, ", declared at %s:%u", cspr_strip_prefix(v->file), v->line);
    cspr_text_add(&r->text, ".\n");
}

static void add_heap(cspr_report *r, const cspr_location *l, uintptr_t addr)
{
    static cspr_view v; // under the report lock
    cspr_text_add(&r->text, "%s  Location is heap block of size %zu at 0x%lx", r->green, l->block.size, l->block.start);
    if (!l->block.alloc_stack) {
        cspr_text_add(&r->text, "%s\n\n", r->plain);
        return;
    }
    cspr_text_add(&r->text, " allocated by ");
    cspr_report_who(r, l->block.alloc_who, false);
    cspr_text_add(&r->text, ":%s\n", r->plain);
    cspr_view_stack(&v, l->block.alloc_stack, 0xff);
    cspr_report_role(r, "allocation", false, l->block.alloc_who);
    cspr_report_stack(r, &v, false);
    if (l->variable.name)
        cspr_text_add(&r->text, "  It is '%s' (%s), byte %zu of the block.\n\n", l->variable.path, l->variable.name,
                      (size_t)(addr - l->block.start));
    else if (addr != l->block.start)
        cspr_text_add(&r->text, "  The accesses meet at byte %zu of the block.\n\n", (size_t)(addr - l->block.start));
}

static void add_descriptor(cspr_report *r, const cspr_location *l)
{
    static cspr_view v; // under the report lock
    cspr_text_add(&r->text, "%s  Location is file descriptor %d", r->green, l->fd);
    if (!l->creation) {
        cspr_text_add(&r->text, "%s\n\n", r->plain);
        return;
    }
    cspr_text_add(&r->text, " created by ");
    cspr_report_who(r, l->owner, false);
    cspr_text_add(&r->text, " at:%s\n", r->plain);
    cspr_view_stack(&v, l->creation, 0xff);
    cspr_report_role(r, "descriptor", false, l->owner);
    cspr_report_stack(r, &v, false);
}

void cspr_report_location(cspr_report *r, const cspr_location *l, uintptr_t addr)
{
    switch (l->kind) {
    case CSPR_AT_NOWHERE:
        return;
    case CSPR_AT_HEAP:
        add_heap(r, l, addr);
        return;
    case CSPR_AT_FD:
        add_descriptor(r, l);
        return;
    case CSPR_AT_GLOBAL:
    case CSPR_AT_STACK:
    case CSPR_AT_TLS:
        cspr_text_add(&r->text, "%s", r->green);
        if (l->kind == CSPR_AT_GLOBAL)
            add_global(r, l, addr);
        else
            add_owner(r, l->kind == CSPR_AT_TLS ? "TLS" : "stack", l->owner);
        add_variable(r, l);
        cspr_text_add(&r->text, "%s\n", r->plain);
        return;
    }
}
