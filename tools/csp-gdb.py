# csp-gdb.py - cspthread's coroutines in gdb: list them, walk the stacks of those that do not run; live or from a core file.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#     (gdb) source csp-gdb.py
#     (gdb) info coroutines
#     (gdb) coroutine 7 bt
#     (gdb) coroutine apply all bt
#
# Only memory is read: nothing is called, and no register of a thread is written, which a core file would not allow. A parked
# stack is shown through an unwinder of ours that, while it is switched on, says of the selected thread's innermost frame that
# the coroutine's saved state called it. The layout of that state stands in runtime/switch_x86_64.h.
import re

import gdb
import gdb.unwinder

FREE, RUNNABLE, RUNNING, PARKED = range(4)
WAITS = [
    "waiting", "chan send", "chan receive", "select", "sync.Mutex.Lock", "sync.RWMutex.RLock", "sync.RWMutex.Lock",
    "sync.WaitGroup.Wait", "sync.Cond.Wait", "sync.Once.Do", "semacquire", "sleep", "IO wait", "waiting",
]
NAME_SPACE = 64 # co.h
SAVED_RBX, SAVED_RBP, SAVED_PC, SAVED_SIZE = 8, 16, 24, 160


def word(address):
    inferior = gdb.selected_inferior()
    return int.from_bytes(bytes(inferior.read_memory(address, 8)), "little")


# --- finding them ----------------------------------------------------------------------------------------------------------


def scheduler():
    try:
        return gdb.parse_and_eval("cspi_sched")
    except gdb.error:
        raise gdb.GdbError("no cspthread in this program, or its runtime has no debug information")


def stride_of(slab):
    fields = {f.name for f in slab.type.fields()}
    if "class" not in fields:
        return 64 << 10
    return (20 << 10) + ((16 << 10) << int(slab["class"]))


def descriptors():
    """The addresses of all csp_co that were ever handed out."""
    co = gdb.lookup_type("struct csp_co")
    room = (co.sizeof + 63) // 64 * 64
    stacks = gdb.parse_and_eval("'stack.c'::stacks")
    for i in range(int(stacks["n_slabs"])):
        slab = stacks["slabs"][i]
        stride, base = stride_of(slab), int(slab["base"])
        for j in range(int(slab["used"])):
            yield gdb.Value(base + (j + 1) * stride - room).cast(co.pointer()).dereference()


def coroutines():
    sched = scheduler()
    if not sched["started"]:
        return
    for co in [sched["main_co"], *descriptors(), *foreign(sched)]:
        if int(co["id"]) and int(co["state"]) != FREE:
            yield co


def foreign(sched):
    co = sched["foreign"]
    while co:
        yield co.dereference()
        co = co["foreign_next"]


def find(number):
    for co in coroutines():
        if int(co["id"]) == number:
            return co
    raise gdb.GdbError(f"no coroutine {number}")


def worker_of(co):
    sched = scheduler()
    for i in range(int(sched["n_max"])):
        worker = sched["workers"][i]
        if worker and worker["current"] == co.address:
            return worker
    return None


def thread_of(co):
    worker = worker_of(co)
    for thread in gdb.selected_inferior().threads():
        if worker and thread.ptid[1] == int(worker["tid"]):
            return thread
    return None


def state_of(co):
    state = int(co["state"])
    if state == PARKED and co["wait"]:
        op = int(co["wait"]["op"])
        return WAITS[op] if 0 <= op < len(WAITS) else "waiting"
    return {RUNNABLE: "runnable", RUNNING: "running", PARKED: "waiting"}[state]


def name_of(co):
    if not co["named"]:
        return ""
    name = gdb.Value(int(co.address) - NAME_SPACE).cast(gdb.lookup_type("char").pointer())
    return f' "{name.string(errors="replace")}"'


# --- walking their stacks --------------------------------------------------------------------------------------------------


class Frame:
    """What gdb tells frames apart by; below the coroutine's, or it would take the stack for a broken one."""

    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class Unwinder(gdb.unwinder.Unwinder):
    """While `saved` is set: the caller of the innermost frame is who saved that state."""

    def __init__(self):
        super().__init__("cspthread")
        self.saved = None
        self.innermost = None

    def __call__(self, frame):
        if self.saved is None:
            return None
        pc, sp = frame.read_register("rip"), frame.read_register("rsp")
        if (int(pc), int(sp)) != self.innermost:
            return None
        word_type = gdb.lookup_type("unsigned long")
        info = frame.create_unwind_info(Frame(gdb.Value(self.saved).cast(word_type), pc))
        for register, value in (
            ("rip", word(self.saved + SAVED_PC)),
            ("rsp", self.saved + SAVED_SIZE),
            ("rbp", word(self.saved + SAVED_RBP)),
            ("rbx", word(self.saved + SAVED_RBX)),
        ):
            info.add_saved_register(register, gdb.Value(value).cast(word_type))
        return info


unwinder = Unwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)


def walk_saved(saved, command):
    """The output of a command that prints frames, over the stack that saved its state there."""
    newest = gdb.newest_frame()
    unwinder.innermost = (int(newest.read_register("rip")), int(newest.read_register("rsp")))
    unwinder.saved = saved
    gdb.invalidate_cached_frames()
    try:
        text = gdb.execute(command, to_string=True)
    finally:
        unwinder.saved = None
        gdb.invalidate_cached_frames()
    lines = text.splitlines(keepends=True)
    while lines and not lines[0].startswith("#1 "): # the thread's own innermost frame
        lines.pop(0)
    return re.sub(r"(?m)^#(\d+) ", lambda m: f"#{int(m[1]) - 1} ", "".join(lines))


def run_over(co, command):
    if int(co["state"]) == RUNNING or co["bound"]:
        thread, before = thread_of(co), gdb.selected_thread()
        if not thread:
            return "(on a thread of the program: see info threads)\n"
        thread.switch()
        try:
            return gdb.execute(command, to_string=True)
        finally:
            before.switch()
    return walk_saved(int(co["sp"]), command)


def title(co):
    return f'coroutine {int(co["id"])}{name_of(co)} [{state_of(co)}]'


# --- commands --------------------------------------------------------------------------------------------------------------


class InfoCoroutines(gdb.Command):
    """List the coroutines: number, state, the function they are in."""

    def __init__(self):
        super().__init__("info coroutines", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for co in coroutines():
            place = ""
            if int(co["state"]) != RUNNING and not co["bound"]:
                lines = walk_saved(int(co["sp"]), "bt 24").splitlines()
                public = [l for l in lines if re.search(r"\bcsp_\w+ \(", l)]
                place = (public or lines or [""])[0]
            print(f"{title(co)} {re.sub(r'^#[0-9]+ +(0x[0-9a-f]+ in )?', '', place)}".rstrip())


class Coroutine(gdb.Command):
    """coroutine N COMMAND, coroutine apply all COMMAND: run a command that shows frames (bt, say) over a coroutine's stack."""

    def __init__(self):
        super().__init__("coroutine", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        if m := re.match(r"apply\s+all\s+(.+)", argument):
            for co in coroutines():
                print(f"\n{title(co)}:\n{run_over(co, m[1])}", end="")
        elif m := re.match(r"(\d+)\s+(.+)", argument):
            print(run_over(find(int(m[1])), m[2]), end="")
        else:
            raise gdb.GdbError("coroutine N COMMAND | coroutine apply all COMMAND; see info coroutines")


InfoCoroutines()
Coroutine()
