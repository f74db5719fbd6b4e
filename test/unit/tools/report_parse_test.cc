// report_parse_test.cc - stacks read back from a report's text: frames, numbers that are none, any bytes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
extern "C" {
#include "common/number.h"
#include "explore/report_parse.h"
}

#include <gtest/gtest.h>

#include <climits>
#include <cstdint>
#include <string>

namespace
{

class Report : public testing::Test
{
  protected:
    void TearDown() override
    {
        forget();
    }
    void forget()
    {
        cspt_finding_drop(&f);
        f = {};
    }
    void read(const std::string &report)
    {
        forget();
        cspt_report_parse(&f, report.data(), report.size());
    }
    // The first frame of the first stack.
    const cspt_frame &frame(const std::string &text)
    {
        static const cspt_frame none = {};
        const std::string report =
            "WARNING: CspThreadSanitizer: data race (pid=1)\n  Write of size 8 at 0x1:\n    " + text;
        read(report);
        return f.n_stacks == 1 && f.stacks[0].n_frames == 1 ? f.stacks[0].frames[0] : none;
    }
    cspt_finding f = {};
};

TEST_F(Report, Frames)
{
    const cspt_frame &whole = frame("#0 push queue.c:12:3 (queue+0x1234)\n");
    EXPECT_STREQ(whole.function, "push");
    EXPECT_STREQ(whole.file, "queue.c");
    EXPECT_EQ(whole.line, 12u);
    EXPECT_EQ(whole.column, 3u);
    EXPECT_STREQ(whole.module, "queue");
    EXPECT_EQ(whole.offset, 0x1234u);
    EXPECT_STREQ(f.kind, "data race");
    EXPECT_STREQ(f.stacks[0].role, "write");
    EXPECT_TRUE(f.stacks[0].primary);
    EXPECT_EQ(frame("#0 push queue.c:12 (queue+0x1)\n").column, 0u);
    EXPECT_STREQ(frame("#0 push (queue+0x1)\n").function, "push");
    EXPECT_EQ(f.stacks[0].frames[0].file, nullptr);
}

// A line that is not in the file is worse than none: its text would be shown.
TEST_F(Report, LinesThatAreNone)
{
    EXPECT_EQ(frame("#0 push queue.c:4294967295:1 (q+0x1)\n").line, UINT_MAX);
    EXPECT_EQ(frame("#0 push queue.c:4294967297:1 (q+0x1)\n").line, 0u);
    EXPECT_EQ(frame("#0 push queue.c:99999999999999999999999:1 (q+0x1)\n").line, 0u);
    EXPECT_EQ(frame("#0 push queue.c:-1:1 (q+0x1)\n").line, 0u);
    EXPECT_EQ(frame("#0 push queue.c:x (q+0x1)\n").line, 0u);
    EXPECT_STREQ(f.stacks[0].frames[0].file, "queue.c");
    EXPECT_EQ(frame("#0 push queue.c:12:4294967299 (q+0x1)\n").line, 12u);
    EXPECT_EQ(f.stacks[0].frames[0].column, 0u);
}

TEST_F(Report, AnyBytes)
{
    const std::string good =
        "==================\nWARNING: CspThreadSanitizer: data race (pid=1)\n  Write of size 8 at 0x1 by "
        "main:\n    #0 push queue.c:12:3 (queue+0x1234)\n    #1 main\n\n  Previous read of size 8:\n"
        "    #0 pop q.c:1\n==================\n";
    uint64_t state = 1;
    for (int round = 0; round < 2000; round++) {
        std::string text = good;
        for (int i = 0; i < 4; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            text[(state >> 33) % text.size()] = "\0\n\033[( :#+0x9-\xff m"[state >> 50 & 15];
        }
        read(text);
        EXPECT_NE(f.kind, nullptr);
    }
}

TEST(Number, WhatIsOne)
{
    struct {
        const char *text;
        uint64_t max;
        bool is_one;
        uint64_t value;
        const char *rest;
    } const cases[] = {
        {"0", 9, true, 0, ""},     {"12:3", 99, true, 12, ":3"},
        {"10", 9, false, 0, ""},   {"18446744073709551615", UINT64_MAX, true, UINT64_MAX, ""},
        {"-1", 9, false, 0, "-1"}, {"18446744073709551616", UINT64_MAX, false, 0, ""},
        {" 1", 9, false, 0, " 1"}, {"", 9, false, 0, ""},
    };
    for (const auto &c : cases) {
        const char *at = c.text;
        uint64_t value = 0;
        EXPECT_EQ(cspt_take_number(&at, c.max, &value), c.is_one) << c.text;
        EXPECT_STREQ(at, c.rest);
        if (c.is_one) {
            EXPECT_EQ(value, c.value);
        }
    }
}

} // namespace
