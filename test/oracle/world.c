// world.c - runs generated programs one after the other, and writes what they did to a file.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// usage: program trace-file seed rounds [program number in this file...]
//
// Notes are kept in memory and written at the end: the library's functions may be orders or accesses for the detector. A
// program may block for ever, in whole or in part: it is over when nothing more is noted. Its coroutines and objects are
// left as they are.
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct line {
    const char *what;
    int who, a, b, c;
    const void *p;
} line;

enum { MAX_LINES = 1 << 22 };
static line lines[MAX_LINES];
static size_t n_lines;
static uint64_t random_state;
static int give_way; // of 8 pauses, how many

static unsigned draw(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33);
}

static void add_line(line l)
{
    if (n_lines == MAX_LINES)
        abort();
    lines[n_lines++] = l;
}

void note(const self *s, const char *what, int a, int b, int c)
{
    add_line((line){what, s->me, a, b, c, NULL});
}

void pause_here(self *s)
{
    (void)s;
    if ((int)(draw() % 8) < give_way)
        for (unsigned n = 1 + draw() % 3; n > 0; n--)
            csp_yield();
}

static self *make_self(world *w)
{
    self *s = calloc(1, sizeof *s);
    s->w = w;
    s->me = w->n_cos++;
    return s;
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

// --- guards ----------------------------------------------------------------------------------------------------------

bool begin_send(self *s, int chan, uint64_t value)
{
    if (s->w->chan_closed[chan])
        return false;
    s->w->chan_sends[chan]++;
    note(s, "send", chan, (int)value, 0);
    return true;
}

void end_send(self *s, int chan, bool done)
{
    s->w->chan_sends[chan]--;
    note(s, done ? "sent" : "not_sent", chan, 0, 0);
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
    note(s, "case", chan, sends, (int)value);
}

void end_select(self *s, const int *chans, const bool *sends, int n, int chosen, bool ok, uint64_t value)
{
    for (int i = 0; i < n; i++)
        if (sends[i])
            s->w->chan_sends[chans[i]]--;
    note(s, "selected", chosen, ok, (int)value);
}

// --- running ---------------------------------------------------------------------------------------------------------

static world *make_world(const program *p)
{
    world *w = p->fixed ? p->fixed : aligned_alloc(64, sizeof *w);
    memset(w, 0, sizeof *w);
    for (int i = 0; i < N_CHANS; i++)
        w->chan[i] = csp_chan_new(p->chan_elem[i], p->chan_cap[i]);
    return w;
}

// So many turns of ours without a new line, and the program has come to rest: some coroutines are parked for good.
enum { QUIET_YIELDS = 1000 };

static void run(int number, int round, uint64_t seed)
{
    const program *p = &programs[number];
    random_state = seed * 0x9e3779b97f4a7c15u + (uint64_t)number * 1000003u + (uint64_t)round;
    draw();
    give_way = (int)(draw() % 7);
    world *w = make_world(p);
    add_line((line){"program", number, round, 0, 0, w->data});
    self *root = make_self(w);
    for (int i = 0; i < N_CHANS; i++)
        note(root, "chan", i, (int)p->chan_cap[i], 0);
    csp_go(p->root, root);
    for (int quiet = 0; quiet < QUIET_YIELDS; quiet++) {
        size_t before = n_lines;
        csp_yield();
        if (n_lines != before)
            quiet = 0;
    }
}

static int write_lines(const char *path)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return 1;
    for (const line *l = lines; l < lines + n_lines; l++)
        fprintf(f, "%d %s %d %d %d %p\n", l->who, l->what, l->a, l->b, l->c, l->p);
    fprintf(f, "0 end 0 0 0 0\n");
    return fclose(f) ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 64;
    uint64_t seed = strtoull(argv[2], NULL, 10);
    int rounds = atoi(argv[3]);
    for (int i = 0; i < n_programs; i++) {
        bool chosen = argc == 4;
        for (int k = 4; k < argc; k++)
            chosen |= atoi(argv[k]) == i;
        for (int round = 0; chosen && round < rounds && !(round && programs[i].fixed); round++)
            run(i, round, seed);
    }
    return write_lines(argv[1]);
}
