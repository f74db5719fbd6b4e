// flags_test.cc - the parser of CSPTHREAD_OPTIONS.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gtest/gtest.h>

extern "C" {
#include "flags.h"
}

namespace
{

cspr_flags_t parse(const char *text, int wrong = 0)
{
    cspr_flags_t flags;
    cspr_flags_defaults(&flags);
    EXPECT_EQ(cspr_flags_parse(&flags, text, "test"), wrong) << text;
    return flags;
}

TEST(Flags, Defaults)
{
    cspr_flags_t flags = parse("");
    EXPECT_EQ(flags.exitcode, 66);
    EXPECT_FALSE(flags.halt_on_error);
    EXPECT_TRUE(flags.detect_leaks);
    EXPECT_STREQ(flags.log_path, "stderr");
    EXPECT_EQ(flags.leak_grace_ms, 1000);
}

TEST(Flags, AllSeparators)
{
    cspr_flags_t flags = parse("exitcode=1,halt_on_error=1:verbosity=2 color=never\ndetect_leaks=0,,  :\n");
    EXPECT_EQ(flags.exitcode, 1);
    EXPECT_TRUE(flags.halt_on_error);
    EXPECT_EQ(flags.verbosity, 2);
    EXPECT_STREQ(flags.color, "never");
    EXPECT_FALSE(flags.detect_leaks);
}

TEST(Flags, QuotesKeepSeparators)
{
    EXPECT_STREQ(parse("log_path=\"/tmp/a b:c,d\" exitcode=3").log_path, "/tmp/a b:c,d");
    EXPECT_STREQ(parse("suppressions='x y'").suppressions, "x y");
    EXPECT_EQ(parse("log_path=\"a\" exitcode=3").exitcode, 3);
}

TEST(Flags, BooleansInAllSpellings)
{
    for (const char *yes : {"stats=1", "stats=true", "stats=yes", "stats=on"})
        EXPECT_TRUE(parse(yes).stats) << yes;
    for (const char *no : {"report_bugs=0", "report_bugs=false", "report_bugs=no", "report_bugs=off"})
        EXPECT_FALSE(parse(no).report_bugs) << no;
}

TEST(Flags, LastOneWins)
{
    EXPECT_EQ(parse("exitcode=1 exitcode=2").exitcode, 2);
}

TEST(Flags, MalformedValuesAreCountedAndSkipped)
{
    testing::internal::CaptureStderr();
    cspr_flags_t flags = parse("exitcode=12x exitcode= verbosity=99999999999 stats=maybe color=never", 4);
    std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(flags.exitcode, 66);
    EXPECT_EQ(flags.verbosity, 0);
    EXPECT_STREQ(flags.color, "never");
    EXPECT_NE(said.find("CspThreadSanitizer: test: malformed value exitcode=12x (a whole number is wanted)\n"),
              said.npos)
        << said;
    EXPECT_NE(said.find("stats=maybe (0 or 1 is wanted)"), said.npos) << said;
}

TEST(Flags, UnknownOptionsAreNamed)
{
    testing::internal::CaptureStderr();
    EXPECT_EQ(parse("exitcod=1 exitcode=5 history", 2).exitcode, 5);
    std::string said = testing::internal::GetCapturedStderr();
    EXPECT_NE(said.find("unknown option 'exitcod'"), said.npos) << said;
    EXPECT_NE(said.find("expected name=value, got 'history'"), said.npos) << said;
}

TEST(Flags, OpenQuoteIsNamed)
{
    testing::internal::CaptureStderr();
    parse("log_path=\"/tmp/x exitcode=1", 1);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("quote not closed"), std::string::npos);
}

TEST(Flags, NegativeNumber)
{
    EXPECT_EQ(parse("exitcode=-1").exitcode, -1);
}

} // namespace
