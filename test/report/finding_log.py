#!/usr/bin/env python3
# finding_log.py - reads a finding log as strictly as it is meant, and prints what it tells in lines for FileCheck.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import sys

STACK = {"role", "primary", "what", "task", "thread", "name", "frames"}
FRAME = {"function", "file", "line", "column", "start_line", "module", "offset", "library"}


def check(condition, what):
    if not condition:
        sys.exit("finding_log.py: " + what)


for line in open(sys.argv[1], encoding="utf-8", errors="strict"):
    check(line.endswith("\n"), "a line without an end")
    finding = json.loads(line)
    if finding["type"] != "finding":
        continue
    check(set(finding) == {"type", "kind", "title", "mild", "stacks", "text"}, "members of a finding: %s" % set(finding))
    print("kind %s, title %s, mild %s" % (finding["kind"], finding["title"], finding["mild"]))
    for stack in finding["stacks"]:
        check(set(stack) <= STACK and STACK - {"thread"} <= set(stack), "members of a stack: %s" % set(stack))
        print("  %s%s (%s) by %s %s" % ("primary " if stack["primary"] else "", stack["role"], stack["what"], stack["task"],
                                        stack["name"]))
        for frame in stack["frames"]:
            check(set(frame) == FRAME, "members of a frame: %s" % set(frame))
            within = frame["line"] - frame["start_line"] if frame["start_line"] else None
            print("    %s +%s%s" % (frame["function"], within, " library" if frame["library"] else ""))
    check("\033" not in finding["text"], "colours in the text")
