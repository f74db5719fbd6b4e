// tls_norace.c - coroutines that take turns on an OS thread share its thread-locals: that thread orders them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>
#include <stdio.h>
#include <string.h>

static __thread int counter;
static __thread char text[100];
static __thread struct {
    long a[8];
} from, to;
static csp_wg wg;

__attribute__((noinline)) static void count(int *p)
{
    (*p)++;
}

// Not inlined, and without a call that parks: compilers keep the address of a thread-local, and after a call that parks it may
// be another OS thread's.
__attribute__((noinline)) static void use(int i)
{
    counter++;
    count(&counter);
    strcpy(text, "hello");
    snprintf(text, sizeof text, "%d", i);
    from.a[i % 8] = i;
    to = from;
}

static void work(void *arg)
{
    (void)arg;
    for (int i = 0; i < 100; i++) {
        use(i);
        csp_yield();
    }
    csp_wg_done(&wg);
}

int main(void)
{
    csp_wg_add(&wg, 10);
    for (int i = 0; i < 10; i++)
        csp_go(work, NULL);
    csp_wg_wait(&wg);
    return 0;
}
