// schedule_text_test.cc - schedule files read from any bytes: good ones, cut ones, hostile ones.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gtest/gtest.h>

#include <string>
#include <vector>

extern "C" {
#include "control/schedule_text.h"
#include "hooks.h"
}

struct Parsed {
    bool good;
    cspr_schedule schedule;
    std::vector<cspr_step> steps;
};

static Parsed parse(const std::string &text)
{
    Parsed p;
    p.steps.resize(cspr_schedule_count_lines(text.data(), text.size()) + 1);
    p.good = cspr_schedule_parse(text.data(), text.size(), p.steps.data(), &p.schedule);
    return p;
}

static const std::string head = "cspthread schedule 1\nseed: 42\nmodule: 3 /bin/x\nunknown: thing\n\n";

TEST(ScheduleText, Head)
{
    Parsed p =
        parse("cspthread schedule 1\nseed: 18446744073709551615\nprogram: /a b\nbuild-id: 5f\nmodule: 63 /lib/y\n\n");
    ASSERT_TRUE(p.good);
    EXPECT_EQ(p.schedule.seed, UINT64_MAX);
    EXPECT_EQ(std::string(p.schedule.program.p, p.schedule.program.n), "/a b");
    EXPECT_EQ(std::string(p.schedule.modules[63].p, p.schedule.modules[63].n), "/lib/y");
    EXPECT_EQ(p.schedule.n_steps, 0u);
}

TEST(ScheduleText, Steps)
{
    Parsed p = parse(head + "1 0 go 0 3+4f10\n2 7 send 5 -|12 9f3c01aa\nclock|2 ff\nchoose 1|3\n! data race\tx\n");
    ASSERT_TRUE(p.good) << p.schedule.error;
    ASSERT_EQ(p.schedule.n_steps, 4u);
    EXPECT_EQ(p.steps[0].kind, CSPR_STEP_EXECUTED);
    EXPECT_EQ(p.steps[0].op, CSP_OP_GO);
    EXPECT_EQ(p.steps[0].module, 3);
    EXPECT_EQ(p.steps[0].offset, 0x4f10u);
    EXPECT_EQ(p.steps[0].n, 1u);
    EXPECT_EQ(p.steps[1].task, 2u);
    EXPECT_EQ(p.steps[1].points, 7u);
    EXPECT_EQ(p.steps[1].object, 5u);
    EXPECT_EQ(p.steps[1].module, -1);
    EXPECT_EQ(p.steps[1].n, 12u);
    EXPECT_EQ(p.steps[1].hash, 0x9f3c01aau);
    EXPECT_EQ(p.steps[2].kind, CSPR_STEP_CLOCK);
    EXPECT_EQ(p.steps[3].kind, CSPR_STEP_NUMBER);
    EXPECT_EQ(p.steps[3].value, 1u);
}

TEST(ScheduleText, Switches)
{
    Parsed p = parse("cspthread schedule 1\nform: switches\n\n2 7 -> 3\n2 7 -> clock\n0 0 = 4\n");
    ASSERT_TRUE(p.good) << p.schedule.error;
    ASSERT_EQ(p.schedule.n_steps, 3u);
    EXPECT_EQ(p.steps[0].kind, CSPR_STEP_SWITCH);
    EXPECT_EQ(p.steps[0].value, 3u);
    EXPECT_EQ(p.steps[1].kind, CSPR_STEP_SWITCH_CLOCK);
    EXPECT_EQ(p.steps[2].kind, CSPR_STEP_SET_NUMBER);
}

TEST(ScheduleText, WhatAKilledProcessLeaves)
{
    Parsed p = parse(head + "1 0 go 0 -\n1 1 send 3 0+12" + std::string(4096, '\0'));
    ASSERT_TRUE(p.good);
    EXPECT_EQ(p.schedule.n_steps, 2u); // its last line may be short, and still be one
    p = parse(head + "1 0 go 0 -\n1 1 sen" + std::string(4096, '\0'));
    ASSERT_TRUE(p.good);
    EXPECT_EQ(p.schedule.n_steps, 1u);
}

TEST(ScheduleText, RefusedWithTheLine)
{
    const struct {
        std::string text;
        size_t line;
    } bad[] = {
        {"", 1},
        {"cspthread schedule 2\n\n", 1},
        {"cspthread schedule 1\nseed: x\n\n", 2},
        {"cspthread schedule 1\nseed: 18446744073709551616\n\n", 2},
        {"cspthread schedule 1\nmodule: 64 x\n\n", 2},
        {"cspthread schedule 1\nnonsense\n\n", 2},
        {head + "1 0 fly 0 -\n\n", 6},
        {head + "1 0 go 0 -\n4294967296 0 go 0 -\n\n", 7},
        {head + "1 0 go 0 -|0 12\n\n", 6},
        {head + "choose 3|3\n\n", 6},
        {head + "2 7 -> 3\n\n", 6},
        {head + "1 0\n\n", 6},
    };
    for (const auto &b : bad) {
        Parsed p = parse(b.text);
        EXPECT_FALSE(p.good) << b.text;
        EXPECT_EQ(p.schedule.line, b.line) << b.text;
        EXPECT_NE(p.schedule.error, nullptr);
    }
}
