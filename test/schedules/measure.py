#!/usr/bin/env python3
# measure.py - how many schedules each strategy needs for each bug of this directory, beside plain runs; schedules per second.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Per bug and strategy the median over repetitions with different base seeds of how many schedules it took until one showed
something wrong; `>N` where most repetitions did not within N. Plain: the sanitized program run again and again with two
workers and no schedule of ours; the median distance between runs that showed something, of at most 20.

Schedules are run as csp test runs them: by the program's own fork server, which forks a child for each. --publish writes the
table into docs/schedules.md."""

import argparse
import concurrent.futures
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import bugs as collection

ROOT = collection.HERE.parent.parent
STRATEGIES = ("random", "pct", "pos", "urw", "rr", "portfolio")
SCHEDULE_TIMEOUT_S = 20


class Server:
    """A program started with schedule_server=N: each request runs one schedule in a child of it (rtl/control/schedule_server.h)."""

    def __init__(self, program, sink):
        self.sink = sink
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ours.settimeout(SCHEDULE_TIMEOUT_S)
        options = "schedule=random:symbolize=0:schedule_server=%d" % theirs.fileno()
        self.child = subprocess.Popen([str(program)], env=collection.environment(options), pass_fds=[theirs.fileno()],
                                      stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        theirs.close()
        self.expect("ready")

    def expect(self, word):
        message = self.ours.recv(4096).decode()
        words = message.split()
        if not words or words[0] != word:
            raise RuntimeError("the fork server said '%s' instead of '%s'" % (message, word))
        return words[1:]

    def run(self, options):
        """The wait status of one schedule, None when it did not end in time."""
        socket.send_fds(self.ours, [options.encode()], [self.sink.fileno(), self.sink.fileno()])
        pid = int(self.expect("started")[0])
        try:
            return int(self.expect("ended")[0])
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            self.expect("ended")
            return None

    def close(self):
        self.ours.close()
        self.child.wait()


def options_of(strategy, seed, profile):
    options = "schedule=%s:seed=%d" % (strategy, seed)
    return options + (":schedule_profile=%s" % profile if profile.exists() else "")


def schedules_needed(server, strategy, base, cap, profile):
    """How many schedules from this base seed on until one shows something wrong; cap + 1: more than cap."""
    for i in range(cap):
        if server.run(options_of(strategy, base * 1000003 + i, profile)) != 0:
            return i + 1
    return cap + 1


def repeat(server, strategy, repetitions, cap, profile):
    """Of each repetition how many schedules it took; ends when more than half of them have not been enough."""
    needed = []
    for r in range(repetitions):
        needed.append(schedules_needed(server, strategy, r + 1, cap, profile))
        if sum(n > cap for n in needed) * 2 > repetitions:
            break
    return needed


def measure_strategies(program, strategies, repetitions, cap):
    with tempfile.TemporaryDirectory(prefix="csp-measure-") as folder, open(os.devnull, "wb") as sink:
        profile = pathlib.Path(folder) / "profile"
        server = Server(program, sink)
        server.run("schedule=rr:seed=0:schedule_profile_out=%s" % profile)
        needed = {s: repeat(server, s, repetitions, cap, profile) for s in strategies}
        server.close()
    return needed


def measure_plain(program, cap, enough=20):
    """Distances between plain runs that show something."""
    distances, since = [], 0
    for _ in range(cap):
        since += 1
        kinds, status, _ = collection.run_once(program, "symbolize=0", workers=2)
        if status != 0 or kinds:
            distances.append(since)
            since = 0
            if len(distances) == enough:
                break
    return distances


def median_text(values, cap):
    m = statistics.median(values)
    return ">%d" % cap if m > cap else "%g" % m


def measure_in_process(build_dir, out, seconds):
    program = out / "in_process"
    source = collection.HERE / "speed" / "in_process.c"
    subprocess.run([str(build_dir / "bin" / "cspcc"), "-fsanitize=cspthread", "-g", "-O1", str(source), "-o", str(program)], check=True)
    done = subprocess.run([str(program), "%d" % max(1, seconds)], env=collection.environment(), stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def measure_speed(build_dir, out, seconds):
    """Schedules a second of ab_ba's fixed twin: in process, by its fork server, and with a process each. One at a time."""
    program = out / "ab_ba.fixed"
    speeds = {"in process (csp_explore)": measure_in_process(build_dir, out, seconds)}
    with open(os.devnull, "wb") as sink:
        server = Server(program, sink)
        runs = {
            "fork server": lambda seed: server.run("schedule=random:seed=%d" % seed),
            "process per schedule": lambda seed: collection.run_once(program, "schedule=random:seed=%d" % seed)[1],
        }
        for name, run in runs.items():
            n, start = 0, time.monotonic()
            while time.monotonic() - start < seconds:
                n += 1
                if run(n) != 0:
                    raise RuntimeError("%s: seed %d shows something wrong in %s" % (name, n, program))
            speeds[name] = n / (time.monotonic() - start)
        server.close()
    return speeds


def row_of(bug, cells):
    where = os.path.relpath(bug.source, ROOT / "docs")
    return "| [%s](%s) | %s | %d | %s | %s |" % (bug.name, where, bug.title, bug.depth, bug.shows_as, " | ".join(cells))


def publish(lines):
    document = ROOT / "docs" / "schedules.md"
    text = document.read_text(encoding="utf-8")
    begin, end = "<!-- measured -->\n", "<!-- /measured -->\n"
    head, rest = text.split(begin)
    document.write_text(head + begin + "\n".join(lines) + "\n" + end + rest.split(end)[1], encoding="utf-8")


def measure_one(a, strategies, bug, out):
    program = bug.program(out, fixed=False)
    needed = measure_strategies(program, strategies, a.repetitions, a.cap)
    plain = measure_plain(program, a.plain_cap)
    return [median_text(needed[s], a.cap) for s in strategies] + ["%g" % statistics.median(plain) if plain else ">%d" % a.plain_cap]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    p.add_argument("--strategies", default=",".join(STRATEGIES), help="comma-separated")
    p.add_argument("--repetitions", type=int, default=20, help="base seeds per bug and strategy")
    p.add_argument("--cap", type=int, default=500, help="give up after so many schedules")
    p.add_argument("--plain-cap", type=int, default=2000, help="give up after so many plain runs")
    p.add_argument("--jobs", type=int, default=2, help="programs measured at a time")
    p.add_argument("--speed-seconds", type=float, default=5, help="how long schedules per second are counted")
    p.add_argument("--publish", action="store_true", help="write the table into docs/schedules.md")
    p.add_argument("programs", nargs="*", help="names; default: all")
    a = p.parse_args()
    a.build = a.build.resolve()
    strategies = a.strategies.split(",")
    found = collection.all_bugs(a.programs)
    out = collection.build(collection.all_bugs(a.programs and {*a.programs, "ab_ba"}), a.build)
    lines = ["| Program | Bug | Depth | Shows as | %s | plain |" % " | ".join(strategies), "| --- " * (5 + len(strategies)) + "|"]
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for bug, cells in pool.map(lambda bug: (bug, measure_one(a, strategies, bug, out)), found):
            lines.append(row_of(bug, cells))
            print("%-24s %s" % (bug.name, "  ".join("%s %s" % pair for pair in zip([*strategies, "plain"], cells))), flush=True)
    speed = "Schedules per second, one at a time: " + ", ".join(
        "%s %.0f" % pair for pair in measure_speed(a.build, out, a.speed_seconds).items()) + "."
    print(speed)
    if a.publish:
        publish([speed + " (What ab_ba.c does when it is right, 3 tasks.)", "", *lines])


if __name__ == "__main__":
    main()
