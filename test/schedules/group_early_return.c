// group_early_return.c - a group's second stage returns with an error, and the first goes on sending to it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: the send ends when somebody receives, not when the group's context is cancelled.
// Order: the second stage looks at `loaded` before the loader has set it.
// Depth: 2. Shows as: asleep.
// Source: errgroup pipelines; cockroach#10790 and #18101 in GoKer (GoBench, CGO 2021).
#include <csp/csp.h>

#include <errno.h>
#include <stdatomic.h>

static csp_chan *pages;
static atomic_bool loaded;

static int load(csp_ctx *ctx, void *arg)
{
    (void)ctx;
    (void)arg;
    atomic_store(&loaded, true);
    return 0;
}

static int fetch(csp_ctx *ctx, void *arg)
{
    (void)ctx;
    (void)arg;
    for (int page = 0; page < 2; page++) {
#ifdef FIXED
        if (!csp_send_ctx(pages, &page, ctx))
            return errno;
#else
        csp_send(pages, &page);
#endif
    }
    csp_close(pages);
    return 0;
}

static int parse(csp_ctx *ctx, void *arg)
{
    (void)ctx;
    (void)arg;
    int page;
    CSP_RANGE(page, pages)
    {
        if (!atomic_load(&loaded))
            return EIO;
    }
    return 0;
}

int main(void)
{
    pages = csp_chan_new(sizeof(int), 0);
    csp_group *g = csp_group_new(NULL);
    csp_group_go(g, load, NULL);
    csp_group_go(g, fetch, NULL);
    csp_group_go(g, parse, NULL);
    int err = csp_group_wait(g);
    csp_group_free(g);
    return err != 0 && err != EIO;
}
