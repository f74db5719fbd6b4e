// walk.c - the stacks of coroutines as addresses: one's own, and those of parked ones, which nobody runs for it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// libgcc's unwinder is called as it is, not through backtrace(3), which loads it by dlopen and then calls malloc. It finds
// unwind tables without a lock (_dl_find_object), so a signal handler may walk. A parked stack is entered by a frame whose
// unwind rules lie: cspi_walk_from says that its caller is whoever saved that state.
#include "walk.h"

#include "stack.h"
#include "switch.h"
#include "symbols.h"

#include <string.h>
#include <ucontext.h>
#include <unwind.h>

// Words of a stack that is not ours, which sanitizers may have marked.
CSPI_LOOKS static uintptr_t peek(uintptr_t address)
{
    return *(const volatile uintptr_t *)address;
}

static _Unwind_Reason_Code note_frame(struct _Unwind_Context *context, void *arg)
{
    cspi_frames *f = arg;
    if (f->n == CSPI_MAX_FRAMES) {
        f->cut = true;
        return _URC_END_OF_STACK;
    }
    uintptr_t pc = _Unwind_GetIP(context);
    if (!pc)
        return _URC_END_OF_STACK;
    f->slots[f->n] = _Unwind_GetCFA(context) - sizeof(uintptr_t); // the call that is to return to pc pushed it there
    f->pcs[f->n++] = pc;
    return _URC_NO_REASON;
}

static void drop_first(cspi_frames *f, size_t n)
{
    n = n < f->n ? n : f->n;
    f->n -= n;
    memmove(f->pcs, f->pcs + n, f->n * sizeof *f->pcs);
    memmove(f->slots, f->slots + n, f->n * sizeof *f->slots);
}

// The walker's own frames, of which the compiler may have made fewer than the source has.
static void drop_until(cspi_frames *f, uintptr_t pc)
{
    size_t i = 0;
    while (i < f->n && f->pcs[i] != pc)
        i++;
    drop_first(f, i);
    if (f->n == 0) { // the unwinder did not get that far
        f->n = 1;
        f->pcs[0] = pc;
    }
}

__attribute__((noinline)) void cspi_walk_own(cspi_frames *frames)
{
    frames->n = 0;
    frames->cut = false;
    _Unwind_Backtrace(note_frame, frames);
    drop_first(frames, 1);
}

// Where cspi_switch stands inlined: pairs of offsets, each from its own place. The linker names the section's ends.
extern const int32_t __start_cspi_switch_ranges[] __attribute__((visibility("hidden")));
extern const int32_t __stop_cspi_switch_ranges[] __attribute__((visibility("hidden")));

// The stack pointer is neither here nor there, and an unwinder would follow it into nowhere.
static bool is_in_switch(uintptr_t pc)
{
    for (const int32_t *r = __start_cspi_switch_ranges; r < __stop_cspi_switch_ranges; r += 2)
        if (pc >= (uintptr_t)r + (uintptr_t)r[0] && pc < (uintptr_t)(r + 1) + (uintptr_t)r[1])
            return true;
    return false;
}

void cspi_walk_interrupted(cspi_frames *frames, const void *ucontext)
{
    const ucontext_t *u = ucontext;
    uintptr_t pc = (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
    if (is_in_switch(pc)) {
        *frames = (cspi_frames){.n = 1, .pcs = {pc}};
        return;
    }
    cspi_walk_own(frames);
    drop_until(frames, pc);
}

static void walk_from_here(void *frames)
{
    cspi_walk_own(frames);
}

CSPI_LOOKS void cspi_walk_saved(const csp_co *co, cspi_frames *frames)
{
    cspi_walk_from(co->sp, walk_from_here, frames);
    uintptr_t first = (uintptr_t)co->sp + CSPI_SWITCH_PC_OFFSET;
    drop_until(frames, peek(first));
    frames->slots[0] = first;
}

CSPI_LOOKS bool cspi_walk_is_same(const csp_co *co, const cspi_frames *frames, const void *sp)
{
    uintptr_t lo = (uintptr_t)co->sp, hi = (uintptr_t)cspi_stack_hi(co);
    for (size_t i = 0; i < frames->n; i++) {
        uintptr_t at = frames->slots[i] - (uintptr_t)sp + lo;
        if (at < lo || at > hi - sizeof(uintptr_t) || peek(at) != frames->pcs[i])
            return false;
    }
    return !frames->cut && frames->n > 0;
}

// --- printing --------------------------------------------------------------------------------------------------------------

static bool starts_with(const char *s, const char *prefix)
{
    return s && strncmp(s, prefix, strlen(prefix)) == 0;
}

size_t cspi_walk_count_inside(const cspi_frames *f)
{
    for (size_t i = 0; i < f->n && i < 12; i++) {
        cspi_symbol s;
        cspi_symbol_find(f->pcs[i] - 1, &s);
        if (starts_with(s.function, "csp_"))
            return i;
    }
    // A public function that ended in a jump: only what surely is inside goes.
    for (size_t i = 0; i < f->n; i++) {
        cspi_symbol s;
        cspi_symbol_find(f->pcs[i] - 1, &s);
        if (!starts_with(s.function, "leave_worker") && !starts_with(s.function, "cspi_"))
            return i;
    }
    return 0;
}

static bool is_bottom(const cspi_symbol *s)
{
    return s->function && (strcmp(s->function, "cspi_co_entry") == 0 || strcmp(s->function, "begin_announced") == 0);
}

void cspi_walk_print(const cspi_frames *frames, cspi_say_fn say, void *out)
{
    size_t first = cspi_walk_count_inside(frames);
    for (size_t i = first; i < frames->n; i++) {
        cspi_symbol s;
        cspi_symbol_find(frames->pcs[i] - 1, &s); // inside the call, not behind it: that may be the next function
        if (is_bottom(&s))
            continue;
        say(out, "    #%zu ", i - first);
        if (s.function)
            say(out, "%s+0x%zx", s.function, s.offset + 1);
        else
            say(out, "0x%lx", (unsigned long)frames->pcs[i]);
        if (s.module)
            say(out, " (%s+0x%zx)", s.module, s.in_module + 1);
        say(out, "\n");
    }
    if (frames->cut)
        say(out, "    ... the stack goes on\n");
}
