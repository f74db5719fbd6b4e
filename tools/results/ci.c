// ci.c - what the environment of a continuous-integration system asks of a test runner, besides which shard (shard.c).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "results/ci.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/argv.h"
#include "common/message.h"

// A copy: the variable itself may be taken away. NULL when it is not set, or empty.
static const char *copy_variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? cspt_format("%s", value) : NULL;
}

static uint64_t read_count(const char *name)
{
    const char *value = getenv(name);
    char *end;
    uint64_t n = value && *value >= '0' && *value <= '9' ? strtoull(value, &end, 10) : 0;
    return n && !*end ? n : 0;
}

// CTEST_RESOURCE_GROUP_<i>_CPUS is "id:3,slots:2;id:4,slots:1": what a test with RESOURCE_GROUPS "n,cpus:m" was given.
static unsigned count_cpu_slots(void)
{
    unsigned slots = 0;
    uint64_t groups = read_count("CTEST_RESOURCE_GROUP_COUNT");
    for (uint64_t i = 0; i < groups; i++) {
        char name[64];
        snprintf(name, sizeof name, "CTEST_RESOURCE_GROUP_%llu_CPUS", (unsigned long long)i);
        for (const char *p = getenv(name); p && (p = strstr(p, "slots:")); p++)
            slots += (unsigned)strtoul(p + strlen("slots:"), NULL, 10);
    }
    return slots;
}

void cspt_ci_read(cspt_ci *out)
{
    const char *github = getenv("GITHUB_ACTIONS");
    *out = (cspt_ci){
        .junit = copy_variable("XML_OUTPUT_FILE"),
        .artifacts = copy_variable("TEST_UNDECLARED_OUTPUTS_DIR"),
        .temporary = copy_variable("TEST_TMPDIR"),
        .only = copy_variable("TESTBRIDGE_TEST_ONLY"),
        .unfinished = copy_variable("TEST_PREMATURE_EXIT_FILE"),
        .repetition = read_count("TEST_RUN_NUMBER"),
        .jobs = count_cpu_slots(),
        .github = github && strcmp(github, "true") == 0,
        .step_summary = copy_variable("GITHUB_STEP_SUMMARY"),
        .source_root = copy_variable("GITHUB_WORKSPACE"),
    };
    if (!out->repetition)
        out->repetition = read_count("TEST_RANDOM_SEED");
    if (!out->source_root)
        out->source_root = copy_variable("TEST_SRCDIR");
}

// Repetitions explore seed, seed + 1, ... each: far apart, so that they do not meet. The finalizer of splitmix64.
uint64_t cspt_ci_seed(const cspt_ci *ci, uint64_t seed)
{
    if (ci->repetition <= 1)
        return seed;
    uint64_t z = seed + ci->repetition * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void cspt_ci_hide_from_tests(void)
{
    static const char *const names[] = {
        "CSP_SHARD",          "TEST_TOTAL_SHARDS", "TEST_SHARD_INDEX",         "TEST_SHARD_STATUS_FILE",
        "GTEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX", "GTEST_SHARD_STATUS_FILE",  "TESTBRIDGE_TEST_ONLY",
        "XML_OUTPUT_FILE",    "GTEST_OUTPUT",      "TEST_PREMATURE_EXIT_FILE",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

void cspt_ci_begin(const cspt_ci *ci)
{
    if (!ci->unfinished)
        return;
    int fd = open(ci->unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || close(fd) != 0)
        cspt_note("cannot create %s, which TEST_PREMATURE_EXIT_FILE names", ci->unfinished);
}

void cspt_ci_finish(const cspt_ci *ci)
{
    if (ci->unfinished)
        unlink(ci->unfinished);
}
