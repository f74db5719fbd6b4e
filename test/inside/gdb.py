#!/usr/bin/env python3
# gdb.py - tools/csp-gdb.py over a live program and over a core file; exit status 77 (skipped) where there is no gdb.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

PROGRAM, SCRIPT = map(str, map(pathlib.Path.resolve, map(pathlib.Path, sys.argv[1:3])))


def gdb(*commands, args):
    line = ["gdb", "-nx", "--batch", "-ex", "set debuginfod enabled off", "-ex", f"source {SCRIPT}"]
    for command in commands:
        line += ["-ex", command]
    return subprocess.run(line + args, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL).stdout


def check(text):
    for number in (2, 3, 4):
        assert re.search(rf"^coroutine {number} \[chan receive\] csp_recv \(", text, re.M), text
        stack = re.search(rf"^coroutine {number} \[chan receive\]:\n((?:.+\n)+)", text, re.M)
        assert stack and re.search(r"^#\d+ .*\bwaits_in_vain \(.*serve\.c:\d+$", stack[1], re.M), text
        assert re.search(r"^#\d+ .*\bcspi_co_entry \(", stack[1], re.M), text
    assert "coroutine 1 [running]" in text, text
    assert text.count("waits_in_vain (") == 5, text  # 'apply all' three, 'coroutine 3' one, after a broken one another


if not shutil.which("gdb"):
    sys.exit(77)
LOOK = ["info coroutines", "coroutine apply all bt", "coroutine 3 bt", "coroutine 99 bt", "coroutine 4 bt"]
check(gdb("run", *LOOK[:3], LOOK[4], "kill", args=["--args", PROGRAM, "abort"]))
assert "no coroutine 99" in subprocess.run(
    ["gdb", "-nx", "--batch", "-ex", f"source {SCRIPT}", "-ex", "run", "-ex", "coroutine 99 bt", "--args", PROGRAM, "abort"],
    capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL).stderr

with tempfile.TemporaryDirectory() as folder:
    unlimited = (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_CORE)[1])
    subprocess.run([PROGRAM, "abort"], cwd=folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, unlimited))
    cores = list(pathlib.Path(folder).glob("core*"))
    if cores:  # else the system sends them elsewhere
        check(gdb(*LOOK[:3], LOOK[4], args=[PROGRAM, str(cores[0])]))
