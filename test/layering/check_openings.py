# check_openings.py - fails on a source file that does not open with `name - purpose.` and the SPDX line.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os
import re
import sys

FOLDERS = ("runtime", "rtl", "pass", "tools", "test", "docs/examples")
SUFFIXES = (".c", ".h", ".cc", ".cpp", ".S", ".inc", ".py", ".sh", ".test", ".ll", ".in")
SPDX = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"


def problem(path):
    name = os.path.basename(path)
    with open(path, encoding="utf-8") as f:
        lines = [line.rstrip("\n") for line in f.readlines()[:12]]
    if lines and lines[0].startswith("#!"):
        lines = lines[1:]
    opening = re.compile(r"^\W*\s?%s - \S" % re.escape(name))
    if not lines or not opening.match(lines[0]):
        return "does not open with `%s - purpose`" % name
    if not any(SPDX in line for line in lines[:6]):
        return "has no SPDX line"
    return None


def main():
    root = sys.argv[1]
    count, wrong = 0, 0
    for folder in FOLDERS:
        for directory, folders, names in os.walk(os.path.join(root, folder)):
            folders[:] = [f for f in folders if f != "__pycache__"]
            for name in sorted(names):
                if not name.endswith(SUFFIXES):
                    continue
                count += 1
                path = os.path.join(directory, name)
                why = problem(path)
                if why:
                    wrong += 1
                    print("%s: %s" % (os.path.relpath(path, root), why))
    if count == 0:
        sys.exit("no source file found below " + root)
    sys.exit(wrong != 0)


main()
