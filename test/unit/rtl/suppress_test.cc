// suppress_test.cc - suppression patterns and files.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gtest/gtest.h>

extern "C" {
#include "report/suppress.h"
}

namespace
{

TEST(Suppress, SubstringByDefault)
{
    EXPECT_TRUE(cspr_suppress_pattern("foo", "foo"));
    EXPECT_TRUE(cspr_suppress_pattern("foo", "a_foo_b"));
    EXPECT_FALSE(cspr_suppress_pattern("foo", "fo"));
    EXPECT_TRUE(cspr_suppress_pattern("oo", "ooo"));
}

TEST(Suppress, Anchors)
{
    EXPECT_TRUE(cspr_suppress_pattern("^foo", "foobar"));
    EXPECT_FALSE(cspr_suppress_pattern("^foo", "a_foo"));
    EXPECT_TRUE(cspr_suppress_pattern("foo$", "a_foo"));
    EXPECT_FALSE(cspr_suppress_pattern("foo$", "foobar"));
    EXPECT_TRUE(cspr_suppress_pattern("^foo$", "foo"));
    EXPECT_FALSE(cspr_suppress_pattern("^foo$", "foofoo"));
    EXPECT_TRUE(cspr_suppress_pattern("foo$", "foofoo"));
}

TEST(Suppress, Stars)
{
    EXPECT_TRUE(cspr_suppress_pattern("a*c", "xabcx"));
    EXPECT_TRUE(cspr_suppress_pattern("a*c", "ac"));
    EXPECT_FALSE(cspr_suppress_pattern("a*c", "ab"));
    EXPECT_TRUE(cspr_suppress_pattern("^a*c$", "abcbc"));
    EXPECT_FALSE(cspr_suppress_pattern("^a*c$", "abcd"));
    EXPECT_TRUE(cspr_suppress_pattern("*", ""));
    EXPECT_TRUE(cspr_suppress_pattern("^lib*.so*", "libz.so.1"));
    EXPECT_FALSE(cspr_suppress_pattern("^ab*b$", "ab")); // the two b are not the same one
    EXPECT_TRUE(cspr_suppress_pattern("a*b*a", "abba"));
}

TEST(Suppress, File)
{
    const char *why = nullptr;
    EXPECT_EQ(cspr_suppress_add("# comment\n\n  race:^worker$  \r\nleak:results\nrace_top:memcpy", &why), 0u);
    EXPECT_TRUE(cspr_suppressed(CSPR_SUPPRESS_RACE, "worker"));
    EXPECT_FALSE(cspr_suppressed(CSPR_SUPPRESS_RACE, "worker2"));
    EXPECT_FALSE(cspr_suppressed(CSPR_SUPPRESS_LEAK, "worker"));
    EXPECT_TRUE(cspr_suppressed(CSPR_SUPPRESS_LEAK, "get_results"));
    EXPECT_TRUE(cspr_suppressed(CSPR_SUPPRESS_RACE_TOP, "memcpy"));
    EXPECT_FALSE(cspr_suppressed(CSPR_SUPPRESS_RACE, nullptr));
    EXPECT_FALSE(cspr_suppress_any(CSPR_SUPPRESS_DEADLOCK));
}

TEST(Suppress, MalformedLinesAreNumbered)
{
    const char *why = nullptr;
    EXPECT_EQ(cspr_suppress_add("race:x\n\nworker\n", &why), 3u);
    EXPECT_STREQ(why, "expected type:pattern");
    EXPECT_EQ(cspr_suppress_add("races:x", &why), 1u);
    EXPECT_NE(std::string(why).find("unknown type"), std::string::npos);
    EXPECT_EQ(cspr_suppress_add("# ok\nrace:", &why), 2u);
    EXPECT_STREQ(why, "the pattern is empty");
}

} // namespace
