// symbolizer.c - the process that knows functions, lines and variables, asked over a socket pair.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Invariants
//   I1 Everything here runs under the report lock and calls nothing of the program's (no malloc, no atfork handlers).
//   I2 The process is a grandchild without a parent to wait for it: the program's own wait() never meets it, and it never
//      raises SIGCHLD. A socket pair instead of pipes lets us write without risking SIGPIPE.
//   I3 Its descriptor is close-on-exec and above 100: children do not inherit it, programs that count on small numbers work.
//   I4 Questions are answered in their order, each answer ends with an empty line. What is asked together is sent together.
//   I5 The fork server's process serves its forks, of which one runs at a time. One that was killed in a conversation leaves half a
//      question or answers behind, so each fork begins with a line of its own and drops what comes before that is answered.
// When it is missing, dies or does not answer, places have module and offset only; that is said once.
#include "report/symbolizer.h"
#include "flags.h"
#include "rtl.h"
#include "support/print.h"

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

enum { ANSWER_CAP = 65536 };

static int link_fd = -1; // to the process
static bool gave_up;     // missing or died: not tried again
static bool is_own;      // csp-symbolizer: knows variables
static bool is_shared;   // our forks go on with it
static bool is_taken;    // it was our server's, and nobody knows where its last conversation ended
static char answer[ANSWER_CAP];
static size_t n_received; // bytes in answer
static size_t n_used;     // of them, those of answers given out

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
    if (!program || !*program || access(program, X_OK) != 0 || !start_program(program))
        return false;
    is_own = strstr(program, "csp-symbolizer") != NULL;
    return true;
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

// The one beside the compiler plugin that made the program (Sites.cpp).
extern const char __csp_tools[] __attribute__((weak, visibility("hidden")));

static bool start(void)
{
    const char *asked = cspr_flags.external_symbolizer_path;
    if (asked && *asked) {
        if (start_if_there(asked))
            return true;
        cspr_note("external_symbolizer_path: cannot run %s", asked);
    }
    return start_if_there(cspr_getenv("CSPTHREAD_SYMBOLIZER_PATH")) || start_if_there(__csp_tools) ||
           start_if_there(CSPR_BUILT_BIN "/csp-symbolizer") || start_if_there(CSPR_INSTALLED_BIN "/csp-symbolizer") ||
           start_from_path("csp-symbolizer") || start_if_there("/usr/lib/llvm-22/bin/llvm-symbolizer") ||
           start_from_path("llvm-symbolizer-22") || start_from_path("llvm-symbolizer");
}

static void drop_process(void);

static bool give_up(const char *why)
{
    drop_process();
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
    return give_up("symbolizer not found (install llvm-22, or set external_symbolizer_path)");
}

void cspr_symbolizer_share(void)
{
    is_shared = is_running() && is_own;
}

// A fork of a fork would ask while the first one does.
void cspr_symbolizer_after_fork(void)
{
    is_taken = is_shared && link_fd >= 0;
    is_shared = false;
    if (!is_taken)
        drop_process();
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

// The next answer, up to the empty line that ends it, which is cut off; NULL: none came.
static char *receive_answer(void)
{
    if (n_used) {
        memmove(answer, answer + n_used, n_received - n_used);
        n_received -= n_used;
        n_used = 0;
    }
    for (size_t looked = 0;;) {
        for (; looked + 1 < n_received; looked++) {
            if (answer[looked] != '\n' || answer[looked + 1] != '\n')
                continue;
            answer[looked + 1] = 0;
            n_used = looked + 2;
            return answer;
        }
        if (n_received == ANSWER_CAP)
            return NULL;
        struct pollfd p = {link_fd, POLLIN, 0};
        int ready = poll(&p, 1, cspr_flags.symbolizer_timeout_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0) {
            errno = ETIMEDOUT;
            return NULL;
        }
        ssize_t got = ready > 0 ? recv(link_fd, answer + n_received, ANSWER_CAP - n_received, 0) : -1;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got ? errno : EPIPE;
            return NULL;
        }
        n_received += (size_t)got;
    }
}

bool cspr_symbolizer_knows_variables(void)
{
    return is_running() && is_own;
}

static void drop_process(void)
{
    if (link_fd >= 0)
        close(link_fd);
    link_fd = -1;
    is_taken = false;
    n_received = n_used = 0;
}

// I5. False: it is of no use.
static bool take_over(void)
{
    char line[64];
    size_t n = cspr_format(line, sizeof line, "\nECHO %d\n", (int)getpid());
    if (!send_all(line, n))
        return false;
    for (const char *text; (text = receive_answer());)
        if (strcmp(text, line + 1) == 0) {
            is_taken = false;
            return true;
        }
    return false;
}

// All of them, from the first unanswered one on; *done counts. False: the process is of no use any more.
static bool converse(const cspr_text *questions, const size_t *ends, size_t n, size_t *done, cspr_answer_fn *take,
                     void *arg)
{
    errno = 0; // an answer that just ends sets none
    size_t from = *done ? ends[*done - 1] : 0;
    if (is_taken && !take_over())
        return false;
    if (!send_all(questions->data + from, ends[n - 1] - from))
        return false;
    while (*done < n) {
        const char *text = receive_answer();
        if (!text)
            return false;
        take(*done, text, arg);
        ++*done;
    }
    return true;
}

// A process that ended, or a descriptor that the program closed, is replaced, as long as each gives an answer or two.
bool cspr_symbolizer_ask(const cspr_text *questions, const size_t *ends, size_t n, cspr_answer_fn *take, void *arg)
{
    size_t done = 0;
    for (int attempt = 0; attempt < 2; attempt++) {
        size_t before = done;
        if (!is_running())
            return false;
        if (converse(questions, ends, n, &done, take, arg))
            return true;
        if (errno == ETIMEDOUT)
            return give_up("the symbolizer does not answer");
        // NOLINTNEXTLINE(clang-analyzer-unix.Errno): what failed has set it, or it is the 0 from above
        if (errno == EBADF || errno == ENOTSOCK)
            link_fd = -1; // it is the program's by now, or nobody's
        drop_process();
        attempt -= done > before;
    }
    return give_up("the symbolizer died");
}
