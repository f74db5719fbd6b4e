#!/usr/bin/env python3
# counts.py - what checking costs in numbers that no other load on the machine changes, held to bounds: a regression is seen in `check`.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""For each benchmark of the compute family: checks in the code (inline, of loops, of ranges), bytes of code relative to the plain
program, slow-path entries of a run. A count may be up to a quarter above what is written here (entries: half, since who comes
first to what two threads read is chance). --write prints the counts of now, to be put here when they fell."""

import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# checks in the code, its bytes / plain, slow-path entries
COUNTS = {
    "matmul": (8, 2.1, 0),
    "fannkuch": (9, 2.1, 0),
    "lz": (22, 2.2, 27289088),
    "nbody": (120, 8.6, 0),
    "spectral": (13, 1.9, 512),
    "sort": (20, 3.3, 6291456),
    "hashmap": (15, 2.6, 568576),  # 29 million while its own tables were checked
    "bintrees": (10, 3.1, 5504512),
    "table": (10, 3.0, 3000000),  # how often the threads change places is chance; 31 million without resume_epochs
    "saxpy": (27, 2.7, 0),
    "stencil": (10, 1.8, 3584),
}
STATIC, ENTRIES = 1.25, 1.5
LEAST = 20000  # entries: fewer are nobody's concern


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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", help="cspthread's build directory (default: build)")
    parser.add_argument("--size", default="/usr/lib/llvm-22/bin/llvm-size", help="llvm-size")
    parser.add_argument("--write", action="store_true", help="print the table of what is counted now")
    parser.add_argument("names", nargs="*", default=list(COUNTS), help="benchmarks (default: all in the table)")
    options = parser.parse_args()
    options.cspcc = pathlib.Path(options.build).resolve() / "bin" / "cspcc"
    out = pathlib.Path(options.build) / "bench" / "counts"
    out.mkdir(parents=True, exist_ok=True)
    failed = False
    for name in options.names:
        counted = count(name, options, out)
        if options.write:
            print(f'    "{name}": ({counted[0]}, {counted[1]:.1f}, {counted[2]}),')
            continue
        checks, size, entries = COUNTS[name]
        limits = checks * STATIC, size * STATIC, max(entries * ENTRIES, LEAST)
        for what, n, limit in zip(("checks in the code", "bytes of code / plain", "slow-path entries"), counted, limits):
            if n > limit:
                print(f"{name}: {what}: {n:.6g}, at most {limit:.6g} expected")
                failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
