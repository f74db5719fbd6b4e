# operations.py - what orders, or does not, in generated programs: atomics, locks, channels, semaphores, contexts, threads, ...
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Each operation and its line in the trace are made in a turn (world.h). Objects of pthreads have numbers from 10 on.
RELAXED, CONSUME, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST = range(6)
ORDER_NAMES = ["RELAXED", "CONSUME", "ACQUIRE", "RELEASE", "ACQ_REL", "SEQ_CST"]
LOAD_ORDERS = [RELAXED, RELAXED, CONSUME, ACQUIRE, ACQUIRE, SEQ_CST]
STORE_ORDERS = [RELAXED, RELAXED, RELEASE, RELEASE, SEQ_CST]
RMW_ORDERS = [RELAXED, RELAXED, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST]
N_CHANS, N_OBJECTS, N_BLOCKS, N_AFTERS = 3, 2, 3, 3

# Statements and how often each comes; those that a thread may make: they do not wait for what may never be.
KINDS = {"group": 8, "lock": 2, "rwlock": 2, "send": 3, "recv": 3, "trysend": 1, "tryrecv": 1, "close": 1, "select": 2, "wg": 3,
         "cond": 1, "once": 1, "atomic": 4, "fence": 1, "loop": 1, "go": 1, "give": 2, "take": 2, "sem": 3, "context": 2, "timer": 1,
         "after": 1, "allocate": 2, "release_block": 1, "errgroup": 1, "thread": 1, "plock": 1, "prwlock": 1, "psem": 1, "ponce": 1}
# Nor do they free: what a thread has freed goes back to the heap's lists when it ends, where a late write would hit them.
OF_THREADS = {"group", "trysend", "tryrecv", "close", "atomic", "fence", "plock", "prwlock", "psem", "ponce", "allocate", "loop"}
STARTING = {"go", "errgroup", "timer", "thread"}


class Operations:
    # --- atomics ------------------------------------------------------------------------------------------------------
    def order(self, orders):
        n = self.r.choice(orders)
        return n, "__ATOMIC_" + ORDER_NAMES[n]

    def release(self):
        if self.data.slots:
            self.atomic_of(self.r.choice(["store", "store", "rmw"]))

    def acquire(self):
        if self.data.slots:
            self.atomic_of(self.r.choice(["load", "load", "rmw", "cas"]))

    def atomic(self):
        if self.data.slots:
            self.atomic_of(self.r.choice(["load", "load", "store", "store", "rmw", "rmw", "cas"]))

    def atomic_of(self, kind):
        self.count("atomic " + kind)
        off, size = self.r.choice(self.data.slots)
        at = "(a%d *)(d + %d)" % (size, off)
        self.put("enter();")
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
        self.put("leave();")

    def fence(self):
        n, order = self.order([ACQUIRE, RELEASE, ACQ_REL, SEQ_CST])
        self.put('enter(); note(s, "fence", 0, 0, %d);' % n)
        self.put("__atomic_thread_fence(%s); leave();" % order)

    # --- locks --------------------------------------------------------------------------------------------------------
    def block(self, statements):
        self.depth += 1
        if statements:
            for statement in statements:
                statement()
        else:
            self.body(self.r.choice([1, 1, 2, 3]))
        self.depth -= 1

    def section(self, kind, number, take, tries, give, lock, unlock, statements):
        """A critical section. take, give: calls; tries: taken by a call that may fail."""
        if (kind, number) in self.held:
            return
        if tries:
            self.put("enter(); if (%s) {" % take)
        else:
            self.put("{ enter();")
            self.put("    %s;" % take)
        self.put('    note(s, "%s", %d, 0, 0); leave();' % (lock, number))
        self.held.append((kind, number))
        self.block(statements)
        self.held.pop()
        self.put('    enter(); note(s, "%s", %d, 0, 0);' % (unlock, number))
        self.put("    %s; leave();" % give)
        self.put("} else leave();" if tries else "}")

    def lock(self, statements=None):
        i = self.r.randrange(N_OBJECTS)
        tries = self.r.random() < 0.2 or self.in_thread
        self.section("mutex", i, "csp_mutex_%slock(&w->mutex[%d])" % ("try" if tries else "", i), tries,
                     "csp_mutex_unlock(&w->mutex[%d])" % i, "lock", "unlock", statements)

    def rwlock(self, statements=None):
        i = self.r.randrange(N_OBJECTS)
        r = "r" if self.r.random() < 0.55 else ""
        tries = self.r.random() < 0.2 or self.in_thread
        self.section("rwmutex", i, "csp_rwmutex_%s%slock(&w->rwmutex[%d])" % ("try" if tries else "", r, i), tries,
                     "csp_rwmutex_%sunlock(&w->rwmutex[%d])" % (r, i), (r or "w") + "lock", (r or "w") + "unlock", statements)

    # Those of pthreads block the worker: nothing in them waits, and they are taken without the turn (their lines are made
    # inside the section, so they are in order).
    def psection(self, kind, number, take, give, lock, unlock):
        if self.held:
            return
        self.held.append((kind, number))
        self.put("{ %s;" % take)
        self.put('    note(s, "%s", %d, 0, 0);' % (lock, number))
        self.block([self.group])
        self.put('    note(s, "%s", %d, 0, 0);' % (unlock, number))
        self.put("    %s; }" % give)
        self.held.pop()

    def plock(self):
        if self.r.random() < 0.6:
            self.count("pthread mutex")
            self.psection("pmutex", 10, "pthread_mutex_lock(&w->pmutex)", "pthread_mutex_unlock(&w->pmutex)", "lock", "unlock")
        else:
            self.count("pthread spin lock")
            self.psection("pspin", 11, "pthread_spin_lock(&w->pspin)", "pthread_spin_unlock(&w->pspin)", "lock", "unlock")

    def prwlock(self):
        r = "rd" if self.r.random() < 0.55 else "wr"
        self.psection("prwlock", 10, "pthread_rwlock_%slock(&w->prwlock)" % r, "pthread_rwlock_unlock(&w->prwlock)",
                      r[0] + "lock", r[0] + "unlock")

    def cond(self):
        self.r.choice([self.wake, self.wake, self.sleep])()

    def wake(self):
        i, what = self.r.randrange(N_OBJECTS), self.r.choice(["signal", "signal", "broadcast"])
        self.count("cond " + what)
        self.put('enter(); note(s, "%s", %d, 0, 0);' % (what, i))
        self.put("csp_cond_%s(&w->cond[%d]); leave();" % (what, i))

    def sleep(self):
        mine = [i for kind, i in self.held if kind == "mutex"]
        if not mine:
            self.lock([self.sleep])
            return
        self.count("cond wait")
        self.put('enter(); note(s, "wait", %d, 0, 0);' % mine[0])
        self.put("csp_cond_wait(&w->cond[%d], &w->mutex[%d]);" % (mine[0], mine[0]))
        self.put('note(s, "woken", %d, 0, 0); leave();' % mine[0])

    def once(self):
        i = self.r.randrange(N_OBJECTS)
        self.put('enter(); csp_once_do(&w->once[%d], p%d_once%d, s);' % (i, self.number, i))
        self.put('note(s, "once", %d, 0, 0); leave();' % i)

    def ponce(self):
        self.put("set_oncer(s); pthread_once(&w->ponce, p%d_ponce);" % self.number)
        self.put('note(s, "once", 10, 0, 0);')

    # --- wait groups, semaphores ----------------------------------------------------------------------------------------
    def wg(self):
        self.r.choice([self.wg_add, self.wg_add, self.wg_done, self.wg_done, self.wg_done, self.wg_wait])()

    def wg_add(self, i=None):
        i = self.r.randrange(N_OBJECTS) if i is None else i
        self.put("enter(); add_wg(s, %d);" % i)
        self.put("csp_wg_add(&w->wg[%d], 1); leave();" % i)

    def wg_done(self, i=None):
        i = self.r.randrange(N_OBJECTS) if i is None else i
        self.put("enter(); if (begin_done(s, %d))" % i)
        self.put("    csp_wg_done(&w->wg[%d]); leave();" % i)

    def wg_wait(self, i=None):
        i = self.r.randrange(N_OBJECTS) if i is None else i
        self.put('enter(); note(s, "wg_wait", %d, 0, 0);' % i)
        self.put("csp_wg_wait(&w->wg[%d]);" % i)
        self.put('note(s, "wg_waited", %d, 0, 0); leave();' % i)

    def sem(self):
        self.r.choice([self.sem_release, self.sem_release, self.sem_acquire])()

    def sem_release(self):
        i, k = self.r.randrange(N_OBJECTS), self.r.choice([1, 1, 2, 3])
        self.count("sem release")
        self.put('enter(); note(s, "sem_release", %d, %d, 0);' % (i, k))
        self.put("csp_sem_release(&w->sem[%d], %d); leave();" % (i, k))

    def sem_acquire(self):
        i, k = self.r.randrange(N_OBJECTS), self.r.choice([1, 1, 2, 3])
        self.put('enter(); note(s, "sem_wait", %d, %d, 0);' % (i, k))
        if self.in_thread or self.r.random() < 0.3:
            self.count("sem tryacquire")
            self.put("if (csp_sem_tryacquire(&w->sem[%d], %d))" % (i, k))
        else:
            self.count("sem acquire")
            self.put("csp_sem_acquire(&w->sem[%d], %d);" % (i, k))
        self.put('    note(s, "sem_taken", %d, %d, 0);' % (i, k))
        self.put("leave();")

    def psem(self):
        self.put("enter();")
        if self.r.random() < 0.6:
            self.put('note(s, "sem_release", 10, 1, 0); sem_post(&w->psem);')
        else:
            self.put('note(s, "sem_wait", 10, 1, 0);')
            self.put('if (sem_trywait(&w->psem) == 0) note(s, "sem_taken", 10, 1, 0);')
        self.put("leave();")

    # --- channels -----------------------------------------------------------------------------------------------------
    def buffer(self, chan, sends):
        """The operand: (declaration, expression, offset in data or None, expression of the value for the trace)."""
        size = self.elems[chan]
        if size == 0:
            return "", "NULL", None, "0"
        self.area = self.data
        off = self.pick_range(size) if sends else self.pick_write(size)
        if off is not None and (size != 8 or self.r.random() < 0.3):
            return "", "d + %d" % off, off, "0"
        if size == 8:
            v = self.name("value")
            return "uint64_t %s = %s;" % (v, "fresh(s)" if sends else "0"), "&" + v, None, "(long)" + v
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
        self.put("enter(); if (begin_send(s, %d, %s)) {" % (chan, value.replace("(long)", "(uint64_t)")))
        self.depth += 1
        self.note_buffer(chan, off, "read")
        if tries:
            self.put("bool done = csp_try_send(w->chan[%d], %s);" % (chan, operand))
            self.put("end_send(s, %d, done);" % chan)
        else:
            self.put("csp_send(w->chan[%d], %s);" % (chan, operand))
            self.put("end_send(s, %d, true);" % chan)
        self.depth -= 1
        self.put("} leave();")

    def trysend(self):
        self.send(True)

    def recv(self):
        chan = self.r.randrange(N_CHANS)
        declare, operand, off, value = self.buffer(chan, False)
        self.put(declare)
        self.put('enter(); note(s, "recv", %d, 0, 0);' % chan)
        self.put('{ bool ok = csp_recv(w->chan[%d], %s);' % (chan, operand))
        self.put('note(s, "received", %d, ok, %s); leave(); }' % (chan, value))
        self.note_buffer(chan, off, "write")

    def tryrecv(self):
        chan = self.r.randrange(N_CHANS)
        declare, operand, off, value = self.buffer(chan, False)
        self.put(declare)
        self.put('enter(); note(s, "recv", %d, 0, 0);' % chan)
        self.put("switch (csp_try_recv(w->chan[%d], %s)) {" % (chan, operand))
        self.put('case 0: note(s, "not_received", %d, 0, 0); break;' % chan)
        for code, ok in ("1", 1), ("default", 0):
            self.put(('case %s:' if ok else '%s:') % code)
            self.put('note(s, "received", %d, %d, %s);' % (chan, ok, value))
            self.note_buffer(chan, off, "write")
            self.put("break;")
        self.put("} leave();")

    def close(self):
        chan = self.r.randrange(N_CHANS)
        self.put("enter(); if (begin_close(s, %d))" % chan)
        self.put("    csp_close(w->chan[%d]); leave();" % chan)

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
        self.put("enter(); if (may_select(s, %s_to, %d)) {" % (k, len(to)))
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
        tries = self.r.random() < 0.3
        self.count("select, trying" if tries else "select, parking")
        self.put("int chosen = csp_%sselect(cases, %d);" % ("try_" if tries else "", n))
        self.put("uint64_t value = 0;")
        for i in range(n):
            if not sends[i] and operands[i][3] != "0":
                self.put("if (chosen == %d) value = (uint64_t)%s;" % (i, operands[i][3][6:]))
        self.put("end_select(s, chans, sends, %d, chosen, ok, value);" % n)
        for i in range(n):
            if not sends[i] and operands[i][2] is not None:
                self.put("if (chosen == %d)" % i)
                self.note_buffer(chans[i], operands[i][2], "write")
        self.depth -= 1
        self.put("} leave();")

    # --- contexts, timers, groups ---------------------------------------------------------------------------------------
    def context(self):
        self.r.choice([self.cancel, self.ask_context, self.ask_context, self.await_context])()

    def cancel(self):
        i = self.r.randrange(N_OBJECTS)
        self.count("ctx cancel")
        self.put('enter(); note(s, "cancel", %d, 0, 0); csp_ctx_cancel(w->ctx[%d]); leave();' % (i, i))

    def ask_context(self):
        i, what = self.r.randrange(N_OBJECTS), self.r.choice(["err", "cause"])
        self.count("ctx " + what)
        self.put('enter(); note(s, "cancelled", %d, csp_ctx_%s(w->ctx[%d]) != 0, 0); leave();' % (i, what, i))

    def await_context(self):
        i = self.r.randrange(N_OBJECTS)
        self.count("ctx done")
        self.put('enter(); csp_recv(csp_ctx_done(w->ctx[%d]), NULL);' % i)
        self.put('note(s, "cancelled", %d, 1, 0); leave();' % i)

    def timer(self):
        if self.held:
            return
        self.put("csp_timer_new(opaque(%d), p%d_timer, timer_child(s));" % (self.r.choice([0, 0, 20000]), self.number))

    def after(self):
        i = self.r.randrange(N_AFTERS)
        if self.r.random() < 0.5:
            self.count("after: made")
            self.put("enter(); if (may_arm(s, %d)) armed(s, %d, csp_after(opaque(%d))); leave();" % (
                i, i, self.r.choice([0, 0, 10000])))
        else:
            self.count("after: awaited")
            c = self.name("c")
            self.put("enter(); csp_chan *%s = take_after(s, %d);" % (c, i))
            self.put('if (%s) { csp_recv(%s, NULL); note(s, "ticked", %d, 0, 0); } leave();' % (c, c, i))

    def errgroup(self):
        if self.held or self.depth > 2:
            return
        g = self.name("g")
        self.put("{ csp_group *%s = csp_group_new(NULL); int %s_id = new_id(s);" % (g, g))
        for _ in range(self.r.choice([1, 2, 2, 3])):
            self.put("csp_group_go(%s, p%d_member%d, group_child(s, %s_id));" % (g, self.number, self.r.randrange(2), g))
        self.block(None)
        self.put('csp_group_wait(%s); note(s, "group_over", %s_id, 0, 0); csp_group_free(%s); }' % (g, g, g))

    # --- heap blocks ----------------------------------------------------------------------------------------------------
    def allocate(self, i=None):
        i = self.r.randrange(N_BLOCKS) if i is None else i
        how = self.r.choice(["malloc(%d)", "malloc((size_t)opaque(%d))", "calloc(1, %d)", "aligned_alloc(16, %d)"]) % self.block_sizes[i]
        self.put("enter(); if (may_allocate(s, %d)) allocated(s, %d, %s); leave();" % (i, i, how))

    def release_block(self):
        p = self.name("m")
        self.put("enter(); void *%s = take_to_free(s, %d); if (%s) free(%s); leave();" % (p, self.r.randrange(N_BLOCKS), p, p))

    # --- threads --------------------------------------------------------------------------------------------------------
    def thread(self):
        if self.held or self.in_thread or self.depth > 2 or not self.has_threads:
            return
        t = self.name("t")
        end, barrier = self.r.choice(["join", "join", "detach"]), self.r.random() < 0.3
        f = self.r.randrange(2)
        self.count("thread, " + end)
        if barrier:
            self.count("thread with barrier")
        self.put("{ pthread_t %s; self *%s_self = thread_child(s, %d); (void)%s_self;" % (t, t, barrier, t))
        self.put("if (pthread_create(&%s, NULL, p%d_thread%d, %s_self)) abort();" % (t, self.number, f, t))
        if barrier: # it would wait for ever if we parked before
            self.held.append(("barrier", 0))
            self.block([self.group])
            self.held.pop()
            self.put('note(s, "arrive", %s_self->id, 0, 0); pthread_barrier_wait(%s_self->barrier); note(s, "depart", %s_self->id, 0, 0);' % (
                t, t, t))
        self.block([self.group] if self.r.random() < 0.5 else None)
        if end == "join":
            self.put('{ long child = %s_self->me; pthread_join(%s, NULL); note(s, "joined", child, 0, 0); }' % (t, t))
        else:
            self.put("pthread_detach(%s);" % t)
        self.put("}")
