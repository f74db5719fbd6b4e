#!/usr/bin/env python3
# at_once.py - runs at_once so many times and takes its reports apart: one of each kind of line, in order, for each variable.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# usage: at_once.py runs program
import collections
import re
import subprocess
import sys

RULE = "=" * 18
N = 64
ACCESS = r"  (Previous w|W)rite of size 8 at 0x[0-9a-f]+ by (coroutine|thread) T?\d+:\n    #0 (\w+?)_(\d\d) [^\n]*at_once\.c:\d+:\d+ [^\n]*\n"


def check(reports):
    """What is wrong with them, one line each."""
    if len(reports) != N:
        yield "%d reports" % len(reports)
    seen = collections.Counter()
    for report in reports:
        accesses = re.findall(ACCESS, report)
        locations = re.findall(r"  Location is global 'v(\d\d)' of size 8 ", report)
        summaries = re.findall(r"SUMMARY: CspThreadSanitizer: data race [^\n]*at_once\.c:\d+:\d+ in (\w+)\n$", report)
        sides = sorted(kind for _, _, kind, _ in accesses)
        if (not report.startswith("WARNING: CspThreadSanitizer: data race (pid=") or sides != ["coroutine", "thread"]
                or len(locations) != 1 or {n for _, _, _, n in accesses} != set(locations) or len(summaries) != 1
                or any(who != kind for _, who, kind, _ in accesses)):
            yield "garbled: %s" % report
            continue
        seen[locations[0]] += 1
    for n, times in seen.items():
        if times > 1:
            yield "variable v%s: %d reports" % (n, times)


def main():
    runs, program = int(sys.argv[1]), sys.argv[2]
    for _ in range(runs):
        done = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        parts = done.stderr.split(RULE + "\n")
        wrong = list(check([p for p in parts[1:-1] if p]))
        if parts[-1] != "CspThreadSanitizer: reported %d warnings\n" % N or done.returncode != 66:
            wrong.append("ends with %r, status %d" % (parts[-1], done.returncode))
        if wrong:
            sys.exit("\n".join(wrong[:5]))


main()
