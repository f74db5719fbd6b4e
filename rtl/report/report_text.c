// report_text.c - the pieces every report is made of, in ThreadSanitizer's shape, which people and tools read already.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "control/explore.h"
#include "report/finding_log.h"
#include "report/report.h"
#include "support/modules.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

_Atomic unsigned cspr_report_count, cspr_report_mild;

// --- the lock: 0 free, 1 held, 2 held and waited for ---------------------------------------------------------------------------

static _Atomic unsigned lock_word;
static int cancel_before; // under the lock: whether its holder could be cancelled

void cspr_report_lock(void)
{
    unsigned expected = 0;
    int cancel = cspr_cancel_off();
    cspr_enter();
    // acquire: sees what the last reporter wrote into the caches
    if (!atomic_compare_exchange_strong_explicit(&lock_word, &expected, 1, memory_order_acquire, memory_order_relaxed))
        while (atomic_exchange_explicit(&lock_word, 2, memory_order_acquire) != 0) // acquire: as above
            syscall(SYS_futex, &lock_word, FUTEX_WAIT_PRIVATE, 2, NULL);
    cancel_before = cancel;
}

void cspr_report_unlock(void)
{
    int cancel = cancel_before;
    // release: hands the caches on
    if (atomic_exchange_explicit(&lock_word, 0, memory_order_release) == 2)
        syscall(SYS_futex, &lock_word, FUTEX_WAKE_PRIVATE, 1);
    cspr_leave();
    cspr_cancel_on(cancel);
}

// --- room ----------------------------------------------------------------------------------------------------------------------

// ABOVE: a function may look at its stack arguments though it was given none, as syscall does.
enum { OWN_STACK = 256 << 10, ABOVE = 64 };

void cspr_call_on_own_stack(void (*fn)(void *), void *arg)
{
    char *stack = cspr_map(OWN_STACK);
    // rbx and rbp are kept by fn; the frame stays reachable for unwinders through rbp
    __asm__ volatile("mov %%rsp, %%rbx\n\t"
                     "mov %[top], %%rsp\n\t"
                     "call *%[fn]\n\t"
                     "mov %%rbx, %%rsp"
                     : "+D"(arg)
                     : [top] "r"(stack + OWN_STACK - ABOVE), [fn] "r"(fn)
                     : "rbx", "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1",
                       "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                       "xmm13", "xmm14", "xmm15");
    cspr_unmap(stack, OWN_STACK);
}

// --- stacks --------------------------------------------------------------------------------------------------------------------

// What calls main, a thread's function or a coroutine's, by name: for code that is not ours.
static bool is_bottom(const cspr_place *p)
{
    static const char *const names[] = {"cspi_co_entry",
                                        "__libc_start_call_main",
                                        "__libc_start_main",
                                        "_start",
                                        "__libc_start_main_impl",
                                        "start_thread",
                                        "clone",
                                        "clone3",
                                        "__clone3"};
    if (cspr_pc_is_bottom(p->pc))
        return true;
    for (size_t i = 0; p->function && i < sizeof names / sizeof *names; i++)
        if (!strcmp(p->function, names[i]))
            return true;
    return false;
}

// A library function is shown under the name the program called it by, without our file and the pieces it is made of.
static void name_library_function(cspr_place *p)
{
    static const char ours[] = "__csp_", replacement[] = "cspr_intercept_", handler[] = "call_handler";
    if (p->function && !strncmp(p->function, ours, sizeof ours - 1))
        p->function += sizeof ours - 1;
    else if (p->function && !strncmp(p->function, replacement, sizeof replacement - 1))
        p->function += sizeof replacement - 1;
    else if (p->function && !strcmp(p->function, handler)) // intercept_signal.c's; as gdb calls it
        p->function = "<signal handler called>";
    p->file = NULL;
    p->line = p->column = p->start_line = 0;
}

static bool add_frame(cspr_view *v, uintptr_t pc)
{
    cspr_place places[16];
    size_t n = cspr_symbolize(pc, places, sizeof places / sizeof *places);
    if (is_bottom(&places[n - 1]))
        return false;
    if (places[0].ours) { // what is inlined into it does not matter
        places[0] = places[n - 1];
        name_library_function(&places[0]);
        n = 1;
    }
    for (size_t i = 0; i < n; i++) {
        if (v->n == CSPR_MAX_FRAMES)
            return v->cut = true, false;
        v->places[v->n++] = places[i];
    }
    return true;
}

void cspr_view_frames(cspr_view *v, const uintptr_t *frames, size_t n, bool folded)
{
    size_t first = 0;
    v->n = 0;
    v->cut = false;
    v->folded = folded;
    while (first + 1 < n && cspr_pc_is_ours(frames[first]) && cspr_pc_is_ours(frames[first + 1]))
        first++; // of our own functions only the one that the program called
    cspr_symbolize_ahead(frames + first, n - first);
    for (size_t i = first; i < n; i++)
        if (!add_frame(v, frames[i]))
            break;
    while (v->n > 1 && v->places[v->n - 1].ours)
        v->n--; // what started the coroutine
}

void cspr_view_stack(cspr_view *v, cspr_stack stack, unsigned byte_mask)
{
    uintptr_t frames[CSPR_MAX_FRAMES];
    bool folded = false;
    size_t n = stack ? cspr_stack_frames(stack, byte_mask, frames, CSPR_MAX_FRAMES, &folded) : 0;
    cspr_view_frames(v, frames, n, folded);
}

bool cspr_view_suppressed(const cspr_view *v, cspr_suppress_type type, bool top_only)
{
    for (size_t i = 0; i < v->n && (i == 0 || !top_only); i++)
        if (cspr_suppressed(type, v->places[i].function) || cspr_suppressed(type, v->places[i].file) ||
            cspr_suppressed(type, v->places[i].module))
            return true;
    return false;
}

// --- printing ------------------------------------------------------------------------------------------------------------------

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *cspr_strip_prefix(const char *file)
{
    const char *prefix = cspr_flags.strip_path_prefix;
    size_t n = prefix ? strlen(prefix) : 0;
    return n && !strncmp(file, prefix, n) ? file + n : file;
}

static void add_place(cspr_text *t, const cspr_place *p)
{
    if (p->file && p->line && p->column)
        cspr_text_add(t, "%s:%u:%u", cspr_strip_prefix(p->file), p->line, p->column);
    else if (p->file && p->line)
        cspr_text_add(t, "%s:%u", cspr_strip_prefix(p->file), p->line);
    else
        cspr_text_add(t, "%s", p->file ? cspr_strip_prefix(p->file) : "<null>");
}

static void add_module(cspr_text *t, const cspr_place *p)
{
    if (p->module)
        cspr_text_add(t, "(%s+0x%lx)", base_name(p->module), p->offset);
    else
        cspr_text_add(t, "(0x%lx)", p->pc);
}

// "      12 |   counter++;" under the first frame, when a person is looking.
static void add_source_line(cspr_report *r, const cspr_place *p)
{
    size_t len, map_size;
    char *text = p->file && p->line ? cspr_read_file(p->file, &len, &map_size) : NULL;
    if (!text)
        return;
    const char *line = text;
    for (unsigned i = 1; i < p->line && line; i++)
        line = (line = strchr(line, '\n')) ? line + 1 : NULL;
    if (line && *line)
        cspr_text_add(&r->text, "%s%8u | %.*s%s\n", r->blue, p->line, (int)strcspn(line, "\n"), line, r->plain);
    cspr_unmap(text, map_size);
}

void cspr_report_stack(cspr_report *r, const cspr_view *v, bool with_source)
{
    if (v->n == 0)
        cspr_text_add(&r->text, "    [failed to restore the stack]\n");
    for (size_t i = 0; i < v->n; i++) {
        const cspr_place *p = &v->places[i];
        cspr_text_add(&r->text, "    #%zu %s ", i, p->function ? p->function : "<null>");
        add_place(&r->text, p);
        cspr_text_add(&r->text, " ");
        add_module(&r->text, p);
        cspr_text_add(&r->text, "\n");
        if (with_source && r->terminal && !p->ours && (i == 0 || v->places[i - 1].ours))
            add_source_line(r, p);
    }
    if (v->folded)
        cspr_text_add(&r->text, "    [recursion folded]\n");
    if (v->cut)
        cspr_text_add(&r->text, "    [deeper frames not shown]\n");
    cspr_text_add(&r->text, "\n");
    cspr_finding_add_stack(r, v);
}

void cspr_report_place(cspr_report *r, const cspr_place *p)
{
    if (p->file)
        add_place(&r->text, p);
    else
        add_module(&r->text, p);
}

void cspr_report_site(cspr_report *r, const csp_site *site)
{
    cspr_text_add(&r->text, "%s:%u:%u", cspr_strip_prefix(site->file), site->line, site->column);
}

void cspr_report_who(cspr_report *r, cspr_who who, bool capital)
{
    cspr_identity id = {0};
    if (!who) {
        cspr_text_add(&r->text, "%cnknown thread", capital ? 'U' : 'u');
        return;
    }
    cspr_who_get(who, &id);
    if (id.kind == CSPR_KIND_MAIN) {
        cspr_text_add(&r->text, "%cain %s", capital ? 'M' : 'm', cspi_runtime_view ? "coroutine" : "thread");
        return;
    }
    if (id.kind == CSPR_KIND_COROUTINE)
        cspr_text_add(&r->text, "%coroutine %lu", capital ? 'C' : 'c', id.id);
    else
        cspr_text_add(&r->text, "%chread T%lu", capital ? 'T' : 't', id.id);
    if (id.name[0])
        cspr_text_add(&r->text, " '%s'", id.name);
}

void cspr_report_creation(cspr_report *r, cspr_who who, const char *state)
{
    static cspr_view v; // under the report lock
    cspr_identity id = {0};
    if (!who)
        return;
    cspr_who_get(who, &id);
    if (id.kind == CSPR_KIND_MAIN)
        return;
    if (!state)
        state = id.finished ? "finished" : "running";
    cspr_text_add(&r->text, "%s  ", r->green);
    cspr_report_who(r, who, true);
    if (id.kind == CSPR_KIND_THREAD)
        cspr_text_add(&r->text, " (tid=%d, %s)", (int)id.tid, state);
    else
        cspr_text_add(&r->text, " (%s)", state);
    if (id.creator) {
        cspr_text_add(&r->text, " created by ");
        cspr_report_who(r, id.creator, false);
    } else {
        cspr_text_add(&r->text, " created");
    }
    cspr_view_stack(&v, id.creation, 0xff);
    cspr_text_add(&r->text, " at:%s\n", r->plain);
    if (!r->role)
        cspr_report_role(r, "creation", false, who);
    cspr_report_stack(r, &v, false);
}

void cspr_report_open(cspr_report *r, const char *what)
{
    bool colored = cspr_print_colored();
    memset(r, 0, sizeof *r);
    r->bold = colored ? "\033[1m" : "";
    r->red = colored ? "\033[1;31m" : "";
    r->green = colored ? "\033[1;36m" : "";
    r->blue = colored ? "\033[34m" : "";
    r->plain = colored ? "\033[0m" : "";
    r->terminal = colored;
    cspr_text_add(&r->text, "==================\n%sWARNING: CspThreadSanitizer: %s (pid=%d)%s\n", r->red, what,
                  (int)getpid(), r->plain);
}

// The frame a SUMMARY names: the first one in the program's own code.
static const cspr_place *find_summary_place(const cspr_view *v)
{
    for (size_t i = 0; i < v->n; i++)
        if (!v->places[i].ours)
            return &v->places[i];
    return v->n ? &v->places[0] : NULL;
}

// "data race file:line:column in function".
static void add_summary(cspr_text *t, const char *what, const cspr_place *p)
{
    cspr_report in_place = {.text = *t};
    cspr_text_add(&in_place.text, "%s", what);
    if (p) {
        cspr_text_add(&in_place.text, " ");
        cspr_report_place(&in_place, p);
        if (p->function)
            cspr_text_add(&in_place.text, " in %s", p->function);
    }
    *t = in_place.text;
}

// A cycle is the same wherever it was entered: of what it is about, not where it was noticed.
static uint64_t finding_key(const cspr_report *r, const char *what, const cspr_view *where)
{
    uint64_t key = r->key ? r->key : cspr_view_hash(where);
    for (; *what; what++)
        key = (key ^ (unsigned char)*what) * 0x100000001b3u;
    return key;
}

void cspr_report_close(cspr_report *r, const char *what, const cspr_view *where)
{
    cspr_text summary = {0};
    if (!cspr_explore_is_new(finding_key(r, what, where), r->is_mild)) {
        cspr_text_fini(&r->stacks);
        cspr_text_fini(&r->text);
        return;
    }
    add_summary(&summary, what, find_summary_place(where));
    cspr_text_bytes(&summary, "", 1);
    if (cspr_flags.print_summary)
        cspr_text_add(&r->text, "%sSUMMARY: CspThreadSanitizer: %s%s\n", r->bold, summary.data, r->plain);
    cspr_text_add(&r->text, "==================\n");
    cspr_print(r->text.data, r->text.len);
    cspr_finding_write(r, what, summary.data);
    cspr_text_fini(&summary);
    cspr_text_fini(&r->text);
    atomic_fetch_add_explicit(&cspr_report_count, 1, memory_order_relaxed); // relaxed: read at exit, after everything
    if (r->is_mild)
        atomic_fetch_add_explicit(&cspr_report_mild, 1, memory_order_relaxed); // relaxed: as above
    else if (cspr_flags.halt_on_error) {
        cspr_last_words();
        _exit(cspr_flags.exitcode ? cspr_flags.exitcode : 66);
    }
}

const char *cspr_wait_object(int op)
{
    switch (op) {
    case CSP_WAIT_MUTEX:
        return "mutex";
    case CSP_WAIT_RLOCK:
    case CSP_WAIT_WLOCK:
        return "rwmutex";
    case CSP_WAIT_WG:
        return "wait group";
    case CSP_WAIT_COND:
        return "condition variable";
    case CSP_WAIT_ONCE:
        return "once";
    default:
        return "semaphore";
    }
}
