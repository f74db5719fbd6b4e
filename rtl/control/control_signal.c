// control_signal.c - signals and processes under a controlled schedule.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A signal that the process sends itself goes to the sender when it does not block it, and so arrives at once; one for another thread
// of the process is handled when that has the turn again, for which it is woken. Signals from outside, and the ends of other
// processes, come in real time: they are looked for when no task can go on.
#include "control/control_world.h"
#include "intercept/intercept_thread.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// --- sending ---------------------------------------------------------------------------------------------------------------------------

CSPR_LIBC(kill);
CSPR_LIBC(raise);
CSPR_LIBC(pthread_kill);
CSPR_LIBC(sigqueue);

static bool is_blocked_here(int sig)
{
    sigset_t mask;
    return pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0 && sigismember(&mask, sig) == 1;
}

static int controlled_kill(pid_t pid, int sig)
{
    if (!cspr_is_program())
        return libc_kill(pid, sig);
    cspr_control_point(CSP_OP_KILL, NULL);
    bool to_me = pid == getpid() && sig > 0 && sig < NSIG && !is_blocked_here(sig);
    int result = to_me ? (int)syscall(SYS_tgkill, pid, syscall(SYS_gettid), sig) : libc_kill(pid, sig);
    cspr_world_retry();
    return result;
}

static int controlled_raise(int sig)
{
    if (cspr_is_program())
        cspr_control_point(CSP_OP_KILL, NULL);
    return libc_raise(sig);
}

static int controlled_sigqueue(pid_t pid, int sig, const union sigval value)
{
    if (cspr_is_program())
        cspr_control_point(CSP_OP_KILL, NULL);
    int result = libc_sigqueue(pid, sig, value);
    if (cspr_is_program())
        cspr_world_retry();
    return result;
}

// It is queued when this returns; the thread meets it on its way out of the kernel, before it does anything else.
static int controlled_pthread_kill(pthread_t thread, int sig)
{
    if (!cspr_is_program())
        return libc_pthread_kill(thread, sig);
    cspr_control_point(CSP_OP_KILL, NULL);
    cspr_control_own *target = cspr_thread_own(thread);
    int result = libc_pthread_kill(thread, sig);
    if (result || !target || !target->waits_for || target == cspr_control_own_record())
        return result;
    target->interrupted = (uint8_t)cspr_signal_interruption(sig);
    if (target->interrupted)
        cspr_control_wake(target->waits_for, UINT_MAX);
    cspr_world_retry();
    return 0;
}

// --- waiting for one ------------------------------------------------------------------------------------------------------------------------

CSPR_LIBC(sigwait);
CSPR_LIBC(sigwaitinfo);
CSPR_LIBC(sigtimedwait);
CSPR_LIBC(sigsuspend);
CSPR_LIBC(pause);

static const void *own_signals(void)
{
    return cspr_control_own_record();
}

// -1 with errno EAGAIN: none came in time.
static int take_signal(const sigset_t *set, siginfo_t *info, int64_t deadline)
{
    static const struct timespec at_once;
    cspr_control_testcancel();
    cspr_control_point(CSP_OP_KILL, NULL);
    for (;;) {
        int sig = libc_sigtimedwait(set, info, &at_once);
        if (sig >= 0 || errno != EAGAIN)
            return sig;
        if (cspr_control_time() >= deadline)
            return -1;
        cspr_world_await_retry(CSP_OP_KILL, own_signals(), deadline, NULL);
        cspr_control_testcancel();
        if (cspr_control_was_interrupted(false)) {
            errno = EINTR;
            return -1;
        }
    }
}

static int controlled_sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
    return cspr_is_program() ? take_signal(set, info, INT64_MAX) : libc_sigwaitinfo(set, info);
}

static int controlled_sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
                                   const struct timespec *restrict timeout)
{
    if (!cspr_is_program() || (timeout && (timeout->tv_sec < 0 || !cspr_is_instant(timeout))))
        return libc_sigtimedwait(set, info, timeout);
    return take_signal(set, info, timeout ? cspr_control_after(timeout) : INT64_MAX);
}

static int controlled_sigwait(const sigset_t *restrict set, int *restrict sig)
{
    if (!cspr_is_program())
        return libc_sigwait(set, sig);
    int got, saved = errno;
    do
        got = take_signal(set, NULL, INT64_MAX);
    while (got < 0 && errno == EINTR);
    int error = got < 0 ? errno : 0;
    errno = saved;
    if (!error)
        *sig = got;
    return error;
}

// Until a handler has been called; handlers run in the look, or when the turn comes back.
static int wait_for_handler(const sigset_t *mask)
{
    static const struct timespec at_once;
    cspr_control_testcancel();
    uint64_t before = cspr_handlers_called;
    cspr_control_point(CSP_OP_KILL, NULL);
    for (;;) {
        syscall(SYS_ppoll, NULL, 0, &at_once, mask, NSIG / 8);
        if (cspr_handlers_called != before)
            break;
        cspr_world_await_retry(CSP_OP_KILL, own_signals(), INT64_MAX, NULL);
        cspr_control_testcancel();
    }
    (void)cspr_control_was_interrupted(false);
    errno = EINTR;
    return -1;
}

static int controlled_sigsuspend(const sigset_t *mask)
{
    return cspr_is_program() ? wait_for_handler(mask) : libc_sigsuspend(mask);
}

static int controlled_pause(void)
{
    sigset_t mask;
    if (!cspr_is_program())
        return libc_pause();
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    return wait_for_handler(&mask);
}

// --- processes --------------------------------------------------------------------------------------------------------------------------------

CSPR_LIBC(wait);
CSPR_LIBC(waitpid);
CSPR_LIBC(wait4);
CSPR_LIBC(waitid);

static bool await_child(idtype_t type, id_t id, int options)
{
    cspr_world_await_child(type, id, options);
    cspr_control_testcancel();
    if (!cspr_control_was_interrupted(true))
        return true;
    errno = EINTR;
    return false;
}

// As the kernel reads waitpid's argument.
static bool await_pid(pid_t pid, int options)
{
    idtype_t type = pid == -1 ? P_ALL : pid > 0 ? P_PID : P_PGID;
    int what =
        WEXITED | (options & WUNTRACED ? WSTOPPED : 0) | (options & WCONTINUED) | (options & (__WALL | __WCLONE));
    return await_child(type, pid > 0 ? (id_t)pid : pid < -1 ? (id_t)-pid : 0, what);
}

static pid_t controlled_wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    if (!cspr_is_program())
        return libc_wait4(pid, status, options, usage);
    cspr_control_point(CSP_OP_PROCESS, NULL);
    pid_t found;
    while ((found = libc_wait4(pid, status, options | WNOHANG, usage)) == 0 && !(options & WNOHANG))
        if (!await_pid(pid, options))
            return -1;
    return found;
}

static pid_t controlled_waitpid(pid_t pid, int *status, int options)
{
    return cspr_is_program() ? controlled_wait4(pid, status, options, NULL) : libc_waitpid(pid, status, options);
}

static pid_t controlled_wait(int *status)
{
    return cspr_is_program() ? controlled_wait4(-1, status, 0, NULL) : libc_wait(status);
}

static int controlled_waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    if (!cspr_is_program())
        return libc_waitid(type, id, info, options);
    siginfo_t mine = {0};
    int result;
    cspr_control_point(CSP_OP_PROCESS, NULL);
    while ((result = libc_waitid(type, id, &mine, options | WNOHANG)) == 0 && !mine.si_pid && !(options & WNOHANG))
        if (!await_child(type, id, options))
            return -1;
    if (result == 0 && info)
        *info = mine;
    return result;
}

void cspr_control_signals_take_over(void)
{
    CSPR_TAKE_OVER(kill);
    CSPR_TAKE_OVER(raise);
    CSPR_TAKE_OVER(pthread_kill);
    CSPR_TAKE_OVER(sigqueue);
    CSPR_TAKE_OVER(sigwait);
    CSPR_TAKE_OVER(sigwaitinfo);
    CSPR_TAKE_OVER(sigtimedwait);
    CSPR_TAKE_OVER(sigsuspend);
    CSPR_TAKE_OVER(pause);
    CSPR_TAKE_OVER(wait);
    CSPR_TAKE_OVER(waitpid);
    CSPR_TAKE_OVER(wait4);
    CSPR_TAKE_OVER(waitid);
}
