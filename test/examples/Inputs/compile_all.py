# compile_all.py - compiles every example with all warnings as errors; producer_consumer_bad.c must fail.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import argparse
import os
import shlex
import subprocess
import sys

p = argparse.ArgumentParser()
p.add_argument("folder")
p.add_argument("--cc", action="append", required=True)
a = p.parse_args()
sources = sorted(name for name in os.listdir(a.folder) if name.endswith(".c"))
failed = not sources
for compiler in a.cc:
    for name in sources:
        command = shlex.split(compiler) + ["-O1", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-fsyntax-only", os.path.join(a.folder, name)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if (done.returncode != 0) != (name == "producer_consumer_bad.c"):
            failed = True
            print(shlex.join(command) + "\n" + done.stdout)
sys.exit(failed)
