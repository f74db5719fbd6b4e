// world.c - runs generated programs one after the other, and writes what they did to a file.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// usage: program trace-file race-log seed rounds [program number in this file...]
//
// Notes are kept in memory and written at the end: the library's functions may be orders or accesses for the detector. A
// program may block for ever, in whole or in part: it is over when nothing more is noted. Its tasks and objects are left as
// they are. Each run writes a line into the detector's race log, so that what follows is known to be its.
#define CSP_HOOKS 1
#include "world.h"
#include "hooks.h"

#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct line {
    const char *what;
    int who;
    long a, b, c;
    const void *p;
} line;

enum { MAX_LINES = 1 << 22, MAX_TASKS = 1 << 16 };
static line lines[MAX_LINES];
static size_t n_lines;
static self selves[MAX_TASKS]; // not malloc's: a block of the program's would be used again
static pthread_barrier_t barriers[MAX_TASKS];
static size_t n_selves;
static uint64_t random_state;
static int give_way; // of 8 pauses, how many
static int race_log;

static unsigned draw(void)
{
    uint64_t x = __atomic_add_fetch(&random_state, 0x9e3779b97f4a7c15u, __ATOMIC_RELAXED); // splitmix64
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (unsigned)(x >> 33);
}

static void add_line(line l)
{
    size_t i = __atomic_fetch_add(&n_lines, 1, __ATOMIC_SEQ_CST);
    if (i >= MAX_LINES)
        abort();
    lines[i] = l;
}

void note(const self *s, const char *what, long a, long b, long c)
{
    add_line((line){what, s->me, a, b, c, NULL});
}

void note_at(const self *s, const char *what, const void *p, long size)
{
    add_line((line){what, s->me, (const unsigned char *)p - s->w->data, size, 0, NULL});
}

// --- turns -----------------------------------------------------------------------------------------------------------

static int turn;             // 1: somebody has it
static __thread int depth;   // > 0: this thread has it
static int n_running;        // tasks on a thread
static csp_hook_table hooks; // the detector's, but for what follows
static const csp_hook_table *detector;

static void give_back(void)
{
    if (depth)
        __atomic_store_n(&turn, 0, __ATOMIC_SEQ_CST);
    depth = 0;
}

void enter(void)
{
    if (depth++ == 0)
        while (__atomic_exchange_n(&turn, 1, __ATOMIC_SEQ_CST))
            sched_yield();
}

void leave(void)
{
    if (depth == 1)
        give_back();
    else if (depth)
        depth--; // 0: it was given back when the operation parked
}

static void task_leaves(void)
{
    give_back();
    detector->task_leave();
    __atomic_fetch_sub(&n_running, 1, __ATOMIC_SEQ_CST);
}

static void task_ends(void)
{
    give_back();
    detector->task_end();
    __atomic_fetch_sub(&n_running, 1, __ATOMIC_SEQ_CST);
}

static void task_enters(void *task)
{
    __atomic_fetch_add(&n_running, 1, __ATOMIC_SEQ_CST);
    detector->task_enter(task);
}

static void watch_tasks(void)
{
    detector = cspi_hooks;
    hooks = *detector;
    hooks.task_leave = task_leaves;
    hooks.task_end = task_ends;
    hooks.task_enter = task_enters;
    cspi_hooks = &hooks;
}

// --- small things ----------------------------------------------------------------------------------------------------

void pause_here(self *s)
{
    (void)s;
    if ((int)(draw() % 8) < give_way)
        for (unsigned n = 1 + draw() % 3; n > 0; n--)
            csp_yield();
}

static self *make_self(world *w)
{
    size_t i = __atomic_fetch_add(&n_selves, 1, __ATOMIC_SEQ_CST);
    if (i >= MAX_TASKS)
        abort();
    selves[i] = (self){.w = w, .me = __atomic_fetch_add(&w->n_tasks, 1, __ATOMIC_SEQ_CST)};
    return &selves[i];
}

self *child(self *s)
{
    self *c = make_self(s->w);
    note(s, "go", c->me, 0, 0);
    return c;
}

uint64_t fresh(self *s)
{
    return (uint64_t)(s->me + 1) << 12 | (uint64_t)++s->n_fresh;
}

int opaque(int v)
{
    return v;
}

void keep(uint64_t v)
{
    (void)v;
}

uint64_t peek(const void *p, size_t size)
{
    uint64_t v = 0;
    for (size_t i = 0; i < size && i < sizeof v; i++) // not memcpy, which would be an access
        v |= (uint64_t)((const volatile unsigned char *)p)[i] << 8 * i;
    return v;
}

int new_id(self *s)
{
    return __atomic_add_fetch(&s->w->n_ids, 1, __ATOMIC_SEQ_CST);
}

self *group_child(self *s, int id)
{
    self *c = child(s);
    c->id = id;
    return c;
}

// --- guards, called with the turn ------------------------------------------------------------------------------------

bool begin_send(self *s, int chan, uint64_t value)
{
    if (s->w->chan_closed[chan])
        return false;
    s->w->chan_sends[chan]++;
    note(s, "send", chan, (long)value, 0);
    return true;
}

void end_send(self *s, int chan, bool done)
{
    enter();
    s->w->chan_sends[chan]--;
    note(s, done ? "sent" : "not_sent", chan, 0, 0);
    leave();
}

bool begin_close(self *s, int chan)
{
    if (s->w->chan_closed[chan] || s->w->chan_sends[chan])
        return false;
    s->w->chan_closed[chan] = true;
    note(s, "close", chan, 0, 0);
    return true;
}

bool begin_done(self *s, int wg)
{
    if (!s->w->wg_count[wg])
        return false;
    s->w->wg_count[wg]--;
    note(s, "done", wg, 0, 0);
    return true;
}

void add_wg(self *s, int wg)
{
    s->w->wg_count[wg]++;
    note(s, "add", wg, 0, 0);
}

bool may_select(self *s, const int *send_chans, int n)
{
    for (int i = 0; i < n; i++)
        if (s->w->chan_closed[send_chans[i]])
            return false;
    note(s, "select", 0, 0, 0);
    return true;
}

void note_case(self *s, int chan, bool sends, uint64_t value)
{
    if (sends)
        s->w->chan_sends[chan]++;
    note(s, "case", chan, sends, (long)value);
}

void end_select(self *s, const int *chans, const bool *sends, int n, int chosen, bool ok, uint64_t value)
{
    enter();
    for (int i = 0; i < n; i++)
        if (sends[i])
            s->w->chan_sends[chans[i]]--;
    note(s, "selected", chosen, ok, (long)value);
    leave();
}

// --- heap blocks -----------------------------------------------------------------------------------------------------

enum { LARGE = 1024 }; // from here on the allocator may write into what is free

// Where accesses run in parallel, a block is not used again: the trace would not tell which of the two an access met.
bool may_allocate(self *s, int i)
{
    return !s->w->block_live[i] && (!s->w->block[i] || (!s->w->parallel && s->w->block_size[i] < LARGE));
}

// The rest of a block's last word is nobody else's: the detector takes it as the block's.
static long whole_words(size_t size)
{
    return (long)((size + 7) & ~(size_t)7);
}

void allocated(self *s, int i, void *p)
{
    s->w->block[i] = p;
    s->w->block_live[i] = true;
    note_at(s, "malloc", p, whole_words(s->w->block_size[i]));
}

void *take_to_free(self *s, int i)
{
    if (!s->w->block_live[i] || (s->w->parallel && s->w->block_size[i] >= LARGE))
        return NULL;
    s->w->block_live[i] = false;
    note_at(s, "free", s->w->block[i], whole_words(s->w->block_size[i]));
    return s->w->block[i];
}

unsigned char *block(self *s, int i)
{
    return s->w->block_live[i] || s->w->block_size[i] < LARGE ? s->w->block[i] : NULL;
}

// pthread_once's function has no argument. Here, where a thread-local's address is not kept across calls.
static __thread self *oncer;

void set_oncer(self *s)
{
    oncer = s;
}

self *get_oncer(void)
{
    return oncer;
}

// --- timers and threads ----------------------------------------------------------------------------------------------

static void pending(self *s, int n)
{
    __atomic_fetch_add(&s->w->n_pending, n, __ATOMIC_SEQ_CST);
}

bool may_arm(self *s, int i)
{
    return !s->w->after[i];
}

void armed(self *s, int i, csp_chan *c)
{
    s->w->after[i] = c;
    note(s, "after", i, 0, 0);
}

csp_chan *take_after(self *s, int i)
{
    if (!s->w->after[i] || s->w->after_taken[i])
        return NULL;
    s->w->after_taken[i] = true;
    return s->w->after[i];
}

self *timer_child(self *s)
{
    pending(s, 1);
    return child(s);
}

void timer_begins(self *s)
{
    pending(s, -1);
}

self *thread_child(self *s, bool with_barrier)
{
    pending(s, 1);
    self *c = child(s);
    if (with_barrier) {
        c->id = new_id(s);
        c->barrier = &barriers[c - selves];
        pthread_barrier_init(c->barrier, NULL, 2);
    }
    return c;
}

void thread_ends(self *s)
{
    pending(s, -1);
}

// --- running ---------------------------------------------------------------------------------------------------------

static world *make_world(const program *p, bool parallel)
{
    world *w = p->fixed ? p->fixed : aligned_alloc(64, sizeof *w);
    memset(w, 0, sizeof *w);
    w->parallel = parallel || p->has_threads;
    for (int i = 0; i < N_CHANS; i++)
        w->chan[i] = csp_chan_new(p->chan_elem[i], p->chan_cap[i]);
    for (int i = 0; i < N_BLOCKS; i++)
        w->block_size[i] = p->block_size[i];
    for (int i = 0; i < N_OBJECTS; i++) {
        csp_sem_init(&w->sem[i], p->permits[i]);
        w->ctx[i] = csp_ctx_with_cancel(i ? w->ctx[i - 1] : csp_ctx_background());
    }
    pthread_mutex_init(&w->pmutex, NULL);
    pthread_spin_init(&w->pspin, PTHREAD_PROCESS_PRIVATE);
    pthread_rwlock_init(&w->prwlock, NULL);
    w->ponce = (pthread_once_t)PTHREAD_ONCE_INIT;
    sem_init(&w->psem, 0, 1);
    return w;
}

// So many turns of ours without a new line, and the program has come to rest: some of its tasks are parked for good.
enum { QUIET_YIELDS = 300 };

static bool is_pending(world *w)
{
    csp_stats stats;
    csp_stats_get(&stats);
    if (stats.runnable || stats.workers_idle + 1 < stats.workers) // one may be ours
        return true;
    for (int i = 0; i < N_AFTERS; i++)
        if (w->after[i] && !w->after_taken[i] && !csp_len(w->after[i]))
            return true;
    return __atomic_load_n(&w->n_pending, __ATOMIC_SEQ_CST);
}

static void run(int number, int round, uint64_t seed, bool parallel)
{
    const program *p = &programs[number];
    random_state = seed * 0x9e3779b97f4a7c15u + (uint64_t)number * 1000003u + (uint64_t)round;
    draw();
    give_way = (int)(draw() % 7);
    char mark[64];
    int n = snprintf(mark, sizeof mark, "program %d %d\n", number, round);
    syscall(SYS_write, race_log, mark, (size_t)n); // not write, which is an order
    world *w = make_world(p, parallel);
    add_line((line){"program", number, round, w->parallel, 0, w->data});
    self *root = make_self(w);
    for (int i = 0; i < N_CHANS; i++)
        note(root, "chan", i, (long)p->chan_cap[i],
             (unsigned char *)w->chan[i] + 8 - w->data); // where the detector reports
    for (int i = 0; i < N_OBJECTS; i++)
        note(root, "wg", i, (unsigned char *)&w->wg[i].first_add - w->data, 0);
    for (int i = 0; i < N_OBJECTS; i++)
        note(root, "sem", i, p->permits[i], 0);
    note(root, "sem", 10, 1, 0);
    csp_yield();
    int ours = __atomic_load_n(&n_running, __ATOMIC_SEQ_CST); // as many as there are when nobody but us runs
    csp_go(p->root, root);
    for (int quiet = 0; quiet < QUIET_YIELDS; quiet++) {
        size_t before = __atomic_load_n(&n_lines, __ATOMIC_SEQ_CST);
        csp_yield();
        if (__atomic_load_n(&n_lines, __ATOMIC_SEQ_CST) != before || is_pending(w) ||
            __atomic_load_n(&n_running, __ATOMIC_SEQ_CST) > ours)
            quiet = 0;
    }
}

static int write_lines(const char *path)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return 1;
    for (const line *l = lines; l < lines + n_lines; l++)
        fprintf(f, "%d %s %ld %ld %ld %p\n", l->who, l->what, l->a, l->b, l->c, l->p);
    fprintf(f, "0 end 0 0 0 0\n");
    return fclose(f) ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 64;
    mallopt(M_MMAP_THRESHOLD, 1 << 30); // freed blocks stay mapped
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    watch_tasks();
    race_log = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    uint64_t seed = strtoull(argv[3], NULL, 10);
    int rounds = atoi(argv[4]);
    const char *workers = getenv("CSP_MAXPROCS");
    for (int i = 0; i < n_programs; i++) {
        bool chosen = argc == 5;
        for (int k = 5; k < argc; k++)
            chosen |= atoi(argv[k]) == i;
        for (int round = 0; chosen && round < rounds && !(round && programs[i].fixed); round++)
            run(i, round, seed, !workers || atoi(workers) != 1);
    }
    return write_lines(argv[1]);
}
