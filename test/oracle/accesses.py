# accesses.py - plain accesses of generated programs: of all sizes and forms, to some places of an area.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A form appends to `notes` what it accesses, as (what, offset, size), and to `code` the statements. They see the area's first byte
# as `d`, and add what they read to `sum`.

# After what is read only to be stored: were that overwritten next, the compiler would drop the read.
BARRIER = '__asm__ volatile("" ::: "memory");'

FORMS = {"read": 6, "write": 6, "change": 2, "aligned": 3, "vector": 2, "block": 2, "copy": 2, "condition": 1, "strided": 1,
         "indexed": 2, "odd": 1, "member": 3, "members": 2, "again": 1, "rows": 1, "until": 1, "call": 1, "table": 0.3,
         "private": 0.3, "floating": 1}

# The members of world.h's `fields`: name, offset, size, type of what is written.
MEMBERS = [("tag", 0, 1, "char"), ("low", 2, 2, "short"), ("count", 4, 4, "int"), ("value", 8, 8, "double"), ("text[1]", 17, 1, "char"),
           ("in.x", 19, 1, "unsigned char"), ("in.y", 20, 1, "unsigned char"), ("u.s", 22, 2, "short"), ("u.c[1]", 23, 1, "char")]
FIELDS_SIZE = 24


class Area:
    """Bytes that are accessed: how many, the places where most accesses go, the atomic objects in it as (offset, size)."""
    def __init__(self, r, size, hot, slots=()):
        self.size, self.slots = size, list(slots)
        self.hot = [min(h, size - 1) for h in hot] or [0]


class Accesses:
    # --- where ----------------------------------------------------------------------------------------------------------
    def pick_range(self, size):
        """Where an access of this size goes: mostly at or about a hot place, sometimes on an atomic object."""
        r, area = self.r, self.area
        if area.slots and r.random() < self.on_slots:
            at, n = r.choice(area.slots)
            off = at if n == size else at + r.randrange(-2, n)
        elif r.random() < 0.85:
            off = r.choice(area.hot) + r.choice([0, 0, 0, 0, 1, 2, 3, -1, 4])
        else:
            off = r.randrange(area.size)
        return max(0, min(off, area.size - size))

    def may_write(self, off, size):
        """Not the first byte of an atomic object without all of it."""
        return all(not (off <= at < off + size) or at + n <= off + size for at, n in self.area.slots)

    def pick_write(self, size, align=1):
        for _ in range(20):
            off = self.pick_range(size) // align * align
            if size <= self.area.size and self.may_write(off, size):
                return off
        return None

    def value(self):
        return "0x%xull" % self.r.getrandbits(60)

    # --- a group: first all the notes, then all the code, with no call between that the compiler must respect -----------------
    def accesses(self, count):
        """(notes, code) of so many."""
        notes, code = [], []
        for _ in range(count):
            form = self.r.choices(list(FORMS), list(FORMS.values()))[0]
            mine, lines = [], []
            getattr(self, "access_" + form)(mine, lines)
            if mine and max(off + size for _, off, size in mine) > self.area.size:
                continue # a form larger than a small area
            if self.begins("access " + form):
                notes += mine
                code += lines
        return notes, code

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
        size = self.r.choice([16, 32, 64])
        off = self.pick_write(size)
        if off is None:
            return
        v = self.name("value")
        if self.r.random() < 0.5:
            notes.append(("read", off, size))
            code.append("v%d %s = *(v%d *)(d + %d);" % (size, v, size, off))
            code.append("sum += " + " + ".join("%s[%d]" % (v, i) for i in range(8 if size == 64 else 4)) + ";")
        else:
            notes.append(("write", off, size))
            rest = ", 5, 6, 7, 8" if size == 64 else ""
            code.append("*(v%d *)(d + %d) = (v%d){1, 2, 3, %s%s};" % (size, off, size, self.r.randrange(1, 1000), rest))

    def access_floating(self, notes, code):
        size = self.r.choice([4, 8])
        off = self.pick_write(size)
        if off is None:
            return
        if self.r.random() < 0.5:
            notes.append(("read", off, size))
            code.append("sum += *(f%d *)(d + %d) > 1;" % (size, off))
        else:
            notes.append(("write", off, size))
            code.append("*(f%d *)(d + %d) = %d.5;" % (size, off, self.r.randrange(1000)))

    def length(self, n):
        return str(n) if self.r.random() < 0.5 else "(size_t)opaque(%d)" % n

    def access_block(self, notes, code):
        sizes = [1, 2, 3, 5, 7, 8, 12, 16, 20, 33, 64]
        if self.area.size > 1000:
            sizes = [1, 8, 64, 3000, 66000, self.area.size]
        size = self.r.choice(sizes)
        off = self.pick_write(size)
        if off is not None:
            notes.append(("write", off, size))
            code.append("memset(d + %d, %d, %s);" % (off, self.r.randrange(1, 256), self.length(size)))

    def access_copy(self, notes, code):
        size = self.r.choice([2, 3, 4, 6, 7, 8, 9, 12, 16, 24, 40])
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

    def access_again(self, notes, code):
        """One place in several blocks, by reads and writes: what an earlier check stands for."""
        size = self.r.choice([1, 2, 4, 8])
        off = self.pick_write(size)
        if off is None:
            return
        for _ in range(self.r.choice([2, 3])):
            yes, writes = self.r.random() < 0.6, self.r.random() < 0.4
            at = min(off + self.r.choice([0, 0, 0, 1]), self.area.size - size)
            if not self.may_write(at, size):
                continue
            if yes:
                notes.append(("write" if writes else "read", at, size))
            body = "*(u%d *)(d + %d) = (u%d)%s;" % (size, at, size, self.value()) if writes else "sum += *(u%d *)(d + %d);" % (size, at)
            code.append("if (opaque(%d)) { %s %s }" % (yes, body, BARRIER))

    def strided(self, elements):
        """(element size, stride, first byte): so many fit the area."""
        size, stride = self.r.choice([1, 2, 4, 8]), self.r.choice([1, 2, 3])
        span = size * stride * elements
        if span > self.area.size:
            return None
        start = self.pick_range(span) if self.r.random() < 0.5 else self.r.randrange(self.area.size - span + 1)
        return size, stride, start

    def access_strided(self, notes, code):
        """A loop over every second or third element: what lies between is not accessed."""
        n = self.r.choice([1, 2, 4, 7, 9])
        if not (picked := self.strided(n)):
            return
        size, stride, start = picked
        places = [start + i * size * stride for i in range(n)]
        count = n if self.r.random() < 0.3 else "opaque(%d)" % n
        loop = "for (int i = 0, n = %s; i < n; i++) " % count
        element = "((u%d *)(d + %d))[i * %d]" % (size, start, stride)
        self.loop_over(notes, code, places, size, loop, element)

    def loop_over(self, notes, code, places, size, loop, element):
        if self.r.random() < 0.5 or not all(self.may_write(p, size) for p in places):
            notes.extend(("read", p, size) for p in places)
            code.append(loop + "sum += %s;" % element)
        else:
            notes.extend(("write", p, size) for p in places)
            code.append(loop + "%s = (u%d)(i * 5 + %d);" % (element, size, self.r.randrange(250)))

    def access_rows(self, notes, code):
        """Two loops, one in the other."""
        rows, n = self.r.choice([1, 2, 3]), self.r.choice([1, 2, 3])
        size, gap = self.r.choice([1, 2, 4, 8]), self.r.choice([0, 0, 1, 3])
        pitch = n * size + gap
        if rows * pitch > self.area.size:
            return
        start = self.r.randrange(self.area.size - rows * pitch + 1)
        places = [start + j * pitch + i * size for j in range(rows) for i in range(n)]
        loop = "for (int j = 0, m = opaque(%d); j < m; j++) for (int i = 0, n = opaque(%d); i < n; i++) " % (rows, n)
        self.loop_over(notes, code, places, size, loop, "*(u%d *)(d + %d + j * %d + i * %d)" % (size, start, pitch, size))

    def access_until(self, notes, code):
        """A loop left in its midst."""
        n, stop = self.r.choice([2, 4, 6]), self.r.choice([0, 1, 3, 9])
        if not (picked := self.strided(n)):
            return
        size, stride, start = picked
        places = [start + i * size * stride for i in range(min(n, stop))]
        loop = "for (int i = 0, n = opaque(%d), stop = opaque(%d); i < n; i++) { if (i == stop) break; " % (n, stop)
        element = "((u%d *)(d + %d))[i * %d]" % (size, start, stride)
        self.loop_over(notes, code, places, size, loop, element)
        code[-1] += " }"

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
        if off is None or off + 16 > self.area.size:
            return
        notes.append(("write", off, 10))
        code.append("*(a_long_double *)(d + %d) = %d.25L;" % (off, self.r.randrange(1, 1000)))

    # --- structs ---------------------------------------------------------------------------------------------------------
    def pick_struct(self):
        at = self.pick_range(FIELDS_SIZE) // 8 * 8
        return at if at + FIELDS_SIZE <= self.area.size else None

    def one_member(self, notes, code, at, member):
        name, off, size, kind = member
        place = "((fields *)(d + %d))->%s" % (at, name)
        if self.r.random() < 0.5 or not self.may_write(at + off, size):
            notes.append(("read", at + off, size))
            code.append("sum += (uint64_t)(%s > 3);" % place)
        else:
            notes.append(("write", at + off, size))
            code.append("%s = (%s)%d;" % (place, kind, self.r.randrange(1, 100)))

    def access_member(self, notes, code):
        at = self.pick_struct()
        if at is not None:
            self.one_member(notes, code, at, self.r.choice(MEMBERS))

    def access_members(self, notes, code):
        """Neighbours, which the compiler may check as one."""
        at = self.pick_struct()
        if at is not None:
            first = self.r.randrange(len(MEMBERS) - 2)
            for member in MEMBERS[first:first + self.r.choice([2, 3, 6])]:
                self.one_member(notes, code, at, member)

    # --- through functions, and what nobody shares -----------------------------------------------------------------------
    def access_call(self, notes, code):
        """By a function that the compiler sees to order nothing."""
        size, writes = self.r.choice([1, 2, 4, 8]), self.r.random() < 0.4
        off = self.pick_write(size)
        if off is None:
            return
        f = self.name("p%d_f" % self.number)
        body = "*(u%d *)at = (u%d)%s; return 0;" % (size, size, self.value()) if writes else "return *(u%d *)at;" % size
        self.helpers.append("static __attribute__((noinline)) uint64_t %s(unsigned char *at)\n{\n    %s\n}\n" % (f, body))
        notes.append(("write" if writes else "read", off, size))
        code.append("sum += %s(d + %d);" % (f, off))

    def access_table(self, notes, code):
        code.append("static const uint32_t t[4] = {1, 2, 3, 4}; static uint32_t u[4]; sum += t[opaque(1)] + u[opaque(2)];")
        code[-1] = "{ %s }" % code[-1]

    def access_private(self, notes, code):
        """A block that nobody else knows."""
        code.append("{ unsigned char *m = malloc((size_t)opaque(300)); for (int i = 0; i < 300; i += 7) m[i] = (unsigned char)i; "
                    "sum += m[opaque(7)]; free(m); }")
