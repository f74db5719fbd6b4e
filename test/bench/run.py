#!/usr/bin/env python3
# run.py - what checking costs: builds each benchmark plain and checked, beside the peer; runs all interleaved; prints medians.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Slowdown = CPU time checked / plain, memory = peak resident set checked / plain; medians over interleaved rounds with
[least..most]. Two families: `compute`, where the peer is ThreadSanitizer on the same source, and `coroutine`, where it is
Go -race on the same algorithm, against a plain build of its own. All variants of a program must print the same. Writes table.md
and slowdown.svg into BUILD/bench; --publish copies them to docs/."""

import argparse
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
DOCS = HERE.parent.parent / "docs"
COMPUTE = {
    "matmul": "two threads read one matrix",
    "fannkuch": "small arrays, used again and again",
    "lz": "bytes written and read for the first time",
    "nbody": "small structs of doubles",
    "spectral": "vectors that all threads read",
    "sort": "compare and swap in place, in what main wrote",
    "hashmap": "random places, an epoch per 64 operations",
    "bintrees": "allocation and recursion",
    "table": "reads under a reader-writer lock",
    "saxpy": "loops that are vectorised",
    "stencil": "a grid, an epoch per step",
}
COROUTINE = {
    "sieve": "primes by a chain of 800 filters",
    "pipeline": "blocks through five stages",
    "pingpong": "one record to and fro",
    "workers": "eight workers, two channels, a table that all read",
    "mutex": "eight coroutines, one mutex",
    "forkjoin": "merge sort, two coroutines for each part",
    "spawns": "100,000 coroutines, a thousand at a time",
    "parked": "100,000 coroutines wait for one channel",
}
WORKERS = "2"


def run(command, **more):
    subprocess.run([str(c) for c in command], check=True, **more)


class Bench:
    """One program of a family: its variants, their runs, and the two ratios to plain that are compared."""

    def __init__(self, name, what):
        self.name, self.what = name, what
        self.programs = {}
        self.runs = {}

    def measure(self, launcher, environment):
        texts = set()
        for variant, program in self.programs.items():
            out = f"{program}.out"
            told = subprocess.run([launcher, out, program], env=environment, check=True, capture_output=True, text=True)
            microseconds, kibibytes, status = map(int, told.stdout.split())
            if status != 0:
                sys.exit(f"run.py: {program} ended with status {status}: {told.stderr[:2000]}")
            self.runs.setdefault(variant, []).append((microseconds / 1e6, kibibytes))
            texts.add(pathlib.Path(out).read_text())
        if len(texts) != 1:
            sys.exit(f"run.py: {self.name}: the variants print different results: {texts}")

    def ratios(self, variant, plain, field):
        return [a[field] / b[field] for a, b in zip(self.runs[variant], self.runs[plain])]

    def ours(self, field):
        return self.ratios("cspthread", "plain", field)

    def has_peer(self):
        return self.peer in self.runs


class Compute(Bench):
    peer, family = "ThreadSanitizer", "compute"

    def build(self, out, options):
        source = HERE / f"{self.name}.c"
        flags = [options.level, "-g", source, "-lpthread", "-lm"]
        for variant, command in {
            "plain": [options.clang],
            "cspthread": [options.cspcc, "-fsanitize=cspthread"],
            self.peer: [options.clang, "-fsanitize=thread"],
        }.items():
            self.programs[variant] = out / f"{self.name}.{variant}"
            run([*command, *flags, "-o", self.programs[variant]])

    def theirs(self, field):
        return self.ratios(self.peer, "plain", field)


class Coroutine(Bench):
    peer, family = "Go -race", "coroutine"

    def build(self, out, options):
        source = HERE / "coroutines" / self.name
        for variant, flags in {"plain": [], "cspthread": ["-fsanitize=cspthread"]}.items():
            self.programs[variant] = out / f"co_{self.name}.{variant}"
            run([options.cspcc, *flags, options.level, "-g", f"{source}.c", "-o", self.programs[variant]])
        if not shutil.which("go"):
            return
        environment = {**os.environ, "GO111MODULE": "off", "GOFLAGS": ""}
        for variant, flags in {"Go": [], self.peer: ["-race"]}.items():
            self.programs[variant] = out / f"co_{self.name}.{variant.replace(' ', '')}"
            run(["go", "build", *flags, "-o", self.programs[variant], f"{source}.go"], env=environment)

    def theirs(self, field):
        return self.ratios(self.peer, "Go", field)


def geomean(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


def spread(values):
    return f"{statistics.median(values):.2f} [{min(values):.2f}..{max(values):.2f}]"


def table(benches):
    """The family's rows in Markdown."""
    peer = benches[0].peer
    rows = [f"| program | cspthread | {peer} | memory | {peer} | what it does |", "| --- | --- | --- | --- | --- | --- |"]
    for b in benches:
        theirs = [spread(b.theirs(0)), f"{statistics.median(b.theirs(1)):.1f}"] if b.has_peer() else ["-", "-"]
        rows.append(f"| {b.name} | {spread(b.ours(0))} | {theirs[0]} | {statistics.median(b.ours(1)):.1f} | {theirs[1]} | {b.what} |")
    ours = [geomean([statistics.median(b.ours(f)) for b in benches]) for f in (0, 1)]
    if all(b.has_peer() for b in benches):
        theirs = [geomean([statistics.median(b.theirs(f)) for b in benches]) for f in (0, 1)]
        rows.append(f"| geomean | {ours[0]:.2f} | {theirs[0]:.2f} | {ours[1]:.2f} | {theirs[1]:.2f} | of theirs: "
                    f"{ours[0] / theirs[0]:.2f}, memory {ours[1] / theirs[1]:.2f} |")
    else:
        rows.append(f"| geomean | {ours[0]:.2f} | - | {ours[1]:.2f} | - | |")
    return "\n".join(rows)


def plot(families, path):
    """Slowdowns of both as bars with their spread, a panel for each family; nothing without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        print("run.py: no matplotlib (Debian: python3-matplotlib): no plot", file=sys.stderr)
        return False
    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(len(families), 1, figsize=(9, 3.6 * len(families)), squeeze=False)
    for ax, benches in zip(axes[:, 0], families):
        peer = benches[0].peer
        for shift, label, of in ((-0.2, "cspthread", Bench.ours), (0.2, peer, lambda b, f: b.theirs(f) if b.has_peer() else [])):
            for i, b in enumerate(benches):
                values = of(b, 0)
                if values:
                    middle = statistics.median(values)
                    ax.bar(i + shift, middle, 0.38, color="tab:blue" if shift < 0 else "tab:orange", label=label if i == 0 else None,
                           yerr=[[middle - min(values)], [max(values) - middle]], error_kw={"elinewidth": 1})
        ax.set_yscale("log")
        ax.set_xticks(range(len(benches)), [b.name for b in benches], rotation=30)
        ax.set_ylabel("times as slow as plain")
        ax.set_title(f"{benches[0].family} programs")
        ax.legend()
    figure.tight_layout()
    figure.savefig(path)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", help="cspthread's build directory (default: build)")
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (default: 9)")
    parser.add_argument("--clang", default="clang-22", help="clang for the plain and ThreadSanitizer variants")
    parser.add_argument("--level", default="-O2", help="optimisation level (default: -O2)")
    parser.add_argument("--family", choices=["compute", "coroutine"], help="that family only")
    parser.add_argument("--publish", action="store_true", help="copy table and plot to docs/")
    parser.add_argument("names", nargs="*", help=f"benchmarks (default: {' '.join([*COMPUTE, *COROUTINE])})")
    options = parser.parse_args()
    out = pathlib.Path(options.build).resolve() / "bench"
    out.mkdir(parents=True, exist_ok=True)
    options.cspcc = pathlib.Path(options.build).resolve() / "bin" / "cspcc"
    if not options.cspcc.exists():
        sys.exit(f"run.py: {options.cspcc} is missing: run tools/dev.sh build first")

    families = [[Compute(n, w) for n, w in COMPUTE.items()], [Coroutine(n, w) for n, w in COROUTINE.items()]]
    families = [[b for b in f if options.family in (None, b.family) and (not options.names or b.name in options.names)]
                for f in families]
    families = [f for f in families if f]
    benches = [b for f in families for b in f]
    launcher = out / "measure"
    run([options.clang, "-O1", HERE / "measure.c", "-o", launcher])
    for b in benches:
        b.build(out, options)
    # Coroutines that the program leaves behind are not the matter here.
    environment = {**os.environ, "CSPTHREAD_OPTIONS": "detect_leaks=0", "CSP_MAXPROCS": WORKERS, "GOMAXPROCS": WORKERS}
    for done in range(options.rounds):
        for b in benches:
            b.measure(launcher, environment)
        if sys.stderr.isatty():
            print(f"\rround {done + 1}/{options.rounds}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)

    text = f"{options.level}, {options.rounds} interleaved rounds; times as slow (CPU time), times as much memory (peak resident set) as plain\n"
    text += "".join(f"\n{table(f)}\n" for f in families)
    print(text)
    (out / "table.md").write_text(text)
    plotted = plot(families, out / "slowdown.svg")
    if options.publish:
        shutil.copy(out / "table.md", DOCS / "bench-table.md")
        if plotted:
            shutil.copy(out / "slowdown.svg", DOCS / "bench-slowdown.svg")


if __name__ == "__main__":
    main()
