// errgroup.c - parts of one task: the first that fails stops the others, and its error is the result.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each function is handed the group's context. Part 3 fails; the others, which would take a minute, see the context cancelled
// and return early. Without it the wait would last that minute.
#include <csp/csp.h>

#include <errno.h>
#include <stdio.h>

static int fetch(csp_ctx *ctx, void *arg)
{
    const int *part = arg;
    if (*part == 3)
        return EIO; // no such page, say
    if (!csp_sleep_ctx(60 * CSP_SECOND, ctx))
        return errno; // ECANCELED: the group knows better why
    return 0;
}

int main(void)
{
    static const int parts[] = {1, 2, 3, 4};
    csp_group *g = csp_group_new(NULL);
    for (int i = 0; i < 4; i++)
        csp_group_go(g, fetch, (void *)&parts[i]);
    int err = csp_group_wait(g);
    printf("%s, cause %s\n", err == EIO ? "EIO" : "?", csp_ctx_cause(csp_group_ctx(g)) == EIO ? "EIO" : "?");
    csp_group_free(g);
    return 0;
}
