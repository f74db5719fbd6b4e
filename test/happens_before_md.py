#!/usr/bin/env python3
# happens_before_md.py - every pair in test/race has its row in docs/happens-before.md, and every row its pair.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "happens-before.md"
NAME = re.compile(r"`(\w+)`")

pairs = {re.sub(r"_(no)?race\.(c|cc)$", "", p.name) for p in (ROOT / "test" / "race").glob("*_*race.c*")}
if not pairs:
    sys.exit("happens_before_md.py: no pairs in test/race")

lines = DOCUMENT.read_text().splitlines()
in_rows = {name for line in lines if line.startswith("|") for name in NAME.findall(line.split("|")[-2])}
in_prose = {name for line in lines if not line.startswith("|") for name in NAME.findall(line)}
missing = sorted(pairs - in_rows - in_prose)
unknown = sorted(in_rows - pairs)
if missing or unknown:
    sys.exit(f"{DOCUMENT}: pairs without a row: {missing}; rows without a pair: {unknown}")
