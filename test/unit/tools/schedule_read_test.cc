// schedule_read_test.cc - schedule files: both forms, what is taken from them, and any bytes in their place.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
extern "C" {
#include "replay/schedule_read.h"
}

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>
#include <vector>

namespace
{

class Schedule : public testing::Test
{
  protected:
    void SetUp() override
    {
        int fd = mkstemp(path);
        ASSERT_GE(fd, 0);
        close(fd);
    }
    void TearDown() override
    {
        cspt_schedule_fini(&s);
        unlink(path);
    }
    // "" when it is one, else what is wrong, without the path.
    std::string read(const std::string &text)
    {
        FILE *out = fopen(path, "w");
        fwrite(text.data(), 1, text.size(), out);
        fclose(out);
        char *error = nullptr;
        cspt_schedule_fini(&s);
        if (cspt_schedule_read(&s, path, &error))
            return "";
        std::string result = error;
        free(error);
        EXPECT_EQ(result.rfind(path, 0), 0u);
        return result.substr(std::string(path).size());
    }
    char path[32] = "/tmp/schedule_test.XXXXXX";
    cspt_schedule s = {};
};

const std::string kHead = "cspthread schedule 1\nprogram: /bin/q\nbuild-id: 5f3a\narguments: [\"-n\",\"a \\\"b\\\"\"]\n"
                          "options: schedule_points=sync\nstrategy: pct\nseed: 18446744073709551615\nfuture: x\n"
                          "module: 0 /bin/q\nmodule: 1 /lib/libc.so.6\n\n";

TEST_F(Schedule, Steps)
{
    ASSERT_EQ(read(kHead + "1 0 go 0 0+4f10\n2 0 none 0 -|2 9f3c01aa\n2 1 send 3 1+4e21\nclock|2 9f3c01aa\nchoose 1|3\n"
                           "choose 0|3\n# a note\n1 1 recv 3 0+4f10|3 0\n! data race\tdata race q.c:12 in push\n"
                           "1 2 recv 3 0+4f10\n! leak\tanother\n"),
              "");
    EXPECT_STREQ(s.program, "/bin/q");
    EXPECT_STREQ(s.build_id, "5f3a");
    EXPECT_STREQ(s.strategy, "pct");
    EXPECT_EQ(s.seed, UINT64_MAX);
    ASSERT_EQ(s.command.count, 3u);
    EXPECT_STREQ(s.command.items[0], "/bin/q");
    EXPECT_STREQ(s.command.items[2], "a \"b\"");
    EXPECT_STREQ(s.kind, "data race");
    EXPECT_STREQ(s.title, "data race q.c:12 in push");
    ASSERT_EQ(s.n_steps, 5u);
    EXPECT_EQ(s.n_until_finding, 4u);
    EXPECT_STREQ(s.steps[2].op, "send");
    EXPECT_EQ(s.steps[2].task, 2u);
    EXPECT_EQ(s.steps[2].points, 1u);
    EXPECT_EQ(s.steps[2].object, 3u);
    EXPECT_STREQ(s.places[s.steps[2].place].module, "/lib/libc.so.6");
    EXPECT_EQ(s.places[s.steps[2].place].offset, 0x4e21u);
    EXPECT_EQ(s.places[s.steps[1].place].module, nullptr);
    EXPECT_EQ(s.n_places, 3u); // each once
    EXPECT_EQ(s.steps[0].place, s.steps[3].place);
    // Decisions before each step, and in all: the clock and numbers count.
    EXPECT_EQ(s.steps[1].decisions, 0u);
    EXPECT_EQ(s.steps[2].decisions, 1u);
    EXPECT_EQ(s.steps[3].decisions, 4u);
    EXPECT_EQ(s.decisions, 5u);
    // To 1 at first, to 2, a timer, a number that is not 0, to 1.
    ASSERT_EQ(s.n_switches, 5u);
    EXPECT_EQ(s.switches[1].task, 1u);
    EXPECT_EQ(s.switches[1].points, 1u);
    EXPECT_EQ(s.switches[1].value, 2u);
    EXPECT_EQ(s.switches[2].kind, cspt_switch::CSPT_SWITCH_CLOCK);
    EXPECT_EQ(s.switches[3].kind, cspt_switch::CSPT_SWITCH_NUMBER);
    EXPECT_EQ(s.switches[3].value, 1u);
    EXPECT_EQ(s.switches[4].task, 2u);
    EXPECT_EQ(s.switches[4].points, 2u);
}

TEST_F(Schedule, SwitchesAreWrittenAndReadBack)
{
    ASSERT_EQ(read(kHead + "1 0 go 0 0+4f10\n2 0 none 0 -|2 9f3c01aa\nclock|2 9f3c01aa\nchoose 2|3\n1 1 recv 3 -\n"),
              "");
    const bool keep[] = {false, true, true, true, false};
    ASSERT_EQ(s.n_switches, 5u);
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    cspt_schedule_write_switches(out, &s, keep);
    fclose(out);
    std::string written = text;
    free(text);
    EXPECT_NE(written.find("\n\n1 1 -> 2\n2 1 -> clock\n2 1 = 2\n"), std::string::npos) << written;
    ASSERT_EQ(read(written), "");
    EXPECT_TRUE(s.is_switches);
    EXPECT_EQ(s.n_switches, 3u);
    EXPECT_EQ(s.n_steps, 0u);
    EXPECT_STREQ(s.command.items[2], "a \"b\"");
    EXPECT_EQ(s.switches[2].kind, cspt_switch::CSPT_SWITCH_NUMBER);
    EXPECT_EQ(s.switches[2].points, 1u);
}

TEST_F(Schedule, CutOff)
{
    // By a kill: in the middle of a line, with the room that was set aside behind it.
    ASSERT_EQ(read(kHead + "1 0 go 0 0+4f10\n2 0 se" + std::string(1000, '\0')), "");
    EXPECT_EQ(s.n_steps, 1u);
    ASSERT_EQ(read(kHead), "");
    EXPECT_EQ(s.n_steps, 0u);
}

TEST_F(Schedule, WhatIsNone)
{
    EXPECT_EQ(read(""), ":1: it ends within its head");
    EXPECT_EQ(read("cspthread schedule 2\n\n"), ":1: it does not begin with `cspthread schedule 1`");
    EXPECT_EQ(read("cspthread schedule 1\n\n"), ":3: it does not say which program");
    EXPECT_EQ(read(kHead + "1 0 go 0 0+zz\n"), ":12: not a step");
    EXPECT_EQ(read(kHead + "1 0 go 0 64+1\n"), ":12: not a step");
    EXPECT_EQ(read(kHead + "-1 0 go 0 0+1\n"), ":12: not a step");
    EXPECT_EQ(read(kHead + "4294967296 0 go 0 0+1\n"), ":12: not a step");
    EXPECT_EQ(read(kHead + "1 0 go 0 0+1|\n"), ":12: not a step");
    EXPECT_EQ(read(kHead + "1 0 go 0 0+1 \n"), ":12: not a step");
    EXPECT_EQ(read("cspthread schedule 1\nseed: x\n\n"), ":2: not a line of its head");
    char *error = nullptr;
    EXPECT_FALSE(cspt_schedule_read(&s, "/nonexistent/x", &error));
    EXPECT_STREQ(error, "/nonexistent/x: No such file or directory");
    free(error);
}

TEST_F(Schedule, AnyBytes)
{
    const std::string good = kHead + "1 0 go 0 0+4f10\n2 0 none 0 -|2 9f3c01aa\nclock|2 9f3c01aa\nchoose 2|3\n! a\tb\n";
    uint64_t state = 1;
    for (int round = 0; round < 300; round++) {
        std::string text = good;
        for (int i = 0; i < 3; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            text[(state >> 33) % text.size()] = "\0\n|+- 09af!#:\xff"[state >> 50 & 15];
        }
        (void)read(text);
    }
}

} // namespace
