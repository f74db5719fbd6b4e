// profile_file.c - a profile from a file and to a file.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "control/profile.h"
#include "control/strategy_state.h"
#include "rtl.h"
#include "support/print.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void cspr_profile_read(const char *path)
{
    size_t len, map_size;
    char *text = cspr_read_file(path, &len, &map_size);
    if (!text)
        cspr_die("schedule_profile: cannot read %s: %s", path, strerrordesc_np(errno));
    if (!cspr_profile_parse(text))
        cspr_die("schedule_profile: %s is not a profile", path);
    cspr_unmap(text, map_size);
}

static bool write_all(int fd, const char *bytes, size_t n)
{
    while (n) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0) {
            bytes += done;
            n -= (size_t)done;
        }
    }
    return true;
}

void cspr_profile_write(const char *path)
{
    int saved = errno, cancel = cspr_cancel_off();
    cspr_text text = {0};
    cspr_text_add(&text, "cspthread profile 1\n");
    for (size_t i = 1; i < cspr_strategy.n_tasks; i++) {
        const cspr_strategy_task *t = &cspr_strategy.tasks[i];
        if (t->known)
            cspr_text_add(&text, "%lx %lx %lu\n", t->key, t->parent, t->executed);
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || !write_all(fd, text.data, text.len))
        cspr_note("cannot write schedule_profile_out %s: error %d", path, errno);
    if (fd >= 0)
        close(fd);
    cspr_text_fini(&text);
    cspr_cancel_on(cancel);
    errno = saved;
}
