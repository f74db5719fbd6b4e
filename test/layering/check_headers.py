# check_headers.py - compiles each public header on its own, in each standard of C and C++, with all warnings as errors.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import argparse
import os
import subprocess
import sys


def main():
    p = argparse.ArgumentParser()
    p.add_argument("include")
    p.add_argument("--c", required=True)
    p.add_argument("--cxx", required=True)
    a = p.parse_args()
    folder = os.path.join(a.include, "csp")
    headers = sorted(name for name in os.listdir(folder) if name.endswith(".h"))
    failed = not headers
    common = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-fsyntax-only", "-I", a.include]
    # C23 is c2x for older compilers, and to all of ours.
    standards = [(a.c, "c", s) for s in ("c11", "gnu11", "gnu17", "c2x")]
    standards += [(a.cxx, "c++", s) for s in ("c++17", "gnu++17", "c++20")]
    for name in headers:
        # Twice: the include guard is part of the header.
        text = ("#include <csp/%s>\n" % name) * 2
        for compiler, language, standard in standards:
            command = [compiler, "-x", language, "-std=" + standard] + common + ["-"]
            done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode:
                failed = True
                print("%s: %s\n%s" % (name, " ".join(command), done.stdout))
    sys.exit(failed)


main()
