#!/usr/bin/env python3
# check_calls.py - runs library_calls.c's program with and without order; usage: check_calls.py PROGRAM CASES RTL
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Without order each case is one report, whose earlier access is "#0 function", called in next_call. With order there is none. And
# every row of the table in RTL has a case, or a word why not.
import os
import re
import subprocess
import sys

program, cases_path, rtl = sys.argv[1:4]
cases_text = open(cases_path).read()
cases = re.findall(r"^CASE\((\w+),", cases_text, re.M)
untested = re.findall(r"^UNTESTED\((\w+)\)", cases_text, re.M)
wrong = []


def rows():
    names = set()
    for name in sorted(os.listdir(rtl)):
        if not re.fullmatch(r"intercept_(library(_\w+)?|stdio)\.inc", name):
            continue
        text = open(os.path.join(rtl, name)).read()
        names |= set(re.findall(r"^(?:LIBRARY|STREAM)\([^,]*,\s*(\w+),", text, re.M))
        names |= set(re.findall(r"^(?:VOID|CSPR_PASSWD)\((\w+),", text, re.M))
        names |= set(re.findall(r"^CSPR_\w+\([\w ]+, (\w+)\)$", text, re.M))
    return names


def run(*arguments):
    environment = dict(os.environ, CSPTHREAD_OPTIONS="suppress_equal_stacks=0")
    done = subprocess.run([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, env=environment, timeout=120)
    return done.returncode, done.stderr


table = rows()
for name in sorted(table - set(cases) - set(untested)):
    wrong.append("%s: no case in %s" % (name, cases_path))
for name in sorted(set(untested) - table):
    wrong.append("%s: not in the table" % name)

status, text = run("ordered")
if status != 0 or "WARNING" in text:
    wrong.append("with order: status %d\n%s" % (status, text[:4000]))

status, text = run()
parts = re.split(r"^== (\w+)\n", text, flags=re.M)
seen = dict(zip(parts[1::2], parts[2::2]))
if status != 66:
    wrong.append("without order: status %d" % status)
for name in cases:
    report = seen.get(name, "")
    match = re.search(r"^  Previous (?:read|write) of size .*\n    #0 (\w+) .*\n    #1 next_call ", report, re.M)
    if not match:
        wrong.append("%s: no report of it\n%s" % (name, report[:1500]))
    elif match.group(1) != name:
        wrong.append("%s: reported as %s" % (name, match.group(1)))
if wrong:
    sys.exit("\n".join(wrong))
print("%d functions, each with and without order" % len(cases))
