// control_world.c - waiting for descriptors and for the outside under a controlled schedule; whether a descriptor leads outside.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See: control_world.h; rule H3. All of it runs with the turn.
#include "control/control_world.h"

#include "control/control_state.h"
#include "support/print.h"
#include "sync/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// --- where a descriptor leads ------------------------------------------------------------------------------------------------------

// In order of how much is not known. NETWORK: inside, but what was sent arrives a moment later, by the kernel's own threads.
typedef enum end { INSIDE, NETWORK, LISTENS, OUTSIDE } end;

enum { NUMBERS = 1 << 16, SEARCHED = 1024, MAX_NESTED = 5 };
static char numbers[NUMBERS];
bool cspr_world_has_forked; // the other ends may be in a child, too

const void *cspr_world_descriptor(int fd)
{
    return &numbers[(unsigned)fd % NUMBERS];
}

// A pipe's other end: a descriptor of the same pipe that is not opened the same way.
static end find_pipe(int fd, const struct stat *of)
{
    int mode = fcntl(fd, F_GETFL) & O_ACCMODE;
    for (int other = 0; other < SEARCHED && !cspr_world_has_forked; other++) {
        struct stat st;
        if (other == fd || fstat(other, &st) || st.st_ino != of->st_ino || st.st_dev != of->st_dev)
            continue;
        if ((fcntl(other, F_GETFL) & O_ACCMODE) != mode || mode == O_RDWR)
            return INSIDE;
    }
    return OUTSIDE;
}

static bool is_same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b, socklen_t size)
{
    return a->ss_family == b->ss_family && !memcmp(a, b, size);
}

static bool is_our_peer(const struct sockaddr_storage *peer, socklen_t size)
{
    for (int other = 0; other < SEARCHED; other++) {
        struct sockaddr_storage name = {0};
        socklen_t n = sizeof name;
        if (getsockname(other, (struct sockaddr *)&name, &n) == 0 && n == size && is_same_address(peer, &name, n))
            return true;
    }
    return false;
}

static end find_socket(int fd)
{
    int listens = 0;
    socklen_t size = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens)
        return LISTENS;
    struct ucred who;
    size = sizeof who;
    struct sockaddr_storage peer = {0};
    socklen_t n = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &n))
        return LISTENS; // without a peer: anybody may send, ours or not
    if (peer.ss_family != AF_UNIX)
        return is_our_peer(&peer, n) ? NETWORK : OUTSIDE;
    bool ours = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.pid == getpid();
    return ours && !(cspr_world_has_forked && !cspr_fd_has_other_end(fd)) ? INSIDE : OUTSIDE;
}

static end find_end(int fd, unsigned depth);

// The descriptors in an epoll set, by the system's word: the numbers that they had when they were added. Such a number may have
// become another descriptor's since, even the set's own; so deeper than the kernel lets sets be nested, nobody knows.
static end find_set(int set, unsigned depth)
{
    char path[64];
    size_t size, room;
    cspr_format(path, sizeof path, "/proc/self/fdinfo/%d", set);
    char *text = depth < MAX_NESTED ? cspr_read_file(path, &size, &room) : NULL;
    if (!text)
        return OUTSIDE;
    end e = INSIDE;
    for (const char *p = text; e != OUTSIDE && (p = strstr(p, "tfd:")); p++) {
        end one = find_end((int)strtol(p + 4, NULL, 10), depth + 1);
        if (one > e)
            e = one;
    }
    cspr_unmap(text, room);
    return e;
}

static end find_anonymous(int fd, unsigned depth)
{
    char path[64], name[64];
    cspr_format(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, path, name, sizeof name - 1);
    name[n > 0 ? n : 0] = '\0';
    if (strstr(name, "[eventpoll]"))
        return find_set(fd, depth);
    return strstr(name, "[eventfd]") || strstr(name, "[timerfd]") || strstr(name, "[signalfd]") ? INSIDE : OUTSIDE;
}

static end find_end(int fd, unsigned depth)
{
    struct stat st;
    if (fd < 0 || fstat(fd, &st))
        return INSIDE; // it will not wait
    switch (st.st_mode & S_IFMT) {
    case S_IFIFO:
        return find_pipe(fd, &st);
    case S_IFSOCK:
        return find_socket(fd);
    case S_IFCHR:
        return OUTSIDE;
    case 0:
        return find_anonymous(fd, depth);
    default:
        return INSIDE;
    }
}

static void say_outside(int fd)
{
    static char why[96]; // the first one counts
    if (!*why)
        cspr_format(why, sizeof why, "wait for descriptor %d, whose other end is outside the process", fd);
    cspr_control_not_replayable(why);
}

static end find_ends(const struct pollfd *fds, nfds_t n)
{
    end e = INSIDE;
    int saved = errno;
    cspr_enter();
    for (nfds_t i = 0; i < n && e != OUTSIDE; i++) {
        end one = find_end(fds[i].fd, 0);
        if (one > e)
            e = one;
        if (one == OUTSIDE)
            say_outside(fds[i].fd);
    }
    cspr_leave();
    errno = saved;
    return e;
}

// --- who waits ------------------------------------------------------------------------------------------------------------------------

typedef struct waiter {
    struct waiter *next;
    struct pollfd *fds; // NULL: tries again
    nfds_t n;
    const void *obj;
    const char *why;
    end leads;
    const struct child *child; // NULL: none
} waiter;

typedef struct child {
    idtype_t type;
    id_t id;
    int options;
} child;

static waiter *first;

static int look(struct pollfd *fds, nfds_t n)
{
    int saved = errno;
    cspr_enter();
    int ready = poll(fds, n, 0);
    cspr_leave();
    errno = saved;
    return ready;
}

static void remove_waiter(waiter *w)
{
    waiter **p = &first;
    while (*p && *p != w)
        p = &(*p)->next;
    if (*p)
        *p = w->next;
}

static bool wait_as(int op, waiter *w, int64_t deadline_ns)
{
    waiter **end_of_list = &first;
    while (*end_of_list)
        end_of_list = &(*end_of_list)->next;
    *end_of_list = w;
    bool woken = cspr_control_await_cancellable(op, w->obj, deadline_ns);
    remove_waiter(w);
    return woken;
}

bool cspr_world_await(struct pollfd *fds, nfds_t n, int64_t deadline_ns)
{
    const void *obj = n ? cspr_world_descriptor(fds[0].fd) : (const void *)cspr_task_current();
    waiter w = {.fds = fds, .n = n, .obj = obj, .leads = find_ends(fds, n)};
    int64_t timer_ns = cspr_timerfd_next();
    bool woken = wait_as(CSP_OP_IO, &w, timer_ns < deadline_ns ? timer_ns : deadline_ns);
    return woken || timer_ns < deadline_ns; // a timer of theirs: let them look
}

bool cspr_world_await_retry(int op, const void *obj, int64_t deadline_ns, const char *why)
{
    waiter w = {.obj = obj, .why = why, .leads = why ? OUTSIDE : LISTENS};
    return wait_as(op, &w, deadline_ns);
}

bool cspr_world_wake(void)
{
    bool any = false;
    cspr_timerfd_fire();
    for (waiter *w = first; w; w = w->next)
        if (w->fds && look(w->fds, w->n) != 0) {
            cspr_control_wake(w->obj, UINT_MAX);
            any = true;
        }
    return any;
}

static bool has_changed(const child *c)
{
    siginfo_t info = {0};
    int saved = errno;
    long error = syscall(SYS_waitid, c->type, c->id, &info, c->options | WNOHANG | WNOWAIT, NULL);
    errno = saved;
    return error || info.si_pid;
}

static char children; // stands for all of them

// The end of another process is seen when no task can go on; so it is no matter how long it takes, unless there are timers.
bool cspr_world_await_child(idtype_t type, id_t id, int options)
{
    child c = {type, id, options};
    waiter w = {
        .obj = &children, .why = "another process was waited for while timers ran", .leads = OUTSIDE, .child = &c};
    // NOLINTNEXTLINE(clang-analyzer-core.StackAddressEscape): off the list by then
    return wait_as(CSP_OP_PROCESS, &w, INT64_MAX);
}

void cspr_world_changed(void)
{
    if (CSPR_UNLIKELY(first != NULL))
        cspr_world_wake();
}

void cspr_world_retime(void)
{
    for (waiter *w = first; w; w = w->next)
        if (w->fds)
            cspr_control_wake(w->obj, UINT_MAX);
}

void cspr_world_retry(void)
{
    for (waiter *w = first; w; w = w->next)
        if (!w->fds && !w->child)
            cspr_control_wake(w->obj, UINT_MAX);
}

static void wake_for_children(void)
{
    for (waiter *w = first; w; w = w->next)
        if (w->child && has_changed(w->child))
            cspr_control_wake(w->obj, UINT_MAX);
}

void cspr_world_after_fork(bool in_child)
{
    cspr_world_has_forked = true;
    if (in_child)
        first = NULL;
}

// --- nobody can go on -------------------------------------------------------------------------------------------------------------------

static int64_t real_now(void)
{
    struct timespec t;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// For any of the descriptors that lead outside; those who can only try again are given a try each millisecond.
static void wait_really(int64_t limit_ns)
{
    enum { MOST = 64, MS = 1000000 };
    struct pollfd all[MOST];
    nfds_t n = 0;
    bool retries = false;
    for (const waiter *w = first; w; w = w->next) {
        retries |= !w->fds;
        for (nfds_t i = 0; w->fds && i < w->n && n < MOST; i++)
            all[n++] = w->fds[i];
    }
    int64_t most = retries ? MS : 100 * (int64_t)MS; // not for ever: what is beyond MOST, and signals
    int64_t ns = limit_ns < most ? limit_ns : most, before = real_now();
    struct timespec t = {ns / 1000000000, ns % 1000000000};
    int saved = errno;
    syscall(SYS_ppoll, all, n, &t, NULL, 0);
    errno = saved;
    if (limit_ns < INT64_MAX) // else nobody looks for it, and the run stays what its seed says
        cspr_control_set_clock(cspr_control_time() + real_now() - before);
}

// Listeners alone do not hold up timers: those who connect, or send the signal, may be ours, and asleep.
static bool waits_outside(int64_t next_ns)
{
    for (const waiter *w = first; w; w = w->next) {
        if (w->leads == OUTSIDE && w->why && next_ns != INT64_MAX)
            cspr_control_not_replayable(w->why);
        if (w->leads == OUTSIDE || (w->leads == LISTENS && next_ns == INT64_MAX))
            return true;
    }
    return false;
}

bool cspr_world_leads_outside(int fd, int64_t next_ns)
{
    struct pollfd one = {.fd = fd};
    end e = find_ends(&one, 1); // says so of what is outside
    if (e == LISTENS && next_ns == INT64_MAX)
        say_outside(fd);
    return e == OUTSIDE || (e == LISTENS && next_ns == INT64_MAX);
}

// What is on its way within the machine may need some real time; longer where it would be a deadlock else. True: it came.
static bool wait_for_network(int64_t next_ns)
{
    enum { TURNS = 40, NAP_NS = 1000000 };
    bool waits = false;
    for (const waiter *w = first; w; w = w->next)
        waits |= w->leads == NETWORK || w->leads == LISTENS;
    int saved = errno;
    for (int turns = !waits ? 0 : next_ns == INT64_MAX ? TURNS : 1; turns > 0; turns--) {
        struct timespec t = {0, next_ns == INT64_MAX ? NAP_NS : NAP_NS / 10};
        syscall(SYS_nanosleep, &t, NULL);
        if (cspr_world_wake()) {
            errno = saved;
            return true;
        }
    }
    errno = saved;
    return false;
}

bool cspr_world_idle(int64_t next_ns)
{
    if (cspr_control_wake_signalled())
        return true;
    if (CSPR_LIKELY(!first))
        return false;
    if (wait_for_network(next_ns))
        return true;
    if (!waits_outside(next_ns))
        return false;
    for (const waiter *w = first; w; w = w->next)
        if (w->leads == LISTENS && w->fds)
            say_outside(w->fds->fd);
        else if (w->leads == LISTENS)
            cspr_control_not_replayable("a signal or a file's lock came from outside the process");
    int64_t now = cspr_control_time();
    wait_really(next_ns == INT64_MAX ? next_ns : next_ns > now ? next_ns - now : 0);
    cspr_world_wake();
    cspr_world_retry();
    wake_for_children();
    return true;
}
