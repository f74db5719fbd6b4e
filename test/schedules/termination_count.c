// termination_count.c - workers share a queue of tasks that make tasks; who finishes the last one closes it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: a task is counted out before the tasks it makes are counted in, so the count is 0 while there is work.
// Order: A counts its task out and one child in; B does the child, finds 0 left and closes; A sends the next child.
// Depth: 2. Shows as: panic.
// Source: termination detection of work queues; order violation, Lu et al., ASPLOS 2008.
#include <csp/csp.h>

#include <stdatomic.h>

static csp_chan *tasks;
static atomic_int pending = 1;
static csp_wg workers;

static void make_children(int depth)
{
    for (int i = 0; depth > 0 && i < 2; i++) {
        int child = depth - 1;
        atomic_fetch_add(&pending, 1);
        csp_send(tasks, &child); // has room for all
    }
}

static void work(void *arg)
{
    (void)arg;
    int depth;
    CSP_RANGE(depth, tasks)
    {
#ifdef FIXED
        make_children(depth);
        if (atomic_fetch_sub(&pending, 1) == 1)
            csp_close(tasks);
#else
        bool last = atomic_fetch_sub(&pending, 1) == 1;
        make_children(depth);
        if (last && atomic_load(&pending) == 0)
            csp_close(tasks);
#endif
    }
    csp_wg_done(&workers);
}

int main(void)
{
    tasks = csp_chan_new(sizeof(int), 8);
    int root = 1;
    csp_send(tasks, &root);
    csp_wg_add(&workers, 2);
    csp_go(work, NULL);
    csp_go(work, NULL);
    csp_wg_wait(&workers);
    return 0;
}
