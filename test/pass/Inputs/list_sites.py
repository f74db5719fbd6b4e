#!/usr/bin/env python3
# list_sites.py - prints the call sites of a module (LLVM text on standard input) as line:column "text" file.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os
import re
import sys

module = sys.stdin.read()
strings = dict(re.findall(r'@([\w.]+) = private unnamed_addr constant \[\d+ x i8\] c"(.*?)\\00"', module))
sites = re.findall(r"@csp\.site[\d.]* = .*ptr @([\w.]+), ptr @([\w.]+), i32 (\d+), i32 (\d+)", module)
for line, column, text, file in sorted((int(l), int(c), strings.get(t, ""), strings[f]) for f, t, l, c in sites):
    print('%d:%d "%s" %s' % (line, column, text, os.path.basename(file)))
print("end")
if "__csp_site." in module:
    sys.exit("a marker was left")
