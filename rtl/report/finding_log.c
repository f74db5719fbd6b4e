// finding_log.c - option finding_log: every report as a line of JSON, for `csp test` and other programs.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The file is opened for each line: the program may close descriptors that are not its own, and findings are rare. A line that could
// not be written whole (a full disk) is ended by the newline before the next one, so that only it is lost.
#include "report/finding_log.h"

#include "control/control.h"
#include "control/schedule_file.h"
#include "report/unwind.h"
#include "task/task.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool cspr_finding_log_on(void)
{
    return cspr_flags.finding_log && *cspr_flags.finding_log;
}

// --- JSON ------------------------------------------------------------------------------------------------------------------------

// The length of the well-formed UTF-8 sequence at p (RFC 3629: shortest form, no surrogates, up to U+10FFFF); 0: there is none.
static size_t utf8_length(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned char first_lo, first_hi, second_lo, second_hi, length;
    } forms[] = {{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
                 {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
                 {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    if (*p < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (*p < forms[i].first_lo || *p > forms[i].first_hi)
            continue;
        if (n < forms[i].length || p[1] < forms[i].second_lo || p[1] > forms[i].second_hi)
            return 0;
        for (size_t k = 2; k < forms[i].length; k++)
            if (p[k] < 0x80 || p[k] > 0xbf)
                return 0;
        return forms[i].length;
    }
    return 0;
}

// "\033[1;31m": a colour of ours. Its length, 0: none here.
static size_t colour_length(const char *p, size_t n)
{
    size_t i = 2;
    if (n < 3 || p[0] != '\033' || p[1] != '[')
        return 0;
    while (i < n && ((p[i] >= '0' && p[i] <= '9') || p[i] == ';'))
        i++;
    return i < n && p[i] == 'm' ? i + 1 : 0;
}

static void add_control(cspr_text *t, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *shorts = c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : NULL;
    if (shorts)
        cspr_text_bytes(t, shorts, 2);
    else
        cspr_text_add(t, "\\u00%c%c", digits[c >> 4], digits[c & 15]);
}

void cspr_json_bytes(cspr_text *t, const char *bytes, size_t n)
{
    cspr_text_bytes(t, "\"", 1);
    for (size_t i = 0, step; i < n; i += step) {
        unsigned char c = (unsigned char)bytes[i];
        if ((step = colour_length(bytes + i, n - i)))
            continue;
        step = utf8_length((const unsigned char *)bytes + i, n - i);
        if (step == 0) {
            cspr_text_bytes(t, "\xef\xbf\xbd", 3);
            step = 1;
        } else if (c == '"' || c == '\\') {
            char escaped[2] = {'\\', (char)c};
            cspr_text_bytes(t, escaped, 2);
        } else if (c < 0x20 || c == 0x7f) {
            add_control(t, c);
        } else {
            cspr_text_bytes(t, bytes + i, step);
        }
    }
    cspr_text_bytes(t, "\"", 1);
}

void cspr_json_string(cspr_text *t, const char *text)
{
    if (text)
        cspr_json_bytes(t, text, strlen(text));
    else
        cspr_text_add(t, "null");
}

// --- the file --------------------------------------------------------------------------------------------------------------------

static bool is_broken; // atomic; the last line in the file has no end

static bool write_whole(int fd, const char *bytes, size_t n)
{
    ssize_t done;
    do
        done = write(fd, bytes, n);
    while (done < 0 && errno == EINTR);
    if (done >= 0 && (size_t)done < n)
        errno = ENOSPC;
    return done == (ssize_t)n;
}

static void append(const char *line, size_t n)
{
    int fd = open(cspr_flags.finding_log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    bool good = fd >= 0;
    // relaxed: a hint for the reader's sake; lines of several threads come one after the other, under the report lock or at the end
    if (good && __atomic_load_n(&is_broken, __ATOMIC_RELAXED))
        good = write_whole(fd, "\n", 1);
    if (good)
        good = write_whole(fd, line, n);
    if (!good) {
        if (!__atomic_exchange_n(&is_broken, true, __ATOMIC_RELAXED)) // relaxed: as above
            cspr_note("cannot write finding_log %s: error %d", cspr_flags.finding_log, errno);
    } else {
        __atomic_store_n(&is_broken, false, __ATOMIC_RELAXED); // relaxed: as above
    }
    if (fd >= 0)
        close(fd);
}

void cspr_finding_log_line(const char *line, size_t n)
{
    int saved = errno, cancel = cspr_cancel_off();
    cspr_enter();
    append(line, n);
    cspr_leave();
    cspr_cancel_on(cancel);
    errno = saved;
}

// --- stacks ----------------------------------------------------------------------------------------------------------------------

void cspr_report_role(cspr_report *r, const char *role, bool is_primary, cspr_who who)
{
    r->role = role;
    r->role_is_primary = is_primary;
    r->role_who = who;
    r->role_what[0] = 0;
}

static void add_frame(cspr_text *t, const cspr_place *p)
{
    cspr_text_add(t, "{\"function\":");
    cspr_json_string(t, p->function);
    cspr_text_add(t, ",\"file\":");
    cspr_json_string(t, p->file ? cspr_strip_prefix(p->file) : NULL);
    cspr_text_add(t, ",\"line\":%u,\"column\":%u,\"start_line\":%u,\"module\":", p->line, p->column, p->start_line);
    cspr_json_string(t, p->module);
    cspr_text_add(t, ",\"offset\":%lu,\"library\":%s}", p->offset, p->ours ? "true" : "false");
}

static void add_who(cspr_text *t, cspr_who who)
{
    cspr_identity id = {0};
    if (!who) {
        cspr_text_add(t, "\"task\":null,\"name\":null");
        return;
    }
    cspr_who_get(who, &id);
    cspr_text_add(t, "\"task\":%lu,\"thread\":%s,\"name\":", id.id, id.kind == CSPR_KIND_THREAD ? "true" : "false");
    cspr_json_string(t, id.name[0] ? id.name : NULL);
}

static void add_stack(cspr_report *r, const cspr_view *v)
{
    cspr_text *t = &r->stacks;
    cspr_text_add(t, "%s{\"role\":\"%s\",\"primary\":%s,\"what\":", t->len ? "," : "", r->role,
                  r->role_is_primary ? "true" : "false");
    cspr_json_string(t, r->role_what[0] ? r->role_what : r->role);
    cspr_text_add(t, ",");
    add_who(t, r->role_who);
    cspr_text_add(t, ",\"frames\":[");
    for (size_t i = 0; i < v->n; i++) {
        if (i)
            cspr_text_bytes(t, ",", 1);
        add_frame(t, &v->places[i]);
    }
    cspr_text_add(t, "]}");
}

void cspr_finding_add_stack(cspr_report *r, const cspr_view *v)
{
    if (!r->role)
        return;
    if (r->role_is_primary)
        r->key += cspr_view_hash(v) | 1; // in any order
    if (cspr_finding_log_on())
        add_stack(r, v);
    r->role = NULL;
}

void cspr_finding_add_frames(cspr_report *r, const uintptr_t *frames, size_t n)
{
    static cspr_view v; // under the report lock
    cspr_view_frames(&v, frames, n, false);
    cspr_finding_add_stack(r, &v);
}

// --- lines -----------------------------------------------------------------------------------------------------------------------

static const char *name_kind(const char *what)
{
    static const char inversion[] = "lock-order-inversion";
    if (!strcmp(what, "coroutine leak"))
        return "leak";
    return strncmp(what, inversion, sizeof inversion - 1) ? what : "lock inversion";
}

void cspr_finding_write(cspr_report *r, const char *kind, const char *title)
{
    cspr_text line = {0};
    if (!r->is_mild)
        cspr_schedule_file_finding(name_kind(kind), title);
    if (cspr_finding_log_on()) {
        cspr_text_add(&line, "{\"type\":\"finding\",\"kind\":");
        cspr_json_string(&line, name_kind(kind));
        cspr_text_add(&line, ",\"title\":");
        cspr_json_string(&line, title);
        cspr_text_add(&line, ",\"mild\":%s,\"stacks\":[", r->is_mild ? "true" : "false");
        cspr_text_bytes(&line, r->stacks.data ? r->stacks.data : "", r->stacks.len);
        cspr_text_add(&line, "],\"text\":");
        cspr_json_bytes(&line, r->text.data, r->text.data ? r->text.len : 0);
        cspr_text_add(&line, "}\n");
        cspr_finding_log_line(line.data, line.len);
        cspr_text_fini(&line);
    }
    cspr_text_fini(&r->stacks);
}

typedef struct ending {
    const char *kind, *message;
    uintptr_t frames[CSPR_MAX_FRAMES];
    size_t n;
} ending;

static void write_ending(const ending *e, const cspr_view *v)
{
    cspr_report r = {0};
    char title[512];
    cspr_report_role(&r, "here", true, cspr_self.task ? cspr_self.task->who : 0);
    if (v)
        cspr_finding_add_stack(&r, v);
    cspr_format(title, sizeof title, "%s: %s", e->kind, e->message);
    cspr_text_add(&r.text, "%s\n", title);
    cspr_finding_write(&r, e->kind, title);
    cspr_text_fini(&r.text);
}

static void write_ending_locked(void *arg)
{
    static cspr_view v; // under the report lock
    const ending *e = arg;
    cspr_view_frames(&v, e->frames, e->n, false);
    write_ending(e, &v);
}

// A fault may have come while this thread was in the detector, with locks of its: then there is no asking for stacks.
void cspr_finding_ending(const char *kind, const char *message, const void *pc)
{
    static ending e; // the process ends once
    int saved = errno;
    if (!cspr_ready || !(cspr_finding_log_on() || cspr_controlled))
        return;
    e.kind = kind;
    e.message = message;
    if (pc && !cspr_self.in_rtl && cspr_self.task)
        e.n = cspr_stack_frames(cspr_stack_here((void *)pc, NULL), 0xff, e.frames, CSPR_MAX_FRAMES, NULL);
    else if (pc)
        e.frames[e.n++] = (uintptr_t)pc;
    cspr_enter();
    if (!pc)
        e.n = cspr_unwind(e.frames, CSPR_MAX_FRAMES);
    if (cspr_self.in_rtl == 1) {
        cspr_report_lock();
        cspr_call_on_own_stack(write_ending_locked, &e);
        cspr_report_unlock();
    } else {
        write_ending(&e, NULL);
    }
    cspr_leave();
    errno = saved;
}
