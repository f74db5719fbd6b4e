#!/usr/bin/env python3
# many_races.py - writes a program of many distinct races made by many threads, or checks what it reported.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   many_races.py write N THREADS > program.c
#   many_races.py check N report      each race once, every report whole and by itself
import re
import sys

PROGRAM = """#include <pthread.h>
int variables[%d];
%s
static void (*const touch[])(void) = {%s};
static pthread_barrier_t start;
static void *run(void *arg)
{
    long first = (long)arg;
    pthread_barrier_wait(&start);
    for (long i = 0; i < %d; i++)
        touch[(i + first) %% %d]();
    return 0;
}
int main(void)
{
    pthread_t t[%d];
    pthread_barrier_init(&start, 0, %d);
    for (long i = 0; i < %d; i++)
        pthread_create(&t[i], 0, run, (void *)(i * 7));
    for (long i = 0; i < %d; i++)
        pthread_join(t[i], 0);
    return 0;
}
"""


def write(n, threads):
    functions = "\n".join("static void touch_%d(void) { variables[%d] = %d; }" % (i, i, i) for i in range(n))
    names = ", ".join("touch_%d" % i for i in range(n))
    print(PROGRAM % (n, functions, names, n, n, threads, threads, threads, threads))


def check(n, path):
    text = open(path, encoding="utf-8").read()
    bar = "==================\n"
    pieces = text.split(bar)
    reports = [p for p in pieces if p.startswith("WARNING")]
    rest = [p for p in pieces if p and not p.startswith("WARNING")]
    seen = set()
    for report in reports:
        lines = report.split("\n")
        whole = (lines[0].startswith("WARNING: CspThreadSanitizer: data race (pid=")
                 and lines[-2].startswith("SUMMARY: CspThreadSanitizer: data race ")
                 and report.count("WARNING") == 1 and report.count("SUMMARY") == 1 and report.count("Location is global") == 1)
        tops = set(re.findall(r"    #0 (touch_\d+) .*\n    #1 run ", report))
        if not whole or len(tops) != 1 or not lines[-2].endswith(" in " + min(tops)):
            sys.exit("garbled report:\n" + report)
        seen |= tops
    if len(reports) != n or len(seen) != n:
        sys.exit("%d reports of %d races, %d wanted" % (len(reports), len(seen), n))
    if "".join(rest) != "CspThreadSanitizer: reported %d warnings\n" % n:
        sys.exit("between the reports: " + "".join(rest))


if sys.argv[1] == "write":
    write(int(sys.argv[2]), int(sys.argv[3]))
else:
    check(int(sys.argv[2]), sys.argv[3])
