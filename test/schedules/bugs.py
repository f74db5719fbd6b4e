# bugs.py - the programs of this directory: what each is expected to show, how it is built, and how a run of it ended.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Shared by run.py (does csp test find each bug, and nothing in its twin?) and measure.py (how many schedules does it take?)."""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PLAIN_TIMEOUT_S = 10

# "Shows as:" of a program -> the kinds of findings that are meant. A bug may show as something else besides: the race report
# before the panic, say.
KINDS = {
    "crash": {"crash"},
    "panic": {"panic"},
    "race": {"data race", "heap-use-after-free", "race"},
    "leak": {"coroutine leak", "leak"},
    "deadlock": {"deadlock", "fatal error"},
    "asleep": {"deadlock", "fatal error"},
}


class Bug:
    def __init__(self, source):
        text = source.read_text(encoding="utf-8")
        self.source = source
        self.name = source.stem
        match = re.search(r"^// Depth: (\d)\. Shows as: (\w+)\.$", text, re.MULTILINE)
        title = re.match(r"// \S+ - (.*)\.\n", text)
        if not match or not title or match[2] not in KINDS:
            sys.exit("%s: its first lines do not say depth and kind as the others' do" % source)
        self.title = title[1]
        self.depth = int(match[1])
        self.shows_as = match[2]
        self.kinds = KINDS[self.shows_as]

    def program(self, out, fixed):
        return out / (self.name + (".fixed" if fixed else ".bug"))


def all_bugs(only=()):
    bugs = [Bug(p) for p in sorted(HERE.iterdir()) if p.suffix in (".c", ".cc")]
    unknown = set(only) - {b.name for b in bugs}
    if unknown:
        sys.exit("no such program: %s" % ", ".join(sorted(unknown)))
    return [b for b in bugs if not only or b.name in only]


def is_current(program, sources):
    if not program.exists():
        return False
    made = program.stat().st_mtime
    return all(s.stat().st_mtime < made for s in sources)


def compile_one(job):
    command, program = job
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return "" if done.returncode == 0 and not done.stdout else "%s\n%s" % (" ".join(command), done.stdout)


def build(bugs, build_dir, jobs=2):
    """Builds both forms of each program that are older than what they are made of; returns the directory."""
    out = build_dir / "test" / "schedules"
    out.mkdir(parents=True, exist_ok=True)
    tools = [p for p in (build_dir / "bin" / "cspcc", build_dir / "lib" / "cspthread" / "csp-plugin-22.so") if p.exists()]
    tools += list((build_dir / "lib").rglob("libclang_rt.cspthread*.a"))
    work = []
    for bug in bugs:
        for fixed in (False, True):
            program = bug.program(out, fixed)
            if is_current(program, tools + [bug.source]):
                continue
            driver = build_dir / "bin" / ("csp++" if bug.source.suffix == ".cc" else "cspcc")
            flags = ["-fsanitize=cspthread", "-g", "-O1", "-Wall", "-Wextra"] + (["-DFIXED"] if fixed else [])
            work.append(([str(driver), *flags, str(bug.source), "-o", str(program), "-lpthread"], program))
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        wrong = [w for w in pool.map(compile_one, work) if w]
    if wrong:
        sys.exit("does not compile, or not silently:\n" + "\n".join(wrong))
    return out


def environment(options="", workers=None):
    e = {k: v for k, v in os.environ.items() if not k.startswith(("CSP_", "CSPTHREAD_", "GTEST_", "TEST_", "SLURM_"))}
    e["CSPTHREAD_OPTIONS"] = options
    if workers:
        e["CSP_MAXPROCS"] = str(workers)
    return e


def kinds_of(status, text):
    """What a run showed, by its wait status as subprocess has it (None: it did not end) and its standard error."""
    kinds = set()
    for line in re.findall(r"^WARNING: CspThreadSanitizer: ([^(\n]*)", text, re.MULTILINE):
        kind = line.strip()
        kinds.add("coroutine leak" if "leak" in kind else kind)
    if re.search(r"^panic: ", text, re.MULTILINE):
        kinds.add("panic")
    if re.search(r"^(CspThreadSanitizer: )?fatal error: ", text, re.MULTILINE):
        kinds.add("fatal error")
    if status is None:
        kinds.add("timeout")
    elif status < 0:
        kinds.add("crash")
    elif status != 0 and not kinds:
        kinds.add("exit status")
    return kinds


def run_once(program, options="", workers=None, timeout=PLAIN_TIMEOUT_S, cwd=None):
    """One process: the kinds of findings, the status and standard error."""
    child = subprocess.Popen([str(program)], env=environment(options, workers), stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=cwd)
    status = None
    try:
        text = child.communicate(timeout=timeout)[1]
        status = child.returncode
    except subprocess.TimeoutExpired:
        child.kill()
        text = child.communicate()[1]
    text = text.decode(errors="replace")
    return kinds_of(status, text), status, text
