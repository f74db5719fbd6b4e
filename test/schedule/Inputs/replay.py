#!/usr/bin/env python3
# replay.py - runs a program --runs times under one seed: what it prints, how many operations of which kind each task executed and the
# account of the run (finding_log) are the same. Other seeds print something else, at least half of them.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import argparse
import json
import os
import subprocess
import sys
import tempfile

p = argparse.ArgumentParser()
p.add_argument("--runs", type=int, required=True)
p.add_argument("--other-seeds", type=int, required=True)
p.add_argument("--options", default="schedule=random")
p.add_argument("--status", type=int, default=0)
p.add_argument("program", nargs="+")
a = p.parse_args()


def run(seed):
    with tempfile.TemporaryDirectory() as folder:
        log, profile = os.path.join(folder, "log"), os.path.join(folder, "profile")
        options = "%s:seed=%d:finding_log=%s:schedule_profile_out=%s" % (a.options, seed, log, profile)
        done = subprocess.run(a.program, env=dict(os.environ, CSPTHREAD_OPTIONS=options), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        if done.returncode != a.status:
            sys.exit("replay.py: seed %d: status %d\n%s" % (seed, done.returncode, done.stderr.decode()))
        with open(profile) as f:
            account = [f.read()]
        if not account[0]:
            sys.exit("replay.py: seed %d: no profile" % seed)
        if os.path.exists(log):
            with open(log) as f:
                account += [json.loads(line) for line in f]
        if not all(line.get("replayable", True) for line in account[1:]):
            sys.exit("replay.py: seed %d: %s" % (seed, account))
        return done.stdout, account


first = run(1)
for i in range(1, a.runs):
    again = run(1)
    if again != first:
        sys.exit("replay.py: run %d differs:\n%s\n%s" % (i, first, again))
others = [run(2 + i) for i in range(a.other_seeds)]
if a.other_seeds and sum(o[0] != first[0] for o in others) < a.other_seeds / 2:
    sys.exit("replay.py: other seeds make no difference")
