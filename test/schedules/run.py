#!/usr/bin/env python3
# run.py - csp test finds each bug of this directory, and nothing in its fixed twin; what it found shows again by its seed.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""In `check` with few schedules; with CSP_TEST_FULL=1 1000 for each program, and each finding again by its seed 100 times:
the same interleaving and the same finding in every one of them."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

import bugs as collection

ROOT = collection.HERE.parent.parent
TEST_TIMEOUT_S = 600


class Wrong(Exception):
    """What a program should have shown and did not, or did and should not have."""


def explore(csp, program, count, folder):
    """csp test over one program: its exit status, its results, and all it said."""
    results = folder / (program.name + ".json")
    command = [str(csp), "test", "--count", str(count), "--seed", "1", "--json-results", str(results), "--", str(program)]
    done = subprocess.run(command, env=collection.environment(), cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=TEST_TIMEOUT_S)
    said = "$ %s\n%s" % (" ".join(command), done.stdout.decode(errors="replace"))
    if not results.exists():
        raise Wrong("csp test wrote no results\n" + said)
    return done.returncode, json.loads(results.read_text(encoding="utf-8"))["tests"][0], said


def check_bug(csp, bug, program, count, folder):
    status, test, said = explore(csp, program, count, folder)
    meant = [f for f in test["findings"] if f["kind"] in bug.kinds]
    if status != 66 or not meant:
        shown = ", ".join(sorted({f["kind"] for f in test["findings"]})) or "nothing"
        raise Wrong("shows %s in %d schedules, exit status %d; expected: %s\n%s" % (shown, count, status, bug.shows_as, said))
    if not all("seed" in f or f.get("in_trial") for f in meant):
        raise Wrong("a finding has no seed\n" + said)
    return test


def check_twin(csp, program, count, folder):
    status, test, said = explore(csp, program, count, folder)
    if status != 0 or test["findings"]:
        raise Wrong("the fixed twin shows something, exit status %d\n%s" % (status, said))
    if test["explored"].get("not_replayable"):
        raise Wrong("the fixed twin's runs are said not to be replayable\n" + said)


def run_again(program, options, folder):
    """One run by itself, without csp: what its log says about the interleaving and the findings."""
    log = folder / (program.name + ".jsonl")
    log.unlink(missing_ok=True)
    kinds, _, _ = collection.run_once(program, "%s:symbolize=0:finding_log=%s" % (options, log), timeout=60, cwd=folder)
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
    found = tuple(line["kind"] for line in lines if line["type"] == "finding")
    runs = tuple((line["interleaving"], line["points"]) for line in lines if line["type"] == "run")
    return tuple(sorted(kinds)), found, runs


def check_replays(program, test, times, folder):
    for finding in test["findings"] if times else []:
        runs = {run_again(program, finding["options"], folder) for _ in range(times)}
        if len(runs) != 1 or not next(iter(runs))[0]:
            raise Wrong("%s, %s: %d runs differ or show nothing:\n%s" %
                        (finding["title"], finding["options"], times, "\n".join(sorted(map(str, runs)))))


def check_replay_command(csp, finding, folder):
    """What csp test says shows it again does."""
    words = shlex.split(finding["replay_command"])
    done = subprocess.run([str(csp), *words[1:]], env=collection.environment(), cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TEST_TIMEOUT_S)
    if words[0] != "csp" or done.returncode != 66:
        raise Wrong("%s: exit status %d\n%s" % (" ".join(words), done.returncode, done.stdout.decode(errors="replace")))


def check_all(a, csp, out, bug):
    """"" or what is wrong with one bug and its twin."""
    with tempfile.TemporaryDirectory(prefix="csp-schedules-") as name:
        folder = pathlib.Path(name)
        try:
            program = bug.program(out, fixed=False)
            test = check_bug(csp, bug, program, a.count, folder)
            check_replays(program, test, a.replays, folder)
            for finding in test["findings"]:
                check_replay_command(csp, finding, folder)
            check_twin(csp, bug.program(out, fixed=True), a.twin_count, folder)
        except Wrong as wrong:
            return "%s: %s" % (bug.name, wrong)
        except subprocess.TimeoutExpired as late:
            return "%s: csp test did not end within %d s: %s" % (bug.name, TEST_TIMEOUT_S, late.cmd)
    return ""


def main():
    is_full = os.environ.get("CSP_TEST_FULL", "0") not in ("", "0")
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    p.add_argument("--count", type=int, default=1000 if is_full else 200, help="schedules of each bug")
    p.add_argument("--twin-count", type=int, default=1000 if is_full else 60, help="schedules of each twin")
    p.add_argument("--replays", type=int, default=100 if is_full else 2, help="runs of each finding's seed")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("programs", nargs="*", help="names; default: all")
    a = p.parse_args()
    a.build = a.build.resolve()
    found = collection.all_bugs(a.programs)
    out = collection.build(found, a.build, a.jobs)
    csp = a.build / "bin" / "csp"
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        wrong = [w for w in pool.map(lambda bug: check_all(a, csp, out, bug), found) if w]
    for w in wrong:
        print(w + "\n")
    print("%d bugs and their fixed twins, %d of them not as expected" % (len(found), len(wrong)))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
