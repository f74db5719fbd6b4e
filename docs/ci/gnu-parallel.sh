#!/bin/sh
# gnu-parallel.sh - explores schedules on several processors, or several machines, by GNU parallel; then the results as one.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   CSP_SHARDS=8 CSP_ARGS='--count 80000' docs/ci/gnu-parallel.sh build/tests/queue_test
#
# Across machines that share the folder, or are sent the program, GNU parallel takes its options from PARALLEL:
#
#   PARALLEL='--sshlogin 4/alpha,4/beta --workdir .' docs/ci/gnu-parallel.sh build/tests/queue_test
#
# CSP_SHARDS (default 4) parts of one exploration write to the folder CSP_RESULTS (default csp-results). The exit status is
# csp's: 0 clean, 66 findings, 64 a shard is missing or there are no tests, 70 csp itself failed.
set -eu

results=${CSP_RESULTS:-csp-results}
shards=${CSP_SHARDS:-4}
seed=${CSP_SEED:-1}

mkdir -p "$results"
rm -f "$results"/shard-*.json
# -q: the programs' arguments are taken as they are. The status of parallel is the number of jobs that failed, findings among
# them: what was found is decided below, by what the shards wrote; one that was killed is named as missing.
# shellcheck disable=SC2086 # CSP_ARGS are several words
seq "$shards" | parallel -q --joblog "$results/joblog" csp test --jobs 1 --shard "{}/$shards" --seed "$seed" ${CSP_ARGS:-} \
    --json-results "$results/shard-{}.json" -- "$@" || true
exec csp merge "$results"/shard-*.json --junit "$results/junit.xml" --sarif "$results/results.sarif" \
    --json-results "$results/all.json"
