// group.h - coroutines that work on parts of one task: wait for all, the first error stops the rest, as Go's errgroup.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//     csp_group *g = csp_group_new(ctx);
//     for (int i = 0; i < n; i++)
//         csp_group_go(g, fetch, &pages[i]);      // int fetch(csp_ctx *ctx, void *page): 0, or an error
//     int err = csp_group_wait(g);                // the first error, or 0
//     csp_group_free(g);
//
// Functions report errors as numbers other than 0, of the program's own choice. Go's package: golang.org/x/sync/errgroup.
#ifndef CSP_GROUP_H
#define CSP_GROUP_H

#include "context.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

typedef struct csp_group csp_group;

// A group whose context is a child of parent (NULL: background). The caller's, to be freed with csp_group_free. Does not park.
CSP_SITE csp_group *csp_group_new(csp_ctx *parent);
// Frees the group and its context. NULL: nothing. Panics while functions of the group run or somebody waits for it: "free of
// group in use". Does not park.
CSP_SITE void csp_group_free(csp_group *g);

// At most n functions run at a time; 0: no limit, as after csp_group_new. Panics while any does: "modify limit while N coroutines
// in the group are still active". Does not park.
CSP_SITE void csp_group_limit(csp_group *g, size_t n);

// The group's context, which its functions are handed: cancelled with the parent, with the first error (which is its cause), and
// when csp_group_wait returns. The group's: it lives until csp_group_free.
csp_ctx *csp_group_ctx(csp_group *g);

// Runs fn(csp_group_ctx(g), arg) in a coroutine of its own. Parks while as many run as the limit allows; those who wait are
// served in order. The call happens before fn; what a function did happens before the fn that got its place (the k-th that ends
// before the start of number k + limit). A function that ends by csp_exit counts as one that returned 0. May be called by
// functions of the group - not at a limit all of whose places wait like this.
CSP_SITE void csp_group_go(csp_group *g, int (*fn)(csp_ctx *ctx, void *arg), void *arg);
// As above, but false instead of parking: the limit is reached, fn does not run.
CSP_SITE bool csp_group_try_go(csp_group *g, int (*fn)(csp_ctx *ctx, void *arg), void *arg);
// As above, but parks until `at` (csp_now()'s clock) at the latest: false, errno ETIMEDOUT.
CSP_SITE bool csp_group_go_until(csp_group *g, int (*fn)(csp_ctx *ctx, void *arg), void *arg, int64_t at);
// As above, but parks until ctx is cancelled at the latest: false, errno ECANCELED or ETIMEDOUT. The group's own context is a
// good one: nothing is started any more once something went wrong.
CSP_SITE bool csp_group_go_ctx(csp_group *g, int (*fn)(csp_ctx *ctx, void *arg), void *arg, csp_ctx *ctx);

// Parks until no function of the group runs or waits to be started; then cancels the context and returns the first result that
// was not 0, or 0. The ends of all functions happen before the return. A group serves one batch: functions started later find
// the context cancelled, and a later wait returns the first error again (as Go's). As with csp_wg, the first csp_group_go must
// be ordered before the wait.
CSP_SITE int csp_group_wait(csp_group *g);
// As above, but false, with errno ETIMEDOUT, if functions still run at `at`; *result is then untouched. True: *result (may be
// NULL) is what csp_group_wait returns. Giving up cancels nothing.
CSP_SITE bool csp_group_wait_until(csp_group *g, int *result, int64_t at);
// As above, but ends when ctx is cancelled: false, errno ECANCELED or ETIMEDOUT.
CSP_SITE bool csp_group_wait_ctx(csp_group *g, int *result, csp_ctx *ctx);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#endif
#endif
