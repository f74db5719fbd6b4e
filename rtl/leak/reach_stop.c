// reach_stop.c - the process's other threads held still by a helper process that traces them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Why not a signal: a thread may block all of them, and calls like poll and nanosleep return early from any handler; a traced
// stop is unseen by the program. A thread cannot trace those of its own process, so the helper is one of its own, in the same
// memory (LeakSanitizer does so). It uses nothing but system calls: the threads may hold any lock.
// Ordering: W1 each hands `turn` over by store-release, the other takes it by load-acquire; carries all of cspr_stopped.
#define _GNU_SOURCE
#include "leak/reach_stop.h"
#include "support/print.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STACK = 64 << 10, MAX_THREADS = 16384, PATIENCE = 5000, NAP_NS = 100000 };
enum { TURN_PREPARE, TURN_STOP, TURN_STOPPED, TURN_LET_GO, TURN_DONE };

static void nap(void)
{
    struct timespec t = {0, NAP_NS};
    syscall(SYS_nanosleep, &t, NULL);
}

static void give_turn(cspr_stopped *s, uint32_t turn)
{
    __atomic_store_n(&s->turn, turn, __ATOMIC_RELEASE); // W1
    syscall(SYS_futex, &s->turn, FUTEX_WAKE, 1);
}

// --- which ------------------------------------------------------------------------------------------------------------------

struct linux_dirent64 {
    uint64_t inode, offset;
    unsigned short size;
    unsigned char type;
    char name[];
};

static int parse(const char *name)
{
    int n = 0;
    for (; *name >= '0' && *name <= '9'; name++)
        n = 10 * n + (*name - '0');
    return n;
}

// Calls fn for each thread of the process with that id; -1: the system does not tell.
static int each_thread(int pid, bool (*fn)(int tid, void *arg), void *arg)
{
    char path[64], buffer[4096] __attribute__((aligned(8)));
    int told = 0;
    cspr_format(path, sizeof path, "/proc/%d/task", pid);
    int dir = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -1;
    for (long n; (n = syscall(SYS_getdents64, dir, buffer, sizeof buffer)) > 0;)
        for (long at = 0; at < n;) {
            const struct linux_dirent64 *e = (const struct linux_dirent64 *)(buffer + at);
            int tid = parse(e->name);
            told += tid > 0 && fn(tid, arg);
            at += e->size;
        }
    syscall(SYS_close, dir);
    return told;
}

struct sorting {
    cspr_stopped *s;
    bool (*is_idle)(int tid);
    int self;
    bool too_many;
};

static bool sort_out(int tid, void *arg)
{
    struct sorting *sorting = arg;
    cspr_stopped *s = sorting->s;
    if (tid != sorting->self && !sorting->is_idle(tid))
        return true;
    if (s->n_left_alone < MAX_THREADS)
        s->left_alone[s->n_left_alone++] = tid;
    else
        sorting->too_many = true;
    return false;
}

static bool is_known(const cspr_stopped *s, int tid)
{
    for (size_t i = 0; i < s->n_left_alone; i++)
        if (s->left_alone[i] == tid)
            return true;
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].tid == tid)
            return true;
    return false;
}

// --- the helper -------------------------------------------------------------------------------------------------------------

// Waits until the thread stands. A signal that was on its way to it is passed on, and it stops afterwards.
static bool wait_for_stop(int tid)
{
    for (int i = 0; i < PATIENCE; i++) {
        int status;
        long got = syscall(SYS_wait4, tid, &status, __WALL | WNOHANG, NULL);
        if (got < 0 || (got == tid && !WIFSTOPPED(status)))
            return false;
        if (got == tid && status >> 16 == PTRACE_EVENT_STOP)
            return true;
        if (got == tid)
            syscall(SYS_ptrace, PTRACE_CONT, tid, NULL, (void *)(uintptr_t)WSTOPSIG(status));
        else
            nap();
    }
    return false;
}

static bool read_registers(cspr_stopped_thread *t)
{
    struct user_regs_struct u;
    struct iovec io = {&u, sizeof u};
    if (syscall(SYS_ptrace, PTRACE_GETREGSET, t->tid, (void *)NT_PRSTATUS, &io) != 0)
        return false;
    *t = (cspr_stopped_thread){
        t->tid,
        u.rsp,
        {u.rbx, u.rbp, u.r12, u.r13, u.r14, u.r15, u.rax, u.rcx, u.rdx, u.rsi, u.rdi, u.r8, u.r9, u.r10, u.r11}};
    return true;
}

static bool stop_one(int tid, void *arg)
{
    cspr_stopped *s = arg;
    if (is_known(s, tid))
        return false;
    if (s->n == MAX_THREADS || syscall(SYS_ptrace, PTRACE_SEIZE, tid, NULL, NULL) != 0) {
        s->failed |= s->n == MAX_THREADS || errno != ESRCH; // it has ended meanwhile
        return false;
    }
    cspr_stopped_thread *t = &s->list[s->n++];
    t->tid = tid;
    bool stands =
        syscall(SYS_ptrace, PTRACE_INTERRUPT, tid, NULL, NULL) == 0 && wait_for_stop(tid) && read_registers(t);
    if (!stands && syscall(SYS_tgkill, getppid(), tid, 0) == 0) // else it has ended
        s->failed = true;
    return true;
}

static void wait_for_turn(cspr_stopped *s, uint32_t turn)
{
    for (uint32_t seen; (seen = __atomic_load_n(&s->turn, __ATOMIC_ACQUIRE)) != turn;) // W1
        syscall(SYS_futex, &s->turn, FUTEX_WAIT, seen, NULL);
}

static int help(void *stopped)
{
    cspr_stopped *s = stopped;
    syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    wait_for_turn(s, TURN_STOP);
    // Until there is no thread that another one made in the meantime.
    for (int n; !s->failed && (n = each_thread(getppid(), stop_one, s)) != 0;)
        s->failed |= n < 0;
    give_turn(s, TURN_STOPPED);
    wait_for_turn(s, TURN_LET_GO);
    for (size_t i = 0; i < s->n; i++)
        syscall(SYS_ptrace, PTRACE_DETACH, s->list[i].tid, NULL, NULL);
    give_turn(s, TURN_DONE);
    syscall(SYS_exit, 0);
    return 0;
}

// --- the caller -------------------------------------------------------------------------------------------------------------

// Without signals: a handler of the program's must not run in the helper.
static int start_helper(cspr_stopped *s)
{
    sigset_t all, before;
    sigfillset(&all);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8);
    int helper = clone(help, s->stack + STACK, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_UNTRACED, s);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
    return helper;
}

static bool helper_lives(const cspr_stopped *s)
{
    return syscall(SYS_wait4, s->helper, NULL, __WALL | WNOHANG, NULL) == 0;
}

// Bounded: should the helper be killed, its threads go on by themselves.
static bool wait_for_helper(cspr_stopped *s, uint32_t turn)
{
    for (uint32_t seen; (seen = __atomic_load_n(&s->turn, __ATOMIC_ACQUIRE)) != turn;) { // W1
        struct timespec limit = {0, 100000000};
        if (syscall(SYS_futex, &s->turn, FUTEX_WAIT, seen, &limit) != 0 && errno == ETIMEDOUT && !helper_lives(s))
            return false;
    }
    return true;
}

static void give_memory_back(cspr_stopped *s)
{
    if (s->list)
        cspr_unmap(s->list, MAX_THREADS * sizeof *s->list);
    if (s->left_alone)
        cspr_unmap(s->left_alone, MAX_THREADS * sizeof *s->left_alone);
    if (s->stack)
        cspr_unmap(s->stack, STACK);
    *s = (cspr_stopped){.n = 0};
}

bool cspr_stop_others(cspr_stopped *s, bool (*is_idle)(int tid))
{
    struct sorting sorting = {s, is_idle, (int)syscall(SYS_gettid), false};
    *s = (cspr_stopped){.left_alone = cspr_map(MAX_THREADS * sizeof *s->left_alone)};
    int others = each_thread(getpid(), sort_out, &sorting);
    if (others <= 0 || sorting.too_many)
        return others == 0 && !sorting.too_many;
    s->list = cspr_map(MAX_THREADS * sizeof *s->list);
    s->stack = cspr_map(STACK);
    s->helper = start_helper(s);
    if (s->helper < 0) {
        s->helper = 0;
        return false;
    }
    prctl(PR_SET_PTRACER, s->helper, 0, 0, 0); // where Yama restricts who may trace; fails where it does not
    give_turn(s, TURN_STOP);
    if (wait_for_helper(s, TURN_STOPPED) && !s->failed)
        return true;
    cspr_let_others_go(s);
    return false;
}

void cspr_let_others_go(cspr_stopped *s)
{
    if (s->helper) {
        give_turn(s, TURN_LET_GO);
        wait_for_helper(s, TURN_DONE);
        syscall(SYS_wait4, s->helper, NULL, __WALL, NULL);
        prctl(PR_SET_PTRACER, 0, 0, 0, 0);
    }
    give_memory_back(s);
}
