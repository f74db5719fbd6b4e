// classes.c - each kind of wait: stuck when nothing leads to what it waits on, orphaned when a variable does, silent when woken.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --status=66 --args=stuck --prefix=STUCK %s
// RUN: %check --status=66 --args=orphaned --prefix=ORPHANED %s
// RUN: %check --silent --args=woken %s
#include <csp/csp.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// All that one of them waits on.
typedef struct box {
    csp_chan *ch, *other;
    csp_mutex mutex;
    csp_rwmutex rwmutex;
    csp_cond cond;
    csp_wg wg;
    csp_sem sem;
    csp_once once;
    csp_ctx *ctx;
    int fd[2];
} box;

static void wait_send(void *p)
{
    csp_send(((box *)p)->ch, NULL);
}

static void wait_receive(void *p)
{
    csp_recv(((box *)p)->ch, NULL);
}

static void wait_select(void *p)
{
    box *b = p;
    CSP_SELECT(csp_case_recv(b->ch, NULL, NULL), csp_case_send(b->other, NULL));
}

static void wait_mutex(void *p)
{
    csp_mutex_lock(&((box *)p)->mutex);
    csp_mutex_unlock(&((box *)p)->mutex);
}

static void wait_rlock(void *p)
{
    csp_rwmutex_rlock(&((box *)p)->rwmutex);
    csp_rwmutex_runlock(&((box *)p)->rwmutex);
}

static void wait_wlock(void *p)
{
    csp_rwmutex_lock(&((box *)p)->rwmutex);
    csp_rwmutex_unlock(&((box *)p)->rwmutex);
}

static void wait_cond(void *p)
{
    box *b = p;
    csp_mutex_lock(&b->mutex);
    csp_cond_wait(&b->cond, &b->mutex);
    csp_mutex_unlock(&b->mutex);
}

static void wait_wg(void *p)
{
    csp_wg_wait(&((box *)p)->wg);
}

static void wait_sem(void *p)
{
    csp_sem_acquire(&((box *)p)->sem, 1);
}

static void wait_inside_once(void *p)
{
    csp_once_do(&((box *)p)->once, wait_receive, p);
}

static void wait_once(void *p)
{
    csp_once_do(&((box *)p)->once, wait_receive, p);
}

static void wait_context(void *p)
{
    csp_recv(csp_ctx_done(((box *)p)->ctx), NULL);
}

static void wait_mutex_or_context(void *p)
{
    box *b = p;
    if (csp_mutex_lock_ctx(&b->mutex, b->ctx))
        csp_mutex_unlock(&b->mutex);
}

static void wait_nil(void *p)
{
    (void)p;
    csp_recv(NULL, NULL);
}

static void wait_nothing(void *p)
{
    (void)p;
    csp_select(NULL, 0);
}

static void wait_io(void *p)
{
    char c;
    csp_read(((box *)p)->fd[0], &c, 1);
}

static void wait_sleep(void *p)
{
    (void)p;
    csp_sleep(3600 * CSP_SECOND);
}

static const struct kind {
    const char *name;
    void (*wait)(void *);
    bool always; // nothing can wake it: not among the woken
} kinds[] = {
    {"io", wait_io, false}, // those that go on are first: on fresh stacks, where nobody has left an address
    {"sleep", wait_sleep, false},
    {"send", wait_send, false},
    {"receive", wait_receive, false},
    {"select", wait_select, false},
    {"mutex", wait_mutex, false},
    {"rlock", wait_rlock, false},
    {"wlock", wait_wlock, false},
    {"cond", wait_cond, false},
    {"wg", wait_wg, false},
    {"sem", wait_sem, false},
    {"inside", wait_inside_once, false},
    {"once", wait_once, false},
    {"context", wait_context, false},
    {"mutex-context", wait_mutex_or_context, false},
    {"nil", wait_nil, true},
    {"nothing", wait_nothing, true},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static box *kept[KINDS];

static void lock_and_end(void *p)
{
    box *b = p;
    csp_mutex_lock(&b->mutex);
    csp_rwmutex_lock(&b->rwmutex);
}

static bool is_locked(const char *name)
{
    return strcmp(name, "cond") != 0 && strcmp(name, "io") != 0 && strcmp(name, "sleep") != 0;
}

static void wake(box *b, const char *name)
{
    if (!strcmp(name, "send") || !strcmp(name, "select"))
        csp_try_recv(b->ch, NULL) || csp_try_recv(b->other, NULL);
    else
        csp_close(b->ch);
    if (is_locked(name)) {
        csp_mutex_unlock(&b->mutex);
        csp_rwmutex_unlock(&b->rwmutex);
    } else if (!strcmp(name, "cond")) {
        csp_mutex_lock(&b->mutex);
        csp_cond_signal(&b->cond);
        csp_mutex_unlock(&b->mutex);
    }
    csp_wg_done(&b->wg);
    csp_sem_release(&b->sem, 1);
    csp_ctx_cancel(b->ctx);
}

static box *make(const char *name, bool woken)
{
    box *b = calloc(1, sizeof *b);
    b->ch = csp_chan_new(0, 0);
    b->other = csp_chan_new(0, 0);
    csp_wg_add(&b->wg, 1);
    b->ctx = csp_ctx_with_cancel(NULL);
    if (pipe(b->fd) != 0)
        abort();
    if (woken && is_locked(name))
        lock_and_end(b);
    else if (is_locked(name))
        csp_go(lock_and_end, b);
    return b;
}

int main(int argc, char **argv)
{
    bool orphaned = !strcmp(argv[argc - 1], "orphaned"), woken = !strcmp(argv[argc - 1], "woken");
    box *before = NULL;
    for (int i = 0; i < KINDS; i++) {
        const struct kind *k = &kinds[i];
        if (woken && k->always)
            continue;
        box *b = !strcmp(k->name, "once") ? before : make(k->name, woken); // both wait for the same one
        before = b;
        kept[i] = b;
        while (!woken && is_locked(k->name) && csp_mutex_trylock(&b->mutex)) {
            csp_mutex_unlock(&b->mutex); // the one that locks it has not come round yet
            csp_yield();
        }
        csp_go_with(&(csp_go_options){.name = k->name}, k->wait, b);
    }
    csp_sleep(20 * CSP_MS); // usually they are parked then, and are woken; if not, they need not be
    for (int i = 0; woken && i < KINDS; i++)
        if (kept[i] && strcmp(kinds[i].name, "inside") != 0)
            wake(kept[i], kinds[i].name);
    if (!orphaned)
        memset(kept, 0, sizeof kept);
    return 0;
}

// STUCK-DAG: 'send' is parked in chan send for {{.*}} (stuck:
// STUCK-DAG: 'receive' is parked in chan receive for {{.*}} (stuck:
// STUCK-DAG: 'select' is parked in select for {{.*}} (stuck:
// STUCK-DAG: 'mutex' is parked in sync.Mutex.Lock for {{.*}} (stuck:
// STUCK-DAG: 'rlock' is parked in sync.RWMutex.RLock for {{.*}} (stuck:
// STUCK-DAG: 'wlock' is parked in sync.RWMutex.Lock for {{.*}} (stuck:
// STUCK-DAG: 'cond' is parked in sync.Cond.Wait for {{.*}} (stuck:
// STUCK-DAG: 'wg' is parked in sync.WaitGroup.Wait for {{.*}} (stuck:
// STUCK-DAG: 'sem' is parked in semacquire for {{.*}} (stuck:
// STUCK-DAG: 'inside' => coroutine {{[0-9]+}} 'once' =>
// STUCK-DAG: 'context' is parked in chan receive for {{.*}} (stuck:
// STUCK-DAG: 'mutex-context' is parked in sync.Mutex.Lock for {{.*}} (stuck:
// STUCK-DAG: 'nil' is parked in chan receive (nil chan) for {{.*}} (stuck:
// STUCK-DAG: 'nothing' is parked in select (no cases) for {{.*}} (stuck:
// STUCK: CspThreadSanitizer: reported 14 warnings

// ORPHANED-DAG: 'send' is parked in chan send for {{.*}} (orphaned:
// ORPHANED-DAG: 'receive' is parked in chan receive for {{.*}} (orphaned:
// ORPHANED-DAG: 'select' is parked in select for {{.*}} (orphaned:
// ORPHANED-DAG: 'mutex' is parked in sync.Mutex.Lock for {{.*}} (orphaned:
// ORPHANED-DAG: 'rlock' is parked in sync.RWMutex.RLock for {{.*}} (orphaned:
// ORPHANED-DAG: 'wlock' is parked in sync.RWMutex.Lock for {{.*}} (orphaned:
// ORPHANED-DAG: 'cond' is parked in sync.Cond.Wait for {{.*}} (orphaned:
// ORPHANED-DAG: 'wg' is parked in sync.WaitGroup.Wait for {{.*}} (orphaned:
// ORPHANED-DAG: 'sem' is parked in semacquire for {{.*}} (orphaned:
// ORPHANED-DAG: 'inside' => coroutine {{[0-9]+}} 'once' =>
// ORPHANED-DAG: 'context' is parked in chan receive for {{.*}} (orphaned:
// ORPHANED-DAG: 'mutex-context' is parked in sync.Mutex.Lock for {{.*}} (orphaned:
// ORPHANED-DAG: 'nil' is parked in chan receive (nil chan) for {{.*}} (stuck:
// ORPHANED-DAG: 'nothing' is parked in select (no cases) for {{.*}} (stuck:
// ORPHANED: CspThreadSanitizer: reported 14 warnings
