// race_log.c - option race_log: the bytes of every race found, for other programs; also of races seen before.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A race is about up to eight bytes of one word, not always adjacent: one line "address size" for each run of them. Only a large
// block that is freed without an order after its allocation is reported as a whole: that races at each of its bytes.
#include "report/race_log.h"

#include "shadow/extent.h"
#include "support/print.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { NOT_OPEN = -1, CANNOT_OPEN = -2 };

static int log_file = NOT_OPEN; // atomic

static int open_file(void)
{
    int fd = open(cspr_flags.race_log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd >= 0)
        return fd;
    cspr_note("cannot write race_log %s: error %d", cspr_flags.race_log, errno);
    return CANNOT_OPEN;
}

static int find_file(void)
{
    int fd = __atomic_load_n(&log_file, __ATOMIC_RELAXED),
        mine = NOT_OPEN; // relaxed: the number is all there is to know
    if (fd != NOT_OPEN)
        return fd;
    fd = open_file();
    if (__atomic_compare_exchange_n(&log_file, &mine, fd, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return fd;
    if (fd >= 0)
        close(fd); // another thread was faster
    return mine;
}

void cspr_race_log(const cspr_race *race)
{
    if (!cspr_flags.race_log || !*cspr_flags.race_log)
        return;
    int saved = errno, fd = find_file();
    uintptr_t word = race->addr & ~(uintptr_t)7;
    char lines[9 * 32];
    size_t n = 0;
    for (unsigned mask = race->current.byte_mask, from; mask && fd >= 0; mask &= mask + (1u << from)) {
        from = (unsigned)__builtin_ctz(mask);
        n += cspr_format(lines + n, sizeof lines - n, "0x%lx %d\n", word + from, __builtin_ctz(~(mask >> from)));
    }
    bool at_granule = word % CSPR_GRANULE == 0; // such a report is the only one of a granule's, and of those after it
    if (race->current.is_free && race->previous.is_alloc && at_granule && fd >= 0)
        n += cspr_format(lines + n, sizeof lines - n, "0x%lx %lu\n", race->current.addr, race->current.size);
    if (n && write(fd, lines, n) < 0) // one write: lines of several threads do not mix
        cspr_note("cannot write race_log %s: error %d", cspr_flags.race_log, errno);
    errno = saved;
}
