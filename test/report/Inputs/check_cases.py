#!/usr/bin/env python3
# check_cases.py - runs a program of many cases; usage: check_cases.py PROGRAM SOURCE [SECONDS]
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# SOURCE has a line CASE(name, ...) per case, or names them in a line "// ALSO: name name". With an argument the program must be silent; without, each case says "== name" and is
# reported exactly once after it. Lines "// STACK name: f g h" in SOURCE say which functions the report's stacks must hold in a row.
import os
import re
import subprocess
import sys

program, source = sys.argv[1:3]
text = open(source).read()
cases = re.findall(r"^\s*CASE\((\w+)", text, re.M)
cases += " ".join(re.findall(r"^// ALSO: (.*)$", text, re.M)).split()
stacks = re.findall(r"^// STACK (\w+): (.*)$", text, re.M)
wrong = []


def run(*arguments):
    environment = dict(os.environ, CSPTHREAD_OPTIONS="suppress_equal_stacks=0")
    done = subprocess.run([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, env=environment, timeout=100)
    return done.returncode, done.stderr


status, output = run("ordered")
if status != 0 or output:
    wrong.append("with order: status %d\n%s" % (status, output[:6000]))
status, output = run()
parts = re.split(r"^== (\w+)\n", output, flags=re.M)
seen = dict(zip(parts[1::2], parts[2::2]))
if status != 66:
    wrong.append("without order: status %d" % status)
for name in cases:
    count = seen.get(name, "").count("WARNING: CspThreadSanitizer: ")
    if count != 1:
        wrong.append("%s: %d reports\n%s" % (name, count, seen.get(name, "")[:3000]))
for name, functions in stacks:
    wanted = "".join(r"    #\d+ %s[ (].*\n" % re.escape(f) for f in functions.split())
    if not re.search(wanted, seen.get(name, "")):
        wrong.append("%s: no stack %s\n%s" % (name, functions, seen.get(name, "")[:3000]))
if wrong:
    sys.exit("\n".join(wrong))
print("%d cases, each with and without order" % len(cases))
