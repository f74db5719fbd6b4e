#!/usr/bin/env python3
# same.py - runs a program under schedules with the seeds 1, 2, ...: it ends with --status, says nothing on standard error, and always prints
# the same, which goes to --expect. All of it takes at most --limit-s.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import argparse
import os
import subprocess
import sys
import time

p = argparse.ArgumentParser()
p.add_argument("--seeds", type=int, required=True)
p.add_argument("--limit-s", type=float, default=60)
p.add_argument("--strategies", default="random,pct")
p.add_argument("--options", default="")
p.add_argument("--status", type=int, default=0)
p.add_argument("--expect", required=True)
p.add_argument("program", nargs="+")
a = p.parse_args()

first = None
began = time.monotonic()
for strategy in a.strategies.split(","):
    for seed in range(1, a.seeds + 1):
        options = ":".join(filter(None, ["schedule=%s:seed=%d" % (strategy, seed), a.options]))
        done = subprocess.run(a.program, env=dict(os.environ, CSPTHREAD_OPTIONS=options), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        if done.returncode != a.status or done.stderr:
            sys.exit("same.py: %s: status %d\n%s" % (options, done.returncode, done.stderr.decode()))
        if first is None:
            first = done.stdout
        if done.stdout != first:
            sys.exit("same.py: %s:\n%sbut before:\n%s" % (options, done.stdout.decode(), first.decode()))
if time.monotonic() - began > a.limit_s:
    sys.exit("same.py: took %.1f s" % (time.monotonic() - began))
with open(a.expect, "wb") as f:
    f.write(first)
