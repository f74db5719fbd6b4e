#!/usr/bin/env python3
# until.py - runs a program under schedules with the seeds 1, 2, ... until one ends with --status (and prints its standard error),
# or, with --none, sees that all of them end with 0 and in silence.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import argparse
import os
import subprocess
import sys

p = argparse.ArgumentParser()
p.add_argument("--seeds", type=int, required=True)
p.add_argument("--status", type=int, default=66)
p.add_argument("--none", action="store_true")
p.add_argument("--strategy", default="random")
p.add_argument("--options", default="")
p.add_argument("program", nargs="+")
a = p.parse_args()

for seed in range(1, a.seeds + 1):
    options = ":".join(filter(None, ["schedule=%s:seed=%d" % (a.strategy, seed), a.options]))
    done = subprocess.run(a.program, env=dict(os.environ, CSPTHREAD_OPTIONS=options), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60)
    if a.none:
        if done.returncode or done.stderr:
            sys.exit("until.py: seed %d: status %d\n%s" % (seed, done.returncode, done.stderr.decode()))
    elif done.returncode == a.status:
        sys.stderr.write(done.stderr.decode())
        sys.exit(0)
if not a.none:
    sys.exit("until.py: none of %d schedules ended with status %d" % (a.seeds, a.status))
