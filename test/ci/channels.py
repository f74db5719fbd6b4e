#!/usr/bin/env python3
# channels.py - csp test itself: each kind of finding comes out of every channel, and the environment of Bazel is followed.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One program that goes wrong in the way its argument names; csp test of it with all outputs, which outputs.py then checks."""

import argparse
import json
import os
import subprocess
import tempfile

import outputs
import recipes

PROGRAM = r"""
#include <csp/csp.h>
#include <stdlib.h>
#include <string.h>

static int counter;
static csp_chan *forever;

static void increment(void *done) { counter++; csp_wg_done(done); }
static void parks(void *done) { csp_wg_done(done); csp_recv(forever, NULL); }

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    csp_wg done = {0};
    csp_wg_add(&done, 2);
    forever = csp_chan_new(0, 0);
    csp_go(strcmp(how, "race") == 0 ? increment : parks, &done);
    csp_go(strcmp(how, "race") == 0 ? increment : parks, &done);
    csp_wg_wait(&done);
    if (strcmp(how, "leak") != 0)
        csp_close(forever);
    if (strcmp(how, "panic") == 0)
        csp_close(forever);
    if (strcmp(how, "asleep") == 0)
        csp_recv(csp_chan_new(0, 0), NULL);
    if (strcmp(how, "crash") == 0)
        abort();
    for (int i = 0; strcmp(how, "timeout") == 0; i++)
        __asm__ volatile("");
    return strcmp(how, "status") == 0 ? 3 : 0;
}
"""
KINDS = {
    "race": {"data race"},
    "leak": {"leak"},
    "panic": {"panic"},
    "asleep": {"deadlock"},
    "crash": {"crash"},
    "timeout": {"timeout"},
    "status": {"exit status"},
}
expect = outputs.expect


def build(build_dir, folder):
    source, program = os.path.join(folder, "wrong.c"), os.path.join(folder, "wrong")
    with open(source, "w", encoding="utf-8") as file:
        file.write(PROGRAM)
    subprocess.run([os.path.join(build_dir, "bin", "cspcc"), "-fsanitize=cspthread", "-g", "-O1", source, "-o", program],
                   check=True)
    return program


def run(build_dir, folder, program, argument, more=(), environment=None):
    os.makedirs(folder)
    open(os.path.join(folder, "summary.md"), "w").close()
    env = recipes.make_environment(build_dir, {
        "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": os.path.join(folder, "summary.md"),
        "GITHUB_WORKSPACE": os.path.dirname(program), **(environment or {})})
    command = ["csp", "test", "--seed", "7", "--count", "5", "--timeout", "100s", "--sarif", "results.sarif", "--json", "events.jsonl",
               "--json-results", "results.json", *more]
    if "XML_OUTPUT_FILE" not in env:
        command += ["--junit", "junit.xml"]
    done = subprocess.run(command + ["--", program, argument], env=env, cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=240)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def check_kind(build_dir, folder, program, argument, kinds):
    status, out, err = run(build_dir, folder, program, argument, ["--count", "1", "--timeout", "1s"] if argument == "timeout" else [])
    expect(status == (66 if kinds else 0), "%s: status %d\n%s" % (argument, status, err))
    seen = outputs.check_all(folder, out)
    expect(bool(seen) == bool(kinds) and all(seen.values()), "%s: findings: %s" % (argument, seen))
    results = outputs.load(os.path.join(folder, "results.json"))
    found = {finding["kind"] for test in results["tests"] for finding in test["findings"]}
    expect(kinds <= found, "%s: kinds: %s\n%s" % (argument, found, err))
    for test in results["tests"]:
        for finding in test["findings"]:
            expect("seed" in finding and finding.get("replay_command"), "%s: no way to replay: %s" % (argument, finding))
    if argument in ("race", "leak", "panic"):
        sarif = outputs.load(os.path.join(folder, "results.sarif"))["runs"][0]["results"]
        places = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in sarif}
        expect(places == {"wrong.c"}, "%s: places: %s" % (argument, places))
        expect("::error file=wrong.c,line=" in out, "%s: annotations: %s" % (argument, out))
    if argument == "race":
        threads = [len(r["codeFlows"][0]["threadFlows"]) for r in sarif]
        expect(threads == [2] * len(threads), "race: a code flow thread per coroutine: %s" % threads)
    print("ok", argument or "clean")


def check_baseline(build_dir, folder, program):
    """Written once, it makes the same run clean."""
    known = os.path.join(folder, "known.json")
    status, _, err = run(build_dir, os.path.join(folder, "1"), program, "race", ["--write-baseline", known])
    expect(status == 66, err)
    status, out, err = run(build_dir, os.path.join(folder, "2"), program, "race", ["--baseline", known, "--seed", "99"])
    expect(status == 0, "known findings: status %d\n%s" % (status, err))
    expect("::error" not in out and not any(outputs.check_all(os.path.join(folder, "2"), out).values()), "known: %s" % out)
    print("ok baseline")


def check_bazel(build_dir, folder, program):
    os.makedirs(os.path.join(folder, "kept"))
    path = {name: os.path.join(folder, name) for name in ("kept", "junit.xml", "shard", "unfinished")}
    seeds, counts = set(), []
    for repetition in (1, 2):
        for shard in range(2):
            work = os.path.join(folder, "work-%d-%d" % (repetition, shard))
            status, out, err = run(build_dir, work, program, "race", environment={
                "TEST_TOTAL_SHARDS": "2", "TEST_SHARD_INDEX": str(shard), "TEST_SHARD_STATUS_FILE": path["shard"],
                "XML_OUTPUT_FILE": os.path.join(work, "junit.xml"), "TEST_UNDECLARED_OUTPUTS_DIR": path["kept"],
                "TEST_PREMATURE_EXIT_FILE": path["unfinished"], "TEST_RUN_NUMBER": str(repetition),
                "TEST_RANDOM_SEED": str(repetition)})
            expect(status == 66, "Bazel: status %d\n%s" % (status, err))
            expect(os.path.exists(path["shard"]), "Bazel: the shard status file")
            expect(not os.path.exists(path["unfinished"]), "Bazel: the premature exit file is gone")
            os.unlink(path["shard"])
            outputs.check_all(work, out)
            results = outputs.load(os.path.join(work, "results.json"))
            expect((results["shard_index"], results["shard_count"]) == (shard + 1, 2), "Bazel: which shard")
            seeds.add(results["seed"])
            counts.append(results["tests"][0]["explored"]["schedules"])
    expect(counts == [2, 3, 2, 3], "Bazel: schedules: %s" % counts)
    expect(len(seeds) == 2 and "7" in seeds, "Bazel: each repetition its seed, all shards of one the same: %s" % seeds)
    kept = [name for _, _, names in os.walk(path["kept"]) for name in names]
    expect(any(name.endswith(".csched") for name in kept), "Bazel: schedules are kept among the undeclared outputs: %s" % kept)
    print("ok bazel")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=os.path.abspath)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="channels-", dir=os.path.join(options.build, "test")) as folder:
        program = build(options.build, folder)
        for argument, kinds in {**KINDS, "": set()}.items():
            check_kind(options.build, os.path.join(folder, argument or "clean"), program, argument, kinds)
        check_baseline(options.build, os.path.join(folder, "baseline"), program)
        check_bazel(options.build, os.path.join(folder, "bazel"), program)


if __name__ == "__main__":
    main()
