// ci_test.cc - what the environment asks of csp test, and what the programs under test do not get to see of it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
extern "C" {
#include "results/ci.h"
}

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <unistd.h>

namespace
{

TEST(Ci, NothingSet)
{
    clearenv();
    cspt_ci ci;
    cspt_ci_read(&ci);
    EXPECT_EQ(ci.junit, nullptr);
    EXPECT_EQ(ci.repetition, 0u);
    EXPECT_EQ(ci.jobs, 0u);
    EXPECT_FALSE(ci.github);
    EXPECT_EQ(cspt_ci_seed(&ci, 42), 42u);
    cspt_ci_begin(&ci);
    cspt_ci_finish(&ci);
}

TEST(Ci, BazelsVariables)
{
    clearenv();
    setenv("XML_OUTPUT_FILE", "/tmp/x.xml", 1);
    setenv("TEST_UNDECLARED_OUTPUTS_DIR", "/tmp/kept", 1);
    setenv("TESTBRIDGE_TEST_ONLY", "Queue.*", 1);
    setenv("TEST_TMPDIR", "", 1);
    cspt_ci ci;
    cspt_ci_read(&ci);
    cspt_ci_hide_from_tests();
    EXPECT_STREQ(ci.junit, "/tmp/x.xml");
    EXPECT_STREQ(ci.artifacts, "/tmp/kept");
    EXPECT_STREQ(ci.only, "Queue.*");
    EXPECT_EQ(ci.temporary, nullptr);
    EXPECT_EQ(getenv("XML_OUTPUT_FILE"), nullptr);
    EXPECT_EQ(getenv("TESTBRIDGE_TEST_ONLY"), nullptr);
    EXPECT_NE(getenv("TEST_UNDECLARED_OUTPUTS_DIR"), nullptr);
}

TEST(Ci, EachRepetitionItsOwnSeed)
{
    std::set<uint64_t> seeds;
    for (const char *name : {"TEST_RUN_NUMBER", "TEST_RANDOM_SEED"}) {
        clearenv();
        seeds.clear();
        for (int run = 1; run <= 100; run++) {
            setenv(name, std::to_string(run).c_str(), 1);
            cspt_ci ci;
            cspt_ci_read(&ci);
            EXPECT_EQ(ci.repetition, static_cast<uint64_t>(run));
            uint64_t seed = cspt_ci_seed(&ci, 7);
            EXPECT_EQ(seed == 7, run == 1);
            seeds.insert(seed);
        }
        EXPECT_EQ(seeds.size(), 100u);
    }
    setenv("TEST_RANDOM_SEED", "12x", 1);
    cspt_ci ci;
    cspt_ci_read(&ci);
    EXPECT_EQ(ci.repetition, 0u);
}

TEST(Ci, SlotsThatCTestGave)
{
    clearenv();
    setenv("CTEST_RESOURCE_GROUP_COUNT", "2", 1);
    setenv("CTEST_RESOURCE_GROUP_0", "cpus", 1);
    setenv("CTEST_RESOURCE_GROUP_0_CPUS", "id:3,slots:2;id:4,slots:1", 1);
    setenv("CTEST_RESOURCE_GROUP_1", "gpus", 1);
    setenv("CTEST_RESOURCE_GROUP_1_GPUS", "id:0,slots:9", 1);
    cspt_ci ci;
    cspt_ci_read(&ci);
    EXPECT_EQ(ci.jobs, 3u);
}

TEST(Ci, GitHubOnlyWhenItSaysTrue)
{
    clearenv();
    setenv("GITHUB_ACTIONS", "false", 1);
    setenv("GITHUB_WORKSPACE", "/w", 1);
    setenv("TEST_SRCDIR", "/s", 1);
    cspt_ci ci;
    cspt_ci_read(&ci);
    EXPECT_FALSE(ci.github);
    EXPECT_STREQ(ci.source_root, "/w");
    setenv("GITHUB_ACTIONS", "true", 1);
    cspt_ci_read(&ci);
    EXPECT_TRUE(ci.github);
}

TEST(Ci, UnfinishedUntilTheEnd)
{
    clearenv();
    std::string path = testing::TempDir() + "unfinished." + std::to_string(getpid());
    setenv("TEST_PREMATURE_EXIT_FILE", path.c_str(), 1);
    cspt_ci ci;
    cspt_ci_read(&ci);
    cspt_ci_begin(&ci);
    EXPECT_EQ(access(path.c_str(), F_OK), 0);
    cspt_ci_finish(&ci);
    EXPECT_NE(access(path.c_str(), F_OK), 0);
}

} // namespace
