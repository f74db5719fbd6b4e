# check_headers.py - compiles each public header on its own, as C17 and as C++17, with all warnings as errors.
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
    common = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", a.include]
    for name in headers:
        # Twice: the include guard is part of the header.
        text = ("#include <csp/%s>\n" % name) * 2
        for compiler, language, standard in ((a.c, "c", "-std=gnu17"), (a.cxx, "c++", "-std=gnu++17")):
            command = [compiler, "-x", language, standard] + common + ["-"]
            done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode:
                failed = True
                print("%s: %s\n%s" % (name, " ".join(command), done.stdout))
    sys.exit(failed)


main()
