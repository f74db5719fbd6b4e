// child.h - runs a test body in a child process, with a given number of workers; for tests of the whole runtime.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The runtime starts once per process and reads CSP_MAXPROCS then, and a panic ends the process: so each body gets its own.
// The parent never starts the runtime, which also keeps fork simple.
#ifndef CSP_TEST_CHILD_H
#define CSP_TEST_CHILD_H

#include <csp/csp.h>

#include <functional>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN 0
#endif

struct Ended {
    int status; // exit status, or 1000 + signal
    std::string output;
};

// TSan starts a thread of its own in every forked child, and another one with the first thread that the process, or one that
// it was forked from, makes: the runtime, which has to know how many threads never call in, reckons with one.
inline void have_one_tool_thread()
{
    static bool done;
    if (UNDER_TSAN && !done)
        std::thread([] {}).join();
    done = true;
}

inline Ended run_child(int workers, const std::function<void()> &body)
{
    have_one_tool_thread();
    int fds[2];
    if (pipe(fds) != 0)
        abort();
    fflush(nullptr);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], 1);
        dup2(fds[1], 2);
        close(fds[0]), close(fds[1]);
        setenv("CSP_MAXPROCS", std::to_string(workers).c_str(), 1);
        alarm(60); // a hang is a failure
        body();
        fflush(nullptr);
        _exit(testing::Test::HasFailure() ? 1 : 0);
    }
    close(fds[1]);
    Ended e;
    char buf[4096];
    for (ssize_t n; (n = read(fds[0], buf, sizeof buf)) > 0;)
        e.output.append(buf, (size_t)n);
    close(fds[0]);
    int status;
    waitpid(pid, &status, 0);
    e.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    return e;
}

// The body runs to its end without a failed expectation, with one, two and eight workers - and, when the test itself was
// compiled with -fsanitize=cspthread, without a report.
inline void expect_ok(const std::function<void()> &body)
{
    for (int workers : {1, 2, 8}) {
        Ended e = run_child(workers, body);
        bool reported = e.output.find("WARNING: CspThreadSanitizer") != std::string::npos;
        EXPECT_TRUE(e.status == 0 && !reported) << "status " << e.status << " with CSP_MAXPROCS=" << workers << ":\n"
                                                << e.output;
    }
}

// The process ends with status 2 and this line on standard error.
inline void expect_dies(const std::string &line, const std::function<void()> &body)
{
    for (int workers : {1, 2}) {
        Ended e = run_child(workers, body);
        EXPECT_EQ(e.status, 2) << e.output;
        EXPECT_NE(e.output.find(line + "\n"), std::string::npos) << "expected: " << line << "\ngot: " << e.output;
    }
}

// csp_go with anything callable.
inline void go(std::function<void()> f)
{
    csp_go(
        [](void *p) {
            auto *fn = static_cast<std::function<void()> *>(p);
            (*fn)();
            delete fn;
        },
        new std::function<void()>(std::move(f)));
}

// Lets the others run until they park, on a loaded machine too; those that compute for ever are waited for in vain.
inline void settle()
{
    csp_sleep(20 * CSP_MS);
    for (int tries = 0; tries < 2000; tries++) {
        csp_stats s;
        csp_stats_get(&s);
        if (s.runnable == 0 && s.workers_idle + s.workers_stuck + 1 >= s.workers)
            return;
        csp_sleep(CSP_MS);
    }
}

// Waits, with patience for a loaded machine, until cond holds.
#define EXPECT_EVENTUALLY(cond)                                                                                        \
    do {                                                                                                               \
        for (int tries = 0; tries < 5000 && !(cond); tries++)                                                          \
            csp_sleep(CSP_MS);                                                                                         \
        EXPECT_TRUE(cond);                                                                                             \
    } while (0)

#endif
