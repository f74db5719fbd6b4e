# compare_options.py - compares the option list of tools/driver/clang_options.c with the table in clang's own headers.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import pathlib
import re
import sys

clang, source = sys.argv[1:]
table = pathlib.Path(clang).resolve().parent.parent / "include/clang/Options/Options.inc"
if not table.exists():
    sys.exit(f"{table} is missing: install libclang-22-dev")

# OPTION(prefixes, offset /* -name */, ID, Kind, Group, Alias, AliasArgs, Flags, Visibility, Param, ...
row = re.compile(r'OPTION\((\d+).*?, \d+ /\* (.*?) \*/, (\w+), (\w+), (\w+), (\w+), (nullptr|".*?"), ([^,]*), ([^,]*), ')
takes_next = {"Separate", "JoinedOrSeparate", "MultiArg", "JoinedAndSeparate"}
clangs = set()
for line in table.read_text().splitlines():
    match = row.match(line)
    if match and match[4] in takes_next and "DefaultVis" in match[9] and match[2].startswith("-"):
        clangs.add(match[2])
if len(clangs) < 100:
    sys.exit(f"{table}: the format has changed, only {len(clangs)} options found")

text = pathlib.Path(source).read_text()
lists = re.findall(r"\b(?:value_options|multi_value_options|joined_and_value_options)\[\] = \{\n?(.*?)\};\n", text, re.S)
if len(lists) != 3:
    sys.exit(f"{source}: found {len(lists)} lists instead of 3")
ours = {name for body in lists for name in re.findall(r'"(-[^"]*)"', body)}

# Where clang accepts one dash and two, its table has one row; we need both spellings.
both = {name[1:] for name in ours if name.startswith("--")} & ours
missing = clangs - ours
extra = {name for name in ours - clangs if not (name.startswith("--") and name[1:] in both)}
for name in sorted(missing):
    print(f"missing: {name}")
for name in sorted(extra):
    print(f"not in clang's table: {name}")
sys.exit(bool(missing or extra))
