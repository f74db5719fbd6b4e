// shard.c - which part of the tests and of their schedules this process does: by --shard, or by what the environment says.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests are dealt out like cards: test t goes to shard t mod N, which is also what `ctest -I i,,N` and GoogleTest do. With
// fewer tests than shards each shard takes all of them, and the schedules are divided: adjacent ranges of what --count asks
// for, so that all shards together explore what one process would; under --time ranges that nobody comes to the end of.
//
// Kubernetes and Slurm only when asked (auto): a job of theirs may well be meant to run everything.
#include "results/shard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/argv.h"

enum { MAX_SHARDS = 1000000 };

static bool parse_number(const char *text, size_t length, uint64_t *out)
{
    *out = 0;
    if (!length || length > 9) // nine digits: no overflow, and more than anybody has shards
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *out = *out * 10 + (uint64_t)(text[i] - '0');
    }
    return true;
}

// Set and not empty.
static const char *find_variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static bool read_variable(const char *name, uint64_t *out, char **error)
{
    const char *value = find_variable(name);
    if (value && parse_number(value, strlen(value), out))
        return true;
    *error = value ? cspt_format("%s is '%s', not a number", name, value) : cspt_format("%s is not set", name);
    return false;
}

static bool check_shard(const cspt_shard *shard, char **error)
{
    if (shard->total >= 1 && shard->total <= MAX_SHARDS && shard->index < shard->total)
        return true;
    *error = cspt_format("%s: there is no shard %llu of %llu", shard->source, (unsigned long long)shard->index + 1,
                         (unsigned long long)shard->total);
    return false;
}

// --- variables of others ----------------------------------------------------------------------------------------------

// Two variables, the index from 0. True with total 1 when the environment does not shard.
static bool read_pair(const char *source, const char *total, const char *index, cspt_shard *out, char **error)
{
    if (!find_variable(total) && !find_variable(index))
        return true;
    cspt_shard shard = {.source = source};
    if (!read_variable(total, &shard.total, error))
        return false;
    if (shard.total <= 1 && !find_variable(index)) // some runners always set it
        return true;
    if (!read_variable(index, &shard.index, error) || !check_shard(&shard, error))
        return false;
    *out = shard;
    return true;
}

// The ids of an array need not start at 0, nor be adjacent: FIRST-LAST:STEP.
static bool read_slurm(uint64_t total, cspt_shard *out, char **error)
{
    uint64_t id, min, step = 1, count;
    if (!read_variable("SLURM_ARRAY_TASK_ID", &id, error) || !read_variable("SLURM_ARRAY_TASK_MIN", &min, error) ||
        !read_variable("SLURM_ARRAY_TASK_COUNT", &count, error))
        return false;
    if (find_variable("SLURM_ARRAY_TASK_STEP") && !read_variable("SLURM_ARRAY_TASK_STEP", &step, error))
        return false;
    *out = (cspt_shard){.total = count, .source = "Slurm"};
    if (total && total != count) {
        *error = cspt_format("the Slurm array has %llu tasks, not %llu: of a part of it no task's place can be told; "
                             "name the shard, --shard i/%llu",
                             (unsigned long long)count, (unsigned long long)total, (unsigned long long)total);
        return false;
    }
    if (!step || id < min || (id - min) % step || (id - min) / step >= count) {
        *error = cspt_format(
            "task %llu of a Slurm array that begins at %llu, with %llu tasks in steps of %llu: its ids "
            "are no such row; name the shard, --shard i/n",
            (unsigned long long)id, (unsigned long long)min, (unsigned long long)count, (unsigned long long)step);
        return false;
    }
    out->index = (id - min) / step;
    return check_shard(out, error);
}

// total: 0 when it was not given.
static bool read_auto(const char *source, uint64_t total, cspt_shard *out, char **error)
{
    if (find_variable("JOB_COMPLETION_INDEX")) {
        *out = (cspt_shard){.total = total, .source = "Kubernetes"};
        if (!total) {
            *error = cspt_format("%s: Kubernetes does not tell how many completions the job has: give --shard auto/N",
                                 source);
            return false;
        }
        return read_variable("JOB_COMPLETION_INDEX", &out->index, error) && check_shard(out, error);
    }
    if (find_variable("SLURM_ARRAY_TASK_ID"))
        return read_slurm(total, out, error);
    *error =
        cspt_format("%s: neither JOB_COMPLETION_INDEX (Kubernetes) nor SLURM_ARRAY_TASK_ID (Slurm) is set", source);
    return false;
}

// --- our own ----------------------------------------------------------------------------------------------------------

// i/N with i from 1, auto, or auto/N.
static bool parse_shard(const char *source, const char *text, cspt_shard *out, char **error)
{
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    bool is_auto = length == strlen("auto") && strncmp(text, "auto", length) == 0;
    cspt_shard shard = {.source = source};
    bool ok = slash ? parse_number(slash + 1, strlen(slash + 1), &shard.total) && shard.total : is_auto;
    if (ok && is_auto)
        return read_auto(source, shard.total, out, error);
    if (!ok || !parse_number(text, length, &shard.index)) {
        *error = cspt_format("%s takes i/N with i from 1 to N, auto or auto/N, not '%s'", source, text);
        return false;
    }
    shard.index--; // 0 becomes a number that is not below total
    if (shard.index >= shard.total) {
        *error = cspt_format("%s: there is no shard %s, they are counted from 1", source, text);
        return false;
    }
    *out = shard;
    return check_shard(out, error);
}

bool cspt_shard_find(const char *option, cspt_shard *out, char **error)
{
    *out = (cspt_shard){.total = 1};
    *error = NULL;
    if (option)
        return parse_shard("--shard", option, out, error);
    const char *own = find_variable("CSP_SHARD");
    if (own)
        return parse_shard("CSP_SHARD", own, out, error);
    if (!read_pair("Bazel", "TEST_TOTAL_SHARDS", "TEST_SHARD_INDEX", out, error))
        return false;
    if (out->source)
        return true;
    return read_pair("GoogleTest", "GTEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX", out, error);
}

// --- dealing out ------------------------------------------------------------------------------------------------------

bool cspt_shard_divides_seeds(const cspt_shard *shard, size_t n_tests)
{
    return n_tests < shard->total;
}

// count * index / total without overflow, for index <= total <= MAX_SHARDS.
static uint64_t divide(uint64_t count, uint64_t index, uint64_t total)
{
    return count / total * index + count % total * index / total;
}

cspt_share cspt_shard_share(const cspt_shard *shard, size_t test, size_t n_tests, uint64_t count)
{
    if (!cspt_shard_divides_seeds(shard, n_tests))
        return (cspt_share){.first = 0, .count = test % shard->total == shard->index ? count : 0};
    uint64_t first = divide(count, shard->index, shard->total);
    return (cspt_share){.first = first, .count = divide(count, shard->index + 1, shard->total) - first};
}

size_t cspt_shard_tests(const cspt_shard *shard, size_t n_tests, uint64_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < n_tests; i++)
        n += cspt_shard_share(shard, i, n_tests, count).count != 0;
    return n;
}

char *cspt_shard_describe(const cspt_shard *shard, size_t n_tests, uint64_t count)
{
    if (shard->total == 1)
        return NULL;
    size_t n = cspt_shard_tests(shard, n_tests, count);
    char *line = cspt_format("shard %llu/%llu (%s): %zu of %zu test%s", (unsigned long long)shard->index + 1,
                             (unsigned long long)shard->total, shard->source, n, n_tests, n_tests == 1 ? "" : "s");
    if (!n || !cspt_shard_divides_seeds(shard, n_tests))
        return line;
    cspt_share share = cspt_shard_share(shard, 0, n_tests, count);
    char *part = count == UINT64_MAX ? cspt_format("%s, a part of the schedules", line)
                                     : cspt_format("%s, %llu of %llu schedules", line, (unsigned long long)share.count,
                                                   (unsigned long long)count);
    free(line);
    return part;
}

int cspt_shard_acknowledge(const cspt_shard *shard, const char **path)
{
    *path = NULL;
    if (shard->source && strcmp(shard->source, "Bazel") == 0)
        *path = find_variable("TEST_SHARD_STATUS_FILE");
    else if (shard->source && strcmp(shard->source, "GoogleTest") == 0)
        *path = find_variable("GTEST_SHARD_STATUS_FILE");
    if (!*path)
        return 0;
    int fd = open(*path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    return fd < 0 ? errno : close(fd) ? errno : 0;
}
