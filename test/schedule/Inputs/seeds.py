#!/usr/bin/env python3
# seeds.py - runs a program under many seeds and says what its output, as a whole, was: which there are, which there must not be.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("--seeds", type=int, default=20, help="1 to this")
parser.add_argument("--options", default="schedule=random", help="of CSPTHREAD_OPTIONS")
parser.add_argument("--again", type=int, default=1, help="so many processes per seed: output and record must be the same")
parser.add_argument("--seen", action="append", default=[], help="an output that some seed must give")
parser.add_argument("--only", action="store_true", help="and there must be no others than those")
parser.add_argument("--distinct", type=int, default=1, help="so many different outputs at least")
parser.add_argument("--status", type=int, action="append", help="exit statuses that may be; default: 0")
parser.add_argument("command", nargs="+")
a = parser.parse_args()


def last_line(log):
    """What the run's end has written: operations, decisions, the interleaving."""
    if not os.path.exists(log):
        return {}
    with open(log, encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    return {key: value for key, value in found[-1].items() if key != "text"} if found else {}


def run(seed):
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        env = dict(os.environ, CSPTHREAD_OPTIONS="%s:seed=%d:finding_log=%s" % (a.options, seed, log))
        done = subprocess.run(a.command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, check=False)
        record = last_line(log)
    if done.returncode not in (a.status or [0]):
        sys.exit("seed %d: status %d\n%s%s" % (seed, done.returncode, done.stdout.decode(), done.stderr.decode()))
    if a.again > 1 and not record.get("replayable", True):
        sys.exit("seed %d: not replayable: %s" % (seed, record["why_not"]))
    return seed, done.stdout.decode(), record


with concurrent.futures.ThreadPoolExecutor(2) as pool:
    runs = list(pool.map(run, [seed for seed in range(1, a.seeds + 1) for _ in range(a.again)]))

first = {}
for seed, text, record in runs:
    before = first.setdefault(seed, (text, record))
    if before != (text, record):
        sys.exit("seed %d: two runs differ\n--- one\n%s%s\n--- another\n%s%s" % (seed, before[0], before[1], text, record))
outputs = {text.strip() for _, text, _ in runs}
for text in a.seen:
    if text not in outputs:
        sys.exit("no seed gave '%s', but %s" % (text, sorted(outputs)))
if a.only and outputs - set(a.seen):
    sys.exit("unexpected: %s" % sorted(outputs - set(a.seen)))
if len(outputs) < a.distinct:
    sys.exit("only %d different outputs" % len(outputs))
