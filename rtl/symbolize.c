// symbolize.c - one llvm-symbolizer process, asked over a socket pair.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Invariants
//   I1 Everything here runs under the report lock and calls nothing of the program's (no malloc, no atfork handlers).
//   I2 The process is a grandchild without a parent to wait for it: the program's own wait() never meets it, and it never
//      raises SIGCHLD. A socket pair instead of pipes lets us write without risking SIGPIPE.
//   I3 Its descriptor is close-on-exec and above 100: children do not inherit it, programs that count on small numbers work.
// When it is missing or dies, places have module and offset only; that is said once.
#include "symbolize.h"
#include "flags.h"
#include "modules.h"
#include "print.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_CAP = 65536, ANSWER_TIMEOUT_MS = 60000, MAX_INLINED = 32 };

static int link_fd = -1; // to the process
static bool gave_up;     // missing or died: not tried again
static char answer[ANSWER_CAP];

// --- strings that live for ever, each once -----------------------------------------------------------------------------------

static const char *intern(const char *text, size_t n)
{
    enum { BUCKETS = 4096 };
    typedef struct entry {
        struct entry *next;
        size_t n;
        char text[];
    } entry;
    static entry *buckets[BUCKETS];
    static char *room;
    static size_t left;
    size_t hash = 5381;
    for (size_t i = 0; i < n; i++)
        hash = hash * 33 + (unsigned char)text[i];
    for (entry *e = buckets[hash % BUCKETS]; e; e = e->next)
        if (e->n == n && !memcmp(e->text, text, n))
            return e->text;
    size_t need = (sizeof(entry) + n + 8) & ~(size_t)7;
    if (need > left) {
        left = need > 65536 ? need : 65536;
        room = cspr_map(left);
    }
    entry *e = (entry *)room;
    room += need;
    left -= need;
    e->n = n;
    memcpy(e->text, text, n);
    e->text[n] = 0;
    e->next = buckets[hash % BUCKETS];
    buckets[hash % BUCKETS] = e;
    return e->text;
}

// --- the process -------------------------------------------------------------------------------------------------------------

typedef struct spawn {
    const char *program;
    int fd;
    char *stack;          // for the grandchild
    volatile bool failed; // exec did not work; shared memory until then
} spawn;
enum { SPAWN_STACK = 65536 };

static int run_symbolizer(void *arg)
{
    spawn *s = arg;
    static const char *const argv_tail[] = {"--inlines", "--demangle", "--output-style=LLVM", NULL};
    const char *argv[5] = {s->program};
    for (int i = 0; i < 4; i++)
        argv[i + 1] = argv_tail[i];
    char *none[] = {NULL};
    if (dup2(s->fd, 0) == 0 && dup2(s->fd, 1) == 1)
        execve(s->program, (char *const *)argv, environ ? environ : none);
    s->failed = true;
    _exit(127);
}

static int run_parent_of_symbolizer(void *arg)
{
    spawn *s = arg;
    if (clone(run_symbolizer, s->stack + SPAWN_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, s) < 0)
        s->failed = true;
    _exit(0);
}

// Starts `program`; the middle process ends at once (I2). Signals are blocked in both children as in us: none of the
// program's handlers can run there, and Ctrl-C does not end the symbolizer in the middle of a report.
static bool start_program(const char *program)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return false;
    char *stacks = cspr_map(2 * SPAWN_STACK);
    spawn s = {program, ends[1], stacks + SPAWN_STACK, false};
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    // exit signal 0: a wait() of the program's on another thread does not see this child either
    pid_t middle = clone(run_parent_of_symbolizer, stacks + SPAWN_STACK, CLONE_VM | CLONE_VFORK, &s);
    while (middle > 0 && waitpid(middle, NULL, __WALL) < 0 && errno == EINTR)
        ;
    sigprocmask(SIG_SETMASK, &before, NULL);
    cspr_unmap(stacks, 2 * SPAWN_STACK);
    close(ends[1]);
    int high = fcntl(ends[0], F_DUPFD_CLOEXEC, 100);
    if (high >= 0)
        close(ends[0]);
    link_fd = high >= 0 ? high : ends[0];
    if (middle > 0 && !s.failed)
        return true;
    close(link_fd);
    link_fd = -1;
    return false;
}

static bool start_if_there(const char *program)
{
    return program && *program && access(program, X_OK) == 0 && start_program(program);
}

static bool start_from_path(const char *name)
{
    const char *path = cspr_getenv("PATH");
    for (const char *p = path ? path : ""; *p;) {
        const char *end = strchr(p, ':');
        size_t n = end ? (size_t)(end - p) : strlen(p);
        char full[4096];
        cspr_format(full, sizeof full, "%.*s/%s", (int)n, p, name);
        if (n && start_if_there(full))
            return true;
        p += n + (end != NULL);
    }
    return false;
}

static bool start(void)
{
    const char *asked = cspr_flags.external_symbolizer_path;
    if (asked && *asked) {
        if (start_if_there(asked))
            return true;
        cspr_note("external_symbolizer_path: cannot run %s", asked);
    }
    return start_if_there(cspr_getenv("CSPTHREAD_SYMBOLIZER_PATH")) ||
           start_if_there("/usr/lib/llvm-22/bin/llvm-symbolizer") || start_from_path("llvm-symbolizer-22") ||
           start_from_path("llvm-symbolizer");
}

static bool give_up(const char *why)
{
    if (link_fd >= 0)
        close(link_fd);
    link_fd = -1;
    gave_up = true;
    cspr_note("%s: stacks show modules and offsets only", why);
    return false;
}

static bool is_running(void)
{
    if (gave_up || !cspr_flags.symbolize)
        return false;
    if (link_fd >= 0 || start())
        return true;
    return give_up("llvm-symbolizer not found (install llvm-22, or set external_symbolizer_path)");
}

void cspr_symbolizer_after_fork(void)
{
    if (link_fd >= 0)
        close(link_fd);
    link_fd = -1;
}

static bool send_all(const char *bytes, size_t n)
{
    while (n) {
        ssize_t done = send(link_fd, bytes, n, MSG_NOSIGNAL);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        bytes += done;
        n -= (size_t)done;
    }
    return true;
}

// Reads up to the empty line that ends an answer.
static bool receive_answer(void)
{
    size_t n = 0;
    for (;;) {
        struct pollfd p = {link_fd, POLLIN, 0};
        int ready = poll(&p, 1, ANSWER_TIMEOUT_MS);
        if (ready < 0 && errno == EINTR)
            continue;
        ssize_t got = ready > 0 ? recv(link_fd, answer + n, ANSWER_CAP - 1 - n, 0) : 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got ? errno : EPIPE;
            return false;
        }
        n += (size_t)got;
        answer[n] = 0;
        if (n >= 2 && answer[n - 1] == '\n' && answer[n - 2] == '\n')
            return true;
        if (n == ANSWER_CAP - 1)
            return false;
    }
}

// A process that ended, or a descriptor that the program closed, is replaced once per question.
static bool ask(const char *kind, const char *module, uintptr_t offset)
{
    char query[4300];
    size_t n = cspr_format(query, sizeof query, "%s \"%s\" 0x%lx\n", kind, module, offset);
    for (int attempt = 0; attempt < 2; attempt++) {
        if (!is_running())
            return false;
        errno = 0; // an answer that just ends sets none
        if (send_all(query, n) && receive_answer())
            return true;
        // NOLINTNEXTLINE(clang-analyzer-unix.Errno): what failed has set it, or it is the 0 from above
        if (errno != EBADF && errno != ENOTSOCK) // else it is the program's by now, or nobody's
            close(link_fd);
        link_fd = -1;
    }
    return give_up("llvm-symbolizer died");
}

// --- answers -----------------------------------------------------------------------------------------------------------------

static const char *intern_known(const char *text, size_t n)
{
    return n == 0 || (n == 2 && !memcmp(text, "??", 2)) ? NULL : intern(text, n);
}

// Takes ":number" off the end of [text, text + *n).
static unsigned take_number(const char *text, size_t *n)
{
    size_t i = *n;
    while (i > 0 && text[i - 1] >= '0' && text[i - 1] <= '9')
        i--;
    if (i == *n || i == 0 || text[i - 1] != ':')
        return 0;
    unsigned v = 0;
    for (size_t k = i; k < *n; k++)
        v = v * 10 + (unsigned)(text[k] - '0');
    *n = i - 1;
    return v;
}

static size_t line_length(const char *p)
{
    const char *end = strchr(p, '\n');
    return end ? (size_t)(end - p) : strlen(p);
}

size_t cspr_symbolize_parse(const char *p, cspr_place *out, size_t max)
{
    size_t n = 0;
    while (n < max && *p && *p != '\n') {
        size_t function = line_length(p);
        const char *where = p + function + (p[function] == '\n');
        size_t file = line_length(where);
        const char *next = where + file + (where[file] == '\n');
        cspr_place place = {.function = intern_known(p, function)};
        place.column = take_number(where, &file);
        place.line = take_number(where, &file);
        place.file = intern_known(where, file);
        if (!place.file)
            place.line = place.column = 0;
        out[n++] = place;
        p = next;
    }
    return n;
}

// --- questions ---------------------------------------------------------------------------------------------------------------

// What was answered for a pc before. Open addressing; when half full it is emptied.
typedef struct cached {
    uintptr_t pc;
    size_t n;
    cspr_place *places;
} cached;
enum { CACHE_SIZE = 16384 };
static cached *cache;
static size_t n_cached;

static cached *find_cached(uintptr_t pc)
{
    if (!cache)
        cache = cspr_map(CACHE_SIZE * sizeof *cache);
    size_t i = (pc * 0x9e3779b97f4a7c15ull) >> 50;
    while (cache[i].pc && cache[i].pc != pc)
        i = (i + 1) % CACHE_SIZE;
    return &cache[i];
}

static cspr_place *keep_places(const cspr_place *places, size_t n)
{
    static cspr_place *room;
    static size_t left;
    if (n > left) {
        left = 1024;
        room = cspr_map(left * sizeof *room);
    }
    cspr_place *copy = room;
    memcpy(copy, places, n * sizeof *places);
    room += n;
    left -= n;
    return copy;
}

static size_t look_up(uintptr_t pc, cspr_place *out)
{
    cspr_module m;
    bool known = cspr_module_find(pc - 1, &m);
    size_t n = 0;
    if (known &&
        ask("CODE", m.path, pc - 1 - m.bias)) // a return address follows the call: the byte before is inside it
        n = cspr_symbolize_parse(answer, out, MAX_INLINED);
    if (n == 0) {
        out[0] = (cspr_place){0};
        n = 1;
    }
    for (size_t i = 0; i < n; i++) {
        out[i].pc = pc;
        out[i].module = known ? m.path : NULL;
        out[i].offset = known ? pc - m.bias : pc;
        out[i].ours = cspr_pc_is_ours(pc);
    }
    return n;
}

size_t cspr_symbolize(uintptr_t pc, cspr_place *out, size_t max)
{
    cached *c = find_cached(pc);
    if (!c->pc) {
        cspr_place places[MAX_INLINED];
        size_t n = look_up(pc, places);
        if (n_cached * 2 > CACHE_SIZE) {
            memset(cache, 0, CACHE_SIZE * sizeof *cache);
            n_cached = 0;
            c = find_cached(pc);
        }
        *c = (cached){pc, n, keep_places(places, n)};
        n_cached++;
    }
    size_t n = c->n < max ? c->n : max;
    memcpy(out, c->places, n * sizeof *out);
    return n;
}

static uintptr_t read_decimal(const char **p)
{
    uintptr_t v = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++)
        v = v * 10 + (uintptr_t)(**p - '0');
    return v;
}

bool cspr_symbolize_data(uintptr_t addr, cspr_object_name *out)
{
    cspr_module m;
    if (!cspr_module_find(addr, &m))
        return false;
    *out = (cspr_object_name){.module = m.path, .offset = addr - m.bias};
    if (!ask("DATA", m.path, addr - m.bias))
        return true;
    size_t n = line_length(answer);
    const char *p = answer + n + (answer[n] == '\n');
    out->name = intern_known(answer, n);
    out->start = read_decimal(&p) + m.bias;
    p += *p == ' ';
    out->size = read_decimal(&p);
    return true;
}
