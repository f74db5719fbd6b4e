# status.py - runs a command and succeeds if its exit status is the one given first.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import subprocess
import sys

status = subprocess.run(sys.argv[2:]).returncode
if status != int(sys.argv[1]):
    sys.exit("exit status %d, expected %s" % (status, sys.argv[1]))
