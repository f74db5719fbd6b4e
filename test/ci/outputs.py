#!/usr/bin/env python3
# outputs.py - what csp writes for other programs: valid by each format's schema, and every finding in every channel.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes results with every awkward thing in them, lets `csp merge` write all formats, and reads these back.

The checks are functions of files, so that other tests use them on what `csp test` wrote: see check_all().
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

try:
    import jsonschema
except ImportError:
    print("skipped: there is no python3-jsonschema")
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMAS = os.path.join(HERE, "schemas")
EVENTS = os.path.join(HERE, "..", "..", "docs", "ci", "csp-test.schema.json")


def fail(message):
    sys.exit("outputs.py: " + message)


def expect(condition, message):
    if not condition:
        fail(message)


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


# --- what a finding is, in each format: the set of fingerprints that fail the run, and of all ---------------------------------


def check_sarif(path):
    log = load(path)
    schema = load(os.path.join(SCHEMAS, "sarif-schema-2.1.0.json"))
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(log)
    expect(len(log["runs"]) == 1, "SARIF: one run, or GitHub refuses it")
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    ids = [rule["id"] for rule in rules]
    expect(len(set(ids)) == len(ids), "SARIF: a rule is there twice")
    seen = {}
    for result in run["results"]:
        fingerprint = result["partialFingerprints"]["cspthread/v1"]
        expect(fingerprint not in seen, "SARIF: the finding %s is there twice" % fingerprint)
        expect(rules[result["ruleIndex"]]["id"] == result["ruleId"], "SARIF: ruleIndex and ruleId differ")
        expect(re.fullmatch("[a-z0-9-]+", result["ruleId"]), "SARIF: rule id %r" % result["ruleId"])
        expect(len(result["locations"]) == 1, "SARIF: GitHub wants a location")
        expect(len(result.get("relatedLocations", [])) <= 100, "SARIF: too many related locations")
        for flow in result.get("codeFlows", []):
            ids = [thread["id"] for thread in flow["threadFlows"]]
            expect(len(set(ids)) == len(ids), "SARIF: two thread flows are called the same: %s" % ids)
            for thread in flow["threadFlows"]:
                expect(0 < len(thread["locations"]) <= 1000, "SARIF: length of a thread flow")
        known = any(s["status"] == "accepted" for s in result.get("suppressions", []))
        seen[fingerprint] = result["level"] == "error" and not known
    have = ["suppressions" in result for result in run["results"]]
    expect(all(have) or not any(have), "SARIF: all results have suppressions, or none")
    return seen


def check_junit(path):
    subprocess.run(["xmllint", "--noout", "--schema", os.path.join(SCHEMAS, "junit.xsd"), path], check=True,
                   stderr=subprocess.DEVNULL)
    import xml.etree.ElementTree as ElementTree
    root = ElementTree.parse(path).getroot()
    seen = {}
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in root:
        cases = suite.findall("testcase")
        counts = {
            "tests": len(cases),
            "failures": sum(case.find("failure") is not None for case in cases),
            "errors": sum(case.find("error") is not None for case in cases),
            "skipped": sum(case.find("skipped") is not None for case in cases),
        }
        for name, n in counts.items():
            expect(int(suite.get(name)) == n, "JUnit: %s of %s" % (name, suite.get("name")))
            totals[name] += n
        for case in cases:
            failing = set()
            for failure in case.findall("failure"):
                failing |= set(re.findall("^fingerprint (.*)$", failure.text, re.M))
            quiet = set(re.findall("^fingerprint (.*)$", case.findtext("system-out", ""), re.M))
            named = {p.get("value") for p in case.iter("property") if p.get("name") == "finding"}
            expect(named == failing | quiet, "JUnit: properties and texts of %s" % case.get("name"))
            for fingerprint in failing | quiet:
                seen[fingerprint] = seen.get(fingerprint, False) or fingerprint in failing
    for name, n in totals.items():
        expect(int(root.get(name)) == n, "JUnit: %s of all" % name)
    return seen


def check_events(path):
    validator = jsonschema.Draft7Validator(load(EVENTS))
    with open(path, encoding="utf-8") as file:
        events = [json.loads(line) for line in file]
    for event in events:
        validator.validate(event)
    kinds = [event["event"] for event in events]
    expect(kinds[0] == "begin" and kinds[-1] == "end" and len(kinds) >= 2, "JSON lines: begin and end")
    expect(set(kinds[1:-1]) <= {"finding", "test"}, "JSON lines: between them")
    tests = [event for event in events if event["event"] == "test"]
    findings = [event for event in events if event["event"] == "finding"]
    end = events[-1]
    expect(end["findings"] == len(findings) == sum(test["findings"] for test in tests), "JSON lines: counts of findings")
    expect(end["new_findings"] == sum(finding["fails"] for finding in findings), "JSON lines: new findings")
    expect((end["status"] == 66) == (end["new_findings"] > 0), "JSON lines: status")
    seen = {}
    for finding in findings:
        seen[finding["fingerprint"]] = seen.get(finding["fingerprint"], False) or finding["fails"]
    return seen


def check_annotations(text):
    """How many of which kind; each must be well formed."""
    counts = {"error": 0, "warning": 0, "notice": 0}
    for line in text.splitlines():
        if not line.startswith("::"):
            continue
        match = re.fullmatch(r"::(error|warning|notice) ((?:\w+=[^:,]*,)*\w+=[^:,]*)::(.*)", line)
        expect(match, "annotation: %r" % line)
        expect(not re.search("%(?!25|0D|0A|3A|2C)", line), "annotation: a bare %% in %r" % line)
        counts[match[1]] += 1
    expect(counts["error"] <= 10 + 1 and counts["warning"] <= 10, "annotations: more than GitHub shows: %s" % counts)
    return counts


def check_all(folder, annotations):
    """junit.xml, results.sarif, events.jsonl in the folder, annotations as text: all valid, and all tell the same."""
    sarif = check_sarif(os.path.join(folder, "results.sarif"))
    junit = check_junit(os.path.join(folder, "junit.xml"))
    events = check_events(os.path.join(folder, "events.jsonl"))
    expect(sarif == junit, "SARIF and JUnit differ:\n%s\n%s" % (sarif, junit))
    expect(sarif == events, "SARIF and JSON lines differ:\n%s\n%s" % (sarif, events))
    counts = check_annotations(annotations)
    failing = sum(sarif.values())
    expect(counts["error"] >= min(failing, 10), "%d findings fail, %s are annotated" % (failing, counts))
    with open(os.path.join(folder, "summary.md"), encoding="utf-8") as file:
        summary = file.read()
    expect(len(summary.encode()) <= 1024 * 1024, "the step summary is longer than GitHub takes")
    for fingerprint in sarif:
        expect("fingerprint " + fingerprint in summary or "do not fit" in summary,
               "the step summary lacks %s" % fingerprint)
    return sarif


# --- results to try ---------------------------------------------------------------------------------------------------------

NASTY = "100% a,b: <c> & \"d\" | `e` \u001b[31mred\u001b[0m \u0001 \u00e4 \U0001f600 ]]>"


def make_stack(role, task, root, primary=True, name=None, frames=3, **more):
    return {"role": role, "what": "%s by coroutine %d" % (role, task), "primary": primary, "task": task,
            **({"name": name} if name else {}),
            "frames": [{"function": "f%d<int, char>" % i, "file": root + "/src/a b%%/q%d.c" % i, "line": 10 + i, "column": i,
                        "module": "/x/queue", "offset": 16 * i} for i in range(frames)], **more}


def make_finding(number, root, **more):
    finding = {
        "fingerprint": "%016x" % number, "kind": "data race", "title": "data race q.c:%d in push" % number,
        "text": "WARNING: CspThreadSanitizer: data race\n\n  report %d\n" % number,
        "stacks": [make_stack("write", 7, root, name="worker"), make_stack("read", 8, root, column=0),
                   make_stack("creation", 7, root, primary=False), make_stack("creation", 8, "/usr/include", primary=False)],
        "schedules": 2, "times": 3, "first": 4, "seed": str(2**64 - 1 - number), "strategy": "pct",
        "schedule_file": "schedules/%d.csched" % number, "replay_command": "csp replay --seed %d ./queue 'a b'" % number,
        "replay": "same"}
    return {**finding, **more}


def make_results(tests, **more):
    return {"format": "cspthread results 1", "started": 1700000000, "seconds": 3.25, "seed": "42", "strategy": "portfolio",
            "shard_index": 1, "shard_count": 1, "tests_total": len(tests), "tests": tests, **more}


def make_test(name, findings, **more):
    explored = {"controlled": True, "schedules": 100, "failing": 5, "interleavings": ["00ab", "00ac"], "tasks": 3, "points": 9,
                "strategies": [{"name": "pct", "schedules": 100}], "depth": 2, "pct_schedules": 100, "not_replayable": 1,
                "why_not": ["read from a terminal"]}
    return {"name": name, "command": [name, "--x"], "outcome": "failed" if findings else "passed", "seconds": 0.5,
            "explored": explored, "findings": findings, **more}


class Run:
    """csp merge of given results, with all outputs, in a folder."""

    def __init__(self, csp, results, folder, baseline=None, root=None, environment=None):
        self.folder = folder
        os.makedirs(folder)
        path = os.path.join(folder, "results.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(results, file)
        self.summary = os.path.join(folder, "summary.md")
        open(self.summary, "w").close()
        command = [csp, "merge", path, "--junit", folder + "/junit.xml", "--sarif", folder + "/results.sarif",
                   "--json", folder + "/events.jsonl", "--source-root", root or folder]
        if baseline:
            command += ["--baseline", baseline]
        env = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
        env.update({"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": self.summary, **(environment or {})})
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, timeout=120)
        self.status, self.out, self.err = done.returncode, done.stdout.decode(), done.stderr.decode()

    def check(self, status):
        expect(self.status == status, "status %d, not %d: %s" % (self.status, status, self.err))
        return check_all(self.folder, self.out)

    def sarif(self):
        return load(os.path.join(self.folder, "results.sarif"))["runs"][0]


def test_one_of_each(csp, work):
    root = os.path.join(work, "repository")
    os.makedirs(root)
    findings = [
        make_finding(1, root, title="data race " + NASTY, text="report\n\n" + NASTY + "\n" * 3),
        make_finding(2, root, kind="coroutine leak", mild=True),
        make_finding(3, root, kind="a kind of tomorrow <b>", stacks=[]),
        make_finding(4, root, kind="crash", text=None, stacks=[], output="bytes\n" + NASTY),
    ]
    for finding in findings:
        finding["text"] is None and finding.pop("text")
    tests = [make_test("build/queue:Suite.One", findings), make_test("build/queue:Suite.Two", []),
             make_test("build/queue:Suite.Three", [make_finding(1, root)]),
             make_test("./" + NASTY, [], outcome="skipped", note="no " + NASTY),
             make_test("late", [], outcome="not run"),
             make_test("absent", [], outcome="broken", note="it is not there")]
    run = Run(csp, make_results(tests), os.path.join(work, "one"), root=root)
    seen = run.check(66)
    expect(seen == {"%016x" % n: n != 2 for n in (1, 2, 3, 4)}, "findings: %s" % seen)
    results = {r["partialFingerprints"]["cspthread/v1"][-1]: r for r in run.sarif()["results"]}
    race = results["1"]
    place = race["locations"][0]["physicalLocation"]
    expect(place["artifactLocation"] == {"uri": "src/a%20b%25/q0.c", "uriBaseId": "%SRCROOT%"}, "place: %s" % place)
    expect(place["region"] == {"startLine": 10}, "region: %s" % place)
    base = run.sarif()["originalUriBaseIds"]["%SRCROOT%"]["uri"]
    expect(base == "file://" + root + "/", "base: %s" % base)
    threads = race["codeFlows"][0]["threadFlows"]
    expect([t["id"] for t in threads] == ["worker (7)", "task 8"], "threads: %s" % [t["id"] for t in threads])
    words = [step["location"]["message"]["text"] for step in threads[0]["locations"]]
    expect(words == ["in f2<int, char>", "in f1<int, char>", "creation by coroutine 7",
                     "in f2<int, char>", "in f1<int, char>", "write by coroutine 7 (worker)"], "steps: %s" % words)
    related = [r["message"]["text"] for r in race["relatedLocations"]]
    expect(related == ["read by coroutine 8", "creation by coroutine 7", "creation by coroutine 8"], "related: %s" % related)
    outside = race["relatedLocations"][2]["physicalLocation"]["artifactLocation"]
    expect(outside == {"uri": "file:///usr/include/src/a%20b%25/q0.c"}, "outside: %s" % outside)
    expect(race["properties"]["tests"] == ["build/queue:Suite.One", "build/queue:Suite.Three"], "tests of the race")
    expect(results["4"]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "build/queue%3ASuite.One",
           "a crash stands at its program")
    expect(results["2"]["level"] == "note", "a mild one is no error")
    notes = [n["message"]["text"] for n in run.sarif()["invocations"][0]["toolExecutionNotifications"]]
    expect(notes == ["absent could not be run: it is not there", "late was not run: no reason is known"], "notes: %s" % notes)
    expect("::error file=src/a b%25/q0.c,line=10,title=data race 100%25 a%2Cb%3A <c>" in run.out, run.out)
    expect("::error title=csp test::absent could not be run: it is not there" in run.out, run.out)
    junit = open(os.path.join(run.folder, "junit.xml"), encoding="utf-8").read()
    expect('classname="build/queue"' in junit and 'name="Suite.One"' in junit, "names in JUnit")
    expect("\x1b" not in junit and "red" in junit and "\U0001f600" in junit, "colours in JUnit")


def test_many(csp, work):
    """More than GitHub shows, more than the step summary holds."""
    tests = [make_test("t%d" % i, [make_finding(100 * i + j, "/r", text="x" * 20000) for j in range(40)]) for i in range(3)]
    run = Run(csp, make_results(tests), os.path.join(work, "many"), root="/")
    seen = run.check(66)
    expect(len(seen) == 120, "all of them: %d" % len(seen))
    counts = check_annotations(run.out)
    expect(counts == {"error": 10, "warning": 0, "notice": 1}, "annotations: %s" % counts)
    expect("110 more findings" in run.out, run.out)
    summary = open(run.summary, encoding="utf-8").read()
    expect(re.search("The reports of [0-9]+ more findings do not fit here", summary), "the summary says what is missing")


def test_baseline(csp, work):
    known = os.path.join(work, "known.json")
    results = make_results([make_test("t", [make_finding(1, "/r"), make_finding(2, "/r", kind="deadlock")])])
    with open(known, "w", encoding="utf-8") as file:
        json.dump({"format": "cspthread baseline 1", "findings": [{"fingerprint": "%016x" % 1}]}, file)
    run = Run(csp, results, os.path.join(work, "partly"), baseline=known)
    expect(run.check(66) == {"%016x" % 1: False, "%016x" % 2: True}, "one is known")
    states = {r["ruleId"]: (r["baselineState"], len(r["suppressions"])) for r in run.sarif()["results"]}
    expect(states == {"data-race": ("unchanged", 1), "deadlock": ("new", 0)}, "states: %s" % states)
    expect(check_annotations(run.out)["error"] == 1, "what is known is not annotated")
    with open(known, "w", encoding="utf-8") as file:
        json.dump({"format": "cspthread baseline 1", "findings": [{"fingerprint": "%016x" % n} for n in (1, 2)]}, file)
    run = Run(csp, results, os.path.join(work, "wholly"), baseline=known)
    expect(not any(run.check(0).values()), "all are known")


def test_clean(csp, work):
    run = Run(csp, make_results([make_test("t", [])]), os.path.join(work, "clean"))
    expect(run.check(0) == {}, "nothing")
    expect(run.out == "", "no annotation: %r" % run.out)


def test_long_stacks(csp, work):
    deep = [make_stack("write", 1, "/r", frames=5000), make_stack("read", 2, "/r", frames=5000)]
    deep += [make_stack("creation", 1, "/r", primary=False, frames=5000)]
    deep += [make_stack("lock", 9, "/r", primary=False) for _ in range(300)]
    run = Run(csp, make_results([make_test("t", [make_finding(1, "/r", stacks=deep)])]), os.path.join(work, "deep"), root="/")
    run.check(66)
    flow = run.sarif()["results"][0]["codeFlows"][0]["threadFlows"][0]["locations"]
    expect(flow[-1]["location"]["message"]["text"] == "write by coroutine 1", "the innermost frame is kept")


def test_no_github(csp, work):
    results = make_results([make_test("t", [make_finding(1, "/r")])])
    run = Run(csp, results, os.path.join(work, "elsewhere"), environment={"GITHUB_ACTIONS": "false"})
    expect(run.status == 66 and run.out == "" and not os.path.getsize(run.summary), "annotations without GitHub: %s" % run.out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--csp", required=True)
    parser.add_argument("--check", help="only check the outputs in this folder")
    parser.add_argument("--annotations", default=os.devnull, help="with --check: the file with standard output")
    options = parser.parse_args()
    if options.check:
        with open(options.annotations, encoding="utf-8", errors="replace") as file:
            print(len(check_all(options.check, file.read())), "findings")
        return
    with tempfile.TemporaryDirectory() as work:
        for name, test in sorted(globals().items()):
            if name.startswith("test_"):
                folder = os.path.join(work, name)
                os.mkdir(folder)
                began = time.monotonic()
                test(options.csp, folder)
                print("ok %s, %.1f s" % (name, time.monotonic() - began))


if __name__ == "__main__":
    main()
