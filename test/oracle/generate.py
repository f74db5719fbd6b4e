#!/usr/bin/env python3
# generate.py - writes C files of random programs: coroutines and threads that access a few shared bytes and synchronise, or not.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# usage: generate.py seed first-number how-many [skip,skip,...] > programs.c
#
# The programs work on a `world` (world.h) and note all they do there. What they do has to be defined but for its data races:
# guards skip what would panic, and the bytes of an atomic object are written plainly as a whole or not from its first byte
# on. They may block for ever.
#
# Every statement and access has a number; those of `skip` are left out, and nothing else changes: so a failing program shrinks
# (run.py --shrink). The last line of the output counts the constructs that were generated.
import collections
import random
import sys

from accesses import Accesses, Area
from operations import KINDS, N_BLOCKS, N_CHANS, N_OBJECTS, OF_THREADS, STARTING, Operations

DATA_SIZE, BITS_SIZE = 160, 16


class Generator(Accesses, Operations):
    def __init__(self, seed, number, skip=()):
        self.r = random.Random(seed * 1000003 + number)
        self.number, self.skip = number, set(skip)
        self.counts = collections.Counter()
        self.functions, self.helpers, self.lines = [], [], []
        self.depth = 1
        self.held = []        # locks of the current function, as (kind, index)
        self.in_thread = self.in_called = False # what the current function may not do: wait for ever; start others
        self.to_start = []
        self.n_names = self.n_numbers = 0
        self.plan()

    # --- what this program is about -----------------------------------------------------------------------------------
    def plan(self):
        r = self.r
        self.fixed = r.random() < 0.3
        self.n_cos = r.choice([2, 3, 3, 4, 4, 5, 6])
        self.elems = [r.choice([8, 8, 8, 8, 0, 1, 2, 4, 3, 16, 24]) for _ in range(N_CHANS)]
        self.caps = [r.choice([0, 0, 0, 1, 1, 2, 3]) for _ in range(N_CHANS)]
        self.permits = [r.choice([0, 0, 1, 2]) for _ in range(N_OBJECTS)]
        self.has_threads = r.random() < 0.3
        slots = []
        for _ in range(r.choice([0, 1, 1, 2, 3])):
            size = r.choice([1, 2, 4, 4, 4, 8, 8, 16])
            at = r.randrange(DATA_SIZE // size) * size
            if not any(at < b + m and b < at + size for b, m in slots):
                slots.append((at, size))
        self.data = self.area = Area(r, DATA_SIZE, [r.randrange(DATA_SIZE - 16) for _ in range(r.choice([2, 4, 6, 8]))], slots)
        # Freed blocks are written to on purpose: sizes that the runtime's own blocks do not have, which would be hit else.
        self.block_sizes = [r.choice([520, 529, 552, 584, 612]) for _ in range(N_BLOCKS)]
        if r.random() < 0.1:
            self.block_sizes[0] = r.choice([70000, 140000, 200000])
        self.blocks = [Area(r, n, [r.randrange(n) for _ in range(2)] if n < 1000 else [r.randrange(n), 65528, 65536, n - 8])
                       for n in self.block_sizes]
        self.on_slots = r.choice([0.1, 0.1, 0.4])
        self.on_blocks = r.choice([0, 0, 0.2, 0.5])
        self.joins = r.random() < 0.4     # the root waits for those that it starts
        self.guards = r.choice([0, 0, 0.6, 0.9]) # how often a group holds the lock
        self.weigh()

    def weigh(self):
        """How often each kind of statement comes; a program is about some of them."""
        r = self.r
        favourites = r.sample([k for k in KINDS if k != "group"], 6)
        self.weights = {k: (w * 4 if k in favourites else w * r.choice([0, 0, 1])) for k, w in KINDS.items()}
        self.weights["group"] = r.choice([2, 6, 12])
        if not self.on_blocks:
            self.weights["allocate"] = self.weights["release_block"] = 0
        if not self.has_threads:
            self.weights["thread"] = 0
        self.gives = [self.send, self.send, self.trysend, self.close, self.wg_done, self.release, self.wake, self.sem_release,
                      self.cancel, self.psem]
        self.takes = [self.recv, self.recv, self.tryrecv, self.select, self.wg_wait, self.acquire, self.sleep, self.sem_acquire,
                      self.ask_context, self.await_context]
        about = r.choice(["all", "all", "all", "all", "all", "atomics", "conditions", "semaphores", "blocks", "threads"])
        if about == "atomics" and self.data.slots:
            self.data.slots, self.guards = self.data.slots[:1], 0
            self.gives, self.takes = [self.release], [self.acquire]
            self.weights = {"give": 4, "take": 4, "atomic": 1, "fence": r.choice([0, 2]), "group": 1}
        elif about == "conditions":
            self.gives, self.takes, self.guards = [self.wake], [self.sleep], 0
            self.weights = {"give": 4, "take": 4, "group": 1}
        elif about == "semaphores":
            self.gives, self.takes, self.guards = [self.sem_release], [self.sem_acquire], 0
            self.weights = {"give": 5, "take": 4, "group": 1}
        elif about == "blocks":
            self.on_blocks = 0.8
            self.gives, self.takes = [self.send, self.release, self.sem_release], [self.recv, self.acquire, self.sem_acquire]
            self.weights = {"give": 4, "take": 4, "group": 4, "allocate": 4, "release_block": 2, "lock": 2}
        elif about == "threads":
            self.has_threads = True
            self.weights.update({"thread": 6, "plock": 3, "prwlock": 2, "psem": 3, "ponce": 1})
        elif not self.data.slots:
            self.weights["atomic"] = self.weights["fence"] = 0

    # --- text ---------------------------------------------------------------------------------------------------------
    def put(self, text):
        self.lines.append("    " * self.depth + text)

    def name(self, prefix):
        self.n_names += 1
        return "%s%d" % (prefix, self.n_names)

    def count(self, construct):
        self.counts[construct] += 1

    def begins(self, construct):
        """The next number; False: it is left out."""
        self.n_numbers += 1
        if self.n_numbers in self.skip:
            return False
        self.count(construct)
        return True

    def statement(self, kind, make):
        kept, lines = self.begins(kind), len(self.lines)
        make()
        if not kept:
            del self.lines[lines:]

    # --- patterns: what is done before or after an operation that may be an order -------------------------------------
    def give(self):
        self.group()
        self.one_of(self.gives)

    def take(self):
        self.one_of(self.takes)
        self.group()

    def one_of(self, makers):
        make = self.r.choice(makers)
        self.statement(make.__name__, make)

    def group(self):
        """Some accesses to the shared bytes, to a heap block or to bit-fields."""
        if not self.held and self.r.random() < self.guards:
            self.r.choice([self.lock, self.lock, self.rwlock])([self.group])
            return
        if self.r.random() < 0.06:
            self.bit_fields()
            return
        n, block = self.r.choice([1, 1, 1, 2, 2, 3, 5]), None
        self.area = self.data
        if self.r.random() < self.on_blocks:
            block = self.r.randrange(N_BLOCKS)
            self.area = self.blocks[block]
        notes, code = self.accesses(n)
        if block is not None:
            self.count("group on a large block" if self.area.size > 1000 else "group on a block")
            self.put("{ unsigned char *d = block(s, %d); if (d) {" % block)
        else:
            self.put("{ {")
        self.depth += 1
        for what, off, size in notes:
            self.put('note_at(s, "%s", d + %d, %d);' % (what, off, size))
        self.put("uint64_t sum = 0;")
        for line in code:
            self.put(line)
        self.put("keep(sum);")
        self.depth -= 1
        self.put("} }")

    def bit_fields(self):
        """The trace has the whole location; the compiler may access less of it."""
        self.count("bit-fields")
        notes, code = [], []
        for _ in range(self.r.choice([1, 2])):
            i, field = self.r.randrange(4), self.r.choice("abcd")
            writes = self.r.random() < 0.5
            notes.append(("write" if writes else "read", i))
            place = "w->bits[%d].%s" % (i, field)
            code.append("%s = %d & 7;" % (place, self.r.randrange(8)) if writes else "sum += %s;" % place)
        self.put("{")
        for what, i in notes:
            self.put('note_at(s, "%s", &w->bits[%d], 4);' % (what, i))
        self.put("uint64_t sum = 0; %s keep(sum); }" % " ".join(code))

    # --- control ------------------------------------------------------------------------------------------------------
    def loop(self):
        if self.depth > 4:
            return
        i = self.name("i")
        self.put("for (int %s = 0, n%s = opaque(%d); %s < n%s; %s++) {" % (i, i, self.r.choice([2, 2, 3]), i, i, i))
        self.block(None)
        self.put("}")

    def go(self):
        if self.to_start and not self.held and not self.in_thread:
            self.put("csp_go(p%d_co%d, child(s));" % (self.number, self.to_start.pop()))

    def body(self, budget):
        for _ in range(budget):
            weights = {k: v for k, v in self.weights.items() if (not self.in_thread or k in OF_THREADS) and (
                not self.in_called or k not in STARTING)}
            kind = self.r.choices(list(weights), list(weights.values()))[0] if any(weights.values()) else "group"
            if self.depth > 3 and kind in ("lock", "rwlock", "loop", "errgroup", "thread"):
                kind = "group"
            if not self.in_thread:
                self.put("pause_here(s);")
            self.statement(kind, getattr(self, kind))

    # --- functions ----------------------------------------------------------------------------------------------------
    def begin_function(self, name, result="void", parameters="void *arg", me="arg"):
        self.functions.append("static %s %s(%s)" % (result, name, parameters))
        self.lines, self.held = [], []
        self.put("self *s = %s;" % me)
        self.put("world *w = %s;" % ("&world%d" % self.number if self.fixed else "s->w"))
        self.put("unsigned char *d = w->data;")
        self.put("(void)d, (void)w;")

    def end_function(self):
        self.functions[-1] += "\n{\n" + "\n".join(line for line in self.lines if line.strip()) + "\n}\n"

    def onces(self):
        for i in range(N_OBJECTS):
            self.begin_function("p%d_once%d" % (self.number, i))
            self.group()
            self.put("pause_here(s);")
            self.group()
            self.put('note(s, "once_over", %d, 0, 0);' % i)
            self.end_function()
        # It blocks a thread, so nothing in it gives way.
        self.begin_function("p%d_ponce" % self.number, parameters="void", me="get_oncer()")
        self.held = [("ponce", 0)]
        self.group()
        self.put('note(s, "once_over", 10, 0, 0);')
        self.end_function()

    def members(self):
        for i in range(2):
            self.begin_function("p%d_member%d" % (self.number, i), "int", "csp_ctx *ctx, void *arg")
            self.put("(void)ctx;")
            self.body(self.r.choice([1, 2]))
            if self.r.random() < 0.5:
                self.put('enter(); note(s, "group_failed", s->id, csp_ctx_err(ctx) != 0, 0); leave();')
                self.group()
            self.put('enter(); note(s, "member_ends", s->id, %d, 0); return %d;' % ((i, i))) # the turn ends with the coroutine
            self.end_function()

    def timers(self):
        self.begin_function("p%d_timer" % self.number)
        self.put("timer_begins(s);")
        self.body(self.r.choice([1, 2]))
        self.end_function()

    def threads(self):
        self.in_thread = True
        for i in range(2):
            self.begin_function("p%d_thread%d" % (self.number, i), "void *")
            self.body(self.r.choice([1, 2]))
            self.put('if (s->barrier) { note(s, "arrive", s->id, 0, 0); pthread_barrier_wait(s->barrier);'
                     ' note(s, "depart", s->id, 0, 0); }')
            self.body(self.r.choice([1, 2, 3]))
            self.put("thread_ends(s); return NULL;")
            self.end_function()
        self.in_thread = False

    def coroutines(self):
        n = self.number
        # Coroutine i is started by an earlier one: somewhere in its body, or by the root at its start or end.
        crowd = 1 if self.r.random() < 0.05 else None # one that runs many times
        late = [i for i in range(1, self.n_cos) if self.r.random() < 0.3]
        for i in range(self.n_cos):
            self.to_start = [j for j in late if j == i + 1]
            mine = list(self.to_start)
            self.begin_function("p%d_co%d" % (n, i))
            if i == 0:
                for block in range(N_BLOCKS):
                    if self.on_blocks and self.r.random() < 0.6:
                        self.statement("allocate", lambda: self.allocate(block))
                self.body(self.r.choice([0, 1, 2]))
                for j in range(1, self.n_cos):
                    if j not in late:
                        self.statement("go", lambda: self.start(j, crowd))
                if self.joins and self.r.random() < 0.7:
                    self.body(1)
                    self.statement("wg_wait", lambda: self.wg_wait(0))
            if mine and self.r.random() < 0.5:
                self.body(1)
                self.start_rest()
            self.body(self.r.choice([3, 4, 6, 8]))
            self.start_rest()
            if self.joins and i not in late and i > 0:
                self.wg_done(0)
            self.end_function()

    def start(self, j, crowd):
        if j == crowd:
            self.put("for (int i = 0; i < %d; i++) {" % self.r.choice([10, 20, 40]))
        if self.joins:
            self.wg_add(0)
        self.put("csp_go(p%d_co%d, child(s));" % (self.number, j))
        if j == crowd:
            self.put("}")

    def start_rest(self):
        while self.to_start:
            self.go()

    def program(self):
        n = self.number
        out = ["// --- program %d" % n]
        if self.fixed:
            out.append("static world world%d;" % n)
        out += ["static void p%d_co%d(void *);" % (n, i) for i in range(self.n_cos)]
        out += ["static void p%d_once%d(void *);" % (n, i) for i in range(N_OBJECTS)]
        out += ["static int p%d_member%d(csp_ctx *, void *);" % (n, i) for i in range(2)]
        out += ["static void *p%d_thread%d(void *);" % (n, i) for i in range(2)]
        out += ["static void p%d_timer(void *);" % n, "static void p%d_ponce(void);" % n]
        self.onces()
        self.in_called = True
        self.members()
        self.timers()
        self.threads()
        self.in_called = False
        self.coroutines()
        return "\n".join(out) + "\n" + "\n".join(self.helpers) + "\n".join(self.functions)

    def row(self):
        lists = [self.elems, self.caps, self.block_sizes, self.permits]
        return "    {p%d_co0, %s, %d, %s}," % (self.number, "&world%d" % self.number if self.fixed else "0", self.has_threads,
                                            ", ".join("{%s}" % ", ".join(map(str, l)) for l in lists))


def main():
    seed, first, count = map(int, sys.argv[1:4])
    skip = [int(x) for x in sys.argv[4].split(",") if x] if len(sys.argv) > 4 else []
    print("// Generated: seed %d, programs %d to %d." % (seed, first, first + count - 1))
    print('#include "world.h"\n')
    rows, counts = [], collections.Counter()
    for number in range(first, first + count):
        g = Generator(seed, number, skip)
        print(g.program())
        rows.append(g.row())
        counts.update(g.counts)
    print("const program programs[] = {\n" + "\n".join(rows) + "\n};")
    print("const int n_programs = %d;" % count)
    print("// constructs: " + "; ".join("%s=%d" % c for c in sorted(counts.items())))


if __name__ == "__main__":
    main()
