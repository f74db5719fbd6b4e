// dump.c - coroutines as text, for people: csp_dump, the end of the process, the debug endpoint.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The form is Go's where Go has the thing: `coroutine 7 "name" [chan receive]:`, the stack, who created it.
#include "dump.h"

#include "csp/inside.h"
#include "panic.h"
#include "snapshot.h"
#include "symbols.h"
#include "worker.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DUMP_EACH 1000

// --- text out --------------------------------------------------------------------------------------------------------------

static void write_out(cspi_sink *s, const char *text, size_t n)
{
    while (n > 0 && !s->failed) {
        ssize_t w = write(s->fd, text, n);
        if (w > 0) {
            text += w;
            n -= (size_t)w;
        } else if (w < 0 && errno != EINTR) {
            s->failed = true;
        }
    }
}

static void keep(cspi_sink *s, const char *text, size_t n)
{
    if (s->n + n + 1 > s->cap) {
        size_t cap = 2 * (s->n + n + 1);
        char *more = realloc(s->text, cap);
        if (!more) {
            s->failed = true;
            return;
        }
        s->text = more;
        s->cap = cap;
    }
    memcpy(s->text + s->n, text, n);
    s->text[s->n += n] = '\0';
}

void cspi_sink_say(void *sink, const char *format, ...)
{
    cspi_sink *s = sink;
    char line[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n >= (int)sizeof line)
        n = (int)sizeof line - 1;
    if (n > 0 && s->fd >= 0)
        write_out(s, line, (size_t)n);
    else if (n > 0 && !s->failed)
        keep(s, line, (size_t)n);
}

// --- pieces ----------------------------------------------------------------------------------------------------------------

// 1.234 s, 5 ms: three digits are enough for a wait.
static void say_duration(cspi_sink *s, int64_t ns)
{
    int64_t ms = ns / 1000000;
    if (ms >= 120000)
        cspi_sink_say(s, "%lld minutes", (long long)(ms / 60000));
    else if (ms >= 1000)
        cspi_sink_say(s, "%lld.%lld s", (long long)(ms / 1000), (long long)(ms % 1000 / 100));
    else
        cspi_sink_say(s, "%lld ms", (long long)ms);
}

static void say_wait(cspi_sink *s, const cspi_seen *c)
{
    if (c->parked_ns < 0)
        return;
    cspi_sink_say(s, "    for ");
    say_duration(s, c->parked_ns);
    if (c->is_chan)
        cspi_sink_say(s, " on channel %p, len %zu, cap %zu", c->obj, c->len, c->cap);
    else if (c->obj)
        cspi_sink_say(s, " on %p", c->obj);
    else if (c->n_cases)
        cspi_sink_say(s, ", %zu cases", c->n_cases);
    cspi_sink_say(s, "\n");
}

static void say_place(cspi_sink *s, const char *what, uintptr_t pc)
{
    cspi_symbol place;
    if (!pc)
        return;
    cspi_symbol_find(pc, &place);
    cspi_sink_say(s, "    %s ", what);
    if (place.function && place.offset)
        cspi_sink_say(s, "%s+0x%zx", place.function, place.offset);
    else if (place.function)
        cspi_sink_say(s, "%s", place.function);
    else
        cspi_sink_say(s, "0x%lx", (unsigned long)pc);
    if (place.module)
        cspi_sink_say(s, " (%s+0x%zx)", place.module, place.in_module);
    cspi_sink_say(s, "\n");
}

static void say_origin(cspi_sink *s, const cspi_group *g)
{
    say_place(s, "started as", g->entry);
    say_place(s, "created by", g->created_at);
}

static void say_stack(cspi_sink *s, const cspi_group *g)
{
    if (g->frames.n)
        cspi_walk_print(&g->frames, cspi_sink_say, s);
    else
        cspi_sink_say(s, "    (on another thread: stack not available)\n");
    say_origin(s, g);
}

static void say_head(cspi_sink *s, const cspi_seen *c)
{
    if (c->name[0])
        cspi_sink_say(s, "coroutine %llu \"%s\" [%s]:\n", (unsigned long long)c->id, c->name, c->group->status);
    else
        cspi_sink_say(s, "coroutine %llu [%s]:\n", (unsigned long long)c->id, c->group->status);
}

static void say_one(cspi_sink *s, const cspi_seen *c)
{
    say_head(s, c);
    say_wait(s, c);
    if (c->labels[0])
        cspi_sink_say(s, "    labels %s\n", c->labels);
    say_stack(s, c->group);
}

static void say_group(cspi_sink *s, const cspi_group *g)
{
    cspi_sink_say(s, "%zu [%s]", g->count, g->status);
    if (g->longest_ns) {
        cspi_sink_say(s, ", for up to ");
        say_duration(s, g->longest_ns);
    }
    cspi_sink_say(s, ": coroutine");
    size_t n_ids = sizeof g->some_ids / sizeof *g->some_ids;
    for (size_t i = 0; i < g->count && i < n_ids; i++)
        cspi_sink_say(s, " %llu", (unsigned long long)g->some_ids[i]);
    cspi_sink_say(s, g->count > n_ids ? " ...\n" : "\n");
    say_stack(s, g);
}

// The most frequent first. A group says at most once in this list: those that were said have count 0.
static void say_groups(cspi_sink *s, cspi_snapshot *shot)
{
    for (;;) {
        cspi_group *most = NULL;
        for (size_t i = 0; i < shot->n_groups; i++)
            if (shot->groups[i].count > (most ? most->count : 0))
                most = &shot->groups[i];
        if (!most)
            break;
        cspi_sink_say(s, "\n");
        say_group(s, most);
        most->count = 0;
    }
    if (shot->n_ungrouped)
        cspi_sink_say(s, "\n%zu with stacks of still other kinds\n", shot->n_ungrouped);
}

// --- the whole -------------------------------------------------------------------------------------------------------------

static cspi_snapshot *take(size_t max_each)
{
    cspi_frames own;
    cspi_walk_own(&own);
    cspi_snapshot *shot;
    for (int tries = 0; !(shot = cspi_snapshot_take(max_each, &own, false)) && tries < 100000; tries++) {
        struct timespec nap = {0, 100000};
        syscall(SYS_nanosleep, &nap, NULL); // another one is taken: a coroutine holds its worker for that moment
    }
    return shot;
}

void cspi_dump_to(cspi_sink *sink, enum cspi_dump_form form, size_t max_each)
{
    cspi_snapshot *shot = take(form == CSPI_DUMP_GROUPED ? 0 : max_each);
    if (!shot) {
        cspi_sink_say(sink, "cspthread: no memory for a dump\n");
        return;
    }
    cspi_sink_say(sink, "%zu coroutines%s\n", shot->n_all, shot->all_stopped ? "" : ", some running on meanwhile");
    for (size_t i = 0; i < shot->n_each; i++) {
        cspi_sink_say(sink, "\n");
        say_one(sink, &shot->each[i]);
    }
    if (shot->n_each && shot->n_all > shot->n_each)
        cspi_sink_say(sink, "\n... and %zu more:\n", shot->n_all - shot->n_each);
    say_groups(sink, shot);
    cspi_snapshot_free(shot);
}

void csp_dump(int fd)
{
    (void)cspi_self(); // the runtime has started
    int saved = errno;
    // Into memory first: what reads the descriptor may be a coroutine of this program.
    cspi_sink text = {.fd = -1}, out = {.fd = fd};
    CSP_HOOK(ignore_begin);
    cspi_dump_to(&text, CSPI_DUMP_EACH, DUMP_EACH);
    write_out(&out, text.text, text.n);
    free(text.text);
    CSP_HOOK(ignore_end);
    errno = saved;
}

static bool print_by_detector(const cspi_seen *c)
{
    void *task = c->co->task;
    return task && CSP_HOOK_VALUE(print_stack_of, false, task);
}

void cspi_dump_at_end(const cspi_frames *own)
{
    cspi_sink err = {.fd = STDERR_FILENO};
    const cspi_worker *w = cspi_worker_self();
    const csp_co *self = w ? w->current : cspi_foreign_self();
    cspi_snapshot *shot;
    for (int tries = 0; !(shot = cspi_snapshot_take(DUMP_EACH, own, true)) && tries < 200; tries++) {
        struct timespec nap = {0, 1000000};
        syscall(SYS_nanosleep, &nap, NULL); // a csp_dump is under way, perhaps below us on this stack
    }
    for (size_t i = 0; shot && i < shot->n_each; i++) {
        const cspi_seen *c = &shot->each[i];
        if (c->co == self)
            continue;
        cspi_sink_say(&err, "\n");
        say_head(&err, c);
        say_wait(&err, c);
        if (c->labels[0])
            cspi_sink_say(&err, "    labels %s\n", c->labels);
        if (c->parked_ns < 0 || !print_by_detector(c))
            say_stack(&err, c->group);
    }
    if (shot && shot->n_all > shot->n_each) {
        cspi_sink_say(&err, "\n... and %zu more\n", shot->n_all - shot->n_each);
        say_groups(&err, shot);
    }
}

enum cspi_traceback cspi_traceback(void)
{
    static const char *const names[] = {"none", "single", "all", "crash"};
    const char *text = getenv("CSP_TRACEBACK");
    for (int i = 0; text && i < 4; i++)
        if (strcmp(text, names[i]) == 0)
            return (enum cspi_traceback)i;
    return CSPI_TRACEBACK_SINGLE;
}
