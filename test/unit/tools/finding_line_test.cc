// finding_line_test.cc - what runs write to their log is read, and what they should not have written does no harm.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
extern "C" {
#include "explore/finding_line.h"
}

#include <gtest/gtest.h>

#include <string>

namespace
{

class Log
{
  public:
    explicit Log(const std::string &text)
    {
        cspt_run_log_add(&log, text.data(), text.size());
    }
    ~Log()
    {
        cspt_run_log_fini(&log);
    }
    cspt_run_log log = {};
};

const std::string race =
    "{\"type\":\"finding\",\"kind\":\"data race\",\"title\":\"data race q.c:12 in push\",\"mild\":false,"
    "\"stacks\":[{\"role\":\"write\",\"primary\":true,\"what\":\"write of size 4\",\"task\":7,"
    "\"name\":\"worker\",\"frames\":[{\"function\":\"push\",\"file\":\"/a/q.c\",\"line\":12,"
    "\"column\":3,\"start_line\":9,\"module\":\"/a/q\",\"offset\":4660,\"library\":false}]}],"
    "\"text\":\"all of it\\n\"}\n";

TEST(FindingLine, FindingAndRun)
{
    Log l(race + race +
          "{\"type\":\"run\",\"strategy\":\"pct\",\"seed\":18446744073709551615,\"points\":812,"
          "\"decisions\":301,\"tasks\":5,\"interleaving\":\"00ff00ff00ff00ff\",\"virtual_ns\":1,"
          "\"replayable\":false,\"why_not\":\"reads\\na socket\",\"diverged_at\":312}\n");
    ASSERT_EQ(l.log.n_findings, 1u);
    const cspt_finding *f = &l.log.findings[0];
    EXPECT_EQ(f->times, 2u);
    EXPECT_STREQ(f->kind, "data race");
    EXPECT_STREQ(f->text, "all of it\n");
    EXPECT_EQ(f->stacks[0].frames[0].start_line, 9u);
    EXPECT_STREQ(f->stacks[0].task_name, "worker");
    EXPECT_EQ(l.log.malformed, 0u);
    EXPECT_STREQ(l.log.run.strategy, "pct");
    EXPECT_EQ(l.log.run.points, 812u);
    EXPECT_EQ(l.log.run.interleaving, UINT64_C(0x00ff00ff00ff00ff));
    EXPECT_FALSE(l.log.run.replayable);
    EXPECT_STREQ(l.log.run.why_not, "reads a socket");
    EXPECT_EQ(l.log.run.diverged_at, 312u);
}

TEST(FindingLine, LastLineMayHaveNoEnd)
{
    Log l(race.substr(0, race.size() - 1));
    EXPECT_EQ(l.log.n_findings, 1u);
}

TEST(FindingLine, NonsenseIsCountedAndLeftOut)
{
    Log l(std::string(
              "\n\n{}\n[]\n1\nnull\n\"finding\"\n{\"type\":7}\n{\"type\":\"other\"}\n\xff\xfe\n{\"type\":\"fin\n") +
          std::string("\0\0\n", 3) + race);
    EXPECT_EQ(l.log.n_findings, 1u);
    EXPECT_EQ(l.log.malformed, 10u);
}

TEST(FindingLine, WrongTypesStandForNothing)
{
    Log l("{\"type\":\"finding\",\"kind\":7,\"title\":[],\"stacks\":{\"a\":1},\"text\":null,\"mild\":\"yes\"}\n"
          "{\"type\":\"finding\",\"kind\":\"k\\u0007\",\"title\":\"two\\nlines\",\"stacks\":[1,{\"frames\":3},{"
          "\"role\":{}}]}\n"
          "{\"type\":\"finding\",\"kind\":\"k2\",\"stacks\":[{\"task\":-1,\"frames\":[{\"line\":-5,\"column\":1e300,"
          "\"offset\":99999999999999999999}]}]}\n"
          "{\"type\":\"run\",\"points\":-3,\"tasks\":\"5\",\"interleaving\":12}\n");
    ASSERT_EQ(l.log.n_findings, 3u);
    EXPECT_STREQ(l.log.findings[0].kind, "report");
    EXPECT_STREQ(l.log.findings[0].title, "report");
    EXPECT_FALSE(l.log.findings[0].mild);
    EXPECT_STREQ(l.log.findings[1].title, "two lines");
    EXPECT_EQ(l.log.findings[2].stacks[0].frames[0].line, 0u);
    EXPECT_EQ(l.log.run.points, 0u);
    EXPECT_EQ(l.log.run.tasks, 5u);
    EXPECT_FALSE(l.log.run.has_interleaving);
    EXPECT_TRUE(l.log.run.replayable);
}

} // namespace
