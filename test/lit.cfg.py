# lit.cfg.py - how lit runs the tests below test/: what is a test, and what the %words in RUN lines stand for.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   %cspcc %cspxx %csp     the tools of the build under test
#   %clang %clangxx %gcc   plain compilers
#   %plugin %include %libcsp   the compiler plugin, the public headers, the plain runtime
#   %examples              docs/examples
#   %check                 check_program.py with the tools filled in; its options follow, then the source
#   %check_race            a program that must report in every run: status 66, CHECK lines, CSP_MAXPROCS 1 and 2
#   %check_norace          its twin: status 0 and not a word on standard error
#   %check_example         docs/examples: -O0, -O1 and -O2, CSP_MAXPROCS 1 and 2, twice each
#   %scale_divisor         test/scale: 10; in the full run 1
#   %check_plain           the same program without the sanitizer, by cspcc and by gcc
#
# `lit --param runs=20 build/test/examples` runs each example so many times instead of twice, the pairs so many instead of three
# times. With CSP_TEST_FULL=1 in the environment (the full run: tools/dev.sh check --full) both run 50 times.

import os
import shlex
import shutil

import lit.formats

config.name = "cspthread"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".c", ".cc", ".test", ".ll"]
config.excludes = ["CMakeLists.txt", "Inputs", "unit", "bench"]
config.test_source_root = os.path.dirname(os.path.abspath(__file__))
config.test_exec_root = os.path.join(config.csp_build_dir, "test")

source_dir = os.path.dirname(config.test_source_root)
build_bin = os.path.join(config.csp_build_dir, "bin")
library_dir = os.path.join(config.csp_build_dir, "lib", "cspthread")
include_dir = os.path.join(source_dir, "runtime", "include")
libcsp = os.path.join(library_dir, "libcsp.a")
examples = os.path.join(source_dir, "docs", "examples")
cspcc = os.path.join(build_bin, "cspcc")

# The driver looks for its clang in PATH; tests must not depend on what else the user's shell exports.
if shutil.which("gdb"):
    config.available_features.add("gdb")

config.environment["PATH"] = os.pathsep.join([config.csp_llvm_bin, os.environ.get("PATH", "")])
for name in ("CSPTHREAD_OPTIONS", "CSP_MAXPROCS", "CSPTHREAD_CLANG", "CSPTHREAD_SYMBOLIZER_PATH", "TSAN_OPTIONS"):
    config.environment.pop(name, None)

check = " ".join([
    shlex.quote(config.csp_python), shlex.quote(os.path.join(config.test_source_root, "check_program.py")),
    "--filecheck=" + shlex.quote(os.path.join(config.csp_llvm_bin, "FileCheck")), "--out=%t",
])
check_cspcc = check + " --cc=" + shlex.quote(cspcc)
check_gcc = "%s --cc='%s' --flags='-g -I%s' --libs='%s -lpthread'" % (check, config.csp_gcc, include_dir, libcsp)

is_full = os.environ.get("CSP_TEST_FULL", "0") not in ("", "0")
example_runs = " --runs=" + lit_config.params.get("runs", "50" if is_full else "2")
pair_runs = " --runs=" + lit_config.params.get("runs", "50" if is_full else "3")
if is_full:
    config.environment["CSP_TEST_FULL"] = "1"
    config.available_features.add("full")

# Longer words first: lit replaces them in this order.
config.substitutions += [
    ("%check_race", check_cspcc + pair_runs + " --status=66"),
    ("%check_norace", check_cspcc + pair_runs + " --silent"),
    ("%check_example", check_cspcc + " --levels=O0,O1,O2" + example_runs),
    ("%check_plain_gcc", check_gcc),
    ("%check_plain", check_cspcc + " --flags=-g"),
    ("%check", check_cspcc),
    ("%scale_divisor", "1" if is_full else "10"),
    ("%cspcc", cspcc),
    ("%cspxx", os.path.join(build_bin, "csp++")),
    ("%csp", os.path.join(build_bin, "csp")),
    ("%clangxx", os.path.join(config.csp_llvm_bin, "clang++")),
    ("%clang", os.path.join(config.csp_llvm_bin, "clang")),
    ("%gcc", config.csp_gcc),
    ("%symbolizer", os.path.join(config.csp_llvm_bin, "llvm-symbolizer")),
    ("%plugin", os.path.join(library_dir, "csp-plugin-22.so")),
    ("%include", include_dir),
    ("%libcsp", libcsp),
    ("%examples", examples),
    ("%source_dir", source_dir),
    ("%build_dir", config.csp_build_dir),
    ("%test_dir", config.test_source_root),
    ("%python", config.csp_python),
]

if config.csp_gcc:
    config.available_features.add("gcc")
