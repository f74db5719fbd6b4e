# oracle.py - which bytes of a trace are racy: a graph of what happens before what, and every pair of accesses.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Slow and plain on purpose. Every line of the trace is a node; a coroutine's nodes follow one another; synchronisation adds
# edges (docs/happens-before.md has the rows). A byte is racy when two coroutines access it, at least one writes, not both
# are atomic, and neither node reaches the other.
#
# A send and its receive are one event each, between the begin and the end of the call ("middle"): with C slots, receive k is
# before send k+C and send k before receive k, so receive k is before receive k+C.
# Who meets whom is decided from the order of the lines: channels, conditions, semaphores serve first come, first served. Values
# that were received confirm it.
#
# Bytes are offsets in the world's data; heap blocks lie far away. A malloc is a write that begins a byte's history anew, a free a write.

RELAXED, CONSUME, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST = range(6)
BITS = (160, 176) # bytes of bit-fields (world.h), which race by fours
ACQUIRES = (CONSUME, ACQUIRE, ACQ_REL, SEQ_CST)
RELEASES = (RELEASE, ACQ_REL, SEQ_CST)


class TraceError(Exception):
    """The trace cannot be: the runtime, the generator or this file is wrong."""


class Node:
    def __init__(self, index, co, what, a, b, c):
        self.index, self.co, self.what, self.a, self.b, self.c = index, co, what, a, b, c
        self.edges = []   # (later node, kind)

    def __repr__(self):
        return "#%d co%d %s %d %d %d" % (self.index, self.co, self.what, self.a, self.b, self.c)


class Operation:
    """A send or receive that happened. value: 0 when it was not looked at."""
    def __init__(self, begin, end, value):
        self.begin, self.end, self.value, self.middle = begin, end, value, None


class Graph:
    def __init__(self, lines, parallel=False):
        self.parallel = parallel # accesses happen at any time between the lines around them
        self.unclear = False     # then: a plain write races with an atomic object, whose values are anybody's guess
        self.nodes = []
        self.uses = []           # of objects that race themselves: (node, offset, size, conflicts with its like)
        self.kinds = set()       # of edges
        self.lost_order = False  # the detector is documented to see more order than there is: see atomics()
        self.previous = {}       # node -> its coroutine's node before it
        for co, what, a, b, c in lines:
            self.add(co, what, a, b, c)
        self.program_order()
        self.locks()
        self.conditions()
        self.groups()
        self.onces()
        self.semaphores()
        self.contexts()
        self.errgroups()
        self.threads()
        self.channels()
        self.atomics()

    def add(self, co, what, a=0, b=0, c=0):
        node = Node(len(self.nodes), co, what, a, b, c)
        self.nodes.append(node)
        return node

    def edge(self, earlier, later, kind):
        self.kinds.add(kind)
        earlier.edges.append((later, kind))

    def trace(self, *whats):
        return [n for n in self.nodes if n.what in whats]

    # --- coroutines ---------------------------------------------------------------------------------------------------
    def program_order(self):
        last, started = {}, {}
        for n in self.nodes:
            if n.co in last:
                self.edge(last[n.co], n, "program")
                self.previous[n] = last[n.co]
            elif n.co in started:
                self.edge(started[n.co], n, "go")
            last[n.co] = n
            if n.what == "go":
                started[n.a] = n

    # --- locks: critical sections exclude each other, so the order of their lines is their order ----------------------
    def locks(self):
        for kind, lock, unlock in (("mutex", ("lock", "woken"), ("unlock", "wait")), ("rw write", ("wlock", "rlock"), ("wunlock",)),
                                   ("rw read", ("wlock",), ("runlock",))):
            for n in self.trace(*lock):
                for m in self.nodes[:n.index]:
                    if m.what in unlock and m.a == n.a:
                        self.edge(m, n, kind)

    def conditions(self):
        queues, woken_by = {}, {}
        for n in self.nodes:
            queue = queues.setdefault(n.a, [])
            if n.what == "wait":
                queue.append(n.co)
            elif n.what in ("signal", "broadcast"):
                take = len(queue) if n.what == "broadcast" else 1
                for co in queue[:take]:
                    woken_by[co] = n
                queues[n.a] = queue[take:]
            elif n.what == "woken":
                if n.co not in woken_by:
                    raise TraceError("%r: nobody woke it" % n)
                self.edge(woken_by.pop(n.co), n, "cond")

    # --- wait groups: every done so far is before a wait that the counter's 0 lets go ---------------------------------
    def groups(self):
        count, dones, waiting, noted, first_add = {}, {}, {}, set(), {}
        for n in self.nodes:
            if n.what == "wg":
                first_add[n.a] = n.b
            elif n.what == "add":
                count[n.a] = count.get(n.a, 0) + 1
                if count[n.a] == 1: # must be ordered against waits
                    self.uses.append((n, first_add[n.a], 8, False))
            elif n.what == "done":
                count[n.a] -= 1
                if not count[n.a]:
                    noted.discard(n.a)
                dones.setdefault(n.a, []).append(n)
                for co in [co for co, w in waiting.items() if w[0] == n.a and w[1] is None and not count[n.a]]:
                    waiting[co] = (n.a, list(dones[n.a]))
            elif n.what == "wg_wait":
                waiting[n.co] = (n.a, None if count.get(n.a) else list(dones.get(n.a, [])))
                if count.get(n.a) and n.a not in noted:
                    noted.add(n.a)
                    self.uses.append((n, first_add[n.a], 8, True))
            elif n.what == "wg_waited":
                _, before = waiting.pop(n.co)
                if before is None:
                    raise TraceError("%r: the counter was not 0" % n)
                for m in before:
                    self.edge(m, n, "wait group")

    def onces(self):
        for n in self.trace("once"):
            over = [m for m in self.trace("once_over") if m.a == n.a]
            if len(over) != 1 or over[0].index > n.index:
                raise TraceError("%r: f did not end before it" % n)
            self.edge(over[0], n, "once")

    # --- semaphores: who began first takes the units that were released first; the initial ones are no order ----------
    def semaphores(self):
        units, taken, begun = {}, {}, {}
        for n in self.nodes:
            if n.what == "sem":
                units[n.a], taken[n.a] = [None] * n.b, []
            elif n.what == "sem_release":
                units[n.a] += [n] * n.b
            elif n.what == "sem_wait":
                begun[n.co] = n
            elif n.what == "sem_taken":
                taken[n.a].append((begun[n.co].index, n))
        for sem, takers in taken.items():
            for _, n in sorted(takers, key=lambda t: t[0]):
                mine, units[sem] = units[sem][:n.b], units[sem][n.b:]
                if len(mine) < n.b:
                    raise TraceError("%r: there were no such units" % n)
                for m in mine:
                    if m and m.index > n.index:
                        raise TraceError("%r: its unit was released later" % n)
                    if m:
                        self.edge(m, n, "semaphore")

    # --- contexts, timers, groups -------------------------------------------------------------------------------------
    def contexts(self):
        cancelled, ticks = {}, {}
        for n in self.nodes:
            if n.what == "cancel":
                for i in range(n.a, 2): # context 1 is 0's child
                    cancelled.setdefault(i, n)
            elif n.what == "cancelled":
                self.observed(cancelled.get(n.a), n, "context")
            elif n.what == "after":
                ticks[n.a] = n
            elif n.what == "ticked":
                self.edge(ticks[n.a], n, "after")

    def observed(self, cause, n, kind):
        if bool(cause) != bool(n.b):
            raise TraceError("%r, but %r" % (n, cause))
        if cause:
            self.edge(cause, n, kind)

    def errgroups(self):
        ends, failed = {}, {}
        for n in self.nodes:
            if n.what == "member_ends":
                ends.setdefault(n.a, []).append(n)
                if n.b:
                    failed.setdefault(n.a, n)
            elif n.what == "group_failed":
                self.observed(failed.get(n.a), n, "group: error")
            elif n.what == "group_over":
                for m in ends.get(n.a, []):
                    self.edge(m, n, "group: end")

    # --- threads ------------------------------------------------------------------------------------------------------
    def threads(self):
        last, arrivals = {}, {}
        for n in self.nodes:
            if n.what == "joined" and n.a in last:
                self.edge(last[n.a], n, "join")
            elif n.what == "arrive":
                arrivals.setdefault(n.a, []).append(n)
            elif n.what == "depart":
                if len(arrivals[n.a]) != 2:
                    raise TraceError("%r: %d arrived" % (n, len(arrivals[n.a])))
                for m in arrivals[n.a]:
                    self.edge(m, n, "barrier")
            last[n.co] = n

    # --- channels -----------------------------------------------------------------------------------------------------
    def channels(self):
        capacity, place = {n.a: n.b for n in self.trace("chan")}, {n.a: n.c for n in self.trace("chan")}
        for n in self.nodes: # a send must be ordered against a close
            if n.what in ("send", "close") or (n.what == "case" and n.b):
                self.uses.append((n, place[n.a], 1, n.what == "close"))
        sends, recvs = {chan: [] for chan in capacity}, {chan: [] for chan in capacity}
        begun, cases, closes = {}, {}, {}
        for n in list(self.nodes):
            if n.what in ("send", "recv", "select"):
                begun[n.co], cases[n.co] = n, []
            elif n.what == "case":
                cases[n.co].append(n)
            elif n.what == "close":
                closes[n.a] = n
            elif n.what == "sent":
                sends[n.a].append(Operation(begun[n.co], n, begun[n.co].b))
            elif n.what == "received":
                self.received(recvs, closes, Operation(begun[n.co], n, n.c), n.a, n.b)
            elif n.what == "selected" and n.a >= 0:
                case = cases[n.co][n.a]
                if case.b:
                    sends[case.a].append(Operation(begun[n.co], n, case.c))
                else:
                    self.received(recvs, closes, Operation(begun[n.co], n, n.c), case.a, n.b)
        for chan, cap in capacity.items():
            self.match(cap, sorted(sends[chan], key=lambda o: o.begin.index), sorted(recvs[chan], key=lambda o: o.begin.index))

    def received(self, recvs, closes, operation, chan, ok):
        if ok:
            recvs[chan].append(operation)
        elif chan not in closes:
            raise TraceError("%r: the channel was not closed" % operation.end)
        else:
            self.edge(closes[chan], operation.end, "close")

    def match(self, cap, sends, recvs):
        if not len(recvs) <= len(sends) <= len(recvs) + cap:
            raise TraceError("%d sends, %d receives, capacity %d" % (len(sends), len(recvs), cap))
        for s, r in zip(sends, recvs):
            if s.value and r.value and s.value != r.value:
                raise TraceError("%r got %d, not %d of %r" % (r.end, r.value, s.value, s.begin))
        if cap == 0:
            for s, r in zip(sends, recvs):
                self.edge(self.previous[s.end], r.end, "rendezvous: send")
                self.edge(self.previous[r.end], s.end, "rendezvous: receive")
            return
        for o in sends + recvs:
            o.middle = self.add(o.end.co, "middle")
            self.edge(self.previous[o.end], o.middle, "program")
            self.edge(o.middle, o.end, "program")
        for k, r in enumerate(recvs):
            self.edge(sends[k].middle, r.middle, "buffered: send")
            if k + cap < len(sends):
                self.edge(r.middle, sends[k + cap].middle, "buffered: receive")

    # --- C11 atomics: each operation reads the last one's value; the heads of its release sequences are kept ----------
    def atomics(self):
        objects = {n.a: n.b for n in self.trace("load", "store", "rmw")}
        heads = {at: [] for at in objects}          # (node, owner)
        last_store, changers = {}, {}
        fences, loaded = {}, {}                     # coroutine -> release fence; -> heads seen by relaxed loads
        for n in list(self.nodes):
            if n.what in ("load", "rmw"):
                self.load(n, heads[n.a], loaded)
            if n.what == "store":
                mine = [h for h in heads[n.a] if h[1] == n.co]
                # The detector keeps one clock per object, not one per owner: see rtl/sync/atomics.c, release sequences.
                keeps = last_store.get(n.a) == n.co or n.co in changers.get(n.a, ()) or len(changers.get(n.a, ())) > 1
                if n.c not in RELEASES and keeps and len(mine) < len(heads[n.a]):
                    self.lost_order = True
                heads[n.a] = mine
                last_store[n.a], changers[n.a] = n.co, set()
            if n.what in ("store", "rmw"):
                head = n if n.c in RELEASES else fences.get(n.co)
                if head:
                    heads[n.a].append((head, n.co))
                    if n.what == "rmw":
                        changers.setdefault(n.a, set()).add(n.co)
            if n.what == "fence":
                if n.c in ACQUIRES:
                    for head in loaded.pop(n.co, []):
                        self.edge(head, n, "atomic: fence")
                if n.c in RELEASES:
                    fences[n.co] = n
            if n.what == "write":
                self.overwrite(n, objects, heads)

    def load(self, n, heads, loaded):
        for head, _ in heads:
            if n.c in ACQUIRES:
                self.edge(head, n, "atomic: acquire" if head.what != "fence" else "atomic: fence")
            else:
                loaded.setdefault(n.co, []).append(head)

    def overwrite(self, n, objects, heads):
        """A plain write, when it is no race, ends the release sequences of the objects it covers."""
        for at, size in objects.items():
            if not heads[at] or not (n.a <= at and at + size <= n.a + n.b):
                continue
            if all(self.reaches(head, n) for head, _ in heads[at]):
                heads[at] = []
            else:
                # A race on the object itself. The detector reports that, and may not look at a second write of the same epoch,
                # which could be one that ends the sequences.
                self.lost_order = True

    def reaches(self, a, b):
        seen, todo = set(), [a]
        while todo:
            node = todo.pop()
            if node is b:
                return True
            for later, _ in node.edges:
                if later not in seen:
                    seen.add(later)
                    todo.append(later)
        return False

    # --- the answer ---------------------------------------------------------------------------------------------------
    def reach(self, without):
        """For each node the set of nodes before it and itself, as bits."""
        waits = {n: 0 for n in self.nodes}
        for n in self.nodes:
            for later, kind in n.edges:
                waits[later] += 1
        before = {n: 1 << n.index for n in self.nodes}
        ready, done = [n for n in self.nodes if not waits[n]], 0
        while ready:
            n = ready.pop()
            done += 1
            for later, kind in n.edges:
                if kind != without:
                    before[later] |= before[n]
                waits[later] -= 1
                if not waits[later]:
                    ready.append(later)
        if done != len(self.nodes):
            raise TraceError("the order has a cycle")
        return before

    def accesses(self):
        """(node, first byte, size, writes, is atomic)"""
        for n in self.nodes:
            if n.what in ("read", "write", "malloc", "free"):
                yield n, n.a, n.b, n.what != "read", False
            elif n.what in ("load", "store", "rmw"):
                yield n, n.a, n.b, n.what != "load", True
        for n, at, size, writes in self.uses:
            yield n, at, size, writes, False

    def conflicts(self):
        """Pairs of accesses that conflict: (earlier node, later node, bytes, whether a plain write meets an atomic access)."""
        accesses = sorted(self.accesses(), key=lambda access: access[0].index)
        anew = self.trace("malloc")
        for i, (n, at, size, writes, atomic) in enumerate(accesses):
            if n.what == "malloc":
                continue # no order is needed between those who used the memory before and him
            for m, m_at, m_size, m_writes, m_atomic in accesses[:i]:
                if m_at >= at + size or at >= m_at + m_size or n.co == m.co or not (writes or m_writes) or (atomic and m_atomic):
                    continue
                spans = [(max(at, m_at), min(at + size, m_at + m_size))]
                for k in anew:
                    if m.index < k.index < n.index:
                        spans = [s for lo, hi in spans for s in ((lo, min(hi, k.a)), (max(lo, k.a + k.b), hi)) if s[0] < s[1]]
                for lo, hi in spans:
                    yield m, n, range(lo, hi), atomic != m_atomic and (m_writes if atomic else writes)

    def racy_pairs(self, without=None):
        before = self.reach(without)
        for m, n, span, on_object in self.conflicts():
            if not before[n] >> m.index & 1 and not before[m] >> n.index & 1:
                self.unclear |= self.parallel and on_object
                yield m, n, span

    def racy_bytes(self, without=None):
        racy = set()
        for _, _, span in self.racy_pairs(without):
            racy.update(span)
        return by_location(racy)

    def contended_bytes(self):
        """Bytes with conflicting accesses of two tasks, ordered or not."""
        seen = set()
        for _, _, span, _ in self.conflicts():
            seen.update(span)
        return seen


def by_location(offsets):
    """Bit-fields that follow one another are one memory location, whichever bytes of it an access touches."""
    lo, hi = BITS
    return {o for o in offsets if not lo <= o < hi} | {o // 4 * 4 + i for o in offsets if lo <= o < hi for i in range(4)}
