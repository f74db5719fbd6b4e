// fingerprint_test.cc - which findings are the same one: whatever changes between runs, machines and edits elsewhere.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
extern "C" {
#include "explore/fingerprint.h"
}

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace
{

struct Place {
    const char *role;
    const char *function;
    unsigned line, start_line;
    bool in_library = false;
};

class Race
{
  public:
    Race(const char *kind, std::initializer_list<Place> places)
    {
        finding.kind = strdup(kind);
        finding.title = strdup("data race q.c:12 in push");
        for (const Place &p : places)
            add(p);
    }
    ~Race()
    {
        cspt_finding_drop(&finding);
    }
    cspt_stack *add(const Place &p)
    {
        cspt_stack *s = cspt_finding_add_stack(&finding);
        s->primary = true;
        s->role = strdup(p.role);
        s->what = strdup("");
        add_frame(s, p);
        return s;
    }
    void add_frame(cspt_stack *s, const Place &p)
    {
        cspt_frame *f = cspt_stack_add_frame(s);
        f->function = p.function ? strdup(p.function) : nullptr;
        f->file = strdup("/home/a/q.c");
        f->line = p.line;
        f->start_line = p.start_line;
        f->library = p.in_library;
        f->module = strdup("/home/a/build/q");
        f->offset = 0x1234;
    }
    std::string print()
    {
        char *text = cspt_fingerprint(&finding);
        std::string result = text;
        free(text);
        return result;
    }
    cspt_finding finding = {};
};

const Place write_push = {"write", "push", 12, 9}, read_pop = {"read", "pop", 30, 20};

TEST(Fingerprint, IsSixteenHexDigits)
{
    std::string text = Race("data race", {write_push}).print();
    EXPECT_EQ(text.size(), 16u);
    EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
}

// Baselines are kept over years.
TEST(Fingerprint, IsWhatItWas)
{
    EXPECT_EQ(Race("data race", {write_push, read_pop}).print(), "f9a4d5971c6440a4");
}

TEST(Fingerprint, DoesNotDependOnWhoNoticed)
{
    EXPECT_EQ(Race("data race", {write_push, read_pop}).print(), Race("data race", {read_pop, write_push}).print());
    EXPECT_EQ(Race("data race", {write_push, write_push}).print(), Race("data race", {write_push}).print());
}

TEST(Fingerprint, DoesNotDependOnEditsElsewhere)
{
    EXPECT_EQ(Race("data race", {{"write", "push", 112, 109}}).print(), Race("data race", {write_push}).print());
    EXPECT_NE(Race("data race", {{"write", "push", 113, 109}}).print(), Race("data race", {write_push}).print());
}

TEST(Fingerprint, DependsOnKindFunctionAndOperation)
{
    std::string text = Race("data race", {write_push}).print();
    EXPECT_NE(Race("heap-use-after-free", {write_push}).print(), text);
    EXPECT_NE(Race("data race", {{"read", "push", 12, 9}}).print(), text);
    EXPECT_NE(Race("data race", {{"write", "put", 12, 9}}).print(), text);
    EXPECT_NE(Race("data race", {write_push, read_pop}).print(), text);
}

TEST(Fingerprint, LooksPastLibrariesToTheProgram)
{
    Race race("data race", {});
    cspt_stack *s = race.add({"write", "memcpy", 1, 1, true});
    race.add_frame(s, {"write", "push", 12, 9});
    race.add_frame(s, {"write", "main", 99, 90});
    EXPECT_EQ(race.print(), Race("data race", {write_push}).print());
}

TEST(Fingerprint, LeavesOutWhatOnlyExplains)
{
    Race race("data race", {write_push});
    race.add({"creation", "main", 50, 40})->primary = false;
    EXPECT_EQ(race.print(), Race("data race", {write_push}).print());
}

TEST(Fingerprint, WithoutLinesTheFunctionIsEnough)
{
    EXPECT_EQ(Race("data race", {{"write", "push", 12, 0}}).print(),
              Race("data race", {{"write", "push", 99, 0}}).print());
    EXPECT_NE(Race("data race", {{"write", nullptr, 0, 0}}).print(),
              Race("data race", {{"write", "push", 0, 0}}).print());
}

TEST(Fingerprint, WithoutStacksTheTitleCountsButForNumbers)
{
    Race a("panic", {}), b("panic", {}), c("panic", {});
    free(a.finding.title), free(b.finding.title), free(c.finding.title);
    a.finding.title = strdup("panic: index 7 of 0x7f12ab");
    b.finding.title = strdup("panic: index 12 of 0x6000");
    c.finding.title = strdup("panic: other v2");
    EXPECT_EQ(a.print(), b.print());
    EXPECT_NE(a.print(), c.print());
}

} // namespace
