// io.h - what the tests of I/O share: each in a process of its own with some number of workers; two ends of a pipe.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TEST_UNIT_RUNTIME_IO_H
#define CSP_TEST_UNIT_RUNTIME_IO_H

#include "csp/csp.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace
{

[[maybe_unused]] int run_with(const char *maxprocs, void (*body)())
{
    fflush(nullptr);
    pid_t pid = fork();
    if (pid == 0) {
        setenv("CSP_MAXPROCS", maxprocs, 1);
        alarm(100);
        body();
        exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct Io : testing::TestWithParam<const char *> {
    void run(void (*body)())
    {
        EXPECT_EQ(run_with(GetParam(), body), 0);
    }
};
INSTANTIATE_TEST_SUITE_P(Workers, Io, testing::Values("1", "2", "8"));

[[maybe_unused]] int ends[2];
[[maybe_unused]] std::atomic<int> done;

// Until `n` coroutines besides main are parked, as far as yielding can tell.
[[maybe_unused]] void let_others_park()
{
    for (int i = 0; i < 50; i++)
        csp_yield();
    csp_sleep(2 * CSP_MS);
}

[[maybe_unused]] void wait_until_alone()
{
    while (csp_count() > 1)
        csp_yield();
}

[[maybe_unused]] void write_hello(void *)
{
    let_others_park();
    EXPECT_EQ(csp_write(ends[1], "hello", 5), 5);
}

[[maybe_unused]] void expect_hello(int fd)
{
    char text[16] = "";
    EXPECT_EQ(csp_read(fd, text, sizeof text), 5);
    EXPECT_STREQ(text, "hello");
}

} // namespace

#endif
