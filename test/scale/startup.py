#!/usr/bin/env python3
# startup.py - starts a program in all sorts of address spaces: it ends with status 7 and is silent, or tells in one line what to do.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# usage: startup.py starts program
#
# vm.overcommit_memory and vm.mmap_rnd_bits are the whole machine's; they are tried as they are.
import subprocess
import sys

ADVICE = ("ulimit -v", "overcommit")


def start(what, command, may_refuse=False):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    if done.returncode == 7 and not done.stdout:
        return
    lines = done.stdout.splitlines()
    if may_refuse and len(lines) == 1 and lines[0].startswith("CspThreadSanitizer: ") and any(a in lines[0] for a in ADVICE):
        return
    sys.exit("%s: status %d\n%s" % (what, done.returncode, done.stdout))


def main():
    starts, program = int(sys.argv[1]), sys.argv[2]
    for _ in range(starts): # each time at other addresses
        start("ASLR", [program])
    start("no ASLR", ["setarch", "-R", program])
    start("old layout", ["setarch", "-L", program])
    start("old layout, no ASLR", ["setarch", "-L", "-R", program])
    start("no limit of the stack", ["bash", "-c", "ulimit -s unlimited && exec $0", program])
    start("small stack", ["bash", "-c", "ulimit -s 256 && exec $0", program])
    start("no core files", ["bash", "-c", "ulimit -c 0 && exec $0", program])
    for gigabytes in (1, 16, 256):
        start("%d GB of address space" % gigabytes, ["bash", "-c", "ulimit -v %d && exec $0" % (gigabytes << 20), program], True)
    start("few descriptors", ["bash", "-c", "ulimit -n 16 && exec $0", program])
    start("empty environment", ["env", "-i", program])


main()
