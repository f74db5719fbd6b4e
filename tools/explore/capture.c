// capture.c - keeps the beginning and the end of what a run writes, however much it is.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "explore/capture.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/argv.h"
#include "common/message.h"
#include "common/text.h"

enum { HEAD = 64 << 10, TAIL = 64 << 10, SLACK = 16 << 20 };

void cspt_capture_open(cspt_capture *c)
{
    *c = (cspt_capture){.fd = memfd_create("output of a run", MFD_CLOEXEC), .cut = HEAD};
    if (c->fd < 0)
        c->fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (c->fd >= 0)
        fcntl(c->fd, F_SETFL, O_APPEND); // several processes write there, each where the end is
}

void cspt_capture_trim(cspt_capture *c)
{
    struct stat s;
    if (c->fd < 0 || fstat(c->fd, &s) < 0 || s.st_size - TAIL - c->cut < SLACK)
        return;
    long long upto = (s.st_size - TAIL) & ~4095LL;
    if (fallocate(c->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, c->cut, upto - c->cut) == 0)
        c->cut = upto;
}

static void append_part(cspt_text *out, int fd, long long from, long long upto)
{
    char buffer[4096];
    while (from < upto) {
        size_t wanted = upto - from < (long long)sizeof buffer ? (size_t)(upto - from) : sizeof buffer;
        ssize_t n = pread(fd, buffer, wanted, from);
        if (n <= 0)
            return;
        for (ssize_t i = 0; i < n; i++) // a text from here on
            if (!buffer[i])
                buffer[i] = '?';
        cspt_text_append(out, buffer, (size_t)n);
        from += n;
    }
}

char *cspt_capture_text(const cspt_capture *c)
{
    struct stat s;
    cspt_text text = {0};
    if (c->fd < 0 || fstat(c->fd, &s) < 0 || !s.st_size)
        return NULL;
    if (s.st_size <= HEAD + TAIL) {
        append_part(&text, c->fd, 0, s.st_size);
        return text.bytes;
    }
    append_part(&text, c->fd, 0, HEAD);
    char *gap = cspt_format("\n[... %lld bytes left out ...]\n", (long long)s.st_size - HEAD - TAIL);
    cspt_text_append(&text, gap, strlen(gap));
    free(gap);
    append_part(&text, c->fd, s.st_size - TAIL, s.st_size);
    return text.bytes;
}

void cspt_capture_close(cspt_capture *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}
