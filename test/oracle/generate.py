#!/usr/bin/env python3
# generate.py - writes C files of random programs: coroutines that access a few shared bytes and synchronise, or not.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# usage: generate.py seed first-number how-many > programs.c
#
# The programs work on a `world` (world.h) and note all they do there. What they do has to be defined but for its data races:
# guards skip what would panic, and the bytes of an atomic object are written plainly as a whole or not from its first byte
# on. They may block for ever.
import random
import sys

RELAXED, CONSUME, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST = range(6)
ORDER_NAMES = ["RELAXED", "CONSUME", "ACQUIRE", "RELEASE", "ACQ_REL", "SEQ_CST"]
LOAD_ORDERS = [RELAXED, RELAXED, CONSUME, ACQUIRE, ACQUIRE, SEQ_CST]
STORE_ORDERS = [RELAXED, RELAXED, RELEASE, RELEASE, SEQ_CST]
RMW_ORDERS = [RELAXED, RELAXED, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST]
DATA_SIZE = 160
N_CHANS = 3
N_OBJECTS = 2
# After what is read only to be stored: were that overwritten next, the compiler would drop the read.
BARRIER = '__asm__ volatile("" ::: "memory");'


class Generator:
    def __init__(self, seed, number):
        self.r = random.Random(seed * 1000003 + number)
        self.number = number
        self.functions = []
        self.lines = []
        self.depth = 1
        self.held = []        # locks of the current function, as (kind, index)
        self.n_names = 0
        self.plan()

    # --- what this program is about -----------------------------------------------------------------------------------
    def plan(self):
        r = self.r
        self.fixed = r.random() < 0.3
        self.n_cos = r.choice([2, 3, 3, 4, 4, 5, 6])
        self.elems = [r.choice([8, 8, 8, 8, 0, 1, 2, 4, 3, 16, 24]) for _ in range(N_CHANS)]
        self.caps = [r.choice([0, 0, 0, 1, 1, 2, 3]) for _ in range(N_CHANS)]
        self.hot = [r.randrange(DATA_SIZE - 16) for _ in range(r.choice([2, 4, 6, 8]))]
        self.slots = []
        for _ in range(r.choice([0, 1, 1, 2, 3])):
            size = r.choice([1, 2, 4, 4, 4, 8, 8, 16])
            at = r.randrange(DATA_SIZE // size) * size
            if not any(at < b + m and b < at + size for b, m in self.slots):
                self.slots.append((at, size))
        self.on_slots = r.choice([0.1, 0.1, 0.4])
        self.joins = r.random() < 0.4     # the root waits for those that it starts
        self.guards = r.choice([0, 0, 0.6, 0.9]) # how often a group holds the lock
        # How often each kind of statement comes; a program is about some of them.
        kinds = {"group": 8, "lock": 2, "rwlock": 2, "send": 3, "recv": 3, "trysend": 1, "tryrecv": 1, "close": 1,
                 "select": 2, "wg": 3, "cond": 1, "once": 1, "atomic": 4, "fence": 1, "loop": 1, "go": 1, "give": 2, "take": 2}
        favourites = r.sample([k for k in kinds if k != "group"], 5)
        self.weights = {k: (w * 4 if k in favourites else w * r.choice([0, 0, 1])) for k, w in kinds.items()}
        self.weights["group"] = r.choice([2, 6, 12])
        self.gives = [self.send, self.send, self.trysend, self.close, self.wg_done, self.release, self.wake]
        self.takes = [self.recv, self.recv, self.tryrecv, self.select, self.wg_wait, self.acquire, self.sleep]
        about = r.choice(["all", "all", "all", "all", "atomics", "conditions"])
        if about == "atomics" and self.slots:
            self.slots, self.guards = self.slots[:1], 0
            self.gives, self.takes = [self.release], [self.acquire]
            self.weights = {"give": 4, "take": 4, "atomic": 1, "fence": r.choice([0, 2]), "group": 1}
        elif about == "conditions":
            self.gives, self.takes, self.guards = [self.wake], [self.sleep], 0
            self.weights = {"give": 4, "take": 4, "group": 1}
        elif not self.slots:
            self.weights["atomic"] = self.weights["fence"] = 0

    # --- text ---------------------------------------------------------------------------------------------------------
    def put(self, text):
        self.lines.append("    " * self.depth + text)

    def name(self, prefix):
        self.n_names += 1
        return "%s%d" % (prefix, self.n_names)

    def pick_range(self, size):
        """Where an access of this size goes: mostly at or about a hot place, sometimes on an atomic object."""
        r = self.r
        if self.slots and r.random() < self.on_slots:
            at, n = r.choice(self.slots)
            off = at if n == size else at + r.randrange(-2, n)
        elif r.random() < 0.85:
            off = r.choice(self.hot) + r.choice([0, 0, 0, 0, 1, 2, 3, -1, 4])
        else:
            off = r.randrange(DATA_SIZE)
        return max(0, min(off, DATA_SIZE - size))

    def may_write(self, off, size):
        """Not the first byte of an atomic object without all of it."""
        return all(not (off <= at < off + size) or at + n <= off + size for at, n in self.slots)

    def pick_write(self, size, align=1):
        for _ in range(20):
            off = self.pick_range(size) // align * align
            if self.may_write(off, size):
                return off
        return None

    # --- patterns: what is done before or after an operation that may be an order -------------------------------------
    def give(self):
        self.group()
        self.r.choice(self.gives)()

    def take(self):
        self.r.choice(self.takes)()
        self.group()

    def release(self):
        if self.slots:
            self.atomic_of(self.r.choice(["store", "store", "rmw"]))

    def acquire(self):
        if self.slots:
            self.atomic_of(self.r.choice(["load", "load", "rmw", "cas"]))

    # --- plain accesses: first all the notes, then all the code, with no call between that the compiler must respect ------
    def group(self):
        if not self.held and self.r.random() < self.guards:
            self.r.choice([self.lock, self.lock, self.rwlock])([self.group])
            return
        notes, code = [], []
        for _ in range(self.r.choice([1, 1, 1, 2, 2, 3, 5])):
            self.access(notes, code)
        for what, off, size in notes:
            self.put('note(s, "%s", %d, %d, 0);' % (what, off, size))
        self.put("{")
        self.depth += 1
        self.put("uint64_t sum = 0;")
        for line in code:
            self.put(line)
        self.put("keep(sum);")
        self.depth -= 1
        self.put("}")

    def access(self, notes, code):
        getattr(self, "access_" + self.r.choices(
            ["read", "write", "change", "aligned", "vector", "block", "copy", "condition", "strided", "indexed", "odd"],
            [6, 6, 2, 3, 1, 2, 2, 1, 1, 2, 1])[0])(notes, code)

    def value(self):
        return "0x%xull" % self.r.getrandbits(60)

    def access_read(self, notes, code):
        size = self.r.choice([1, 1, 2, 4, 4, 8, 8, 16])
        off = self.pick_range(size)
        notes.append(("read", off, size))
        code.append("sum += (uint64_t)*(u%d *)(d + %d);" % (size, off))
        if size == 16:
            code.append("sum += (uint64_t)(*(u16 *)(d + %d) >> 64);" % off)

    def access_write(self, notes, code):
        size = self.r.choice([1, 1, 2, 4, 4, 8, 8, 16])
        off = self.pick_write(size)
        if off is None:
            return
        notes.append(("write", off, size))
        cast = "(unsigned __int128)0x123456789abcdefull << 64 | " if size == 16 else "(u%d)" % size
        code.append("*(u%d *)(d + %d) = %s(%s);" % (size, off, cast, self.value()))

    def access_change(self, notes, code):
        size = self.r.choice([1, 2, 4, 8])
        off = self.pick_write(size)
        if off is None:
            return
        notes.append(("read", off, size))
        notes.append(("write", off, size))
        code.append("*(u%d *)(d + %d) += 3;" % (size, off))
        code.append(BARRIER)

    def access_aligned(self, notes, code):
        size = self.r.choice([1, 2, 4, 8, 16])
        if self.r.random() < 0.5:
            off = self.pick_range(size) // size * size
            notes.append(("read", off, size))
            code.append("sum += (uint64_t)*(a%d *)(d + %d);" % (size, off))
            if size == 16:
                code.append("sum += (uint64_t)(*(a16 *)(d + %d) >> 64);" % off)
            return
        off = self.pick_write(size, size)
        if off is not None:
            notes.append(("write", off, size))
            code.append("*(a%d *)(d + %d) = (a%d)%s;" % (size, off, size, self.value()))
            if size == 16:
                code[-1] = "*(a16 *)(d + %d) = (a16)%s << 70 | 5;" % (off, self.value())

    def access_vector(self, notes, code):
        size = self.r.choice([16, 32])
        off = self.pick_write(size)
        if off is None:
            return
        v = self.name("value")
        if self.r.random() < 0.5:
            notes.append(("read", off, size))
            code.append("v%d %s = *(v%d *)(d + %d);" % (size, v, size, off))
            code.append("sum += " + " + ".join("%s[%d]" % (v, i) for i in range(4)) + ";")
        else:
            notes.append(("write", off, size))
            code.append("*(v%d *)(d + %d) = (v%d){1, 2, 3, %s};" % (size, off, size, self.r.randrange(1, 1000)))

    def length(self, n):
        return str(n) if self.r.random() < 0.5 else "(size_t)opaque(%d)" % n

    def access_block(self, notes, code):
        size = self.r.choice([1, 2, 3, 5, 7, 8, 12, 16, 20, 33])
        off = self.pick_write(size)
        if off is not None:
            notes.append(("write", off, size))
            code.append("memset(d + %d, %d, %s);" % (off, self.r.randrange(1, 256), self.length(size)))

    def access_copy(self, notes, code):
        size = self.r.choice([2, 3, 4, 6, 7, 8, 9, 12, 16, 24])
        to = self.pick_write(size)
        if to is None:
            return
        kind = self.r.choice(["memcpy", "memmove", "struct", "out", "in"])
        if kind in ("out", "in"): # from or to a variable of our own
            b = self.name("b")
            code.append("BYTES(%d) %s;" % (size, b))
            if kind == "out":
                at = self.pick_range(size)
                notes.append(("read", at, size))
                code.append("memcpy(&%s, d + %d, %d);" % (b, at, size))
                code.append("for (int i = 0; i < %d; i++) sum += %s.b[i];" % (size, b))
            else:
                notes.append(("write", to, size))
                code.append("for (int i = 0; i < %d; i++) %s.b[i] = (unsigned char)(i * 7 + %d);" % (
                    size, b, self.r.randrange(200)))
                code.append("memcpy(d + %d, &%s, %d);" % (to, b, size))
            return
        for _ in range(20):
            at = self.pick_range(size)
            if at + size <= to or to + size <= at or (kind == "memmove" and at != to):
                break
        else:
            return
        notes.append(("read", at, size))
        notes.append(("write", to, size))
        if kind == "struct":
            b = self.name("t")
            code.append("typedef BYTES(%d) %s; *(%s *)(d + %d) = *(%s *)(d + %d);" % (size, b, b, to, b, at))
        else:
            code.append("%s(d + %d, d + %d, %s);" % (kind, to, at, self.length(size)))
        code.append(BARRIER)

    def access_condition(self, notes, code):
        """What is not executed is no access: loads must not be made early."""
        size, yes = self.r.choice([1, 2, 4, 8]), self.r.random() < 0.5
        off, cond = self.pick_range(size), "opaque(%d)" % yes
        if yes:
            notes.append(("read", off, size))
        code.append("sum += %s ? (uint64_t)*(u%d *)(d + %d) : 1;" % (cond, size, off))
        off = self.pick_write(size)
        if off is not None:
            yes = self.r.random() < 0.5
            if yes:
                notes.append(("write", off, size))
            code.append("if (opaque(%d)) *(u%d *)(d + %d) = (u%d)%s;" % (yes, size, off, size, self.value()))

    def access_strided(self, notes, code):
        """A loop over every second or third element: what lies between is not accessed."""
        size, stride, n = self.r.choice([1, 2, 4, 8]), self.r.choice([1, 2, 3]), self.r.choice([1, 2, 4, 7, 9])
        n = min(n, DATA_SIZE // (size * stride))
        start = self.r.randrange(DATA_SIZE - size * stride * n + 1)
        places = [start + i * size * stride for i in range(n)]
        count = n if self.r.random() < 0.3 else "opaque(%d)" % n
        loop = "for (int i = 0, n = %s; i < n; i++) " % count
        element = "((u%d *)(d + %d))[i * %d]" % (size, start, stride)
        if self.r.random() < 0.5 or not all(self.may_write(p, size) for p in places):
            notes.extend(("read", p, size) for p in places)
            code.append(loop + "sum += %s;" % element)
        else:
            notes.extend(("write", p, size) for p in places)
            code.append(loop + "%s = (u%d)(i * 5 + %d);" % (element, size, self.r.randrange(250)))

    def access_indexed(self, notes, code):
        size = self.r.choice([1, 2, 4, 8])
        if self.r.random() < 0.5:
            off = self.pick_range(size)
            notes.append(("read", off, size))
            code.append("sum += *(u%d *)(d + opaque(%d));" % (size, off))
            return
        off = self.pick_write(size)
        if off is not None:
            notes.append(("write", off, size))
            code.append("*(u%d *)(d + opaque(%d)) = (u%d)%s;" % (size, off, size, self.value()))

    def access_odd(self, notes, code):
        off = self.pick_write(10, 16)
        if off is None:
            return
        notes.append(("write", off, 10))
        code.append("*(a_long_double *)(d + %d) = %d.25L;" % (off, self.r.randrange(1, 1000)))

    # --- atomics ------------------------------------------------------------------------------------------------------
    def order(self, orders):
        n = self.r.choice(orders)
        return n, "__ATOMIC_" + ORDER_NAMES[n]

    def atomic(self):
        self.atomic_of(self.r.choice(["load", "load", "store", "store", "rmw", "rmw", "cas"]))

    def atomic_of(self, kind):
        off, size = self.r.choice(self.slots)
        at = "(a%d *)(d + %d)" % (size, off)
        if kind == "load":
            n, order = self.order(LOAD_ORDERS)
            self.put("keep((uint64_t)__atomic_load_n(%s, %s));" % (at, order))
            self.put('note(s, "load", %d, %d, %d);' % (off, size, n))
        elif kind == "store":
            n, order = self.order(STORE_ORDERS)
            self.put("__atomic_store_n(%s, (a%d)%s, %s);" % (at, size, self.value(), order))
            self.put('note(s, "store", %d, %d, %d);' % (off, size, n))
        elif kind == "rmw":
            n, order = self.order(RMW_ORDERS)
            op = self.r.choice(["fetch_add", "fetch_sub", "fetch_and", "fetch_or", "fetch_xor", "fetch_nand", "exchange_n"])
            self.put("keep((uint64_t)__atomic_%s(%s, (a%d)%s, %s));" % (op, at, size, self.value(), order))
            self.put('note(s, "rmw", %d, %d, %d);' % (off, size, n))
        else:
            n, order = self.order(RMW_ORDERS)
            failed, fail_order = self.order([RELAXED, ACQUIRE, SEQ_CST])
            e = self.name("e")
            miss = self.r.choice([0, 0, 1])
            self.put("a%d %s = (a%d)(peek(d + %d, %d) + %d);" % (size, e, size, off, size, miss))
            self.put("if (__atomic_compare_exchange_n(%s, &%s, (a%d)%s, 0, %s, %s))" % (
                at, e, size, self.value(), order, fail_order))
            self.put('    note(s, "rmw", %d, %d, %d);' % (off, size, n))
            self.put("else")
            self.put('    note(s, "load", %d, %d, %d);' % (off, size, failed))

    def fence(self):
        n, order = self.order([ACQUIRE, RELEASE, ACQ_REL, SEQ_CST])
        self.put('note(s, "fence", 0, 0, %d);' % n)
        self.put("__atomic_thread_fence(%s);" % order)

    # --- locks --------------------------------------------------------------------------------------------------------
    def block(self, statements):
        self.depth += 1
        if statements:
            for statement in statements:
                statement()
        else:
            self.body(self.r.choice([1, 1, 2, 3]))
        self.depth -= 1

    def lock(self, statements=None):
        i = self.r.randrange(N_OBJECTS)
        if ("mutex", i) in self.held:
            return
        tries = self.r.random() < 0.2
        if tries:
            self.put("if (csp_mutex_trylock(&w->mutex[%d])) {" % i)
        else:
            self.put("{")
            self.put("    csp_mutex_lock(&w->mutex[%d]);" % i)
        self.put('    note(s, "lock", %d, 0, 0);' % i)
        self.held.append(("mutex", i))
        self.block(statements)
        self.held.pop()
        self.put('    note(s, "unlock", %d, 0, 0);' % i)
        self.put("    csp_mutex_unlock(&w->mutex[%d]);" % i)
        self.put("}")

    def rwlock(self, statements=None):
        i = self.r.randrange(N_OBJECTS)
        if ("rwmutex", i) in self.held:
            return
        r = "r" if self.r.random() < 0.55 else ""
        if self.r.random() < 0.2:
            self.put("if (csp_rwmutex_try%slock(&w->rwmutex[%d])) {" % (r, i))
        else:
            self.put("{")
            self.put("    csp_rwmutex_%slock(&w->rwmutex[%d]);" % (r, i))
        self.put('    note(s, "%slock", %d, 0, 0);' % (r or "w", i))
        self.held.append(("rwmutex", i))
        self.block(statements)
        self.held.pop()
        self.put('    note(s, "%sunlock", %d, 0, 0);' % (r or "w", i))
        self.put("    csp_rwmutex_%sunlock(&w->rwmutex[%d]);" % (r, i))
        self.put("}")

    def cond(self):
        self.r.choice([self.wake, self.wake, self.sleep])()

    def wake(self):
        i, what = self.r.randrange(N_OBJECTS), self.r.choice(["signal", "signal", "broadcast"])
        self.put('note(s, "%s", %d, 0, 0);' % (what, i))
        self.put("csp_cond_%s(&w->cond[%d]);" % (what, i))

    def sleep(self):
        mine = [i for kind, i in self.held if kind == "mutex"]
        if not mine:
            self.lock([self.sleep])
            return
        self.put('note(s, "wait", %d, 0, 0);' % mine[0])
        self.put("csp_cond_wait(&w->cond[%d], &w->mutex[%d]);" % (mine[0], mine[0]))
        self.put('note(s, "woken", %d, 0, 0);' % mine[0])

    def once(self):
        i = self.r.randrange(N_OBJECTS)
        self.put('csp_once_do(&w->once[%d], p%d_once%d, s);' % (i, self.number, i))
        self.put('note(s, "once", %d, 0, 0);' % i)

    def wg(self):
        self.r.choice([self.wg_add, self.wg_add, self.wg_done, self.wg_done, self.wg_done, self.wg_wait])()

    def wg_add(self, i=None):
        i = self.r.randrange(N_OBJECTS) if i is None else i
        self.put("add_wg(s, %d);" % i)
        self.put("csp_wg_add(&w->wg[%d], 1);" % i)

    def wg_done(self, i=None):
        i = self.r.randrange(N_OBJECTS) if i is None else i
        self.put("if (begin_done(s, %d))" % i)
        self.put("    csp_wg_done(&w->wg[%d]);" % i)

    def wg_wait(self, i=None):
        i = self.r.randrange(N_OBJECTS) if i is None else i
        self.put('note(s, "wg_wait", %d, 0, 0);' % i)
        self.put("csp_wg_wait(&w->wg[%d]);" % i)
        self.put('note(s, "wg_waited", %d, 0, 0);' % i)

    # --- channels -----------------------------------------------------------------------------------------------------
    def buffer(self, chan, sends):
        """The operand: (declaration, expression, offset in data or None, expression of the value for the trace)."""
        size = self.elems[chan]
        if size == 0:
            return "", "NULL", None, "0"
        off = self.pick_range(size) if sends else self.pick_write(size)
        if off is not None and (size != 8 or self.r.random() < 0.3):
            return "", "d + %d" % off, off, "0"
        if size == 8:
            v = self.name("value")
            return "uint64_t %s = %s;" % (v, "fresh(s)" if sends else "0"), "&" + v, None, "(int)" + v
        if not sends:
            return "", "NULL", None, "0"
        b = self.name("b")
        return "BYTES(%d) %s = {{1}};" % (size, b), "&" + b, None, "0"

    def note_buffer(self, chan, off, what):
        if off is not None:
            self.put('note(s, "%s", %d, %d, 0);' % (what, off, self.elems[chan]))

    def send(self, tries=False):
        chan = self.r.randrange(N_CHANS)
        declare, operand, off, value = self.buffer(chan, True)
        self.put(declare)
        self.put("if (begin_send(s, %d, %s)) {" % (chan, value))
        self.depth += 1
        self.note_buffer(chan, off, "read")
        if tries:
            self.put("bool done = csp_try_send(w->chan[%d], %s);" % (chan, operand))
            self.put("end_send(s, %d, done);" % chan)
        else:
            self.put("csp_send(w->chan[%d], %s);" % (chan, operand))
            self.put("end_send(s, %d, true);" % chan)
        self.depth -= 1
        self.put("}")

    def trysend(self):
        self.send(True)

    def recv(self):
        chan = self.r.randrange(N_CHANS)
        declare, operand, off, value = self.buffer(chan, False)
        self.put(declare)
        self.put('note(s, "recv", %d, 0, 0);' % chan)
        self.put('{ bool ok = csp_recv(w->chan[%d], %s);' % (chan, operand))
        self.put('note(s, "received", %d, ok, %s); }' % (chan, value))
        self.note_buffer(chan, off, "write")

    def tryrecv(self):
        chan = self.r.randrange(N_CHANS)
        declare, operand, off, value = self.buffer(chan, False)
        self.put(declare)
        self.put('note(s, "recv", %d, 0, 0);' % chan)
        self.put("switch (csp_try_recv(w->chan[%d], %s)) {" % (chan, operand))
        self.put('case 0: note(s, "not_received", %d, 0, 0); break;' % chan)
        for code, ok in ("1", 1), ("default", 0):
            self.put(('case %s:' if ok else '%s:') % code)
            self.put('note(s, "received", %d, %d, %s);' % (chan, ok, value))
            self.note_buffer(chan, off, "write")
            self.put("break;")
        self.put("}")

    def close(self):
        chan = self.r.randrange(N_CHANS)
        self.put("if (begin_close(s, %d))" % chan)
        self.put("    csp_close(w->chan[%d]);" % chan)

    def select(self):
        n = self.r.choice([1, 2, 2, 2, 3])
        chans = [self.r.randrange(N_CHANS) for _ in range(n)]
        sends = [self.r.random() < 0.5 for _ in range(n)]
        operands = [self.buffer(chans[i], sends[i]) for i in range(n)]
        k = self.name("k")
        to = [chans[i] for i in range(n) if sends[i]]
        for declare, _, _, _ in operands:
            self.put(declare)
        self.put("static const int %s_to[] = {%s};" % (k, ", ".join(map(str, to + [-1]))))
        self.put("if (may_select(s, %s_to, %d)) {" % (k, len(to)))
        self.depth += 1
        self.put("static const int chans[] = {%s};" % ", ".join(map(str, chans)))
        self.put("static const bool sends[] = {%s};" % ", ".join(str(int(x)) for x in sends))
        cases = []
        self.put("bool ok = true;")
        for i in range(n):
            declare, operand, off, value = operands[i]
            self.put("note_case(s, %d, %d, %s);" % (chans[i], sends[i], "(uint64_t)%s" % value if sends[i] else "0"))
            if sends[i]:
                self.note_buffer(chans[i], off, "read")
                cases.append("csp_case_send(w->chan[%d], %s)" % (chans[i], operand))
            else:
                cases.append("csp_case_recv(w->chan[%d], %s, &ok)" % (chans[i], operand))
        self.put("csp_case cases[] = {%s};" % ", ".join(cases))
        self.put("int chosen = csp_%sselect(cases, %d);" % ("try_" if self.r.random() < 0.3 else "", n))
        self.put("uint64_t value = 0;")
        for i in range(n):
            if not sends[i] and operands[i][3] != "0":
                self.put("if (chosen == %d) value = %s;" % (i, operands[i][3][5:]))
        self.put("end_select(s, chans, sends, %d, chosen, ok, value);" % n)
        for i in range(n):
            if not sends[i] and operands[i][2] is not None:
                self.put("if (chosen == %d)" % i)
                self.note_buffer(chans[i], operands[i][2], "    write".strip())
        self.depth -= 1
        self.put("}")

    # --- control ------------------------------------------------------------------------------------------------------
    def loop(self):
        if self.depth > 4:
            return
        i = self.name("i")
        self.put("for (int %s = 0, n%s = opaque(%d); %s < n%s; %s++) {" % (i, i, self.r.choice([2, 2, 3]), i, i, i))
        self.block(None)
        self.put("}")

    def go(self):
        if self.to_start and not self.held:
            self.put("csp_go(p%d_co%d, child(s));" % (self.number, self.to_start.pop()))

    def body(self, budget):
        for _ in range(budget):
            kind = self.r.choices(list(self.weights), list(self.weights.values()))[0]
            if self.depth > 3 and kind in ("lock", "rwlock", "loop"):
                kind = "group"
            self.put("pause_here(s);")
            getattr(self, kind)()

    # --- functions ----------------------------------------------------------------------------------------------------
    def begin_function(self, name):
        self.functions.append("static void %s(void *arg)" % name)
        self.lines = []
        self.put("self *s = arg;")
        self.put("world *w = %s;" % ("&world%d" % self.number if self.fixed else "s->w"))
        self.put("unsigned char *d = w->data;")
        self.put("(void)d;")

    def end_function(self):
        self.functions[-1] += "\n{\n" + "\n".join(line for line in self.lines if line.strip()) + "\n}\n"

    def program(self):
        n = self.number
        out = ["// --- program %d" % n]
        if self.fixed:
            out.append("static world world%d;" % n)
        for i in range(N_OBJECTS):
            self.to_start = []
            self.begin_function("p%d_once%d" % (n, i))
            self.group()
            self.put("pause_here(s);")
            self.group()
            self.put('note(s, "once_over", %d, 0, 0);' % i)
            self.end_function()
        for i in range(self.n_cos):
            out.append("static void p%d_co%d(void *);" % (n, i))
        # Coroutine i is started by an earlier one: somewhere in its body, or by the root at its start or end.
        crowd = 1 if self.r.random() < 0.05 else None # one that runs many times
        late = [i for i in range(1, self.n_cos) if self.r.random() < 0.3]
        for i in range(self.n_cos):
            self.to_start = [j for j in late if j == i + 1]
            mine = list(self.to_start)
            self.begin_function("p%d_co%d" % (n, i))
            if i == 0:
                self.body(self.r.choice([0, 1, 2]))
                for j in range(1, self.n_cos):
                    if j not in late:
                        if j == crowd:
                            self.put("for (int i = 0; i < %d; i++) {" % self.r.choice([10, 20, 40]))
                        if self.joins:
                            self.wg_add(0)
                        self.put("csp_go(p%d_co%d, child(s));" % (n, j))
                        if j == crowd:
                            self.put("}")
                if self.joins and self.r.random() < 0.7:
                    self.body(1)
                    self.wg_wait(0)
            if mine and self.r.random() < 0.5:
                self.body(1)
                self.start_rest()
            self.body(self.r.choice([3, 4, 6, 8]))
            self.start_rest()
            if self.joins and i not in late and i > 0:
                self.wg_done(0)
            self.end_function()
        return "\n".join(out) + "\n" + "\n".join(self.functions)

    def start_rest(self):
        while self.to_start:
            self.go()


def main():
    seed, first, count = map(int, sys.argv[1:4])
    print("// Generated: seed %d, programs %d to %d." % (seed, first, first + count - 1))
    print('#include "world.h"\n')
    table = []
    for number in range(first, first + count):
        g = Generator(seed, number)
        print(g.program())
        table.append("    {p%d_co0, %s, {%s}, {%s}}," % (
            number, "&world%d" % number if g.fixed else "0", ", ".join(map(str, g.elems)), ", ".join(map(str, g.caps))))
    print("const program programs[] = {\n" + "\n".join(table) + "\n};")
    print("const int n_programs = %d;" % count)


main()
