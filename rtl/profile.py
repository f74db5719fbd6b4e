#!/usr/bin/env python3
# profile.py - makes profile.proftext: how often what in the detector is run, by which the compiler lays it out (prelink.sh).
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Builds the detector with counters, runs the benchmarks with it, and writes what they counted, beside this file. Each
program counts as much as any other. What none of them reaches is not in the file, and is compiled as ever; so is a function
that has changed since. --check says how much of what was counted that is, and fails when it is more than a tenth."""

import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROFILE = ROOT / "rtl" / "profile.proftext"
BENCH = ROOT / "test" / "bench"
# Operations of those of runtime/ that are worth counting; the other families' programs are run as they are.
RUNTIME = {
    "unbuffered": 100000,
    "buffered": 500000,
    "select2": 50000,
    "select_ready": 100000,
    "mutex_contended": 200000,
    "rlock": 500000,
    "sem": 100000,
    "waitgroup": 50000,
    "syncmap": 100000,
    "timers": 50000,
    "sleeps": 10000,
    "echo": 2000,
}
HEADER = """# profile.proftext - how often what in the detector is run, as the benchmarks counted it; made by `tools/dev.sh profile`.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# {compiler}
"""


def run(command, **more):
    subprocess.run([str(c) for c in command], check=True, **more)


def version_of(compiler):
    return subprocess.run([compiler, "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]


def setting_of(build, name):
    """As CMake keeps it; None where it does not."""
    found = re.search(rf"^{name}:\w+=(.*)$", (build / "CMakeCache.txt").read_text(), re.M)
    return found.group(1) if found else None


def compiler_of(build):
    return setting_of(build, "CMAKE_C_COMPILER")


def programs(only):
    """Of all the benchmarks: name, source, arguments."""
    found = [(p.stem, p, []) for p in sorted(BENCH.glob("*.c")) if p.stem != "measure"]
    found += [(f"co_{p.stem}", p, []) for p in sorted((BENCH / "coroutines").glob("*.c"))]
    found += [(f"rt_{name}", BENCH / "runtime" / f"{name}.c", [str(n)]) for name, n in RUNTIME.items()]
    return [p for p in found if not only or re.search(only, p[0])]


def count(build, out, only, profdata):
    """Runs them; returns each one's counts as a file of its own."""
    compiler = compiler_of(build)
    library = subprocess.run([compiler, "--print-file-name=libclang_rt.profile-x86_64.a"], check=True, capture_output=True, text=True)
    flags = ["-fsanitize=cspthread", "-O2", "-g", "-D_GNU_SOURCE", library.stdout.strip(), "-Wl,-u,__llvm_profile_runtime", "-lpthread", "-lm"]
    counted = []
    for name, source, arguments in programs(only):
        print(f"profile.py: {name}", flush=True)
        run([build / "bin" / "cspcc", source, "-o", out / name, *flags])
        raw = out / f"{name}.profraw"
        raw.unlink(missing_ok=True)
        environment = {**os.environ, "LLVM_PROFILE_FILE": str(raw), "CSP_MAXPROCS": "2", "CSPTHREAD_OPTIONS": "detect_leaks=0"}
        run([out / name, *arguments], env=environment, stdout=subprocess.DEVNULL)
        run([profdata, "merge", "-o", out / f"{name}.profdata", raw])
        counted.append(out / f"{name}.profdata")
    return counted


def total_of(profdata, file):
    shown = subprocess.run([profdata, "show", "--all-functions", "--counts", file], check=True, capture_output=True, text=True)
    return sum(int(n) for counts in re.findall(r"Block counts: \[(.*)\]", shown.stdout) for n in counts.split(", ") if n)


def counts_of(text):
    """Function -> how often all of its blocks were run."""
    counts = {}
    for part in re.split(r"\n\n+", "\n".join(line for line in text.splitlines() if not line.startswith(("#", ":")))):
        lines = part.split()
        if len(lines) > 3: # name, hash, how many, counts
            counts[lines[0].split(";")[-1]] = sum(map(int, lines[3:]))
    return counts


def check(build):
    if setting_of(build, "CSP_PROFILE") != "use":
        print(f"profile.py: {build} is built without the profile: nothing to compare")
        return 77
    made_by = re.search(r"^# (.*version.*)$", PROFILE.read_text(), re.M).group(1)
    if made_by != version_of(compiler_of(build)):
        print(f"profile.py: the profile is {made_by}'s, the build another compiler's: nothing to compare")
        return 77
    work = build / "rtl" / "prelink"
    if not (work / "joined.bc").exists():
        print(f"profile.py: {build} does not compile the detector as a whole: nothing to compare")
        return 77
    counts = counts_of(PROFILE.read_text())
    there = subprocess.run([setting_of(build, "CMAKE_NM"), work / "joined.bc"], check=True, capture_output=True, text=True).stdout
    there = {line.split()[-1] for line in there.splitlines() if line}
    changed = set(re.findall(r"\(hash mismatch\) (\S+)", (work / "profile.log").read_text())) | (set(counts) - there)
    lost = sum(counts.get(name.split(";")[-1], 0) for name in changed) / sum(counts.values())
    print(f"profile.py: {len(counts)} functions have counts; {len(changed)} of them have changed, {100 * lost:.1f} % of all counts")
    for name in sorted(changed, key=lambda n: -counts.get(n, 0))[:20]:
        print(f"  {name}")
    if lost > 0.1:
        print("profile.py: more than a tenth: the detector is slower than it could be; run tools/dev.sh profile and commit rtl/profile.proftext")
        return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="the usual build directory: its compiler and tools are taken (default: build)")
    parser.add_argument("--only", metavar="REGEX", help="of the programs, those whose names it matches")
    parser.add_argument("--output", type=pathlib.Path, default=PROFILE, help="where to write it (default: beside this script)")
    parser.add_argument("--check", action="store_true", help="only say whether it still fits the sources that the build has")
    options = parser.parse_args()
    usual = options.build.resolve()
    if not (usual / "CMakeCache.txt").exists():
        parser.error(f"{usual} is no build directory: run tools/dev.sh build, or name yours with --build")
    if options.check:
        sys.exit(check(usual))
    if not programs(options.only):
        parser.error(f"no program's name matches {options.only}")
    if options.only and options.output == PROFILE:
        parser.error("some of the programs make a partial profile: say with --output where it goes")
    profdata, compiler = setting_of(usual, "CSP_LLVM_PROFDATA"), compiler_of(usual)
    if not profdata:
        parser.error(f"{usual} was configured without CSP_PROFILE=use, which looks for llvm-profdata")
    counting = usual / "profile"
    same = ["CMAKE_C_COMPILER", "CMAKE_CXX_COMPILER", "CMAKE_C_COMPILER_LAUNCHER", "CMAKE_CXX_COMPILER_LAUNCHER", "LLVM_DIR", "Clang_DIR"]
    settings = [f"-D{name}={setting_of(usual, name)}" for name in same if setting_of(usual, name)]
    run(["cmake", "-S", ROOT, "-B", counting, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DCSP_PROFILE=generate", *settings], stdout=subprocess.DEVNULL)
    run(["cmake", "--build", counting, "--target", "clang_rt_cspthread", "csp_plugin", "cspcc", "csp-symbolizer"])
    out = counting / "counted"
    out.mkdir(exist_ok=True)
    counted = {file: total_of(profdata, file) for file in count(counting, out, options.only, profdata)}
    most = max(counted.values())
    weighted = [f"--weighted-input={max(1, round(most / max(1, total)))},{file}" for file, total in counted.items()]
    text = out / "all.proftext"
    run([profdata, "merge", "--text", "--sparse", "-o", text, *weighted])
    options.output.write_text(HEADER.format(compiler=version_of(compiler)) + text.read_text())
    print(f"profile.py: {options.output} written; build again to use it")


if __name__ == "__main__":
    main()
