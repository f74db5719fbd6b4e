// map_check_then_act.c - two coroutines open the same session: each looks into the map under the lock, and finds none.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: the look and the entry are two critical sections; every access is locked, and still both open one.
// Order: A looks, B looks, both make one.
// Depth: 2. Shows as: crash.
// Source: check-then-act on a map; atomicity violation, Lu et al., ASPLOS 2008; SCTBench wronglock for the kind.
#include <csp/csp.h>

#include <assert.h>
#include <stdatomic.h>

static csp_mutex lock;
static csp_map *sessions;
static atomic_int opened;
static csp_wg both;

static void open_session(int user)
{
    int session;
    csp_mutex_lock(&lock);
    bool found = csp_map_get(sessions, &user, &session);
#ifndef FIXED
    csp_mutex_unlock(&lock);
    csp_mutex_lock(&lock);
#endif
    if (!found) {
        session = atomic_fetch_add(&opened, 1);
        csp_map_set(sessions, &user, &session);
    }
    csp_mutex_unlock(&lock);
    csp_wg_done(&both);
}

int main(void)
{
    sessions = csp_map_new(sizeof(int), sizeof(int));
    csp_wg_add(&both, 2);
    CSP_GO(open_session, 7);
    CSP_GO(open_session, 7);
    csp_wg_wait(&both);
    assert(atomic_load(&opened) == 1);
    csp_map_free(sessions);
    return 0;
}
