// first_error.c - two requests run at once; the caller leaves at the first error.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: an error that comes first leaves the other request's sender without a receiver.
// Order: the slow request fails before the quick one has answered.
// Depth: 2. Shows as: leak.
// Source: grpc#660 and cockroach#10790 in GoKer (GoBench, CGO 2021); goroutine leaks in Tu et al., ASPLOS 2019.
#include <csp/csp.h>

#include <errno.h>

static csp_chan *answers;

static void ask_quick(void *arg)
{
    (void)arg;
    int err = 0;
    csp_send(answers, &err);
}

static void ask_slow(void *arg)
{
    (void)arg;
    int err = EIO;
    csp_sleep(CSP_MS);
    csp_send(answers, &err);
}

int main(void)
{
#ifdef FIXED
    answers = csp_chan_new(sizeof(int), 2);
#else
    answers = csp_chan_new(sizeof(int), 0);
#endif
    csp_go(ask_slow, NULL);
    csp_go(ask_quick, NULL);
    for (int i = 0; i < 2; i++) {
        int err;
        csp_recv(answers, &err);
        if (err)
            break;
    }
    return 0;
}
