// serve.c - a program for the tests of the debug endpoint and of gdb: prints its port, then does as its first argument says.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <csp/debug.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static csp_chan *never;

static __attribute__((noinline)) void waits_in_vain(void *unused)
{
    (void)unused;
    csp_recv(never, NULL);
    __asm__ volatile("");
}

// One place of creation, however the loop around it is unrolled.
static __attribute__((noinline)) void create_one(void)
{
    csp_go(waits_in_vain, NULL);
    __asm__ volatile("");
}

static void ends(void *done)
{
    csp_yield();
    csp_wg_done(done);
}

// Ten thousand coroutines come and go for as long as the process lives.
static void churn(void *unused)
{
    (void)unused;
    for (;;) {
        csp_wg wg = {0};
        csp_wg_add(&wg, 10000);
        for (int i = 0; i < 10000; i++)
            csp_go(ends, &wg);
        csp_wg_wait(&wg);
    }
}

// What it refuses, and that it can be stopped and started again.
static int check_addresses(void)
{
    static const struct {
        const char *addr;
        int error;
    } bad[] = {{NULL, EINVAL},         {"", EINVAL},          {"6060", EINVAL},          {"localhost", EINVAL},
               {"localhost:", EINVAL}, {":70000", EINVAL},    {"example.org:1", EINVAL}, {"127.0.0.1:1x", EINVAL},
               {"0.0.0.0:0", EACCES},  {"8.8.8.8:0", EACCES}, {"[::]:0", EACCES},        {"[::1:0", EINVAL}};
    int failures = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        errno = 0;
        if (csp_debug_serve(bad[i].addr) != -1 || errno != bad[i].error) {
            fprintf(stderr, "serve(%s): errno %d\n", bad[i].addr ? bad[i].addr : "NULL", errno);
            failures++;
        }
    }
    csp_debug_stop(); // serves nothing: does nothing
    for (int i = 0; i < 3; i++) {
        int port = csp_debug_serve(i ? "127.0.0.1:0" : ":0");
        errno = 0;
        failures += port <= 0 || csp_debug_serve("localhost:0") != -1 || errno != EALREADY;
        csp_debug_stop();
    }
    int port = csp_debug_serve_anywhere("0.0.0.0:0");
    failures += port <= 0;
    csp_debug_stop();
    return failures;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "addresses") == 0)
        return check_addresses();
    never = csp_chan_new(0, 0);
    for (int i = 0; i < 3; i++)
        create_one();
    if (strcmp(what, "churn") == 0)
        csp_go(churn, NULL);
    csp_sleep(20 * CSP_MS);
    if (strcmp(what, "abort") == 0)
        abort();
    printf("%d\n", csp_debug_serve("localhost:0"));
    fflush(stdout);
    if (strcmp(what, "deadlock") == 0)
        csp_recv(never, NULL);
    csp_sleep(CSP_MINUTE);
}
