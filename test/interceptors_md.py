#!/usr/bin/env python3
# interceptors_md.py - docs/interceptors.md is made from rtl's tables and the names that the detector's library really defines: compare
# them, or write the document anew with --write. Wants --archive=FILE --nm=NM.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RTL = ROOT / "rtl"
DOCUMENT = ROOT / "docs" / "interceptors.md"
TABLES = ["intercept_library.inc", "intercept_library_checked.inc", "intercept_library_system.inc",
          "intercept_library_wide.inc", "intercept_stdio.inc"]
# What else is written by hand: file, and what its functions tell the detector.
BY_HAND = [
    ("intercept_string.c", "the bytes and strings they read and write, as far as they look"),
    ("intercept_format.c", "the strings that `%s` reads, what `%n` and the conversions of `scanf` write, the text that is made"),
    ("intercept_callback.c", "the array is written; where the callback was called from; the root of a search tree"),
    ("intercept_io.c", "write → read of the same object; buffers, vectors, messages; the number is used"),
    ("intercept_fd.c", "the life of descriptors; connect → accept, listen → connect, epoll_ctl → epoll_wait, ..."),
    ("intercept_malloc.c", "allocation writes the block; freeing writes it, too; blocks and their stacks are known"),
    ("intercept_memory.c", "a mapping has no history"),
    ("intercept_pthread.c", "locks, conditions, barriers, once, semaphores: [happens-before.md](happens-before.md)"),
    ("intercept_thread.c", "threads: create → first step, end → join; their names"),
    ("intercept_signal.c", "handlers run on behalf of the interrupted task, never inside the detector"),
    ("intercept_tls.c", "a library's thread-locals are its thread's own"),
    ("intercept_control.c", "nothing; a controlled schedule knows of them"),
    ("intercept_guard.c", "nothing; a controlled schedule knows of them (their order: the pass)"),
    ("intercept_syscall.c", "nothing; a controlled schedule knows of futexes"),
    ("intercept_exit.c", "registration of an exit handler → its run"),
    ("exit.c", "start and end of the process"),
]

HEAD = """# Library functions

What the detector knows of the C library's functions. This page is made from the tables (`test/interceptors_md.py --write`); a test
compares it with them and with the names the library defines. {count} functions.

Reads are checked before the call, writes after it, when it is known how much was written; a call that failed wrote nothing. An access is
reported at the caller's line, with the function as frame 0. `test/report/library_calls.c` calls the functions of the first table with
order, which is silent, and without, which is reported. In the table `p[n]` are n bytes at p, `"s"` a string with its end, `L"s"` a wide
one; what a function reads or writes only under a condition is listed too.

| function | reads | writes |
| --- | --- | --- |
"""

NOT_COVERED = """
Not covered: signal sets (`sigaddset`, ...); `ioctl`, `prctl` and (but for futexes under control) `syscall`, whose arguments mean what a number says; asynchronous input and output (`aio_*`, io_uring);
`obstack`, `fts_*`, XDR and RPC, utmp; the arguments of wide formats (what `swprintf` writes is); the `argv` and `environ` that `exec*`
reads; names that only a C library newer than 2.36 has (`__isoc23_*`, `strlcpy`).
"""


def split_arguments(text):
    parts, depth, current = [], 0, ""
    for c in text:
        if c == "," and depth == 0:
            parts.append(current.strip())
            current = ""
            continue
        depth += c in "([{"
        depth -= c in ")]}"
        current += c
    return parts + [current.strip()]


def calls(text, macro):
    found = []
    for match in re.finditer(r"\b%s\(" % macro, text):
        depth, i = 1, match.end()
        while depth:
            depth += text[i] == "("
            depth -= text[i] == ")"
            i += 1
        found.append(split_arguments(text[match.end():i - 1]))
    return found


def shown(text, kind):
    items = ["%s[%s]" % (p.lstrip("&") if p[0] == "&" else p, n) for p, n in calls(text, kind)]
    items += ['"%s"' % a[0] for a in calls(text, kind + "S")]
    if kind == "R":
        items += ['"%s"[%s]' % (a[0], a[1]) for a in calls(text, "RN")]
        items += ['L"%s"' % a[0] for a in calls(text, "RWS")] + ['L"%s"[%s]' % (a[0], a[1]) for a in calls(text, "RWN")]
    else:
        items += ['L"%s"' % a[0] for a in calls(text, "WWS")]
    return ", ".join("`%s`" % re.sub(r"\s+", " ", i).replace("|", "\\|") for i in dict.fromkeys(items))


def expand(text):
    # The table's own macros: each makes rows of one kind.
    for match in list(re.finditer(r"^#define (CSPR_\w+)\(([^)]*)\)\s*\\\n((?:.*\\\n)*.*)\n", text, re.M)):
        name, parameters, body = match.group(1), [p.strip() for p in match.group(2).split(",")], match.group(3)
        body = body.replace("\\\n", "\n")

        def use(m):
            out = body
            for parameter, argument in zip(parameters, split_arguments(m.group(1))):
                out = re.sub(r"\b%s\b" % parameter, argument.replace("\\", r"\\"), out)
            return out.strip()
        text = re.sub(r"^%s\((.*)\)$" % name, use, text.replace(match.group(0), ""), flags=re.M)
    return re.sub(r"^#.*|^//.*|/\*.*?\*/|//.*", "", text, flags=re.M)


def table_rows():
    rows = {}
    for name in TABLES:
        text = expand(next(RTL.rglob(name)).read_text())
        for kind in ("LIBRARY", "STREAM", "VOID"):
            for fields in calls(text, kind):
                fields = fields if kind == "VOID" else fields[1:]
                before, after = fields[3], ", ".join(fields[4:])
                effects = before + " ; " + after
                order = ["gives order" if "GIVES(" in effects else "", "takes order" if "TOOK(" in effects else ""]
                reads, writes = shown(effects, "R"), shown(effects, "W")
                rows[fields[0]] = (reads or (order[1] if not writes else ""), writes or (order[0] if not reads else ""))
    return rows


# The file that defines a name: where it stands in a line that opens a definition.
def file_of(name, texts):
    bare = re.sub(r"^(__isoc99_)?v?(?=[a-z])", "", name)
    for wanted in (name, bare, "v" + bare):
        for file, lines in texts.items():
            if any(re.search(r"(?<!\w)%s(?!\w)" % re.escape(wanted), line) for line in lines):
                return file
    sys.exit("interceptors_md.py: no definition of %s" % name)


def names_by_hand(names):
    texts = {}
    for file, _ in BY_HAND:
        lines = next(RTL.rglob(file)).read_text().splitlines()
        texts[file] = [line for line in lines if re.match(r"CSPR_INTER|[A-Z][A-Z_]+\(|_Noreturn CSPR|.*__asm__\(\"", line)]
        texts[file] += ["SCANF sscanf fscanf scanf vsscanf vfscanf vscanf"] if "format" in file else []
    lists = {file: [] for file, _ in BY_HAND}
    for name in sorted(names):
        lists[file_of(name, texts)].append(name)
    return [(file, told, lists[file]) for file, told in BY_HAND]


def document(exported):
    rows = table_rows()
    missing = set(rows) - exported
    if missing:
        sys.exit("in rtl's tables, but not defined: " + " ".join(sorted(missing)))
    lists = names_by_hand(exported - set(rows))
    count = len(rows) + sum(len(names) for _, _, names in lists)
    out = HEAD.format(count=count)
    for name in sorted(rows, key=lambda n: n.lstrip("_")):
        out += "| `%s` | %s | %s |\n" % (name, *rows[name])
    out += "\nWritten by hand, each with programs of its own in `test/race` and `test/report`:\n\n"
    out += "| functions | file | what is told |\n| --- | --- | --- |\n"
    for file, told, names in lists:
        out += "| %s | `%s` | %s |\n" % (", ".join("`%s`" % n for n in names), file, told)
    return out + NOT_COVERED


def defined(archive, nm):
    text = subprocess.run([nm, "--extern-only", "--defined-only", archive], stdout=subprocess.PIPE, text=True, check=True).stdout
    names = set(re.findall(r"^[0-9a-f]+ [TW] (\w+)$", text, re.M))
    ours = r"ValgrindSlowdown|_Block|_*(csp|tsan|sanitizer|ubsan|asan|cxa|gxx|interceptor_)|Annotate|WTFAnnotate|_Z|Running|ThreadSanitizer"
    return {n for n in names if not re.match(ours, n)}


options = dict(a[2:].split("=", 1) for a in sys.argv[1:] if a.startswith("--") and "=" in a)
text = document(defined(options["archive"], options["nm"]))
if "--write" in sys.argv:
    DOCUMENT.write_text(text)
elif not DOCUMENT.exists() or DOCUMENT.read_text() != text:
    sys.exit("docs/interceptors.md is not what rtl's tables say: " + " ".join(["run", *sys.argv, "--write"]))
