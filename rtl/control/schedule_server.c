// schedule_server.c - option schedule_server: the program starts up once, and each schedule is a fork of it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// While it serves all signals are blocked and SIGCHLD has its default action: no handler of the program's runs in the server or
// meets its children. The child gets the program's own state back before anything else happens.
// A run ends with its server (PR_SET_PDEATHSIG), and the server when its socket does: nothing is left behind, whoever is killed.
#include "control/schedule_server.h"

#include "control/schedule_file.h"
#include "flags.h"
#include "report/report.h"
#include "report/symbolizer.h"
#include "report/unwind.h"
#include "rtl.h"
#include "support/print.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_REQUEST = 8192, MAX_KNOWN = 256 };

static int link_fd = -1;
static bool known_fds[MAX_KNOWN]; // those the program was started with

static int open_pidfd(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

// --- start -----------------------------------------------------------------------------------------------------------------------

static bool is_seqpacket(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

static void note_known(void)
{
    uintptr_t frame;
    cspr_unwind(&frame, 1); // libunwind opens a pipe of its own the first time
    for (int fd = 0; fd < MAX_KNOWN; fd++)
        known_fds[fd] = fcntl(fd, F_GETFD) >= 0;
}

// A program that this one starts finds the option, but not the descriptor: it runs by itself.
void cspr_schedule_server_init(void)
{
    int saved = errno, fd = cspr_flags.schedule_server;
    int high = cspr_schedule_server_on() ? fcntl(fd, F_DUPFD_CLOEXEC, 100) : -1;
    if (high >= 0) {
        close(fd);
        note_known();
        link_fd = high;
    }
    errno = saved;
}

bool cspr_schedule_server_on(void)
{
    return link_fd >= 0 || (cspr_flags.schedule_server > 2 && is_seqpacket(cspr_flags.schedule_server));
}

// --- what runs would share ---------------------------------------------------------------------------------------------------------

static bool is_shared_file(int fd)
{
    struct stat st;
    int mode = fcntl(fd, F_GETFL);
    if (mode < 0 || fstat(fd, &st))
        return false;
    if (S_ISREG(st.st_mode))
        return (mode & O_ACCMODE) != O_RDONLY && !(mode & O_APPEND);
    return !S_ISDIR(st.st_mode) && !S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode);
}

static bool has_shared_file(void)
{
    for (int fd = 3; fd < MAX_KNOWN; fd++)
        if (!known_fds[fd] && is_shared_file(fd))
            return true;
    return false;
}

static bool has_shared_memory(void)
{
    size_t len, map_size;
    bool found = false;
    char *text = cspr_read_file("/proc/self/maps", &len, &map_size);
    for (char *line = text; line && *line && !found; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *mode = line + strcspn(line, " \n");
        found = strlen(mode) > 4 && mode[2] == 'w' && mode[4] == 's';
    }
    if (text)
        cspr_unmap(text, map_size);
    return found;
}

static bool has_threads(void)
{
    size_t len, map_size;
    char *text = cspr_read_file("/proc/self/status", &len, &map_size);
    const char *line = text ? strstr(text, "\nThreads:\t") : NULL;
    bool several = line && strncmp(line + 10, "1\n", 2) != 0;
    if (text)
        cspr_unmap(text, map_size);
    return several;
}

static const char *why_not(void)
{
    if (has_threads())
        return "another thread runs already";
    if (has_shared_file())
        return "it has a socket, a pipe or a file to be written to open, which all schedules would share";
    if (has_shared_memory())
        return "it has shared memory, which would outlive each schedule";
    return NULL;
}

// --- messages ------------------------------------------------------------------------------------------------------------------------

typedef struct request {
    char text[MAX_REQUEST];
    int fds[2];
    size_t n_fds;
} request;

static bool tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool tell(const char *format, ...)
{
    cspr_text t = {0};
    va_list args;
    va_start(args, format);
    cspr_text_addv(&t, format, args);
    va_end(args);
    ssize_t n;
    do
        n = send(link_fd, t.data, t.len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    cspr_text_fini(&t);
    return n >= 0;
}

static void take_fds(struct msghdr *m, request *r)
{
    r->n_fds = 0;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < (h->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
            if (r->n_fds < 2)
                r->fds[r->n_fds++] = fd;
            else
                close(fd);
        }
    }
}

// The length of the text; 0: the other end is gone.
static size_t receive(request *r)
{
    union {
        char bytes[CMSG_SPACE(8 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {r->text, sizeof r->text - 1};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t n;
    do
        n = recvmsg(link_fd, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return 0;
    take_fds(&m, r);
    r->text[n] = 0;
    return (size_t)n;
}

static void close_fds(request *r)
{
    for (size_t i = 0; i < r->n_fds; i++)
        close(r->fds[i]);
    r->n_fds = 0;
}

// --- a run -----------------------------------------------------------------------------------------------------------------------------

typedef struct kept {
    sigset_t mask;
    struct sigaction child;
} kept;

static void become_run(request *r, const kept *program, pid_t server)
{
    static const int places[2] = {STDOUT_FILENO, STDERR_FILENO};
    close(link_fd);
    link_fd = -1;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != server) // it died in between
        _exit(0);
    setpgid(0, 0);
    for (size_t i = 0; i < r->n_fds; i++)
        dup2(r->fds[i], places[i]);
    close_fds(r);
    cspr_flags_parse(&cspr_flags, r->text, "schedule_server");
    sigaction(SIGCHLD, &program->child, NULL);
    sigprocmask(SIG_SETMASK, &program->mask, NULL);
}

static void end_server(pid_t run)
{
    if (run > 0) {
        kill(-run, SIGKILL);
        kill(run, SIGKILL);
    }
    _exit(0);
}

static void reap(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!tell("ended %d", status))
        end_server(0);
}

// Until the run ends, or nobody asks for it any more. Requests that come meanwhile wait in the socket.
static void attend(pid_t pid)
{
    int fd = open_pidfd(pid);
    struct pollfd p[2] = {{fd, POLLIN, 0}, {link_fd, POLLRDHUP, 0}};
    while (fd >= 0) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            break;
        if (p[0].revents)
            break;
        if (p[1].revents & (POLLHUP | POLLRDHUP | POLLERR))
            end_server(pid);
    }
    if (fd >= 0)
        close(fd);
    reap(pid);
}

// True in the child.
static bool run_one(request *r, const kept *program)
{
    pid_t server = getpid();
    cspr_leave(); // the child's in_rtl, and what fork handlers expect
    pid_t pid = fork();
    cspr_enter();
    if (pid == 0) {
        become_run(r, program, server);
        return true;
    }
    int error = errno;
    close_fds(r);
    if (pid < 0) {
        tell("failed %d", error);
        return false;
    }
    setpgid(pid, pid); // here too: whoever reads "started" may kill the group
    if (!tell("started %d", (int)pid))
        end_server(pid);
    attend(pid);
    return false;
}

static void serve(const kept *program)
{
    static request r; // one thread
    cspr_report_lock();
    cspr_symbolizer_share();
    cspr_report_unlock();
    if (!tell("ready"))
        end_server(0);
    for (;;) {
        if (!receive(&r) || !strcmp(r.text, "quit"))
            end_server(0);
        if (run_one(&r, program))
            return;
    }
}

void cspr_schedule_server_serve(void)
{
    if (link_fd < 0)
        return;
    int saved = errno;
    fflush(NULL); // what it has written so far, once; not as many times as there are runs
    cspr_enter();
    cspr_schedule_file_note_modules();
    const char *why = why_not();
    if (why) {
        tell("refused %s", why);
        close(link_fd);
        link_fd = -1;
    } else {
        kept program;
        sigset_t all;
        struct sigaction normal = {.sa_handler = SIG_DFL};
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, &program.mask);
        sigaction(SIGCHLD, &normal, &program.child);
        serve(&program);
    }
    cspr_leave();
    errno = saved;
}
