#!/usr/bin/env python3
# check_program.py - builds one C program in several ways, runs it in several ways, and holds every run to one expectation.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Why a script and not RUN lines: each program is built at several -O levels and run with several CSP_MAXPROCS values several
# times; written out that would be a dozen RUN lines in each of some two hundred files.
#
# What is checked in every run: the exit status; standard error, which must be empty with --silent or where the check file has
# no CHECK lines, and else passes FileCheck (prefix CHECK, or --prefix); standard output, by lines with the prefix OUT where
# the check file has any.
#
# A source line ending in `// line: NAME` (or holding `/* line: NAME */`) defines the FileCheck number NAME as its line, so
# that a CHECK line says `[[#NAME]]` and goes on being right when the file is edited.

import argparse
import os
import re
import shlex
import subprocess
import sys

RUN_TIMEOUT_S = 60


def parse_arguments():
    p = argparse.ArgumentParser(description="Build and run a program, check each run.")
    p.add_argument("source")
    p.add_argument("--cc", required=True, help="compiler command")
    p.add_argument("--filecheck", required=True)
    p.add_argument("--out", required=True, help="prefix of the files this check makes")
    p.add_argument("--flags", default="-fsanitize=cspthread -g", help="given to the compiler")
    p.add_argument("--libs", default="", help="given to the compiler after the source")
    p.add_argument("--levels", default="O1", help="comma-separated: O0,O1,O2")
    p.add_argument("--procs", default="1,2", help="comma-separated values of CSP_MAXPROCS")
    p.add_argument("--runs", type=int, default=1, help="runs per level and CSP_MAXPROCS")
    p.add_argument("--status", type=int, default=0, help="exit status every run must have")
    p.add_argument("--silent", action="store_true", help="standard error is empty, whatever CHECK lines there are")
    p.add_argument("--options", default="", help="CSPTHREAD_OPTIONS of the runs")
    p.add_argument("--check", default=None, help="file with the CHECK lines; default: the source")
    p.add_argument("--prefix", default="CHECK")
    p.add_argument("--args", default="", help="arguments of the program")
    return p.parse_args()


def fail(what, command, log=""):
    sys.stdout.write("check_program: %s\n  command: %s\n" % (what, command))
    if log:
        sys.stdout.write(log if log.endswith("\n") else log + "\n")
    sys.exit(1)


def build(a, level):
    program = "%s.%s" % (a.out, level)
    command = shlex.split(a.cc) + ["-" + level] + shlex.split(a.flags) + [a.source, "-o", program]
    command += shlex.split(a.libs)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        fail("does not compile", shlex.join(command), done.stdout)
    if done.stdout:
        fail("the compiler is not silent", shlex.join(command), done.stdout)
    return program


def named_lines(source):
    names = []
    with open(source, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            for name in re.findall(r"/[/*] line: (\w+)", line):
                names.append("-D#%s=%d" % (name, number))
    return names


def has_lines(check_file, prefix):
    with open(check_file, encoding="utf-8") as f:
        return re.search(r"\b%s(-[A-Z]+(\{.*\})?)?:" % re.escape(prefix), f.read()) is not None


def filecheck(a, check_file, prefix, path, command):
    tool = [a.filecheck, "--check-prefix=" + prefix, "--dump-input=never",
            "--input-file=" + path] + named_lines(a.source) + [check_file]
    done = subprocess.run(tool, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        with open(path, encoding="utf-8", errors="replace") as f:
            fail("output differs from the %s lines of %s" % (prefix, check_file), command,
                 done.stdout + "---- output ----\n" + f.read()[:20000])


def run(a, program, procs, check_file):
    environment = dict(os.environ, CSP_MAXPROCS=procs, CSPTHREAD_OPTIONS=a.options)
    command = [program] + shlex.split(a.args)
    shown = "CSP_MAXPROCS=%s %s%s" % (procs, "CSPTHREAD_OPTIONS='%s' " % a.options if a.options else "", shlex.join(command))
    out_path, err_path = program + ".out", program + ".err"
    with open(out_path, "wb") as out, open(err_path, "wb") as err:
        try:
            status = subprocess.run(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=environment,
                                    timeout=RUN_TIMEOUT_S).returncode
        except subprocess.TimeoutExpired:
            status = "none: it still ran after %d s" % RUN_TIMEOUT_S
    with open(err_path, encoding="utf-8", errors="replace") as f:
        errors = f.read()
    if status != a.status:
        fail("exit status %s, expected %d" % (status, a.status), shown, "---- stderr ----\n" + errors[:20000])
    if not a.silent and has_lines(check_file, a.prefix):
        filecheck(a, check_file, a.prefix, err_path, shown)
    elif errors:
        fail("standard error is not empty", shown, errors[:20000])
    if has_lines(check_file, "OUT"):
        filecheck(a, check_file, "OUT", out_path, shown)


def main():
    a = parse_arguments()
    check_file = a.check or a.source
    if a.status != 0 and not has_lines(check_file, a.prefix):
        fail("a failing program needs %s lines" % a.prefix, check_file)
    os.makedirs(os.path.dirname(a.out) or ".", exist_ok=True)
    for level in a.levels.split(","):
        program = build(a, level)
        for procs in a.procs.split(","):
            for _ in range(a.runs):
                run(a, program, procs, check_file)


main()
