// world.h - what a generated program works on, and the trace it leaves.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// world.c is compiled without the sanitizer, so nothing in it is an access or an edge. The programs run on one worker
// (CSP_MAXPROCS=1) and give way only inside blocking operations and in pause_here(): an operation and its line in the trace
// are one step, and the order of the lines is the real order. Lines about an operation that can park come in pairs, begin and
// end; an access is noted before the code that makes it, with nothing but other accesses between.
#ifndef CSP_TEST_ORACLE_WORLD_H
#define CSP_TEST_ORACLE_WORLD_H

#include <csp/csp.h>
#include <string.h>

enum { DATA_SIZE = 160, N_CHANS = 3, N_OBJECTS = 2 };

typedef struct world {
    _Alignas(64) unsigned char data[DATA_SIZE]; // the bytes whose races are compared
    _Alignas(64) csp_mutex mutex[N_OBJECTS];
    csp_rwmutex rwmutex[N_OBJECTS];
    csp_wg wg[N_OBJECTS];
    csp_cond cond[N_OBJECTS]; // cond[i] goes with mutex[i]
    csp_once once[N_OBJECTS];
    csp_chan *chan[N_CHANS];
    // --- world.c's own
    int n_cos;
    int chan_sends[N_CHANS]; // sends that have begun and not ended
    bool chan_closed[N_CHANS];
    int wg_count[N_OBJECTS];
} world;

// One coroutine of a program. Number 0 is its root.
typedef struct self {
    world *w;
    int me;
    int n_fresh;
} self;

typedef struct program {
    void (*root)(void *);
    world *fixed; // a global of the program's; NULL: a heap block, a new one for each run
    size_t chan_elem[N_CHANS], chan_cap[N_CHANS];
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
typedef ANY(double) f8;
typedef uint8_t __attribute__((may_alias)) a1;
typedef uint16_t __attribute__((may_alias)) a2;
typedef uint32_t __attribute__((may_alias)) a4;
typedef uint64_t __attribute__((may_alias)) a8;
typedef unsigned __int128 __attribute__((may_alias)) a16;
typedef long double __attribute__((may_alias)) a_long_double; // 10 bytes are stored
typedef uint32_t __attribute__((vector_size(16), may_alias, aligned(1))) v16;
typedef uint64_t __attribute__((vector_size(32), may_alias, aligned(1))) v32;
#define BYTES(n) struct __attribute__((may_alias)) { unsigned char b[n]; }

void note(const self *s, const char *what, int a, int b, int c);
void pause_here(self *s);                    // gives way to others, or not
self *child(self *s);                        // for csp_go: a new coroutine's self
uint64_t fresh(self *s);                     // a value nobody else sends
int opaque(int v);                           // v, unknown to the compiler
void keep(uint64_t v);                       // a use of v
uint64_t peek(const void *p, size_t size);   // what lies there

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

#endif
