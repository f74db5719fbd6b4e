#!/usr/bin/env python3
# run.py - builds each benchmark plain, with cspthread and with ThreadSanitizer; runs them interleaved; prints medians.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Slowdown = CPU time instrumented / plain, median over interleaved rounds; memory = peak resident set, likewise. All
variants of a program must print the same."""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
COMPUTE = ["matmul", "fannkuch", "lz", "nbody", "spectral", "sort", "hashmap", "bintrees", "table", "saxpy", "stencil"]


def measure(program):
    """One run of the program: CPU seconds and peak KiB of that run alone. What it prints is left beside it."""
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(f"{program}.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), 1)
        os.execv(program, [str(program)])
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"run.py: {program} ended with status {os.waitstatus_to_exitcode(status)}; run it by hand to see why")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def build(name, out, cspcc, clang, level):
    source = HERE / f"{name}.c"
    variants = {
        "plain": [clang],
        "cspthread": [cspcc, "-fsanitize=cspthread"],
        "tsan": [clang, "-fsanitize=thread"],
    }
    programs = {}
    for variant, command in variants.items():
        program = out / f"{name}.{variant}"
        subprocess.run([*command, level, "-g", str(source), "-o", str(program), "-lpthread", "-lm"], check=True)
        programs[variant] = program
    return programs


def check_outputs(name, programs):
    """Ends when the variants of a program do not print the same."""
    texts = {variant: pathlib.Path(f"{program}.out").read_text() for variant, program in programs.items()}
    if len(set(texts.values())) != 1:
        sys.exit(f"run.py: {name}: the variants print different results: {texts}")


def spread(values):
    return f"{statistics.median(values):6.2f} [{min(values):.2f}..{max(values):.2f}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", help="cspthread's build directory (default: build)")
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (default: 9)")
    parser.add_argument("--clang", default="clang-22", help="clang for the plain and ThreadSanitizer variants")
    parser.add_argument("--level", default="-O2", help="optimisation level (default: -O2)")
    parser.add_argument("names", nargs="*", help=f"benchmarks (default: {' '.join(COMPUTE)})")
    options = parser.parse_args()
    out = pathlib.Path(options.build) / "bench"
    out.mkdir(parents=True, exist_ok=True)
    cspcc = pathlib.Path(options.build).resolve() / "bin" / "cspcc"
    if not cspcc.exists():
        sys.exit(f"run.py: {cspcc} is missing: run tools/dev.sh build first")

    names = options.names or COMPUTE
    programs = {name: build(name, out, cspcc, options.clang, options.level) for name in names}
    runs = {name: {variant: [] for variant in programs[name]} for name in names}
    for done in range(options.rounds):
        for name in names:
            for variant, program in programs[name].items():
                runs[name][variant].append(measure(program))
            check_outputs(name, programs[name])
        if sys.stderr.isatty():
            print(f"\rround {done + 1}/{options.rounds}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)

    print(f"{options.level}, {options.rounds} interleaved rounds; median [min..max] of each round's ratio to plain")
    print(f"{'program':10} {'plain s':>8}  {'cspthread x':22} {'tsan x':22} {'memory x':>9} {'tsan':>6}")
    products = {"cspthread": 1.0, "tsan": 1.0}
    for name in names:
        plain = runs[name]["plain"]
        ratios = {v: [r[0] / p[0] for r, p in zip(runs[name][v], plain)] for v in products}
        memory = {v: statistics.median(r[1] / p[1] for r, p in zip(runs[name][v], plain)) for v in products}
        for variant in products:
            products[variant] *= statistics.median(ratios[variant])
        print(f"{name:10} {statistics.median(p[0] for p in plain):8.3f}  {spread(ratios['cspthread']):22} "
              f"{spread(ratios['tsan']):22} {memory['cspthread']:9.1f} {memory['tsan']:6.1f}")
    mean = {v: p ** (1 / len(names)) for v, p in products.items()}
    print(f"geomean    {'':8}  {mean['cspthread']:6.2f}                 {mean['tsan']:6.2f}"
          f"                 cspthread/tsan {mean['cspthread'] / mean['tsan']:.2f}")


if __name__ == "__main__":
    main()
