#!/usr/bin/env python3
# programs.py - programs of real size from Debian's source packages, built by their own makefiles with cspcc as the compiler, do their
# own work under the detector: the right output, and not a word from the detector; usage: programs.py --build BUILD [NAME...]
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# In the full run only (CSP_TEST_FULL=1, or names given): it needs the network. What cannot be fetched is skipped with the reason; when
# nothing could be, the status is 77. apt keeps its lists in our own folder, the system's are not touched.
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SUITES = ["bookworm", "trixie"]
FLAGS = "-fsanitize=cspthread -g -O1"
INPUT_BYTES = 20 << 20


class Failure(Exception):
    pass


# package, how it is made, the program in it, (arguments that compress to standard output, that decompress). Each compresses INPUT.
PROGRAMS = {
    "pigz": (["make", "CC=cspcc", "CFLAGS=" + FLAGS, "LDFLAGS=-fsanitize=cspthread"], "pigz", ["-p", "4", "-kc"], ["-p", "4", "-dc"]),
    "libzstd": (["make", "-C", "programs", "zstd", "CC=cspcc", "CFLAGS=" + FLAGS, "LDFLAGS=-fsanitize=cspthread", "HAVE_LZMA=0",
                 "HAVE_LZ4=0", "HAVE_ZLIB=0"], "programs/zstd", ["-q", "-T4", "-1", "-kc"], ["-q", "-dc"]),
    "pbzip2": (["make", "CXX=csp++ -std=gnu++98", "CXXFLAGS=" + FLAGS + " -pthread -D_FILE_OFFSET_BITS=64 -DUSE_STACKSIZE_CUSTOMIZATION",
                "LDFLAGS=-fsanitize=cspthread"], "pbzip2", ["-p4", "-kc"], ["-p4", "-dc"]),
}


def apt(folder, suite):
    config = folder / ("apt-" + suite)
    (config / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (config / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    sources = config / "sources.list"
    sources.write_text("deb-src [signed-by=%s] http://deb.debian.org/debian %s main\n" % (KEYRING, suite))
    return ["apt-get", "-q", "-o", "Dir::Etc::sourcelist=%s" % sources, "-o", "Dir::Etc::sourceparts=/dev/null", "-o",
            "Dir::State::lists=%s" % (config / "lists"), "-o", "Dir::Cache=%s" % (config / "cache"), "-o", "APT::Sandbox::User=root"]


def run(command, folder, timeout, **more):
    try:
        return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, timeout=timeout, **more)
    except (subprocess.TimeoutExpired, OSError) as e:
        return subprocess.CompletedProcess(command, -1, b"", str(e).encode())


# The unpacked upstream source; None: not to be had.
def fetch(package, folder):
    for suite in SUITES:
        command, place = apt(folder, suite), folder / (package + "-" + suite)
        place.mkdir()
        if not (folder / ("apt-" + suite) / "updated").exists():
            if run(command + ["update"], folder, 120, capture_output=True).returncode:
                continue
            (folder / ("apt-" + suite) / "updated").touch()
        if run(command + ["source", "--download-only", package], place, 120, capture_output=True).returncode:
            continue
        archives = [p for p in place.iterdir() if ".orig.tar" in p.name and p.suffix != ".asc"]
        if len(archives) == 1:
            tree = place / "tree"
            tree.mkdir()
            run(["tar", "xf", str(archives[0]), "-C", str(tree), "--strip-components=1"], place, 60, check=True)
            return tree
    return None


# Some of everything: what compresses well, and what does not.
def make_input(path, build):
    pieces = [p.read_bytes() for p in sorted((build / "bin").iterdir()) if p.is_file()]
    data = (b"".join(pieces) + os.urandom(1 << 20)) * 8
    path.write_bytes(data[:INPUT_BYTES])
    return path.read_bytes()


def work(name, command, folder, expected=None):
    done = run(command, folder, 600, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise Failure("%s: status %d\n%s" % (" ".join(command), done.returncode, done.stderr.decode(errors="replace")[:8000]))
    if b"CspThreadSanitizer" in done.stderr:
        raise Failure("%s: reports\n%s" % (name, done.stderr.decode(errors="replace")[:8000]))
    if expected is not None and done.stdout != expected:
        raise Failure("%s: wrong output" % " ".join(command))
    return done.stdout


def check(name, folder, build):
    make, program, pack, unpack = PROGRAMS[name]
    tree = fetch(name, folder)
    if not tree:
        return False
    environment = dict(os.environ, PATH=str(build / "bin") + os.pathsep + os.environ["PATH"])
    done = run(make, tree, 900, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
    if done.returncode != 0:
        raise Failure("%s does not build\n%s" % (name, done.stdout.decode(errors="replace")[-4000:]))
    plain = folder / "input"
    data = plain.read_bytes() if plain.exists() else make_input(plain, build)
    packed = folder / ("packed." + name)
    for _ in range(3):
        packed.write_bytes(work(name, [str(tree / program), *pack, str(plain)], folder))
        suffix = {"pigz": ".gz", "libzstd": ".zst", "pbzip2": ".bz2"}[name]
        packed.replace(packed.with_suffix(suffix))
        work(name, [str(tree / program), *unpack, str(packed.with_suffix(suffix))], folder, data)
    print("%s: %d bytes there and back, three times, no report" % (name, len(data)))
    return True


def main():
    p = argparse.ArgumentParser(description="Real programs under the detector.")
    p.add_argument("--build", required=True, type=pathlib.Path)
    p.add_argument("names", nargs="*", help="of " + ", ".join(PROGRAMS))
    a = p.parse_args()
    if not a.names and os.environ.get("CSP_TEST_FULL", "0") in ("", "0"):
        print("skipped: in the full run only, it needs the network")
        return 77
    if not shutil.which("apt-get") or not pathlib.Path(KEYRING).exists():
        print("skipped: there is no Debian package tool here")
        return 77
    done = wrong = 0
    with tempfile.TemporaryDirectory(prefix="csp-real-") as folder:
        for name in a.names or PROGRAMS:
            try:
                if check(name, pathlib.Path(folder), a.build.resolve()):
                    done += 1
                else:
                    print("%s: skipped, its source could not be fetched" % name)
            except Failure as e:
                wrong += 1
                print(e)
    return 1 if wrong else 0 if done else 77


sys.exit(main())
