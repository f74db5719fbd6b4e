// signal_test.cc - signals: to channels and contexts, several at once, stopping, ignoring, fork, misuse.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "child.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <sys/resource.h>
#include <vector>

namespace
{

csp_chan *listening(size_t room, std::initializer_list<int> signals)
{
    csp_chan *c = csp_chan_new(sizeof(int), room);
    for (int sig : signals)
        csp_signal_notify(c, sig);
    return c;
}

// What comes within patience; 0: nothing.
int next_signal(csp_chan *c, int64_t patience = 10 * CSP_SECOND)
{
    int sig = 0;
    csp_case cases[] = {csp_case_recv(c, &sig, nullptr), csp_case_after(patience)};
    return csp_select(cases, 2) == 0 ? sig : 0;
}

volatile sig_atomic_t handled;
void handle(int sig)
{
    handled = sig;
}

// Sends sig to this process from outside, later.
void kill_later(int sig)
{
    pid_t me = getpid();
    if (fork() == 0) {
        usleep(50000);
        kill(me, sig);
        _exit(0);
    }
}

TEST(Signal, ReachesEveryListener)
{
    expect_ok([] {
        csp_chan *a = listening(4, {SIGUSR1, SIGUSR2, SIGUSR1}), *b = listening(4, {SIGUSR1});
        raise(SIGUSR1);
        EXPECT_EQ(next_signal(a), SIGUSR1);
        EXPECT_EQ(next_signal(b), SIGUSR1);
        raise(SIGUSR2);
        EXPECT_EQ(next_signal(a), SIGUSR2);
        settle();
        EXPECT_EQ(csp_len(a) + csp_len(b), 0u); // one pair is told once
        csp_signal_stop(a), csp_signal_stop(b);
        csp_chan_free(a), csp_chan_free(b);
    });
}

TEST(Signal, DropsWhatDoesNotFit)
{
    expect_ok([] {
        csp_chan *c = listening(1, {SIGUSR1, SIGUSR2}), *unbuffered = listening(0, {SIGUSR1}),
                 *all = listening(8, {SIGUSR1, SIGUSR2});
        raise(SIGUSR1);
        EXPECT_EQ(next_signal(all), SIGUSR1);
        raise(SIGUSR2);
        EXPECT_EQ(next_signal(all), SIGUSR2);
        csp_signal_stop(all); // the others have been told, too
        EXPECT_EQ(next_signal(c), SIGUSR1);
        EXPECT_EQ(next_signal(c, CSP_MS), 0);
        EXPECT_EQ(next_signal(unbuffered, CSP_MS), 0);
        for (csp_chan *each : {c, unbuffered, all})
            csp_chan_free(each); // stops by itself
    });
}

TEST(Signal, StopPutsBackWhatWas)
{
    expect_ok([] {
        signal(SIGUSR1, handle);
        csp_chan *a = listening(2, {SIGUSR1}), *b = listening(2, {SIGUSR1});
        csp_signal_stop(a);
        csp_signal_stop(a); // twice: nothing
        raise(SIGUSR1);
        EXPECT_EQ(next_signal(b), SIGUSR1);
        EXPECT_EQ(handled, 0);
        csp_chan_free(b);
        raise(SIGUSR1);
        EXPECT_EQ(handled, SIGUSR1);
        EXPECT_EQ(csp_len(a), 0u);
        csp_signal_notify(a, SIGUSR1); // again
        raise(SIGUSR1);
        EXPECT_EQ(next_signal(a), SIGUSR1);
        csp_chan_free(a);
        csp_signal_stop(nullptr);
    });
}

TEST(Signal, WhatCameBeforeTheStopIsSent)
{
    expect_ok([] {
        for (int i = 0; i < 300; i++) {
            csp_chan *c = listening(1, {SIGUSR1});
            raise(SIGUSR1);
            csp_signal_stop(c);
            EXPECT_EQ(csp_len(c), 1u);
            csp_chan_free(c);
        }
    });
}

TEST(Signal, CancelsAContextOnce)
{
    expect_ok([] {
        signal(SIGTERM, handle);
        csp_ctx *ctx = csp_signal_ctx(nullptr, SIGTERM), *child = csp_ctx_with_cancel(ctx);
        raise(SIGTERM);
        EXPECT_FALSE(csp_recv(csp_ctx_done(child), nullptr));
        EXPECT_EQ(csp_ctx_err(child), ECANCELED);
        EXPECT_EQ(csp_ctx_cause(child), SIGTERM);
        EXPECT_EQ(handled, 0);
        EXPECT_EVENTUALLY((raise(SIGTERM), handled == SIGTERM)); // no longer listened to
        csp_ctx_free(ctx), csp_ctx_free(child);
    });
}

TEST(Signal, AContextThatEndsOtherwise)
{
    expect_ok([] {
        signal(SIGTERM, handle);
        csp_ctx *parent = csp_ctx_with_cancel(nullptr), *ctx = csp_signal_ctx(parent, SIGTERM);
        csp_ctx_cancel(parent);
        EXPECT_EQ(csp_ctx_err(ctx), ECANCELED);
        csp_ctx *born_so = csp_signal_ctx(parent, SIGTERM);
        EXPECT_EQ(csp_ctx_err(born_so), ECANCELED);
        csp_ctx_free(csp_signal_ctx(nullptr, SIGTERM)); // the last reference
        raise(SIGTERM);
        EXPECT_EQ(handled, SIGTERM);
        csp_ctx_free(parent), csp_ctx_free(ctx), csp_ctx_free(born_so);
    });
}

TEST(Signal, IgnoreAndReset)
{
    expect_ok([] {
        signal(SIGUSR2, handle);
        csp_chan *c = listening(2, {SIGUSR2});
        csp_ctx *ctx = csp_signal_ctx(nullptr, SIGUSR2);
        csp_signal_ignore(SIGUSR2);
        raise(SIGUSR2);
        EXPECT_EQ(next_signal(c, CSP_MS), 0);
        EXPECT_EQ(csp_ctx_err(ctx), 0);
        EXPECT_EQ(handled, 0);
        csp_signal_notify(c, SIGUSR2); // listening again
        raise(SIGUSR2);
        EXPECT_EQ(next_signal(c), SIGUSR2);
        csp_signal_reset(SIGUSR2);
        raise(SIGUSR2);
        EXPECT_EQ(handled, SIGUSR2);
        csp_signal_reset(SIGUSR2), csp_signal_reset(SIGHUP);
        csp_ctx_free(ctx);
        csp_chan_free(c);
    });
}

// ThreadSanitizer puts signals off until the thread calls into libc, which an idle worker does not, and a forked child of it
// may have threads that we cannot account for.
#if !__has_feature(thread_sanitizer)
// All are asleep, but a signal may come: no deadlock, and no processor time.
TEST(Signal, WaitingForOneIsNoDeadlock)
{
    expect_ok([] {
        csp_chan *c = listening(1, {SIGUSR1});
        kill_later(SIGUSR1);
        rusage before, after;
        getrusage(RUSAGE_SELF, &before);
        int sig;
        csp_recv(c, &sig);
        getrusage(RUSAGE_SELF, &after);
        EXPECT_LT(after.ru_nvcsw - before.ru_nvcsw, 40); // the harness's eight workers going to sleep, and one waking
        csp_ctx *ctx = csp_signal_ctx(nullptr, SIGUSR2);
        kill_later(SIGUSR2);
        csp_recv(csp_ctx_done(ctx), nullptr);
        csp_ctx_free(ctx);
        csp_chan_free(c);
    });
}

TEST(Signal, OtherDeadlocksAreSeen)
{
    expect_dies("fatal error: all coroutines are asleep - deadlock!", [] {
        listening(1, {SIGUSR1}); // but nobody receives
        csp_recv(csp_chan_new(0, 0), nullptr);
    });
    expect_dies("fatal error: all coroutines are asleep - deadlock!", [] {
        csp_chan *c = listening(1, {SIGUSR1});
        csp_signal_stop(c);
        csp_recv(c, nullptr);
    });
}
TEST(Signal, NobodyListensInAForkedChild)
{
    expect_ok([] {
        signal(SIGUSR1, handle);
        csp_chan *c = listening(1, {SIGUSR1});
        csp_signal_ignore(SIGUSR2);
        pid_t pid = fork();
        if (pid == 0) {
            raise(SIGUSR1);
            bool ok = handled == SIGUSR1 && csp_len(c) == 0;
            csp_signal_stop(c);
            csp_signal_notify(c, SIGUSR1); // may listen itself
            raise(SIGUSR1);
            ok = ok && next_signal(c) == SIGUSR1;
            signal(SIGALRM, SIG_DFL);
            raise(ok ? SIGUSR2 : SIGKILL); // is not ignored here
            _exit(0);
        }
        int status;
        waitpid(pid, &status, 0);
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2) << status;
        raise(SIGUSR1);
        EXPECT_EQ(next_signal(c), SIGUSR1);
        EXPECT_EQ(handled, 0);
        csp_chan_free(c);
    });
}
#endif

TEST(Signal, Misuse)
{
    for (int sig : {SIGKILL, SIGSTOP, SIGSEGV, 0, -1, 32, 65, 1000})
        expect_dies("panic: csp_signal: cannot handle signal " + std::to_string(sig),
                    [=] { csp_signal_notify(csp_chan_new(sizeof(int), 1), sig); });
    expect_dies("panic: csp_signal: cannot handle signal 9", [] { csp_signal_ctx(nullptr, SIGKILL); });
    expect_dies("panic: csp_signal: cannot handle signal 19", [] { csp_signal_ignore(SIGSTOP); });
    expect_dies("panic: csp_signal: cannot handle signal 0", [] { csp_signal_reset(0); });
    expect_dies("panic: csp_signal_notify using NULL channel", [] { csp_signal_notify(nullptr, SIGINT); });
    expect_dies("panic: csp_signal_notify: the channel's elements must be int",
                [] { csp_signal_notify(csp_chan_new(8, 1), SIGINT); });
}

// Listeners come and go while signals come; what is freed is not written to.
TEST(Signal, EverythingAtOnce)
{
    expect_ok([] {
        std::atomic<int> left{4};
        csp_chan *always = listening(1, {SIGUSR1, SIGUSR2, SIGTERM});
        for (int i = 0; i < 4; i++)
            go([&, i] {
                for (int k = 0; k < 200; k++) {
                    if (i == 0) {
                        raise(k % 2 ? SIGUSR1 : SIGTERM);
                        csp_yield();
                        continue;
                    }
                    csp_chan *c = listening(k % 3, {SIGUSR1, SIGUSR2});
                    csp_ctx *ctx = csp_signal_ctx(nullptr, SIGTERM);
                    if (k % 2)
                        csp_yield();
                    next_signal(c, 10 * CSP_US);
                    if (k % 5 == 0)
                        csp_signal_stop(c);
                    csp_chan_free(c);
                    csp_ctx_free(ctx);
                }
                left--;
            });
        while (left)
            next_signal(always, CSP_MS);
        csp_chan_free(always);
        EXPECT_EVENTUALLY(csp_count() == 1);
    });
}

} // namespace
