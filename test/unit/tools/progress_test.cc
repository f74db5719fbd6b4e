// progress_test.cc - the bar: what it says, and that it fits every terminal.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
extern "C" {
#include "explore/progress.h"
}

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace
{

cspt_progress make(uint64_t done, uint64_t total, double elapsed_s)
{
    cspt_progress p = {};
    p.what = "schedules";
    p.done = done;
    p.total = total;
    p.elapsed_s = elapsed_s;
    p.findings = 2;
    return p;
}

std::string bar(const cspt_progress &p, unsigned columns)
{
    char *text = cspt_progress_bar(&p, columns);
    std::string result = text;
    free(text);
    return result;
}

std::string line(const cspt_progress &p)
{
    char *text = cspt_progress_line(&p);
    std::string result = text;
    free(text);
    return result;
}

TEST(Progress, SaysAllOnAWideTerminal)
{
    cspt_progress p = make(500, 1000, 2);
    p.test = "queue";
    p.tests_done = 1;
    p.tests_total = 3;
    EXPECT_EQ(bar(p, 120),
              "[####################--------------------] 500/1000  2 findings  ETA 0:02  250/s  test 2/3  queue");
}

TEST(Progress, NeverReachesTheLastColumn)
{
    for (uint64_t done : {0, 1, 999, 1000, 2000})
        for (unsigned columns = 0; columns < 200; columns++) {
            cspt_progress p = make(done, 1000, 0.5);
            p.test = "a_test_with_quite_a_long_name:Suite.TestOfSomething/WithParameters/17 \xc3\xa4\xc3\xb6";
            p.tests_total = 100;
            std::string text = bar(p, columns);
            size_t width = 0;
            for (unsigned char c : text)
                width += (c & 0xc0) != 0x80;
            EXPECT_LT(width, columns ? columns : 1) << text;
        }
}

TEST(Progress, LeavesOutTheLeastNeededFirst)
{
    cspt_progress p = make(500, 1000, 2);
    EXPECT_EQ(bar(p, 42), "500/1000  2 findings  ETA 0:02  250/s");
    EXPECT_EQ(bar(p, 30), "500/1000  2 findings  250/s");
    EXPECT_EQ(bar(p, 24), "500/1000  2 findings");
    EXPECT_EQ(bar(p, 12), "500/1000");
    EXPECT_EQ(bar(p, 3), "");
}

TEST(Progress, KnowsNoEndWithoutOne)
{
    EXPECT_EQ(bar(make(7, 0, 2), 50), "7 schedules  2 findings  ETA --:--  3.5/s");
    cspt_progress p = make(7, 0, 30);
    p.limit_s = 60;
    EXPECT_EQ(bar(p, 48), "7 schedules  2 findings  ETA 0:30  0.2/s");
    p = make(0, 10, 0);
    EXPECT_NE(bar(p, 80).find("0/10"), std::string::npos);
}

TEST(Progress, LineForLogs)
{
    cspt_progress p = make(500, 1000, 4000);
    p.test = "queue";
    EXPECT_EQ(line(p), "queue: 500 of 1000 schedules, 0.1/s, 2 findings, 1:06:40 left");
    p.findings = 1;
    p.tests_done = 1;
    p.tests_total = 3;
    EXPECT_EQ(line(p), "queue: 500 of 1000 schedules, test 2 of 3, 0.1/s, 1 finding, 1:06:40 left");
}

} // namespace
