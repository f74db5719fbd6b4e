// discover_test.cc - the tests that googletest and CTest list, and the command line's words.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
extern "C" {
#include "command/test_options.h"
#include "explore/discover.h"
}

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace
{

std::vector<std::string> names(std::string text)
{
    cspt_argv found = cspt_googletest_names(text.data());
    return std::vector<std::string>(found.items, found.items + found.count);
}

using Names = std::vector<std::string>;

TEST(Discover, GoogletestNames)
{
    EXPECT_EQ(names("Running main() from gtest_main.cc\nQueue.\n  Push\n  Pop\r\nI/Sized/0.  # TypeParam = int\n"
                    "  Fits/3  # GetParam() = 4\n"),
              (Names{"Queue.Push", "Queue.Pop", "I/Sized/0.Fits/3"}));
}

TEST(Discover, WhatIsNoListHasNoNames)
{
    EXPECT_EQ(names(""), Names{});
    EXPECT_EQ(names("usage: prog [options]\n  --help  this text\n"), Names{});
    EXPECT_EQ(names("  Push\nhello world.\n  indented\n.\n  x\n"), Names{});
}

TEST(Discover, CTestTests)
{
    cspt_discovery d = {};
    std::string json = R"({"kind":"ctestInfo","tests":[
        {"name":"first","command":["/bin/true","a b"],"properties":[
            {"name":"WORKING_DIRECTORY","value":"/tmp"},{"name":"ENVIRONMENT","value":["A=1","B="]},
            {"name":"SKIP_RETURN_CODE","value":77},{"name":"TIMEOUT","value":2.5},{"name":"WILL_FAIL","value":true}]},
        {"name":"off","command":["/bin/true"],"properties":[{"name":"DISABLED","value":true}]},
        {"name":"by output","command":["/bin/true"],"properties":[{"name":"PASS_REGULAR_EXPRESSION","value":["ok"]}]}]})";
    ASSERT_TRUE(cspt_ctest_tests(&d, json.data(), json.size()));
    ASSERT_EQ(d.targets.count, 3u);
    const cspt_target *t = d.targets.items;
    EXPECT_STREQ(t->name, "first");
    EXPECT_STREQ(t->command.items[1], "a b");
    EXPECT_STREQ(t->directory, "/tmp");
    EXPECT_EQ(t->environment.count, 2u);
    EXPECT_EQ(t->skip_status, 77);
    EXPECT_EQ(t->timeout_s, 2.5);
    EXPECT_TRUE(t->will_fail);
    EXPECT_FALSE(t->controlled);
    EXPECT_NE(t[1].skipped, nullptr);
    EXPECT_EQ(t[1].skip_status, -1);
    ASSERT_EQ(t[2].pass_output.count, 1u);
    EXPECT_STREQ(t[2].pass_output.items[0], "ok");
    EXPECT_EQ(t[2].fail_output.count, 0u);
    EXPECT_EQ(d.status, 0);
    EXPECT_TRUE(cspt_discover_filter(&d, "^(first|off)$"));
    EXPECT_EQ(d.targets.count, 2u);
    EXPECT_FALSE(cspt_discover_filter(&d, "("));
}

TEST(Discover, WhatIsNoPatternIsRefused)
{
    cspt_discovery d = {};
    std::string json = R"({"tests":[{"name":"t","command":["/bin/true"],"properties":[
        {"name":"FAIL_REGULAR_EXPRESSION","value":["bad","(a"]}]}]})";
    EXPECT_TRUE(cspt_ctest_tests(&d, json.data(), json.size()));
    EXPECT_EQ(d.targets.items[0].fail_output.count, 1u);
    EXPECT_EQ(d.status, 64);
}

TEST(Discover, WhatCTestDoesNotTellIsRefused)
{
    for (const std::string json : {"", "{", "[]", "{\"tests\":1}"}) {
        cspt_discovery d = {};
        EXPECT_FALSE(cspt_ctest_tests(&d, json.data(), json.size()));
    }
    cspt_discovery d = {};
    std::string odd = R"({"tests":[1,{"name":3},{"name":"no command","properties":[{"value":1},5]}]})";
    EXPECT_TRUE(cspt_ctest_tests(&d, odd.data(), odd.size()));
    EXPECT_EQ(d.targets.count, 0u);
    EXPECT_EQ(d.status, 64);
}

// --- the command line ---------------------------------------------------------------------------------------------------------

std::string groups(std::vector<const char *> words)
{
    cspt_test_options o;
    int status;
    words.insert(words.begin(), "csp test");
    int n = (int)words.size();
    words.push_back(nullptr);
    optind = 0;
    if (!cspt_test_options_parse(&o, n, const_cast<char **>(words.data()), &status))
        return "refused";
    std::string text;
    for (size_t i = 0; i < o.n_groups; i++) {
        text += i ? " |" : "";
        for (size_t k = 0; k < o.groups[i].count; k++)
            text += std::string(i || k ? " " : "") + o.groups[i].words[k];
    }
    return text;
}

TEST(TestOptions, Words)
{
    EXPECT_EQ(groups({"a", "b"}), "a b");
    EXPECT_EQ(groups({"--", "a", "--", "b"}), "a -- b");
    EXPECT_EQ(groups({"a", "b", "--"}), "a | b");
    EXPECT_EQ(groups({"-n3", "a", "--", "b", "-c"}), "a | b -c");
    EXPECT_EQ(groups({"a", "-x", "--", "b"}), "a -x -- b");
    EXPECT_EQ(groups({}), "refused");
    EXPECT_EQ(groups({"--strategy", "best", "a"}), "refused");
    EXPECT_EQ(groups({"--seed=-1", "a"}), "refused");
    EXPECT_EQ(groups({"--seed=18446744073709551615", "a"}), "a");
    EXPECT_EQ(groups({"--seed=18446744073709551616", "a"}), "refused");
}

TEST(TestOptions, Durations)
{
    double s = 0;
    EXPECT_TRUE(cspt_parse_duration("10s", &s));
    EXPECT_EQ(s, 10);
    EXPECT_TRUE(cspt_parse_duration("5m", &s));
    EXPECT_EQ(s, 300);
    EXPECT_TRUE(cspt_parse_duration("1.5h", &s));
    EXPECT_EQ(s, 5400);
    EXPECT_TRUE(cspt_parse_duration("250ms", &s));
    EXPECT_EQ(s, 0.25);
    EXPECT_TRUE(cspt_parse_duration("7", &s));
    EXPECT_EQ(s, 7);
    for (const char *wrong : {"", "s", "-1s", "0", "0s", "10 s", "10sec", "1e400", "nan", "inf", "0x10s", ".5s"})
        EXPECT_FALSE(cspt_parse_duration(wrong, &s)) << wrong;
}

} // namespace
