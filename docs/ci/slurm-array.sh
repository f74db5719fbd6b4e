#!/bin/sh
# slurm-array.sh - explores schedules on a Slurm cluster: an array of shards, then their results as one.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   CSP_SHARDS=8 CSP_ARGS='--count 80000' docs/ci/slurm-array.sh build/tests/queue_test
#
# Run on a host that submits, in a folder that all nodes share. It submits itself as an array of CSP_SHARDS tasks (default 4),
# each of which explores its part of the tests, or of the schedules; waits for them; and merges what they wrote to the folder
# CSP_RESULTS (default csp-results). CSP_SBATCH has options for sbatch, such as a partition. The exit status is csp's:
# 0 clean, 66 findings, 64 a shard is missing or there are no tests, 70 csp itself failed.
set -eu

results=${CSP_RESULTS:-csp-results}

if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
    # A task: which shard it is, it knows from Slurm. The seed is the array's, so that the shards divide one exploration.
    # shellcheck disable=SC2086 # CSP_ARGS are several words
    exec csp test --shard auto --seed "$SLURM_ARRAY_JOB_ID" ${CSP_ARGS:-} \
        --json-results "$results/shard-$SLURM_ARRAY_TASK_ID.json" -- "$@"
fi

mkdir -p "$results"
rm -f "$results"/shard-*.json
# sbatch --wait ends with the highest status of the tasks. What they found is decided below, by what they wrote: a task that
# was killed wrote nothing, and is named as missing.
# shellcheck disable=SC2086
CSP_RESULTS=$results sbatch --wait --array="1-${CSP_SHARDS:-4}" --job-name=csp-test --output="$results/shard-%a.log" \
    ${CSP_SBATCH:-} "$0" "$@" || true
exec csp merge "$results"/shard-*.json --junit "$results/junit.xml" --sarif "$results/results.sarif" \
    --json-results "$results/all.json"
