#!/usr/bin/env python3
# counts.py - what checking costs in numbers that no other load on the machine changes, held to bounds: a regression is seen in `check`.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""For each benchmark of the compute family: checks in the code (inline, of loops, of ranges), bytes of code relative to the plain
program, slow-path entries of a run. A count may be up to a quarter above what is written here (entries: half, since who comes
first to what two threads read is chance). For the coroutine family, run by one worker, which takes turns always alike:
slow-path entries, epochs named, stacks. --write prints the counts of now, to be put here when they fell."""

import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# checks in the code, its bytes / plain, slow-path entries
COUNTS = {
    "matmul": (8, 2.1, 0),
    "fannkuch": (7, 2.0, 0),
    "lz": (22, 2.2, 27289088),
    "nbody": (30, 4.3, 0),
    "spectral": (13, 1.9, 512),
    "sort": (20, 3.3, 6291456),
    "hashmap": (13, 2.5, 549888),  # 29 million while its own tables were checked
    "bintrees": (9, 3.2, 5504512),
    "table": (10, 3.0, 3000000),  # how often the threads change places is chance; 31 million without resume_epochs
    "saxpy": (27, 2.7, 0),
    "stencil": (10, 1.8, 3584),
}
# slow-path entries, names of epochs, stacks
COROUTINES = {
    "sieve": (1231104, 826624, 39),
    "pipeline": (1899776, 1200112, 73),
    "pingpong": (2099968, 1200016, 46),
    "workers": (7829504, 200096, 77),
    "mutex": (1655808, 32144, 28),
    "forkjoin": (51011328, 131072, 66),
    "spawns": (99840, 1600112, 14),
    "parked": (199936, 1600016, 25),
}
STATIC, ENTRIES, ALIKE = 1.25, 1.5, 1.1
LEAST = 20000  # entries: fewer are nobody's concern
FEW = 500  # epochs, stacks: likewise


def output(command, **more):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, **more)


def text_size(tool, program):
    return int(output([tool, program]).stdout.split("\n")[1].split()[0])


def count(name, options, out):
    source, level = HERE / f"{name}.c", ["-O2"]
    checked, plain = out / f"{name}.o", out / f"{name}.plain.o"
    command = [options.cspcc, "-fsanitize=cspthread", *level]
    told = output([*command, "-mllvm", "-csp-stats", "-c", source, "-o", checked]).stderr
    checks = sum(int(n) for n in re.findall(r"(\d+) Num(?:Inline|Loop|Range)Checks ", told))
    output([options.cspcc, *level, "-c", source, "-o", plain])
    size = text_size(options.size, checked) / text_size(options.size, plain)
    program = out / f"{name}.counted"
    output([*command, checked, "-o", program, "-lm", "-lpthread"])
    told = output([program], env={"CSPTHREAD_OPTIONS": "stats=1"}).stderr
    return checks, size, int(re.search(r"(\d+) slow-path entries", told).group(1))


def count_coroutines(name, options, out):
    program = out / f"{name}.counted"
    output([options.cspcc, "-fsanitize=cspthread", "-O2", "-I", options.include, HERE / "coroutines" / f"{name}.c", "-o", program, "-lm"])
    told = output([program], env={"CSPTHREAD_OPTIONS": "stats=1 detect_leaks=0", "CSP_MAXPROCS": "1"}).stderr
    return tuple(int(re.search(rf"(\d+) {what}", told).group(1)) for what in ("slow-path entries", "epoch ids", "stacks"))


def is_within(name, counted, limits):
    """Says which are not. limits: (what, how many)"""
    above = [(what, n, limit) for (what, limit), n in zip(limits, counted) if n > limit]
    for what, n, limit in above:
        print(f"{name}: {what}: {n:.6g}, at most {limit:.6g} expected")
    return not above


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", help="cspthread's build directory (default: build)")
    parser.add_argument("--size", default="/usr/lib/llvm-22/bin/llvm-size", help="llvm-size")
    parser.add_argument("--write", action="store_true", help="print the table of what is counted now")
    parser.add_argument("names", nargs="*", default=[*COUNTS, *COROUTINES], help="benchmarks (default: all in the table)")
    options = parser.parse_args()
    options.cspcc = pathlib.Path(options.build).resolve() / "bin" / "cspcc"
    out = pathlib.Path(options.build) / "bench" / "counts"
    out.mkdir(parents=True, exist_ok=True)
    options.include = pathlib.Path(options.build).resolve() / "include"
    failed = False
    for name in options.names:
        is_compute = (HERE / f"{name}.c").exists()
        counted = (count if is_compute else count_coroutines)(name, options, out)
        if options.write:
            numbers = f"{counted[0]}, {counted[1]:.1f}, {counted[2]}" if is_compute else ", ".join(map(str, counted))
            print(f'    "{name}": ({numbers}),')
        elif is_compute:
            checks, size, entries = COUNTS[name]
            failed |= not is_within(name, counted, [("checks in the code", checks * STATIC), ("bytes of code / plain", size * STATIC),
                                                    ("slow-path entries", max(entries * ENTRIES, LEAST))])
        else:
            entries, epochs, stacks = COROUTINES[name]
            failed |= not is_within(name, counted, [("slow-path entries", max(entries * ALIKE, LEAST)),
                                                    ("names of epochs", max(epochs * ALIKE, FEW)), ("stacks", max(stacks * ALIKE, FEW))])
    sys.exit(failed)


if __name__ == "__main__":
    main()
