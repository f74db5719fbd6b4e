// verdict_test.cc - which ends of a run are findings, and which of these are the same one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
extern "C" {
#include "explore/verdict.h"
}

#include <gtest/gtest.h>

#include <csignal>
#include <string>

namespace
{

constexpr int exited(int status)
{
    return status << 8;
}

struct Verdict {
    Verdict(const cspt_target &t, const cspt_end &end)
    {
        found = cspt_verdict(&t, &end, &finding);
    }
    Verdict(int wait_status, const char *output)
        : Verdict(cspt_target{}, cspt_end{wait_status, false, 0, false, output})
    {
    }
    ~Verdict()
    {
        if (found)
            cspt_finding_drop(&finding);
    }
    std::string print() const
    {
        return found ? finding.fingerprint : "none";
    }
    bool found;
    cspt_finding finding = {};
};

cspt_target plain()
{
    cspt_target t = {};
    t.skip_status = -1;
    return t;
}

bool fails(const cspt_target &t, int wait_status, bool has_findings = false)
{
    return Verdict(t, cspt_end{wait_status, false, 0, has_findings, nullptr}).found;
}

TEST(Verdict, Statuses)
{
    cspt_target t = plain();
    EXPECT_FALSE(fails(t, exited(0)));
    EXPECT_TRUE(fails(t, exited(1)));
    EXPECT_TRUE(fails(t, exited(66)));
    EXPECT_FALSE(fails(t, exited(66), true));
    EXPECT_TRUE(fails(t, exited(2)));
    EXPECT_FALSE(fails(t, exited(2), true));
    EXPECT_TRUE(fails(t, SIGSEGV));
    EXPECT_TRUE(fails(t, SIGSEGV, true));
}

TEST(Verdict, WhatCTestExpects)
{
    cspt_target t = plain();
    t.will_fail = true;
    EXPECT_TRUE(fails(t, exited(0)));
    EXPECT_FALSE(fails(t, exited(1)));
    EXPECT_TRUE(fails(t, SIGABRT));
    EXPECT_TRUE(fails(t, exited(66)));
    t = plain();
    t.skip_status = 77;
    EXPECT_FALSE(fails(t, exited(77)));
    EXPECT_TRUE(fails(t, exited(76)));
}

TEST(Verdict, WhatATestMustWrite)
{
    auto wrong = [](const cspt_target &t, int status, const char *output) {
        return Verdict(t, cspt_end{exited(status), false, 0, false, output, true}).print() != "none";
    };
    cspt_target t = plain();
    cspt_argv_push(&t.pass_output, "^sum = [0-9]+");
    cspt_argv_push(&t.pass_output, "{all}");
    EXPECT_FALSE(wrong(t, 0, "sum = 3\n"));
    EXPECT_FALSE(wrong(t, 1, "sum = 3\n")); // then the status does not count
    EXPECT_FALSE(wrong(t, 0, "it is {all} there\n"));
    EXPECT_TRUE(wrong(t, 0, "the sum = 3\n"));
    EXPECT_TRUE(wrong(t, 0, nullptr));
    EXPECT_TRUE(fails(t, SIGABRT));
    EXPECT_FALSE(fails(t, exited(0))); // what it wrote is not known
    cspt_argv_push(&t.fail_output, "lost|[{]");
    EXPECT_TRUE(wrong(t, 0, "sum = 3, one lost"));
    EXPECT_TRUE(wrong(t, 0, "{all}"));
    t.pass_output.count = 0;
    EXPECT_FALSE(wrong(t, 0, "fine"));
    EXPECT_TRUE(wrong(t, 1, "fine")); // then it does
    t.will_fail = true;
    EXPECT_FALSE(wrong(t, 0, "lost"));
    EXPECT_FALSE(wrong(t, 1, "fine"));
    EXPECT_TRUE(wrong(t, 0, "fine"));
    cspt_argv_fini(&t.pass_output);
    cspt_argv_fini(&t.fail_output);
}

TEST(Verdict, TimeOut)
{
    Verdict v(plain(), cspt_end{SIGKILL, true, 60, false, nullptr});
    ASSERT_TRUE(v.found);
    EXPECT_STREQ(v.finding.kind, "timeout");
    EXPECT_STREQ(v.finding.title, "still running after 60 s");
}

TEST(Verdict, ReasonsTellApart)
{
    Verdict a(SIGABRT, "x\nprog: a.c:12: push: Assertion `n < 10' failed.\n"),
        b(SIGABRT, "pid 7 here\nprog: a.c:14: push: Assertion `n < 10' failed.\nmore\n"),
        c(SIGABRT, "prog: a.c:12: push: Assertion `full' failed.\n"), d(SIGABRT, nullptr),
        e(SIGABRT, "prog: /home/me/src/a.c:12: push: Assertion `n < 10' failed.\n");
    EXPECT_STREQ(a.finding.title, "killed by signal 6 (Aborted): prog: a.c:12: push: Assertion `n < 10' failed.");
    EXPECT_EQ(a.print(), b.print()); // an edit above it
    EXPECT_EQ(a.print(), e.print()); // another checkout
    EXPECT_NE(a.print(), c.print());
    EXPECT_NE(a.print(), d.print());
}

TEST(Verdict, GoogletestFailures)
{
    Verdict a(exited(1),
              "[ RUN ] A.B\na_test.cc:12: Failure\nExpected equality of these values:\n  n\n    Which is: 3\n"),
        b(exited(1), "a_test.cc:19: Failure\nExpected equality of these values:\n  n\n    Which is: 4\n"),
        c(exited(1), "a_test.cc:12: Failure\nExpected equality of these values:\n  m\n    Which is: 3\n");
    EXPECT_STREQ(a.finding.title, "exited with status 1: a_test.cc:12: Failure");
    EXPECT_EQ(a.print(), b.print());
    EXPECT_NE(a.print(), c.print());
}

} // namespace
