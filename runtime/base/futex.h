// futex.h - wait for a word to change, wake who waits; Linux. errno is preserved.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_BASE_FUTEX_H
#define CSP_RUNTIME_BASE_FUTEX_H

#include <errno.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CSPI_FOREVER INT64_MAX

// Blocks the thread while *word == expected, until woken or the instant deadline_ns (CLOCK_MONOTONIC; CSPI_FOREVER: none).
// False: the deadline passed. May return early; callers look at the word again.
static inline bool cspi_futex_wait(uint32_t *word, uint32_t expected, int64_t deadline_ns)
{
    int saved = errno;
    struct timespec at, *timeout = NULL;
    if (deadline_ns != CSPI_FOREVER) {
        int64_t ns = deadline_ns > 0 ? deadline_ns : 0;
        at.tv_sec = (time_t)(ns / 1000000000);
        at.tv_nsec = (long)(ns % 1000000000);
        timeout = &at;
    }
    // FUTEX_WAIT_BITSET: its timeout is an instant, FUTEX_WAIT's is a duration.
    long r = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, timeout, NULL,
                     FUTEX_BITSET_MATCH_ANY);
    bool timed_out = r != 0 && errno == ETIMEDOUT;
    errno = saved;
    return !timed_out;
}

// Wakes up to n threads. The word's memory may be gone already: a waker must not need it any more.
static inline void cspi_futex_wake(uint32_t *word, int n)
{
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, n, NULL, NULL, 0);
    errno = saved;
}

#endif
