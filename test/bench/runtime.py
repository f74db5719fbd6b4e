#!/usr/bin/env python3
# runtime.py - builds each program of runtime/ in C and in Go, runs both interleaved, and prints what an operation costs.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""CPU and wall time per operation, medians over interleaved rounds with [least..most], with one worker and with two
(CSP_MAXPROCS, GOMAXPROCS). ratio = the C program's time / the Go program's of the same round. Go is left out where there is
none on PATH. A program prints `ops=N wall_ns=N cpu_ns=N`, measured inside it; further NAME=VALUE are shown as they are."""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = HERE / "runtime"

# What is run, in this order, and what one operation is. Further names: further sources in runtime/.
PROGRAMS = {
    "switch": "bare switch of registers, beside boost.context's",
    "yield": "giving way, of two",
    "spawn": "coroutine started that ends at once",
    "parked": "coroutine started, parked and released, of a million",
    "unbuffered": "channel without a buffer: one value sent and received",
    "pingpong": "channel without a buffer: there and back",
    "buffered": "channel with room for 100: one value sent and received",
    "select2": "select of two, waiting",
    "select_ready": "send, and a select of two that need not wait",
    "mutex": "mutex: lock and unlock",
    "mutex_contended": "mutex that four coroutines want: lock and unlock",
    "rlock": "rwmutex: read lock and unlock",
    "sem": "semaphore: acquire and release",
    "waitgroup": "wait group: three coroutines started, and waited for",
    "map": "plain map of 1000 keys: lookup, now and then a change",
    "syncmap": "concurrent map of 1000 keys, four at it: lookup, now and then a store",
    "timers": "timer started and stopped, a million pending",
    "timers_fire": "timer started, its function run, of a million",
    "sleeps": "sleep of 100 us, of a thousand, a million timers pending",
    "echo": "request to an echo server that has 10,000 idle connections",
}

# What a program is built with besides.
FLAGS = {"switch": ["-iquote", str(HERE.parent.parent / "runtime"), "-lboost_context"]}


def build_c(name, out, build, clang):
    program = out / f"{name}.c.bin"
    command = [clang, "-O2", "-g", "-D_GNU_SOURCE", f"-I{HERE.parent.parent / 'runtime' / 'include'}"]
    library = build / "lib" / "cspthread" / "libcsp.a"
    subprocess.run([*command, SOURCES / f"{name}.c", library, "-o", program, "-lpthread", *FLAGS.get(name, [])], check=True)
    return program


def build_go(name, out):
    program = out / f"{name}.go.bin"
    environment = {**os.environ, "GO111MODULE": "off", "GOFLAGS": ""}
    sources = [SOURCES / f"{name}.go", SOURCES / "bench.go"]
    subprocess.run(["go", "build", "-o", program, *sources], check=True, env=environment)
    return program


def run_once(program, workers):
    """What the program printed: a dictionary of numbers, with cpu and wall in ns per operation."""
    environment = {**os.environ, "CSP_MAXPROCS": str(workers), "GOMAXPROCS": str(workers)}
    result = subprocess.run([program], env=environment, stdout=subprocess.PIPE, text=True, timeout=300)
    if result.returncode != 0:
        sys.exit(f"runtime.py: {program} ended with status {result.returncode}; run it by hand to see why")
    numbers = {key: float(value) for key, value in (word.split("=") for word in result.stdout.split())}
    numbers["cpu"] = numbers.pop("cpu_ns") / numbers["ops"]
    numbers["wall"] = numbers.pop("wall_ns") / numbers.pop("ops")
    return numbers


def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} [{min(values):.{digits}f}..{max(values):.{digits}f}]"


def measure(variants, workers, rounds):
    """Per variant a dictionary of lists: cpu, wall and whatever else it told."""
    series = {variant: {} for variant in variants}
    for turn in range(rounds):
        order = list(variants) if turn % 2 == 0 else list(reversed(variants))
        for variant in order:
            for key, value in run_once(variants[variant], workers).items():
                series[variant].setdefault(key, []).append(value)
    return series


def describe(series):
    """The cells of a row after name and workers."""
    ours, go = series["c"], series.get("go")
    cells = [spread(ours["cpu"], 1), spread(ours["wall"], 1)]
    if go:
        cells += [spread(go["cpu"], 1), spread(go["wall"], 1)]
        for key in ("cpu", "wall"):
            cells.append(spread([a / b for a, b in zip(ours[key], go[key])], 2))
    else:
        cells += ["", "", "", ""]
    others = [f"{key} {statistics.median(values):.0f}" + (f" (Go {statistics.median(go[key]):.0f})" if go and key in go else "")
              for key, values in ours.items() if key not in ("cpu", "wall")]
    return [*cells, ", ".join(others)]


TITLES = ["operation", "workers", "cspthread: CPU ns", "wall ns", "Go: CPU ns", "wall ns", "ratio of CPU", "of wall", ""]


def print_markdown(rows, path, version):
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"Beside {version}.\n\n" if version else "")
        f.write("| " + " | ".join(TITLES) + " |\n" + "| --- " * len(TITLES) + "|\n")
        for row in rows:
            f.write("| " + " | ".join(row) + " |\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", help="cspthread's build directory (default: build)")
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (default: 9)")
    parser.add_argument("--workers", default="1,2", help="numbers of workers (default: 1,2)")
    parser.add_argument("--clang", default="clang-22", help="compiler of the C programs")
    parser.add_argument("--only", action="append", choices=list(PROGRAMS), metavar="NAME", help="this one (may be repeated)")
    parser.add_argument("--markdown", metavar="FILE", help="also write the table there")
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    out = build / "bench"
    out.mkdir(parents=True, exist_ok=True)
    version = ""
    if shutil.which("go"):
        version = subprocess.run(["go", "version"], capture_output=True, text=True, check=True).stdout.strip()
    print(version or "no go on PATH: cspthread alone", flush=True)
    rows = []
    for name in options.only or PROGRAMS:
        variants = {"c": build_c(name, out, build, options.clang)}
        if version and (SOURCES / f"{name}.go").exists():
            variants["go"] = build_go(name, out)
        for workers in options.workers.split(","):
            cells = describe(measure(variants, workers, options.rounds))
            rows.append([PROGRAMS[name], workers, *cells])
            print(f"{name:16} {workers:>2}  " + "  ".join(f"{t} {c}" for t, c in zip(TITLES[2:], cells) if c), flush=True)
    if options.markdown:
        print_markdown(rows, options.markdown, version)


if __name__ == "__main__":
    main()
