// shard.h - which part of the tests and of their schedules this process does: by --shard, or by what the environment says.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_SHARD_H
#define CSP_TOOLS_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cspt_shard {
    uint64_t index;     // from 0; people count from 1
    uint64_t total;     // 1: this process does everything
    const char *source; // who said so: "--shard", "CSP_SHARD", "Bazel", ...; NULL: nobody did
} cspt_shard;

// The schedules that a shard explores of one test: numbers first to first + count - 1, counted from 0.
typedef struct cspt_share {
    uint64_t first, count;
} cspt_share;

// Finds the shard: option is the argument of --shard (NULL: not given), then CSP_SHARD, Bazel's and GoogleTest's variables;
// those of Kubernetes and Slurm when option or CSP_SHARD is auto or auto/N. False: *error says what is wrong (to be freed).
bool cspt_shard_find(const char *option, cspt_shard *out, char **error);

// With fewer tests than shards, every shard has all tests, and a part of the schedules of each.
bool cspt_shard_divides_seeds(const cspt_shard *shard, size_t n_tests);

// The share that shard has in the schedules of test number `test` of n_tests: of `count`, or UINT64_MAX when the time decides.
// Over all shards each schedule of each test comes exactly once.
cspt_share cspt_shard_share(const cspt_shard *shard, size_t test, size_t n_tests, uint64_t count);

// How many of n_tests tests the shard has a share in.
size_t cspt_shard_tests(const cspt_shard *shard, size_t n_tests, uint64_t count);

// A line for people, to be freed: "shard 2/4 (CSP_SHARD): 3 of 10 tests". NULL when there is but one shard.
char *cspt_shard_describe(const cspt_shard *shard, size_t n_tests, uint64_t count);

// Creates the file by which Bazel and GoogleTest learn that their wish was followed, where the shard is theirs.
// Returns 0 or an errno, then *path is the file's name.
int cspt_shard_acknowledge(const cspt_shard *shard, const char **path);

#endif
