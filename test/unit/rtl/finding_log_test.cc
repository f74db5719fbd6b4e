// finding_log_test.cc - text as JSON: what a report may contain must not break the line it is written in.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gtest/gtest.h>

#include <string>

extern "C" {
#include "report/finding_log.h"
}

static std::string json(const std::string &text)
{
    cspr_text t = {};
    cspr_json_bytes(&t, text.data(), text.size());
    std::string result(t.data, t.len);
    cspr_text_fini(&t);
    return result;
}

TEST(FindingLog, PlainTextStaysAsItIs)
{
    EXPECT_EQ(json("push at q.c:12"), "\"push at q.c:12\"");
    EXPECT_EQ(json(""), "\"\"");
}

TEST(FindingLog, QuotesAndControlsAreEscaped)
{
    EXPECT_EQ(json("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(json("a\nb\tc\rd"), R"("a\nb\tc\rd")");
    EXPECT_EQ(json(std::string("a\0b\x01\x1f\x7f", 6)), R"("a\u0000b\u0001\u001f\u007f")");
}

TEST(FindingLog, ColoursAreLeftOut)
{
    EXPECT_EQ(json("\033[1;31mred\033[0m"), "\"red\"");
    EXPECT_EQ(json("\033[2J"), R"("\u001b[2J")");
    EXPECT_EQ(json("\033[1;3"), R"("\u001b[1;3")");
    EXPECT_EQ(json("\033"), R"("\u001b")");
}

TEST(FindingLog, Utf8IsKept)
{
    for (const char *text : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x9b", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
        EXPECT_EQ(json(text), "\"" + std::string(text) + "\"");
}

TEST(FindingLog, WhatIsNoUtf8IsReplacedByteByByte)
{
    const std::string r = "\xef\xbf\xbd";
    EXPECT_EQ(json("\xff"), "\"" + r + "\"");
    EXPECT_EQ(json("\xc3"), "\"" + r + "\"");         // cut off
    EXPECT_EQ(json("\xc3\"x"), "\"" + r + "\\\"x\""); // the quote is no continuation
    EXPECT_EQ(json("\xc0\xaf"), "\"" + r + r + "\""); // overlong
    EXPECT_EQ(json("\xe0\x80\x80"), "\"" + r + r + r + "\"");
    EXPECT_EQ(json("\xed\xa0\x80"), "\"" + r + r + r + "\""); // a surrogate
    EXPECT_EQ(json("\xf4\x90\x80\x80"), "\"" + r + r + r + r + "\"");
    EXPECT_EQ(json("\x80z"), "\"" + r + "z\"");
}

TEST(FindingLog, UnknownTextIsNull)
{
    cspr_text t = {};
    cspr_json_string(&t, nullptr);
    EXPECT_EQ(std::string(t.data, t.len), "null");
    cspr_text_fini(&t);
}
