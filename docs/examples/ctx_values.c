// ctx_values.c - what belongs to a request travels with its context, through functions that do not know of it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Keys are compared as pointers: the address of a static variable is a key that nobody else has. A context made from another
// knows what that one knows; the nearest value wins.
#include <csp/csp.h>

#include <stdio.h>

static const char user_key, trace_key;

static void log_line(csp_ctx *ctx, const char *text)
{
    const char *user = csp_ctx_value(ctx, &user_key), *trace = csp_ctx_value(ctx, &trace_key);
    printf("[%s %s] %s\n", user ? user : "nobody", trace ? trace : "-", text);
}

static void query_database(csp_ctx *ctx)
{
    log_line(ctx, "querying");
}

static int handle(csp_ctx *ctx, void *user)
{
    csp_ctx *mine = csp_ctx_with_value(ctx, &user_key, user);
    query_database(mine);
    csp_ctx *inner = csp_ctx_with_value(mine, &trace_key, "t2");
    log_line(inner, "done");
    csp_ctx_free(inner);
    csp_ctx_free(mine);
    return 0;
}

int main(void)
{
    csp_ctx *root = csp_ctx_with_value(NULL, &trace_key, "t1");
    log_line(root, "starting");
    csp_group *g = csp_group_new(root);
    csp_group_go(g, handle, "ann");
    csp_group_wait(g);
    csp_group_free(g);
    csp_ctx_free(root);
    return 0;
}
