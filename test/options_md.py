#!/usr/bin/env python3
# options_md.py - docs/options.md is made from rtl/flags.inc: compare them, or write the document anew with --write.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLAGS = ROOT / "rtl" / "flags.inc"
DOCUMENT = ROOT / "docs" / "options.md"

HEAD = """# Options

A program built with `-fsanitize=cspthread` reads `CSPTHREAD_OPTIONS` at start: `name=value` pairs separated by spaces, commas,
colons or newlines; values may be quoted. A program may define `const char *__csp_default_options(void)` (or ThreadSanitizer's
`__tsan_default_options`) for its own defaults; the environment wins. An unknown name or malformed value is named on standard
error and otherwise ignored; the names of ThreadSanitizer's other options are accepted without a word.
`CSPTHREAD_OPTIONS=help=1 ./program` prints this table.

| option | type | default | meaning |
| --- | --- | --- | --- |
"""

TAIL = """
## Suppressions

`suppressions=FILE` names a file of lines `type:pattern`; `#` opens a comment. `race` and `leak` match any function, file or
module of the report's stacks, or the global's name; `race_top` matches the first frame only; `deadlock` any stack of a deadlock or of an order of locks; `mutex`, `thread` and `signal` are for
locks used wrongly, threads nobody joined and what signal handlers must not do; `called_from_lib` is for accesses that library
functions make when this library calls them. `*` stands for anything, `^` and `$`
anchor. A relative path is looked for in the working directory, then beside the program. A file that cannot be read or parsed
ends the start with its name and line.

## Exit status

| status | when |
| --- | --- |
| 2 | the runtime ended the program: a panic or fatal error (deadlock, stack overflow, ...) |
| `exitcode` (66) | anything was reported |
| the program's own | otherwise |

## Environment of the runtime, with or without the sanitizer

| variable | meaning |
| --- | --- |
| `CSP_MAXPROCS` | how many OS threads run coroutines at once; default: the number of cores |
| `CSP_TRACEBACK` | what a panic or fatal error prints: `none`, `single`, `all`, `crash` ([debugging.md](debugging.md)) |
"""


def document():
    rows = []
    for line in FLAGS.read_text().splitlines():
        row = re.match(r'FLAG\((\w+), (\w+), (.*?), "(.*)"\)$', line)
        if row:
            kind, name, value, text = row.groups()
            value = value if value != '""' else "(empty)"
            rows.append(f"| `{name}` | {kind} | `{value.strip(chr(34))}` | {text.replace('|', chr(92) + '|')} |\n")
    if not rows:
        sys.exit(f"options_md.py: no FLAG rows in {FLAGS}")
    return HEAD + "".join(rows) + TAIL


if sys.argv[1:] == ["--write"]:
    DOCUMENT.write_text(document())
elif not DOCUMENT.exists() or DOCUMENT.read_text() != document():
    sys.exit(f"{DOCUMENT} does not match {FLAGS}: run test/options_md.py --write")
