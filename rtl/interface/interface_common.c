// interface_common.c - <sanitizer/common_interface_defs.h>: where reports go, stacks, symbols, the death callback.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "control/schedule_file.h"
#include "report/report.h"
#include "shadow/heap.h"
#include "support/libc.h"
#include "support/modules.h"

#include <stdatomic.h>
#include <string.h>

// Weak: UndefinedBehaviorSanitizer's runtime, in programs built with both, brings functions of the same names.
#define INTERFACE(ret, name, params)                                                                                   \
    CSPR_INTERFACE __attribute__((weak)) ret name params;                                                              \
    CSPR_INTERFACE ret name params

// --- where reports go ------------------------------------------------------------------------------------------------------

INTERFACE(void, __sanitizer_set_report_path, (const char *path))
{
    if (path)
        cspr_print_to(path);
}

INTERFACE(void, __sanitizer_set_report_fd, (void *fd))
{
    cspr_print_to_fd((int)(intptr_t)fd);
}

INTERFACE(const char *, __sanitizer_get_report_path, (void))
{
    return cspr_flags.log_path;
}

// A program may define it to get summaries its own way.
CSPR_INTERCEPTOR void __sanitizer_report_error_summary(const char *summary);
CSPR_INTERCEPTOR void __sanitizer_report_error_summary(const char *summary)
{
    cspr_print(summary, strlen(summary));
    cspr_print("\n", 1);
}

// --- the end -----------------------------------------------------------------------------------------------------------------

static void (*_Atomic death_callback)(void); // acq_rel: what the program set up for it is seen by it

INTERFACE(void, __sanitizer_set_death_callback, (void (*callback)(void)))
{
    atomic_store_explicit(&death_callback, callback, memory_order_release);
}

void cspr_last_words(void)
{
    cspr_schedule_file_end();
    void (*callback)(void) = atomic_exchange_explicit(&death_callback, NULL, memory_order_acq_rel);
    if (callback)
        callback();
}

// Only one may be the one that crashes.
INTERFACE(int, __sanitizer_acquire_crash_state, (void))
{
    static _Atomic bool taken;
    return !atomic_exchange_explicit(&taken, true, memory_order_relaxed); // relaxed: who is first, nothing else
}

INTERFACE(void, __sanitizer_sandbox_on_notify, (void *arguments))
{
    (void)arguments; // coverage is not ours
}

// --- unaligned accesses, which the caller's code has not checked ----------------------------------------------------------------

#define UNALIGNED(bits)                                                                                                \
    INTERFACE(uint##bits##_t, __sanitizer_unaligned_load##bits, (const void *p))                                       \
    {                                                                                                                  \
        uint##bits##_t v;                                                                                              \
        if (cspr_ready && !cspr_bypass())                                                                              \
            cspr_access((uintptr_t)p, sizeof v, false, cspr_stack_here(__builtin_return_address(0), NULL));            \
        memcpy(&v, p, sizeof v);                                                                                       \
        return v;                                                                                                      \
    }                                                                                                                  \
    INTERFACE(void, __sanitizer_unaligned_store##bits, (void *p, uint##bits##_t v))                                    \
    {                                                                                                                  \
        if (cspr_ready && !cspr_bypass())                                                                              \
            cspr_access((uintptr_t)p, sizeof v, true, cspr_stack_here(__builtin_return_address(0), NULL));             \
        memcpy(p, &v, sizeof v);                                                                                       \
    }
UNALIGNED(16)
UNALIGNED(32)
UNALIGNED(64)

// --- stacks and symbols ----------------------------------------------------------------------------------------------------------

INTERFACE(void, __sanitizer_print_stack_trace, (void))
{
    CSPR_FRAME();
    cspr_print_stack();
}

typedef struct question {
    uintptr_t addr;
    const char *format;
    char *out;
    size_t room;
    int n; // of places
} question;

static void put(question *q, const char *text)
{
    size_t n = strlen(text);
    if (n >= q->room)
        n = q->room ? q->room - 1 : 0;
    memcpy(q->out, text, n);
    q->out += n;
    q->room -= n;
}

// ThreadSanitizer's stack_trace_format, as far as one place goes: %n %p %m %o %f %s %l %c %F %S %L %%.
static void put_place(question *q, const cspr_place *p, int n)
{
    for (const char *f = q->format; *f; f++) {
        char text[4200] = {*f, 0};
        const char *function = p->function ? p->function : "??", *file = p->file ? p->file : "??";
        const char *module = p->module ? p->module : "";
        if (*f == '%') {
            switch (*++f) {
            case 'n':
                cspr_format(text, sizeof text, "%d", n);
                break;
            case 'p':
                cspr_format(text, sizeof text, "0x%lx", p->pc);
                break;
            case 'm':
                cspr_format(text, sizeof text, "%s", module);
                break;
            case 'o':
                cspr_format(text, sizeof text, "0x%lx", p->offset);
                break;
            case 'f':
                cspr_format(text, sizeof text, "%s", function);
                break;
            case 's':
                cspr_format(text, sizeof text, "%s", cspr_strip_prefix(file));
                break;
            case 'l':
                cspr_format(text, sizeof text, "%u", p->line);
                break;
            case 'c':
                cspr_format(text, sizeof text, "%u", p->column);
                break;
            case 'F':
                cspr_format(text, sizeof text, "in %s", function);
                break;
            case 'S':
                cspr_format(text, sizeof text, "%s:%u:%u", cspr_strip_prefix(file), p->line, p->column);
                break;
            case 'L':
                if (p->file)
                    cspr_format(text, sizeof text, "%s:%u:%u", cspr_strip_prefix(file), p->line, p->column);
                else
                    cspr_format(text, sizeof text, "(%s+0x%lx)", module, p->offset);
                break;
            case 'M':
                cspr_format(text, sizeof text, "(%s+0x%lx)", module, p->offset);
                break;
            case 0:
                f--;
                break;
            default:
                text[0] = *f;
                break;
            }
        }
        put(q, text);
    }
}

static void answer_pc(void *arg)
{
    question *q = arg;
    cspr_place places[16];
    q->n = (int)cspr_symbolize(q->addr, places, sizeof places / sizeof *places);
    for (int i = 0; i < q->n && q->room > 1; i++) {
        put_place(q, &places[i], i);
        if (q->room > 1) { // one terminated text per inlined place
            *q->out++ = 0;
            q->room--;
        }
    }
    if (q->room)
        *q->out = 0;
}

static void answer_data(void *arg)
{
    question *q = arg;
    cspr_object_name g = {0};
    bool known = cspr_symbolize_data(q->addr, &g);
    for (const char *f = q->format; *f; f++) {
        char text[4200] = {*f, 0};
        if (*f == '%') {
            switch (*++f) {
            case 'g':
                cspr_format(text, sizeof text, "%s", known && g.name ? g.name : "??");
                break;
            case 'm':
                cspr_format(text, sizeof text, "%s", known ? g.module : "??");
                break;
            case 'o':
                cspr_format(text, sizeof text, "0x%lx", known ? g.offset : 0);
                break;
            case 0:
                f--;
                break;
            default:
                text[0] = *f;
                break;
            }
        }
        put(q, text);
    }
    if (q->room)
        *q->out = 0;
}

static void ask(question *q, void (*answer)(void *))
{
    if (!q->room)
        return;
    cspr_report_lock();
    cspr_call_on_own_stack(answer, q);
    cspr_report_unlock();
}

INTERFACE(void, __sanitizer_symbolize_pc, (void *pc, const char *format, char *out, size_t room))
{
    question q = {(uintptr_t)pc, format, out, room, 0};
    ask(&q, answer_pc);
}

INTERFACE(void, __sanitizer_symbolize_global, (void *data, const char *format, char *out, size_t room))
{
    question q = {(uintptr_t)data, format, out, room, 0};
    ask(&q, answer_data);
}

INTERFACE(int, __sanitizer_get_module_and_offset_for_pc, (void *pc, char *out, size_t room, void **offset))
{
    cspr_module m;
    cspr_report_lock();
    bool known = cspr_module_find((uintptr_t)pc, &m);
    cspr_report_unlock();
    if (!known)
        return 0;
    if (out && room)
        cspr_format(out, room, "%s", m.path);
    if (offset)
        *offset = (void *)((uintptr_t)pc - m.bias);
    return 1;
}

// --- <sanitizer/allocator_interface.h>, what needs no statistics -------------------------------------------------------------------

INTERFACE(size_t, __sanitizer_get_estimated_allocated_size, (size_t size))
{
    return size ? size : 1;
}

INTERFACE(int, __sanitizer_get_ownership, (const volatile void *p))
{
    return cspr_heap_is_ours((const void *)p);
}

INTERFACE(size_t, __sanitizer_get_allocated_size, (const volatile void *p))
{
    return cspr_heap_is_ours((const void *)p) ? cspr_heap_size((const void *)p) : 0;
}
