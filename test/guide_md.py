#!/usr/bin/env python3
# guide_md.py - builds and runs every C snippet of docs/guide.md, and looks up every name that it mentions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A snippet is a block fenced by ```c. Without a main it gets one: its definitions stay at file scope, its statements become
main's body. PRELUDE is included before. What must come of it stands in its comments:

    // prints: TEXT      a line of standard output; without such comments it prints nothing
    // panics: TEXT      `panic: TEXT` on standard error, status 2
    // fatal: TEXT       `fatal error: TEXT` on standard error, status 2
    // race              the sanitizer reports a data race; without it, nothing
    // leak              the sanitizer reports a leak
    // wrong: ...        the rest of the line says what the compiler says: this snippet must not compile
    // clang             uses what only clang has

Each is built with warnings as errors by clang and by gcc and run with one worker and with two, then under the sanitizer."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "guide.md"
INCLUDE = ROOT / "runtime" / "include"
PRELUDE = "#define _GNU_SOURCE\n" + "".join(f"#include <{h}>\n" for h in (
    "csp/csp.h", "arpa/inet.h", "fcntl.h", "poll.h", "pthread.h", "signal.h", "stdatomic.h", "stdio.h", "stdlib.h", "string.h",
    "sys/socket.h", "unistd.h"))
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-unused-variable", "-Wno-unused-function",
            "-Wno-unused-but-set-variable"]
DEFINITION = re.compile(r"(?:#|typedef\b|struct\s+\w+\s*\{|enum\s*\{|CSP_\w+_TYPE\(|static\b|_Thread_local\b|"
                        r"(?!return\b|else\b|case\b)[A-Za-z_][\w \t*]*[\s*]\**\w+\s*\([^;{}]*\)\s*\{)")


class Snippet:
    def __init__(self, line, text):
        self.line, self.text = line, text
        self.prints = re.findall(r"//.*?prints: (.*)$", text, re.M)
        self.panics = re.findall(r"//.*?panics: (.*)$", text, re.M)
        self.fatal = re.findall(r"//.*?fatal: (.*)$", text, re.M)
        self.race = re.search(r"// race\b", text) is not None
        self.leak = re.search(r"// leak\b", text) is not None
        self.wrong = re.search(r"// wrong: ", text) is not None
        self.clang = re.search(r"// clang\b", text) is not None

    def program(self):
        if re.search(r"^int main\(", self.text, re.M):
            body = f'#line {self.line} "guide.md"\n{self.text}'
        else:
            scope, statements = [], []
            for line, chunk in chunks(self.text, self.line):
                (scope if DEFINITION.match(chunk.lstrip()) else statements).append(f'#line {line} "guide.md"\n{chunk}\n')
            body = "".join(scope) + "int main(void)\n{\n" + "".join(statements) + "return 0;\n}\n"
        return PRELUDE + body


def chunks(text, line):
    """The definitions and statements of the outermost level, each with its line. Comments of their own are left out."""
    out, start, depth, i = [], 0, 0, 0
    text = re.sub(r"^[ \t]*//.*$", "", text, flags=re.M)

    def cut(end):
        nonlocal start
        piece = text[start:end]
        if piece.strip():
            blank = len(piece) - len(piece.lstrip())
            out.append((line + text.count("\n", 0, start + blank), piece.strip()))
        start = end

    while i < len(text):
        c = text[i]
        if text.startswith("//", i):
            i = text.find("\n", i)
            if i < 0:
                break
            continue
        if c in "\"'":
            i += 1
            while text[i] != c:
                i += 2 if text[i] == "\\" else 1
        elif c == "#" and depth == 0 and text[:i].rsplit("\n", 1)[-1].strip() == "":
            i = text.find("\n", i)
            cut(i)
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            rest = text[i + 1:].lstrip()
            if c == "}" and depth == 0 and not rest.startswith((";", ",", "else", "while", ")")):
                cut(i + 1)
            elif c == ")" and depth == 0 and re.match(r"CSP_\w+_TYPE\(", text[start:].lstrip()):
                cut(i + 1)
        elif c == ";" and depth == 0:
            cut(i + 1)
        i += 1
    cut(len(text))
    return out


def snippets():
    found, start, lines = [], None, []
    for number, line in enumerate(GUIDE.read_text().splitlines(), 1):
        if start is None and line.strip() == "```c":
            start, lines = number + 1, []
        elif start is not None and line.strip() == "```":
            found.append(Snippet(start, "\n".join(lines) + "\n"))
            start = None
        elif start is not None:
            lines.append(line)
    return found


def call(command, **more):
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          stdin=subprocess.DEVNULL, **more)


def judge(s, done, checked):
    """What is wrong with a run, or ''."""
    error = ""
    status = 2 if s.panics or s.fatal else 66 if checked and (s.race or s.leak) else 0
    if done.returncode != status:
        error += f"status {done.returncode}, not {status}\n"
    wanted = "".join(line + "\n" for line in s.prints)
    if done.stdout != wanted:
        error += f"prints\n{done.stdout}and not\n{wanted}"
    for line in [f"panic: {text}" for text in s.panics] + [f"fatal error: {text}" for text in s.fatal]:
        if line + "\n" not in done.stderr:
            error += f"does not say {line}\n"
    if checked and s.race != ("data race" in done.stderr):
        error += f"race: {s.race}, reported: {not s.race}\n"
    if checked and s.leak != ("coroutine leak" in done.stderr):
        error += f"leak: {s.leak}, reported: {not s.leak}\n"
    if status == 0 and done.stderr:
        error += "is not silent on standard error\n"
    return error and error + done.stderr


def check(s, a, folder):
    source = folder / f"guide_{s.line}.c"
    source.write_text(s.program())
    library = a.build / "lib" / "cspthread" / "libcsp.a"
    driver = a.build / "bin" / "cspcc"
    builds = [("clang", [driver, "-O1"], []),
              ("sanitized", [driver, "-O1", "-g", "-fsanitize=cspthread"], [])]
    if a.gcc and not s.clang:
        builds.append(("gcc", [a.gcc, "-O2", "-I", INCLUDE], [library, "-lpthread"]))
    for name, command, libraries in builds:
        program = folder / f"guide_{s.line}_{name}"
        built = call([*command, "-std=gnu17", *WARNINGS, source, "-o", program, *libraries])
        if s.wrong:
            if built.returncode == 0:
                return f"guide.md:{s.line}: {name} compiles it\n"
            continue
        if built.returncode != 0 or built.stderr:
            return f"guide.md:{s.line}: {name} does not compile it\n{built.stderr}"
        for workers in ("1", "2"):
            try:
                done = call([program], env={**os.environ, "CSP_MAXPROCS": workers}, timeout=60, cwd=folder)
            except subprocess.TimeoutExpired:
                return f"guide.md:{s.line}: {name}, CSP_MAXPROCS={workers}: does not end\n"
            error = judge(s, done, name == "sanitized")
            if error:
                return f"guide.md:{s.line}: {name}, CSP_MAXPROCS={workers}: {error}"
    return ""


def unknown_names():
    """Names in the text that no public header has: a renamed function, a typing error."""
    declared = set(re.findall(r"\b(?:csp_|CSP_)\w+", "".join(h.read_text() for h in (INCLUDE / "csp").glob("*.h"))))
    declared |= {"CSP_MAXPROCS"} | set(re.findall(r"\bCSP_\w+", (ROOT / "docs" / "options.md").read_text()))
    text = re.sub(r"```.*?```", "", GUIDE.read_text(), flags=re.S)
    mentioned = set(re.findall(r"(?<![\w-])(?:csp_|CSP_)\w+", text))
    return sorted(name for name in mentioned if name not in declared and not name.endswith("_"))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", type=pathlib.Path, required=True)
    p.add_argument("--gcc", default="")
    p.add_argument("--only", type=int, help="the snippet that begins at this line")
    a = p.parse_args()
    a.build = a.build.resolve()
    os.environ.pop("CSPTHREAD_OPTIONS", None)
    all_of_them = [s for s in snippets() if a.only in (None, s.line)]
    errors = [f"{GUIDE}: no header has {name}\n" for name in unknown_names()]
    with tempfile.TemporaryDirectory() as folder:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            errors += [e for e in pool.map(lambda s: check(s, a, pathlib.Path(folder)), all_of_them) if e]
    print(f"{len(all_of_them)} snippets")
    if errors or not all_of_them:
        sys.exit("".join(errors) or "guide_md.py: no snippet found")


main()
