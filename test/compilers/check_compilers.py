# check_compilers.py - builds runtime/ without a warning and runs programs over it, with every compiler that can be found.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Usage: check_compilers.py SOURCE_DIR OUTPUT_PREFIX --need=COMPILER...
# Those needed must be there; others among CANDIDATES are taken if they are. The library is built by one compiler and linked
# to programs of the same one and, to see that they agree on the layout of everything, of the first needed one.
import argparse
import concurrent.futures
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

CANDIDATES = ["gcc-12", "gcc-13", "gcc-14", "clang-16", "clang-19", "clang-21"]
PROGRAMS = pathlib.Path(__file__).resolve().parent / "Inputs"
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Werror"]


def run(command, **more):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"check_compilers.py: status {done.returncode}: {' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def build_library(compiler, runtime, out):
    """libcsp.a as this compiler makes it, with the flags of runtime/CMakeLists.txt."""
    flags = ["-std=gnu17", "-O2", "-g", "-D_GNU_SOURCE", "-DCSP_HOOKS=0", "-ftls-model=initial-exec", "-fno-strict-aliasing",
             "-fvisibility=hidden", "-iquote", runtime, "-I", runtime / "include", *WARNINGS]
    listed = re.search(r"set\(csp_sources(.*?)\)", (runtime / "CMakeLists.txt").read_text(), re.S).group(1)
    sources = [runtime / name for name in re.sub(r"\$\{\w+\}|#.*", lambda m: platform.machine() if m[0][0] == "$" else "",
                                                 listed).split()]
    objects = [out / (source.name + ".o") for source in sources]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: run([compiler, *flags, "-c", pair[0], "-o", pair[1]]), zip(sources, objects)))
    library = out / "libcsp.a"
    library.unlink(missing_ok=True)
    run(["ar", "rcs", library, *objects])
    return library


def check_program(compiler, source, library, include, out, level):
    program = out / f"{source.stem}{level}"
    run([compiler, "-std=gnu17", level, "-g", *WARNINGS, "-I", include, source, library, "-o", program, "-lpthread"])
    for workers in ("1", "2"):
        environment = {**os.environ, "CSP_MAXPROCS": workers}
        output = run([program], env=environment, timeout=120)
        if output:
            sys.exit(f"check_compilers.py: {program} is not silent with CSP_MAXPROCS={workers}:\n{output}")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("source_dir", type=pathlib.Path)
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--need", action="append", default=[])
    a = p.parse_args()
    runtime = a.source_dir / "runtime"
    compilers = [name for name in a.need if name] + [name for name in CANDIDATES if shutil.which(name)]
    seen = set()
    for compiler in compilers:
        path = os.path.realpath(shutil.which(compiler) or compiler)
        if path in seen:
            continue
        seen.add(path)
        out = a.out.with_name(a.out.name + "." + os.path.basename(compiler))
        out.mkdir(parents=True, exist_ok=True)
        library = build_library(compiler, runtime, out)
        for source in sorted(PROGRAMS.glob("*.c")):
            for level in ("-O0", "-O2", "-O3"):
                check_program(compiler, source, library, runtime / "include", out, level)
            check_program(compilers[0], source, library, runtime / "include", out, "-O2")
        print(f"{compiler}: {run([compiler, '--version']).splitlines()[0]}")


main()
