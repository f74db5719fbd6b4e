// results_test.cc - results: what is written is read again, whatever it holds; what is not results is refused.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
extern "C" {
#include "results/results.h"
}

#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fstream>
#include <sstream>
#include <string>

namespace
{

std::string scratch()
{
    const char *folder = getenv("TEST_TMPDIR");
    return std::string(folder ? folder : ".") + "/results_test." + std::to_string(getpid()) + ".json";
}

std::string slurp(const std::string &path)
{
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

cspt_finding *add_finding(cspt_test *t, const char *kind, const char *title, const char *fingerprint)
{
    cspt_finding *f = cspt_test_add_finding(t);
    f->kind = strdup(kind);
    f->title = strdup(title);
    f->fingerprint = strdup(fingerprint);
    return f;
}

cspt_results make_results()
{
    cspt_results r = {};
    r.started = 1700000000;
    r.seed = UINT64_MAX;
    r.strategy = strdup("portfolio");
    r.shard_index = 2, r.shard_count = 3, r.tests_total = 7;
    cspt_test *t = cspt_results_add_test(&r);
    t->name = strdup("queue_test:Queue.Push");
    t->command = (char **)calloc(3, sizeof(char *));
    t->command[0] = strdup("./queue_test");
    t->command[1] = strdup("--gtest_filter=Queue.Push");
    t->explored.controlled = true;
    t->explored.schedules = 1000;
    cspt_explored_count_strategy(&t->explored, "urw", 3);
    cspt_explored_count_strategy(&t->explored, "pct", 4);
    cspt_explored_count_strategy(&t->explored, "urw", 2);
    for (uint64_t hash : {UINT64_MAX, UINT64_C(5), UINT64_C(0), UINT64_C(5)})
        cspt_explored_add_interleaving(&t->explored, hash);
    cspt_explored_add_reason(&t->explored, "reads the network");
    cspt_explored_add_reason(&t->explored, "reads the network");
    cspt_finding *f = add_finding(t, "data race", "data race q.c:1 in f \"\n\xff", "0123456789abcdef");
    f->has_seed = true;
    f->seed = UINT64_C(12345678901234567890);
    cspt_stack *s = cspt_finding_add_stack(f);
    s->role = strdup("write"), s->what = strdup("write of size 4");
    cspt_frame *frame = cspt_stack_add_frame(s);
    frame->function = strdup("memcpy"), frame->file = strdup("/usr/include/string.h"), frame->line = 3;
    frame = cspt_stack_add_frame(s);
    frame->function = strdup("push"), frame->file = strdup("q.c"), frame->line = 12, frame->start_line = 9;
    add_finding(t, "crash", "SIGSEGV", "fedcba9876543210")->known = true;
    return r;
}

TEST(Results, SurviveAFile)
{
    cspt_results r = make_results(), again = {};
    char *error = nullptr;
    std::string path = scratch();
    ASSERT_TRUE(cspt_results_write(&r, path.c_str(), &error)) << error;
    std::string text = slurp(path);
    ASSERT_TRUE(cspt_results_read(&again, path.c_str(), &error)) << error;
    const cspt_test *t = &again.tests[0];
    EXPECT_EQ(again.seed, UINT64_MAX);
    EXPECT_EQ(t->findings[0].seed, UINT64_C(12345678901234567890));
    EXPECT_EQ(t->explored.n_interleavings, 3u);
    EXPECT_EQ(t->explored.interleavings[2], UINT64_MAX);
    EXPECT_STREQ(t->explored.strategies[0].name, "pct");
    EXPECT_EQ(t->explored.strategies[1].schedules, 5u);
    EXPECT_EQ(t->explored.n_why_not, 1u);
    EXPECT_STREQ(cspt_finding_place(&t->findings[0])->function, "push");
    ASSERT_TRUE(cspt_results_write(&again, path.c_str(), &error)) << error;
    EXPECT_EQ(slurp(path), text);
    unlink(path.c_str());
    cspt_results_fini(&r);
    cspt_results_fini(&again);
}

TEST(Results, AreSortedAndJudged)
{
    cspt_results r = make_results();
    cspt_results_sort(&r);
    EXPECT_STREQ(r.tests[0].findings[0].kind, "crash");
    EXPECT_EQ(cspt_results_new_findings(&r), 1u);
    cspt_results_judge(&r);
    EXPECT_EQ(r.tests[0].outcome, CSPT_FAILED);
    cspt_test_find(&r.tests[0], "0123456789abcdef")->known = true;
    cspt_results_judge(&r);
    EXPECT_EQ(r.tests[0].outcome, CSPT_PASSED);
    EXPECT_EQ(cspt_test_find(&r.tests[0], "0"), nullptr);
    cspt_results_fini(&r);
}

TEST(Results, RefuseWhatTheyAreNot)
{
    const char *const wrong[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"format\": 1}",
        "{\"format\": \"cspthread results 1\", \"tests\": 1}",
        "{\"format\": \"cspthread results 1\", \"tests\": [1]}",
        "{\"format\": \"cspthread results 1\", \"tests\": [{\"name\": \"a\", \"outcome\": \"fine\"}]}",
        "{\"format\": \"cspthread results 1\", \"tests\": [{\"name\": \"a\", \"findings\": [{}]}]}",
        "{\"format\": \"cspthread results 1\", \"seed\": \"-1\"}",
        "{\"format\": \"cspthread results 1\", \"seed\": \"99999999999999999999\"}"};
    std::string path = scratch();
    for (const char *text : wrong) {
        cspt_results r;
        char *error = nullptr;
        std::ofstream(path) << text;
        EXPECT_FALSE(cspt_results_read(&r, path.c_str(), &error)) << text;
        EXPECT_NE(error, nullptr);
        EXPECT_EQ(r.n_tests, 0u);
        free(error);
    }
    unlink(path.c_str());
    cspt_results r;
    char *error = nullptr;
    EXPECT_FALSE(cspt_results_read(&r, path.c_str(), &error));
    EXPECT_NE(strstr(error, "No such file"), nullptr) << error;
    free(error);
}

} // namespace
