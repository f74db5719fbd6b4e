#!/usr/bin/env python3
# run.py - generated programs through the compiler and the detector: its racy bytes must be the oracle's, byte for byte.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# usage: run.py --build BUILD-DIRECTORY [--programs 500] [--seed 1] [--rounds 2] [--levels O0,O2] [--jobs 2] [--keep DIRECTORY]
#        run.py --build ... --only NUMBER [--seed S]   one program, with the pairs of accesses the two disagree about
#        run.py ... --sensitivity   also: for each kind of edge, in how many runs its loss would be noticed
#
# --programs 20000 is the full run (CSP_TEST_FULL=1). A disagreement prints the command that shows it again.
import argparse
import collections
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True # this folder is the source's
from oracle import Graph, TraceError

HERE = pathlib.Path(__file__).resolve().parent
PER_FILE = 50
DATA_SIZE = 160 # world.h
RUN_TIMEOUT_S = 120
IS_FULL = os.environ.get("CSP_TEST_FULL", "0") not in ("", "0")


def parse_arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--build", required=True, help="build directory of cspthread")
    p.add_argument("--programs", type=int, default=20000 if IS_FULL else 500, help="how many (500; with CSP_TEST_FULL=1 20000)")
    p.add_argument("--seed", type=int, default=1, help="of the generator and of the yields")
    p.add_argument("--rounds", type=int, default=2, help="runs of each program that may run twice")
    p.add_argument("--levels", default="O0,O2", help="optimisation levels")
    p.add_argument("--jobs", type=int, default=2, help="programs at once")
    p.add_argument("--keep", help="directory for sources, traces and found races")
    p.add_argument("--only", type=int, help="one program, with its graph and the missed pairs")
    p.add_argument("--sensitivity", action="store_true", help="count in how many runs the loss of each edge would show")
    return p.parse_args()


class Run:
    """One execution of one program: its trace and what the detector found."""
    def __init__(self, number, round_, data):
        self.number, self.round, self.data, self.lines, self.found = number, round_, data, [], set()


def call(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=RUN_TIMEOUT_S, **options)
    if done.returncode != 0:
        raise RuntimeError("%s: status %d\n%s" % (" ".join(map(str, command)), done.returncode, done.stdout[-4000:]))


def read_trace(path):
    runs = []
    for line in open(path):
        who, what, a, b, c, p = line.split()
        if what == "program":
            runs.append(Run(int(who), int(a), int(p, 16)))
        elif what != "end":
            runs[-1].lines.append((int(who), what, int(a), int(b), int(c)))
    if what != "end":
        raise RuntimeError("%s is not complete" % path)
    return runs


def read_races(path, runs):
    if not path.exists():
        return
    of_address = {}
    for r in runs:
        for byte in range(DATA_SIZE):
            of_address[r.data + byte] = r, byte
    for line in open(path):
        at, size = line.split()
        for address in range(int(at, 16), int(at, 16) + int(size)):
            if address in of_address:
                r, byte = of_address[address]
                r.found.add(byte)


def build_and_run(a, directory, part, level):
    """Part number part of the programs, at one level of optimisation."""
    source, program = directory / ("part%d.c" % part), directory / ("part%d.%s" % (part, level))
    trace, races = program.with_suffix("." + level + ".trace"), program.with_suffix("." + level + ".races")
    cc = pathlib.Path(a.build) / "bin" / "cspcc"
    call([cc, "-" + level, "-w", "-mcx16", "-fsanitize=cspthread", "-I", HERE, source, directory / "world.o", "-o", program])
    races.unlink(missing_ok=True)
    call([program, trace, str(a.seed), str(a.rounds)] + ([] if a.only is None else [str(a.only % PER_FILE)]),
         env=dict(os.environ, CSP_MAXPROCS="1",
                  CSPTHREAD_OPTIONS="report_bugs=0 detect_leaks=0 race_log=%s" % races))
    runs = read_trace(trace)
    read_races(races, runs)
    return runs


def explain(graph, r):
    print("\n".join(map(repr, graph.nodes)))
    for m, n, span in graph.racy_pairs():
        if not set(span) <= r.found:
            print("race not found: bytes %d-%d  %r  %r" % (span[0], span[-1], m, n))


def check(a, part, level, runs, totals):
    for r in runs:
        number = part * PER_FILE + r.number
        again = "run.py --build %s --seed %d --only %d --levels %s --rounds %d" % (a.build, a.seed, number, level, a.rounds)
        totals["runs"] += 1
        try:
            graph = Graph(r.lines)
            racy = graph.racy_bytes()
        except TraceError as error:
            totals["impossible traces"] += 1
            print("program %d round %d: impossible trace: %s\n    %s" % (number, r.round, error, again))
            continue
        contended = graph.contended_bytes()
        totals["contended bytes"] += len(contended)
        totals["racy bytes"] += len(racy)
        totals["runs with more order, as documented"] += graph.lost_order
        missed, false = racy - r.found, r.found - racy
        if graph.lost_order:
            missed = set()
        if missed or false:
            totals["disagreements"] += 1
            print("program %d round %d -%s: missed %s, false %s\n    %s" % (
                number, r.round, level, sorted(missed), sorted(false), again))
            if a.only is not None:
                explain(graph, r)
        if a.sensitivity:
            for kind in graph.kinds:
                totals["would notice the loss of '%s'" % kind] += graph.racy_bytes(kind) != racy


def work(a, directory, part):
    totals = collections.Counter()
    with open(directory / ("part%d.c" % part), "w") as f:
        subprocess.run([sys.executable, HERE / "generate.py", str(a.seed), str(part * PER_FILE), str(PER_FILE)], stdout=f, check=True)
    for level in a.levels.split(","):
        try:
            check(a, part, level, build_and_run(a, directory, part, level), totals)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            totals["failures"] += 1
            print("programs %d-%d -%s: %s" % (part * PER_FILE, part * PER_FILE + PER_FILE - 1, level, error))
    sys.stdout.flush()
    return totals


def run_all(a, directory):
    call([pathlib.Path(a.build) / "bin" / "cspcc", "-O1", "-I", HERE, "-c", HERE / "world.c", "-o", directory / "world.o"])
    parts = [a.only // PER_FILE] if a.only is not None else range((a.programs + PER_FILE - 1) // PER_FILE)
    totals = collections.Counter()
    with concurrent.futures.ProcessPoolExecutor(a.jobs) as pool:
        for t in pool.map(work, [a] * len(parts), [directory] * len(parts), parts):
            totals.update(t)
    for what, n in sorted(totals.items()):
        print("oracle: %s: %d" % (what, n))
    bad = totals["disagreements"] + totals["impossible traces"] + totals["failures"]
    print("oracle: %s" % ("FAILED" if bad or not totals["racy bytes"] else "agreed"))
    return 1 if bad or not totals["racy bytes"] else 0


def main():
    a = parse_arguments()
    if a.keep:
        os.makedirs(a.keep, exist_ok=True)
        return run_all(a, pathlib.Path(a.keep))
    with tempfile.TemporaryDirectory(prefix="oracle.") as directory:
        return run_all(a, pathlib.Path(directory))


if __name__ == "__main__":
    sys.exit(main())
