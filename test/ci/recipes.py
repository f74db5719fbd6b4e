#!/usr/bin/env python3
# recipes.py - the recipes of docs/ci do what they say: each is run with real programs, one that has a race and one that has none.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The scripts are run as they are. Of the files for GitHub and Kubernetes the commands are run, with the variables that these set
and paths of ours for theirs; the files themselves must parse and have what a matrix and an indexed job need.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

RECIPES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "ci")
SHARDS, COUNT = 3, 24

PROGRAM = r"""
#include <csp/csp.h>

static int counter;
static csp_mutex lock;

static void increment(void *done)
{
    csp_mutex_lock(&lock);
    int was = counter;
    csp_mutex_unlock(&lock);
#if RACY
    counter = was + 1;
#else
    csp_mutex_lock(&lock);
    counter += was >= 0;
    csp_mutex_unlock(&lock);
#endif
    csp_wg_done(done);
}

int main(int argc, char **argv)
{
    csp_wg done = {0};
    if (argc != 2 || argv[1][1] != ' ') /* what the recipes hand through must arrive unharmed */
        return 3;
    csp_wg_add(&done, 2);
    csp_go(increment, &done);
    csp_go(increment, &done);
    csp_wg_wait(&done);
    return 0;
}
"""
ARGUMENT = "a b$c"


def fail(message):
    sys.exit("recipes.py: " + message)


def expect(condition, message):
    if not condition:
        fail(message)


def build_programs(build, folder):
    """Returns the paths of the program with the race, and of the one without."""
    os.makedirs(folder, exist_ok=True)
    programs = []
    for racy in (1, 0):
        source = os.path.join(folder, "counter%d.c" % racy)
        with open(source, "w", encoding="utf-8") as file:
            file.write(PROGRAM)
        program = os.path.join(folder, "racy" if racy else "clean")
        subprocess.run([os.path.join(build, "bin", "cspcc"), "-fsanitize=cspthread", "-g", "-O1", "-DRACY=%d" % racy, source,
                        "-o", program], check=True)
        programs.append(program)
    return programs


def which(programs):
    """Both in the full run; in the quick one the racy one, which has more to go wrong."""
    pairs = list(zip(programs, (True, False)))
    return pairs if os.environ.get("CSP_TEST_FULL", "0") not in ("", "0") else pairs[:1]


def make_environment(build, more=None):
    """Without what the caller's own CI sets, and with csp in PATH."""
    ours = re.compile("CSP|GITHUB_|GTEST_|TEST_|JOB_COMPLETION_INDEX|SLURM_|PARALLEL")
    environment = {k: v for k, v in os.environ.items() if not ours.match(k)}
    environment["PATH"] = os.path.join(build, "bin") + os.pathsep + environment.get("PATH", "")
    environment.update(more or {})
    return environment


def read_merged(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def check_merged(results, program, racy, count=COUNT):
    expect(results["shard_count"] == 1 and len(results["tests"]) == 1, "merged: one test")
    test = results["tests"][0]
    explored = test["explored"]
    expect(explored["schedules"] == count, "%s: %s schedules, not %d" % (program, explored["schedules"], count))
    kinds = sorted({finding["kind"] for finding in test["findings"]})
    expect(kinds == (["data race"] if racy else []), "%s: findings: %s" % (program, kinds))
    expect(test["command"][-1] == ARGUMENT, "arguments: %s" % test["command"])


def check_recipe(script, build, folder, environment=None, more=None):
    """Runs one of the scripts with both programs."""
    expect(shutil.which("csp", path=os.path.join(build, "bin")), "no csp in the build tree")
    programs = build_programs(build, folder)
    env = make_environment(build, {"CSP_SHARDS": str(SHARDS), "CSP_ARGS": "--count %d" % COUNT, **(more or {})})
    if environment and "SLURM_CONF" in environment:
        env["SLURM_CONF"] = environment["SLURM_CONF"]
    for program, racy in which(programs):
        results = os.path.join(folder, "results-%d" % racy)
        env["CSP_RESULTS"] = results
        done = subprocess.run([os.path.join(RECIPES, script), program, ARGUMENT], env=env, cwd=folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=240)
        output = done.stdout.decode(errors="replace")
        expect(done.returncode == (66 if racy else 0), "%s of %s: status %d\n%s" % (script, program, done.returncode, output))
        check_merged(read_merged(os.path.join(results, "all.json")), program, racy)
        for name in ("junit.xml", "results.sarif"):
            expect(os.path.getsize(os.path.join(results, name)), "%s is empty" % name)
        expect(len([f for f in os.listdir(results) if re.fullmatch(r"shard-\d\.json", f)]) == SHARDS, "a file per shard")
    print("ok " + script)


def check_killed_shard(build, folder):
    """A shard that dies leaves a hole, which must not look clean."""
    tools = os.path.join(folder, "tools")
    os.makedirs(tools)
    with open(os.path.join(tools, "csp"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\ncase \"$*\" in *'--shard 2/%d '*) kill -9 $$ ;; esac\nexec '%s' \"$@\"\n"
                   % (SHARDS, os.path.join(build, "bin", "csp")))
    os.chmod(file.name, 0o755)
    program = build_programs(build, folder)[1]
    env = make_environment(build, {"CSP_SHARDS": str(SHARDS), "CSP_ARGS": "--count %d" % COUNT})
    env["PATH"] = tools + os.pathsep + env["PATH"]
    done = subprocess.run([os.path.join(RECIPES, "gnu-parallel.sh"), program, ARGUMENT], env=env, cwd=folder,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240)
    output = done.stdout.decode(errors="replace")
    expect(done.returncode == 64 and "shard 2 of %d is missing" % SHARDS in output, "a killed shard: status %d\n%s"
           % (done.returncode, output))
    print("ok a killed shard is named")


def run_shell(command, env, folder):
    done = subprocess.run(["/bin/sh", "-ec", command], env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=240)
    return done.returncode, done.stdout.decode(errors="replace")


def localize(command, program, paths):
    """The recipe's command with our program, little to do, and our folders."""
    for theirs, ours in paths:
        expect(theirs in command, "%r is not in %r" % (theirs, command))
        command = command.replace(theirs, ours)
    command, n = re.subn(r"--time \S+", "--count %d" % COUNT, command)
    expect(n <= 1, "one --time")
    return re.sub(r" -- \S+", " -- %s '%s'" % (program, ARGUMENT), command)


def check_github(build, folder):
    import yaml
    with open(os.path.join(RECIPES, "github-actions.yml"), encoding="utf-8") as file:
        workflow = yaml.safe_load(file)
    explore, merge = workflow["jobs"]["explore"], workflow["jobs"]["merge"]
    shards = explore["strategy"]["matrix"]["shard"]
    expect(explore["strategy"]["fail-fast"] is False, "GitHub: fail-fast")
    expect(merge["needs"] == "explore" and merge["if"].startswith("always()"), "GitHub: merge runs after failures")
    expect(shards == list(range(1, len(shards) + 1)), "GitHub: shards: %s" % shards)
    commands = {step["name"]: step["run"] for job in (explore, merge) for step in job["steps"] if "run" in step}
    for step in explore["steps"] + merge["steps"]:
        expect("|| true" not in step.get("run", "") and not step.get("continue-on-error"), "GitHub: a status is hidden")
        expect("upload" not in step.get("uses", "") or step["if"] == "always()", "GitHub: uploads also after findings")
    for program, racy in which(build_programs(build, folder)):
        statuses = []
        work = os.path.join(folder, "github-%d" % racy)
        os.makedirs(work)
        env = make_environment(build, {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": folder,
                                       "GITHUB_STEP_SUMMARY": os.path.join(work, "summary.md")})
        for shard in shards:
            command = commands["explore"].replace("${{ matrix.shard }}", str(shard)).replace("${{ github.run_id }}", "8675309")
            expect("${{" not in command, "GitHub: %s" % command)
            status, output = run_shell(localize(command, program, []), env, work)
            statuses.append(status)
            expect(status in ((0, 66) if racy else (0,)), "GitHub: shard %d: status %d\n%s" % (shard, status, output))
        status, output = run_shell(commands["merge"] + " --json-results all.json", env, work)
        expect(status == (66 if racy else 0), "GitHub: merge: status %d\n%s" % (status, output))
        expect(not racy or 66 in statuses, "GitHub: no shard found it")
        expect(("\n::error file=counter1.c,line=" in "\n" + output) == racy, "GitHub: annotations: %s" % output)
        check_merged(read_merged(os.path.join(work, "all.json")), program, racy)
    print("ok github-actions.yml")


def check_kubernetes(build, folder):
    import yaml
    with open(os.path.join(RECIPES, "kubernetes-job.yaml"), encoding="utf-8") as file:
        documents = {d["metadata"]["name"]: d for d in yaml.safe_load_all(file)}
    explore, merge = documents["csp-explore"]["spec"], documents["csp-merge"]["spec"]
    expect(explore["completionMode"] == "Indexed", "Kubernetes: completionMode")
    rule = explore["podFailurePolicy"]["rules"][0]
    expect(rule["action"] == "FailIndex" and rule["onExitCodes"]["values"] == [64, 66], "Kubernetes: findings are not retried")
    expect(explore["template"]["spec"]["restartPolicy"] == "Never", "Kubernetes: restartPolicy")
    commands = [job["template"]["spec"]["containers"][0]["command"] for job in (explore, merge)]
    expect(all(command[:2] == ["/bin/sh", "-c"] for command in commands), "Kubernetes: commands")
    expect("--shard auto/%d " % explore["completions"] in commands[0][2], "Kubernetes: completions and --shard differ")
    for program, racy in which(build_programs(build, folder)):
        work = os.path.join(folder, "kubernetes-%d" % racy)
        os.makedirs(work)
        for index in range(explore["completions"]):
            env = make_environment(build, {"JOB_COMPLETION_INDEX": str(index)})
            command = localize(commands[0][2], program, [("/results/", work + "/")])
            tries = 2 if index == 1 else 1  # a pod that is tried again
            for _ in range(tries):
                status, output = run_shell(command, env, work)
            expect(status in ((0, 66) if racy else (0,)), "Kubernetes: index %d: status %d\n%s" % (index, status, output))
        status, output = run_shell(commands[1][2].replace("/results/", work + "/"), make_environment(build), work)
        expect(status == (66 if racy else 0), "Kubernetes: merge: status %d\n%s" % (status, output))
        check_merged(read_merged(os.path.join(work, "all.json")), program, racy)
    print("ok kubernetes-job.yaml")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=os.path.abspath)
    parser.add_argument("recipe", choices=["gnu-parallel", "github", "kubernetes"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recipe-", dir=os.path.join(options.build, "test")) as folder:
        if options.recipe == "gnu-parallel":
            if not shutil.which("parallel"):
                print("skipped: there is no GNU parallel")
                sys.exit(77)
            check_recipe("gnu-parallel.sh", options.build, folder)
            check_killed_shard(options.build, folder)
        elif options.recipe == "github":
            check_github(options.build, folder)
        else:
            check_kubernetes(options.build, folder)


if __name__ == "__main__":
    main()
