#!/usr/bin/env python3
# run.py - generated programs through the compiler and the detector: its racy bytes must be the oracle's, byte for byte.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# usage: run.py --build BUILD-DIRECTORY [--programs 500] [--seed 1] [--rounds 2] [--levels O0,O2] [--procs 1,2] [--jobs 2]
#               [--flags FLAGS] [--keep DIRECTORY]
#        run.py --build ... --only NUMBER [--seed S]   one program, with the pairs of accesses the two disagree about
#        run.py --build ... --only NUMBER --shrink     the same, with what can be left out of the program left out
#        run.py ... --each-switch-off   all of it once for each optimisation that can be switched off, with that one off
#        run.py ... --sensitivity   also: for each kind of edge, in how many runs its loss would be noticed
#
# --programs 20000 is the full run (CSP_TEST_FULL=1). A disagreement prints the command that shows it again. Runs with several
# workers, or of programs with threads, are another schedule each time: give --rounds 100 to see one again.
#
# What it prints at the end: how many runs, bytes and edges of each kind there were, and how often each construct was generated; a
# construct that never came fails the whole.
import argparse
import collections
import copy
import concurrent.futures
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True # this folder is the source's
from accesses import FORMS
from operations import KINDS
from oracle import Graph, TraceError, by_location
from switches import groups

HERE = pathlib.Path(__file__).resolve().parent
RUNTIME = HERE.parent.parent / "runtime"
PER_FILE = 50
RUN_TIMEOUT_S = 300
IS_FULL = os.environ.get("CSP_TEST_FULL", "0") not in ("", "0")
# Freed blocks stay as they are, and are the next to be used again.
TUNABLES = "glibc.malloc.tcache_count=65535"


def parse_arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--build", required=True, help="build directory of cspthread")
    p.add_argument("--programs", type=int, default=20000 if IS_FULL else 500, help="how many (500; with CSP_TEST_FULL=1 20000)")
    p.add_argument("--seed", type=int, default=1, help="of the generator and of the yields")
    p.add_argument("--rounds", type=int, default=2, help="runs of each program that may run twice")
    p.add_argument("--levels", default="O0,O2", help="optimisation levels")
    p.add_argument("--procs", default="1,2", help="values of CSP_MAXPROCS; other than 1 only at the last level")
    p.add_argument("--flags", default="", help="for the compiler; after =, since they begin with a dash")
    p.add_argument("--options", default="", help="for the detector, more of them")
    p.add_argument("--each-switch-off", action="store_true", help="once for each optimisation, with that one off")
    p.add_argument("--jobs", type=int, default=2, help="programs at once")
    p.add_argument("--keep", help="directory for sources, traces and found races")
    p.add_argument("--only", type=int, help="one program, with its graph and the missed pairs")
    p.add_argument("--skip", default="", help="with --only: numbers of statements to leave out")
    p.add_argument("--shrink", action="store_true", help="with --only: leave out what one can")
    p.add_argument("--sensitivity", action="store_true", help="count in how many runs the loss of each edge would show")
    a = p.parse_args()
    a.per_file = PER_FILE if a.only is not None else min(PER_FILE, a.programs)
    return a


class Run:
    """One execution of one program: its trace, and where the detector found races, as offsets in its data."""
    def __init__(self, number, round_, parallel, data):
        self.number, self.round, self.parallel, self.data, self.lines, self.found = number, round_, parallel, data, [], set()


def call(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=RUN_TIMEOUT_S, **options)
    if done.returncode != 0:
        raise RuntimeError("%s: status %d\n%s" % (" ".join(map(str, command)), done.returncode, done.stdout[-4000:]))


def read_trace(path):
    runs = []
    for line in open(path):
        who, what, a, b, c, p = line.split()
        if what == "program":
            runs.append(Run(int(who), int(a), int(b), int(p, 16)))
        elif what != "end":
            runs[-1].lines.append((int(who), what, int(a), int(b), int(c)))
    if what != "end":
        raise RuntimeError("%s is not complete" % path)
    return runs


def read_races(path, runs):
    of, r = {(r.number, r.round): r for r in runs}, None
    for line in open(path):
        words = line.split()
        if words[0] == "program":
            r = of[int(words[1]), int(words[2])]
        else:
            at = int(words[0], 16) - r.data
            r.found.update(range(at, at + int(words[1])))


def build(a, directory, part, level):
    source, program = directory / ("part%d.c" % part), directory / ("part%d.%s" % (part, level))
    cc = pathlib.Path(a.build) / "bin" / "cspcc"
    if a.each_switch_off and program.exists(): # another option of the same programs
        return program
    call([cc, "-" + level, "-w", "-mcx16", "-fsanitize=cspthread", "-I", HERE] + shlex.split(a.flags) +
         [source, a.world, "-o", program])
    return program


def run_programs(a, program, procs):
    trace, races = program.with_suffix(program.suffix + ".trace"), program.with_suffix(program.suffix + ".races")
    races.unlink(missing_ok=True)
    call([program, trace, races, str(a.seed), str(a.rounds)] + ([] if a.only is None else [str(a.only % PER_FILE)]),
         env=dict(os.environ, CSP_MAXPROCS=procs, GLIBC_TUNABLES=TUNABLES,
                  CSPTHREAD_OPTIONS="report_bugs=0 detect_leaks=0 report_thread_leaks=0 race_log=%s %s" % (races, a.options)))
    runs = read_trace(trace)
    read_races(races, runs)
    return runs


def explain(graph, r):
    print("\n".join(map(repr, graph.nodes)))
    for m, n, span in graph.racy_pairs():
        if not set(span) <= r.found:
            print("race not found: bytes %d-%d  %r  %r" % (span[0], span[-1], m, n))


def compare(r, graph):
    """(missed, false): sets of bytes; None: cannot be told."""
    racy, found = graph.racy_bytes(), by_location(r.found)
    if graph.unclear:
        return None
    return set() if graph.lost_order else racy - found, found - racy


def check(a, part, level, procs, runs, totals):
    for r in runs:
        number = part * a.per_file + r.number
        again = "run.py --build %s --seed %d --only %d --levels %s --procs %s --rounds %d%s%s" % (
            a.build, a.seed, number, level, procs, a.rounds, " --flags='%s'" % a.flags if a.flags else "",
            " --options=%s" % a.options if a.options else "")
        totals["runs"] += 1
        totals["runs with %s" % ("several workers" if procs != "1" else "threads" if r.parallel else "one thread")] += 1
        try:
            graph = Graph(r.lines, r.parallel)
            difference = compare(r, graph)
        except TraceError as error:
            totals["impossible traces"] += 1
            print("program %d round %d: impossible trace: %s\n    %s" % (number, r.round, error, again))
            continue
        if not difference:
            totals["runs not compared: an atomic object's value is racy"] += 1
            continue
        count(graph, totals)
        missed, false = difference
        if missed or false:
            totals["disagreements"] += 1
            print("program %d round %d -%s CSP_MAXPROCS=%s: missed %s, false %s\n    %s" % (
                number, r.round, level, procs, shorten(missed), shorten(false), again))
            if a.only is not None and not a.shrink:
                explain(graph, r)
        if a.sensitivity:
            racy = graph.racy_bytes()
            for kind in graph.kinds:
                totals["would notice the loss of '%s'" % kind] += graph.racy_bytes(kind) != racy


def shorten(offsets):
    return "%s%s" % (sorted(offsets)[:40], "..." if len(offsets) > 40 else "")


def count(graph, totals):
    totals["contended bytes"] += len(graph.contended_bytes())
    totals["racy bytes"] += len(graph.racy_bytes())
    totals["runs with more order, as documented"] += graph.lost_order
    for n in graph.nodes:
        totals["line " + n.what] += 1
        for _, kind in n.edges:
            totals["edge " + kind] += 1


def write_source(a, directory, part):
    source = directory / ("part%d.c" % part)
    with open(source, "w") as f:
        subprocess.run([sys.executable, "-B", HERE / "generate.py", str(a.seed), str(part * a.per_file), str(a.per_file), a.skip],
                       stdout=f, check=True)
    return source


def constructs_of(source):
    last = source.read_text().splitlines()[-1].split(": ", 1)[1]
    return {"generated " + name: int(n) for name, n in (item.rsplit("=", 1) for item in last.split("; "))}


def work(a, directory, part):
    totals = collections.Counter(constructs_of(write_source(a, directory, part)))
    levels = a.levels.split(",")
    for level in levels:
        for procs in a.procs.split(","):
            if procs != "1" and level != levels[-1]:
                continue
            try:
                if procs == a.procs.split(",")[0] or "1" not in a.procs:
                    program = build(a, directory, part, level)
                check(a, part, level, procs, run_programs(a, program, procs), totals)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                totals["failures"] += 1
                print("programs %d-%d -%s CSP_MAXPROCS=%s: %s" % (
                    part * a.per_file, part * a.per_file + a.per_file - 1, level, procs, error))
    sys.stdout.flush()
    return totals


def is_bad(totals):
    return totals["disagreements"] + totals["impossible traces"] + totals["failures"] > 0


def shrink(a, directory):
    """Leaves out one part of the program's numbers after the other, while the two still disagree."""
    sys.stdout.flush()
    here = a.only % PER_FILE
    def is_still_bad(skip):
        a.skip = ",".join(map(str, skip))
        with open(os.devnull, "w") as nothing:
            stdout, sys.stdout = sys.stdout, nothing
            try:
                return is_bad(work(a, directory, a.only // PER_FILE))
            finally:
                sys.stdout = stdout
    keep, skip = list(range(1, 1000)), []
    size = len(keep) // 2
    while size >= 1:
        i = 0
        while i < len(keep):
            trial = keep[i:i + size]
            if is_still_bad(sorted(skip + trial)):
                skip += trial
                keep = keep[:i] + keep[i + size:]
            else:
                i += size
        size //= 2
    a.skip, a.shrink = ",".join(map(str, sorted(skip))), False
    work(a, directory, a.only // PER_FILE)
    text = (directory / ("part%d.c" % (a.only // PER_FILE))).read_text()
    print(text[text.index("// --- program %d\n" % a.only):].split("// --- program %d\n" % (a.only + 1))[0])
    print("statements kept: %s" % keep)
    return here


def report(totals):
    for what, n in sorted(totals.items()):
        print("oracle: %s: %d" % (what, n))


def parts_of(a):
    return [a.only // PER_FILE] if a.only is not None else range((a.programs + a.per_file - 1) // a.per_file)


def work_group(a, directory, group, part):
    """Totals by name, of programs that are compiled once."""
    by_name = {}
    a = copy.copy(a)
    for name, a.flags, a.options in group:
        by_name[name] = work(a, directory, part)
    return by_name


def run_each_switch_off(a, directory):
    jobs = []
    for number, group in enumerate(groups()):
        (directory / str(number)).mkdir(exist_ok=True)
        jobs += [(directory / str(number), group, part) for part in parts_of(a)]
    by_name = collections.defaultdict(collections.Counter)
    with concurrent.futures.ProcessPoolExecutor(a.jobs) as pool:
        for result in pool.map(work_group, [a] * len(jobs), *zip(*jobs)):
            for name, totals in result.items():
                by_name[name].update(totals)
    bad = 0
    for name, totals in by_name.items():
        failed = is_bad(totals) or not totals["racy bytes"]
        bad += failed
        print("oracle: %s: %d runs, %d racy bytes: %s" % (
            name, totals["runs"], totals["racy bytes"], "FAILED" if failed else "agreed"))
    return 1 if bad else 0


def run_all(a, directory):
    a.world = directory / "world.o"
    call([pathlib.Path(a.build) / "bin" / "cspcc", "-O1", "-I", HERE, "-iquote", RUNTIME, "-c", HERE / "world.c",
          "-o", a.world])
    if a.each_switch_off:
        return run_each_switch_off(a, directory)
    if a.shrink:
        return shrink(a, directory)
    parts = parts_of(a)
    totals = collections.Counter()
    with concurrent.futures.ProcessPoolExecutor(a.jobs) as pool:
        for t in pool.map(work, [a] * len(parts), [directory] * len(parts), parts):
            totals.update(t)
    report(totals)
    never = [] if a.programs < 500 or a.only is not None else [k for k in KINDS if not totals["generated " + k]] + [
        f for f in FORMS if not totals["generated access " + f]]
    if never:
        print("oracle: never generated: %s" % ", ".join(never))
    bad = is_bad(totals) or never or not totals["racy bytes"]
    print("oracle: %s" % ("FAILED" if bad else "agreed"))
    return 1 if bad else 0


def main():
    a = parse_arguments()
    if a.keep:
        os.makedirs(a.keep, exist_ok=True)
        return run_all(a, pathlib.Path(a.keep))
    with tempfile.TemporaryDirectory(prefix="oracle.") as directory:
        return run_all(a, pathlib.Path(directory))


if __name__ == "__main__":
    sys.exit(main())
