// select.h - waiting for the first of several channel operations, as Go's select.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//     int n; bool ok;
//     switch (CSP_SELECT(csp_case_recv(numbers, &n, &ok), csp_case_send(out, &x), csp_case_after(100 * CSP_MS))) {
//     case 0: ... n was received, or numbers is closed (!ok)
//     case 1: ... x was sent
//     case 2: ... neither within 100 ms
//     }
#ifndef CSP_SELECT_H
#define CSP_SELECT_H

#include "chan.h"

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

// One case of a select. Complete, so that arrays of it can be made, but built only by the csp_case_ functions below; its
// fields are the runtime's. It may be used again in later selects.
typedef struct csp_case {
    int op;
    csp_chan *chan;
    void *buf; // value to send (read only), or place to receive into
    bool *ok;
    int64_t ns;
    const struct csp_site *site; // where this case was built
} csp_case;

// Sends *v on c. v is read when the select begins, chosen or not (as Go evaluates it), and must stay valid until the select
// returns. A closed channel is ready: the select panics with "send on closed channel". A NULL channel is never ready.
CSP_SITE csp_case csp_case_send(csp_chan *c, const void *v);

// Receives from c into *v; *ok (ok may be NULL) becomes true when a value was received, false when c is closed and drained
// (*v is then zeroed). Both are written only when the case is chosen. v may be NULL. A NULL channel is never ready.
CSP_SITE csp_case csp_case_recv(csp_chan *c, void *v, bool *ok);

// Ready ns nanoseconds after the select began (at once when ns <= 0). Allocates nothing and is gone with the select.
CSP_SITE csp_case csp_case_after(int64_t ns);

// Performs exactly one of the cases and returns its index; parks until one is ready. Among several ready ones the choice is
// random and even. n = 0 (cases may then be NULL), and only NULL channels: parks for ever.
CSP_SITE int csp_select(const csp_case *cases, size_t n);

// As csp_select, but gives up at an instant of csp_now(), or when ctx is cancelled or its deadline passes (NULL, background:
// never): -1, and errno is ETIMEDOUT or ECANCELED. A case that is ready at once is taken although the limit is over. What gave
// up orders nothing, but for a cancellation before the return that reports it.
CSP_SITE int csp_select_until(const csp_case *cases, size_t n, int64_t at);
CSP_SITE int csp_select_ctx(const csp_case *cases, size_t n, csp_ctx *ctx);

// As csp_select, but never parks: -1 when no case is ready. Go: a select with default.
CSP_SITE int csp_try_select(const csp_case *cases, size_t n);

CSP_PUBLIC_END
#ifdef __cplusplus
}

template <class... Cases> CSP_SITE inline int csp_select_of(const Cases &...cases)
{
    const csp_case list[] = {cases...};
    return csp_select(list, sizeof...(cases));
}
// csp_select over the cases written out.
#define CSP_SELECT(...) csp_select_of(__VA_ARGS__)
#else
// csp_select over the cases written out.
#define CSP_SELECT(...)                                                                                                \
    csp_select((const csp_case[]){__VA_ARGS__}, sizeof((const csp_case[]){__VA_ARGS__}) / sizeof(csp_case))
#endif
#endif
