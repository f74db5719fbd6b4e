// leak_thread.c - threads that have ended and that nobody joined or detached, told at exit as ThreadSanitizer does.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "leak/leak.h"
#include "report/report.h"

#include <string.h>

enum { MAX_THREADS = 4096 };

typedef struct group {
    cspr_who first;
    uint64_t hash; // of the creation stack
    size_t n;
} group;

static const char what[] = "thread leak";

static void report_group_locked(const group *g)
{
    static cspr_view v; // under the report lock
    cspr_identity id;
    cspr_who_get(g->first, &id);
    cspr_view_stack(&v, id.creation, 0xff);
    if (cspr_suppress_any(CSPR_SUPPRESS_THREAD) &&
        (cspr_view_suppressed(&v, CSPR_SUPPRESS_THREAD, false) || cspr_suppressed(CSPR_SUPPRESS_THREAD, id.name)))
        return;
    cspr_report r;
    cspr_report_open(&r, what);
    cspr_report_role(&r, "creation", true, g->first);
    cspr_report_creation(&r, g->first, NULL);
    if (g->n > 1)
        cspr_text_add(&r.text, "  And %zu more similar thread leaks.\n\n", g->n - 1);
    cspr_report_close(&r, what, &v);
}

static void report_all_locked(void *unused)
{
    static cspr_who whos[MAX_THREADS]; // under the report lock, as the rest
    static group groups[MAX_THREADS];
    static cspr_view v;
    size_t n = cspr_threads_unjoined(whos, MAX_THREADS), n_groups = 0;
    (void)unused;
    for (size_t i = 0; i < n; i++) {
        cspr_identity id;
        cspr_who_get(whos[i], &id);
        cspr_view_stack(&v, id.creation, 0xff);
        uint64_t hash = cspr_view_hash(&v);
        size_t k = 0;
        while (k < n_groups && groups[k].hash != hash)
            k++;
        if (k == n_groups)
            groups[n_groups++] = (group){whos[i], hash, 0};
        groups[k].n++;
    }
    for (size_t k = 0; k < n_groups; k++)
        report_group_locked(&groups[k]);
}

void cspr_leak_check_threads(void)
{
    cspr_who any;
    if (!cspr_flags.report_bugs || !cspr_flags.report_thread_leaks || !cspr_threads_unjoined(&any, 1))
        return;
    cspr_report_lock();
    cspr_call_on_own_stack(report_all_locked, NULL);
    cspr_report_unlock();
}
