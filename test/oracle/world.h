// world.h - what a generated program works on, and the trace it leaves.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// world.c is compiled without the sanitizer, so nothing in it is an access or an edge. What orders is done in *turns*: enter(),
// the operation, its line in the trace, leave(). One task at a time has the turn, whatever number of workers and threads there
// are, and loses it where the operation parks: so an operation, or the part of it until it parks, and its line are one step, and
// the order of the lines is the real order. Lines about an operation that can park come in pairs, begin and end. Accesses are
// made without the turn, in parallel where there are several workers: when they happen does not matter, only between which
// lines of their own task. They are noted before the code that makes them, with nothing but other accesses between.
#ifndef CSP_TEST_ORACLE_WORLD_H
#define CSP_TEST_ORACLE_WORLD_H

#include <csp/csp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

enum { DATA_SIZE = 160, N_BITS = 4, N_CHANS = 3, N_OBJECTS = 2, N_BLOCKS = 3, N_AFTERS = 3 };

// Bit-fields that fill a word: one memory location (C11 3.14).
typedef struct bits {
    uint32_t a : 3, b : 5, c : 9, d : 15;
} bits;

typedef struct world {
    _Alignas(64) unsigned char data[DATA_SIZE]; // the bytes whose races are compared
    bits bits[N_BITS];                          // and these, by fours; they follow without a gap
    _Alignas(64) csp_mutex mutex[N_OBJECTS];
    csp_rwmutex rwmutex[N_OBJECTS];
    csp_wg wg[N_OBJECTS];
    csp_cond cond[N_OBJECTS]; // cond[i] goes with mutex[i]
    csp_once once[N_OBJECTS];
    csp_sem sem[N_OBJECTS];
    csp_chan *chan[N_CHANS];
    csp_ctx *ctx[N_OBJECTS]; // ctx[1] is ctx[0]'s child
    pthread_mutex_t pmutex;
    pthread_spinlock_t pspin;
    pthread_rwlock_t prwlock;
    pthread_once_t ponce;
    sem_t psem;
    // --- world.c's own
    bool parallel; // several workers, or threads
    unsigned char *block[N_BLOCKS];
    size_t block_size[N_BLOCKS];
    bool block_live[N_BLOCKS];
    csp_chan *after[N_AFTERS];
    bool after_taken[N_AFTERS];
    int n_tasks, n_ids;
    int chan_sends[N_CHANS]; // sends that have begun and not ended
    bool chan_closed[N_CHANS];
    int wg_count[N_OBJECTS];
    int n_pending; // timers that have not begun, threads that have not ended
} world;

// One task of a program: a coroutine or thread. Number 0 is its root.
typedef struct self {
    world *w;
    int me;
    int n_fresh;
    int id;                     // of its group
    pthread_barrier_t *barrier; // of a thread and its creator
} self;

typedef struct program {
    void (*root)(void *);
    world *fixed; // a global of the program's; NULL: a heap block, a new one for each run
    bool has_threads;
    size_t chan_elem[N_CHANS], chan_cap[N_CHANS];
    size_t block_size[N_BLOCKS];
    int permits[N_OBJECTS];
} program;

extern const program programs[];
extern const int n_programs;

// Loads and stores that are not aligned, and of any type the memory holds.
#define ANY(T) T __attribute__((may_alias, aligned(1)))
typedef ANY(uint8_t) u1;
typedef ANY(uint16_t) u2;
typedef ANY(uint32_t) u4;
typedef ANY(uint64_t) u8;
typedef ANY(unsigned __int128) u16;
typedef ANY(float) f4;
typedef ANY(double) f8;
typedef uint8_t __attribute__((may_alias)) a1;
typedef uint16_t __attribute__((may_alias)) a2;
typedef uint32_t __attribute__((may_alias)) a4;
typedef uint64_t __attribute__((may_alias)) a8;
typedef unsigned __int128 __attribute__((may_alias)) a16;
typedef long double __attribute__((may_alias)) a_long_double; // 10 bytes are stored
typedef uint32_t __attribute__((vector_size(16), may_alias, aligned(1))) v16;
typedef uint64_t __attribute__((vector_size(32), may_alias, aligned(1))) v32;
typedef uint64_t __attribute__((vector_size(64), may_alias, aligned(1))) v64;
#define BYTES(n)                                                                                                       \
    struct __attribute__((may_alias)) {                                                                                \
        unsigned char b[n];                                                                                            \
    }
typedef struct __attribute__((may_alias)) fields {
    char tag;     // 0
    short low;    // 2
    int count;    // 4
    double value; // 8
    char text[3]; // 16
    struct {
        unsigned char x, y; // 19, 20
    } in;
    union {
        short s; // 22
        char c[2];
    } u;
} fields;
_Static_assert(sizeof(fields) == 24 && __builtin_offsetof(fields, in) == 19 && __builtin_offsetof(fields, u) == 22,
               "as generated");

void enter(void); // takes the turn; nests
void leave(void);
void note(const self *s, const char *what, long a, long b, long c);
void note_at(const self *s, const char *what, const void *p, long size); // a: p as an offset in data
void pause_here(self *s);                                                // gives way to others, or not
self *child(self *s);                                                    // for csp_go and the like: a new task's self
uint64_t fresh(self *s);                                                 // a value nobody else sends
int opaque(int v);                                                       // v, unknown to the compiler
void keep(uint64_t v);                                                   // a use of v
uint64_t peek(const void *p, size_t size);                               // what lies there

// The guards of what would panic. One that says yes notes the begin.
bool begin_send(self *s, int chan, uint64_t value);
void end_send(self *s, int chan, bool done);
bool begin_close(self *s, int chan);
bool begin_done(self *s, int wg);
void add_wg(self *s, int wg);
// A select: all of its sends, then each of its cases.
bool may_select(self *s, const int *send_chans, int n);
void note_case(self *s, int chan, bool sends, uint64_t value);
// chosen: the index, -1 for none. Ends the sends too.
void end_select(self *s, const int *chans, const bool *sends, int n, int chosen, bool ok, uint64_t value);

// Heap blocks. Small ones may be used after free: what the allocator writes there lies in the detector's header.
bool may_allocate(self *s, int i);
void allocated(self *s, int i, void *p);
void *take_to_free(self *s, int i);   // notes the free; NULL: there is none
unsigned char *block(self *s, int i); // NULL: none that may be accessed

bool may_arm(self *s, int i); // csp_after number i is not made yet
void armed(self *s, int i, csp_chan *c);
csp_chan *take_after(self *s, int i); // NULL: none, or somebody took it
void timer_begins(self *s);           // in a timer's function
self *timer_child(self *s);
self *thread_child(self *s, bool with_barrier);
void thread_ends(self *s);
void set_oncer(self *s); // who calls pthread_once on this thread
self *get_oncer(void);

int new_id(self *s);
self *group_child(self *s, int id);

#endif
