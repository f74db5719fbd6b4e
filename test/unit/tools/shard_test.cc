// shard_test.cc - shards: what says which, and that every schedule of every test comes exactly once over all of them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
extern "C" {
#include "results/shard.h"
}

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>
#include <vector>

namespace
{

// Runs with none of the variables set but those it sets itself.
class Shard : public testing::Test
{
  protected:
    void SetUp() override
    {
        for (const char *name : kNames)
            unsetenv(name);
    }
    void TearDown() override
    {
        SetUp();
    }

    // "i/n source", or "error: ..."; "all" without shards.
    static std::string find(const char *option = nullptr)
    {
        cspt_shard shard;
        char *error;
        if (!cspt_shard_find(option, &shard, &error)) {
            std::string text = std::string("error: ") + error;
            free(error);
            return text;
        }
        EXPECT_EQ(error, nullptr);
        if (!shard.source)
            return shard.total == 1 && shard.index == 0 ? "all" : "nonsense";
        return std::to_string(shard.index) + " of " + std::to_string(shard.total) + " " + shard.source;
    }

    static void set(const char *name, const char *value)
    {
        setenv(name, value, 1);
    }

    static void bazel(const char *total, const char *index)
    {
        set("TEST_TOTAL_SHARDS", total);
        set("TEST_SHARD_INDEX", index);
    }

    static void slurm(const char *id, const char *min, const char *step, const char *count)
    {
        set("SLURM_ARRAY_TASK_ID", id);
        set("SLURM_ARRAY_TASK_MIN", min);
        set("SLURM_ARRAY_TASK_STEP", step);
        set("SLURM_ARRAY_TASK_COUNT", count);
    }

  private:
    static constexpr const char *kNames[] = {"CSP_SHARD",
                                             "TEST_TOTAL_SHARDS",
                                             "TEST_SHARD_INDEX",
                                             "TEST_SHARD_STATUS_FILE",
                                             "GTEST_TOTAL_SHARDS",
                                             "GTEST_SHARD_INDEX",
                                             "GTEST_SHARD_STATUS_FILE",
                                             "JOB_COMPLETION_INDEX",
                                             "SLURM_ARRAY_TASK_ID",
                                             "SLURM_ARRAY_TASK_MIN",
                                             "SLURM_ARRAY_TASK_MAX",
                                             "SLURM_ARRAY_TASK_STEP",
                                             "SLURM_ARRAY_TASK_COUNT"};
};

TEST_F(Shard, WithoutAWordEverything)
{
    EXPECT_EQ(find(), "all");
}

TEST_F(Shard, TheOptionCountsFromOne)
{
    EXPECT_EQ(find("1/1"), "0 of 1 --shard");
    EXPECT_EQ(find("1/4"), "0 of 4 --shard");
    EXPECT_EQ(find("4/4"), "3 of 4 --shard");
}

TEST_F(Shard, NonsenseIsRefused)
{
    for (const char *text : {"", "/", "3", "0/4", "5/4", "1/0", "0/0", "-1/4", "1/-4", "1/4/", "1 /4", "a/4", "1/4x",
                             "auto/", "auto/0", "autox/3", "1/9999999999", "1/1000001", "1.5/4"})
        EXPECT_EQ(find(text).substr(0, 6), "error:") << text;
    EXPECT_NE(find("0/4").find("counted from 1"), std::string::npos);
}

TEST_F(Shard, CspShardIsTheOptionsTwin)
{
    set("CSP_SHARD", "2/3");
    EXPECT_EQ(find(), "1 of 3 CSP_SHARD");
    set("CSP_SHARD", "3/2");
    EXPECT_EQ(find().substr(0, 16), "error: CSP_SHARD");
    set("CSP_SHARD", "");
    EXPECT_EQ(find(), "all");
}

TEST_F(Shard, Bazel)
{
    bazel("5", "0");
    EXPECT_EQ(find(), "0 of 5 Bazel");
    bazel("5", "4");
    EXPECT_EQ(find(), "4 of 5 Bazel");
    bazel("5", "5");
    EXPECT_EQ(find().substr(0, 6), "error:");
    bazel("5", "");
    EXPECT_EQ(find(), "error: TEST_SHARD_INDEX is not set");
    bazel("", "2");
    EXPECT_EQ(find(), "error: TEST_TOTAL_SHARDS is not set");
    bazel("many", "2");
    EXPECT_EQ(find(), "error: TEST_TOTAL_SHARDS is 'many', not a number");
    bazel("0", "");
    EXPECT_EQ(find(), "all");
}

TEST_F(Shard, GoogleTest)
{
    set("GTEST_TOTAL_SHARDS", "3");
    EXPECT_EQ(find(), "error: GTEST_SHARD_INDEX is not set");
    set("GTEST_SHARD_INDEX", "2");
    EXPECT_EQ(find(), "2 of 3 GoogleTest");
}

TEST_F(Shard, WhoGoesFirst)
{
    set("GTEST_TOTAL_SHARDS", "3");
    set("GTEST_SHARD_INDEX", "2");
    slurm("1", "0", "1", "8");
    set("JOB_COMPLETION_INDEX", "1");
    EXPECT_EQ(find(), "2 of 3 GoogleTest");
    bazel("4", "3");
    EXPECT_EQ(find(), "3 of 4 Bazel");
    set("CSP_SHARD", "1/9");
    EXPECT_EQ(find(), "0 of 9 CSP_SHARD");
    EXPECT_EQ(find("2/2"), "1 of 2 --shard");
}

TEST_F(Shard, KubernetesWhenAsked)
{
    set("JOB_COMPLETION_INDEX", "2");
    EXPECT_EQ(find(), "all");
    EXPECT_EQ(find("auto/4"), "2 of 4 Kubernetes");
    EXPECT_NE(find("auto").find("--shard auto/N"), std::string::npos);
    EXPECT_EQ(find("auto/2").substr(0, 6), "error:");
    set("CSP_SHARD", "auto/4");
    EXPECT_EQ(find(), "2 of 4 Kubernetes");
}

TEST_F(Shard, SlurmWhenAsked)
{
    slurm("7", "3", "2", "4"); // 3 5 7 9
    EXPECT_EQ(find(), "all");
    EXPECT_EQ(find("auto"), "2 of 4 Slurm");
    EXPECT_EQ(find("auto/4"), "2 of 4 Slurm");
    EXPECT_NE(find("auto/8").find("4 tasks, not 8"), std::string::npos); // a part of the array, submitted again
    slurm("3", "3", "1", "1");
    EXPECT_EQ(find("auto"), "0 of 1 Slurm");
    unsetenv("SLURM_ARRAY_TASK_STEP"); // not every version sets it
    EXPECT_EQ(find("auto"), "0 of 1 Slurm");
}

TEST_F(Shard, SlurmIdsThatAreNoRow)
{
    slurm("9", "3", "1", "3"); // --array=3,5,9
    EXPECT_EQ(find("auto").substr(0, 6), "error:");
    slurm("6", "3", "2", "3");
    EXPECT_EQ(find("auto").substr(0, 6), "error:");
    slurm("2", "3", "1", "3");
    EXPECT_EQ(find("auto").substr(0, 6), "error:");
    slurm("3", "3", "0", "3");
    EXPECT_EQ(find("auto").substr(0, 6), "error:");
}

TEST_F(Shard, AutoWithoutAnEngine)
{
    EXPECT_EQ(find("auto").substr(0, 6), "error:");
    EXPECT_EQ(find("auto/3").substr(0, 6), "error:");
}

TEST_F(Shard, EveryScheduleOfEveryTestExactlyOnce)
{
    enum { MAX_SHARDS = 12, MAX_TESTS = 15 };
    for (uint64_t count : {1, 5, 30})
        for (uint64_t total = 1; total <= MAX_SHARDS; total++)
            for (size_t n_tests = 1; n_tests <= MAX_TESTS; n_tests++) {
                std::vector<int> times(n_tests * count);
                uint64_t least = UINT64_MAX, most = 0;
                for (uint64_t index = 0; index < total; index++) {
                    cspt_shard shard = {index, total, "test"};
                    uint64_t work = 0;
                    for (size_t test = 0; test < n_tests; test++) {
                        cspt_share share = cspt_shard_share(&shard, test, n_tests, count);
                        work += share.count;
                        for (uint64_t i = share.first; i < share.first + share.count; i++)
                            times.at(test * count + i)++;
                    }
                    least = std::min(least, work);
                    most = std::max(most, work);
                }
                for (int n : times)
                    ASSERT_EQ(n, 1) << total << " shards, " << n_tests << " tests, " << count << " schedules";
                // Balanced: nobody has more than a test more, or a schedule more of each.
                ASSERT_LE(most - least, n_tests < total ? n_tests : count);
            }
}

// Until the time is up nobody knows how many: the ranges neither meet nor overflow.
TEST_F(Shard, RangesOfATimedRun)
{
    for (uint64_t total : {2, 3, 7, 1000000}) {
        uint64_t end = 0;
        for (uint64_t index = 0; index < total; index++) {
            cspt_shard shard = {index, total, "test"};
            cspt_share share = cspt_shard_share(&shard, 0, 1, UINT64_MAX);
            ASSERT_EQ(share.first, end);
            ASSERT_GT(share.count, UINT64_C(1) << 43);
            end = share.first + share.count;
        }
        ASSERT_EQ(end, UINT64_MAX);
    }
}

// What `ctest -I i,,n` runs: number i, i + n, i + 2n, ... counted from 1.
TEST_F(Shard, DealtAsCTestDoes)
{
    cspt_shard shard = {1, 3, "test"};
    std::vector<size_t> mine;
    for (size_t test = 0; test < 8; test++)
        if (cspt_shard_share(&shard, test, 8, 1).count)
            mine.push_back(test + 1);
    EXPECT_EQ(mine, (std::vector<size_t>{2, 5, 8}));
    EXPECT_EQ(cspt_shard_tests(&shard, 8, 1), 3u);
}

TEST_F(Shard, Description)
{
    auto describe = [](uint64_t index, uint64_t total, size_t n_tests, uint64_t count) {
        cspt_shard shard = {index, total, "CSP_SHARD"};
        char *line = cspt_shard_describe(&shard, n_tests, count);
        std::string text = line ? line : "";
        free(line);
        return text;
    };
    EXPECT_EQ(describe(0, 1, 5, 100), "");
    EXPECT_EQ(describe(1, 4, 10, 100), "shard 2/4 (CSP_SHARD): 3 of 10 tests");
    EXPECT_EQ(describe(3, 4, 0, 100), "shard 4/4 (CSP_SHARD): 0 of 0 tests");
    EXPECT_EQ(describe(2, 3, 1, 100), "shard 3/3 (CSP_SHARD): 1 of 1 test, 34 of 100 schedules");
    EXPECT_EQ(describe(1, 3, 2, UINT64_MAX), "shard 2/3 (CSP_SHARD): 2 of 2 tests, a part of the schedules");
    EXPECT_EQ(describe(0, 3, 2, 2), "shard 1/3 (CSP_SHARD): 0 of 2 tests");
}

TEST_F(Shard, AcknowledgedOnlyToWhomItCameFrom)
{
    std::string path = testing::TempDir() + "shard_status." + std::to_string(getpid());
    set("TEST_SHARD_STATUS_FILE", path.c_str());
    bazel("3", "1");
    auto acknowledge = [&](const char *option) {
        cspt_shard shard;
        char *error;
        const char *touched;
        EXPECT_TRUE(cspt_shard_find(option, &shard, &error));
        EXPECT_EQ(cspt_shard_acknowledge(&shard, &touched), 0);
        return touched != nullptr;
    };
    EXPECT_FALSE(acknowledge("1/2"));
    EXPECT_NE(access(path.c_str(), F_OK), 0);
    EXPECT_TRUE(acknowledge(nullptr));
    EXPECT_EQ(access(path.c_str(), F_OK), 0);
    unlink(path.c_str());
    set("TEST_SHARD_STATUS_FILE", "/no/such/folder/file");
    cspt_shard shard;
    char *error;
    const char *touched;
    ASSERT_TRUE(cspt_shard_find(nullptr, &shard, &error));
    EXPECT_EQ(cspt_shard_acknowledge(&shard, &touched), ENOENT);
    EXPECT_STREQ(touched, "/no/such/folder/file");
}

} // namespace
