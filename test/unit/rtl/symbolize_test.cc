// symbolize_test.cc - llvm-symbolizer's answers, and the process itself.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include "report/report.h"
#include "report/symbolize.h"
#include "support/modules.h"
}

int symbolize_test_global[3];

namespace
{

TEST(Symbolize, ParsesInlinedFrames)
{
    cspr_place p[8];
    ASSERT_EQ(cspr_symbolize_parse("inner\n/a/b.c:12:3\nouter\nC:\\x.c:7:0\n\n", p, 8), 2u);
    EXPECT_STREQ(p[0].function, "inner");
    EXPECT_STREQ(p[0].file, "/a/b.c");
    EXPECT_EQ(p[0].line, 12u);
    EXPECT_EQ(p[0].column, 3u);
    EXPECT_STREQ(p[1].function, "outer");
    EXPECT_STREQ(p[1].file, "C:\\x.c");
    EXPECT_EQ(p[1].line, 7u);
    EXPECT_EQ(p[1].column, 0u);
}

TEST(Symbolize, ParsesUnknown)
{
    cspr_place p[8];
    ASSERT_EQ(cspr_symbolize_parse("??\n??:0:0\n\n", p, 8), 1u);
    EXPECT_EQ(p[0].function, nullptr);
    EXPECT_EQ(p[0].file, nullptr);
    EXPECT_EQ(p[0].line, 0u);
    EXPECT_EQ(cspr_symbolize_parse("", p, 8), 0u);
    EXPECT_EQ(cspr_symbolize_parse("f\nx.c:1:1\ng\ny.c:2:2\n\n", p, 1), 1u);
}

__attribute__((noinline)) uintptr_t place_of_caller()
{
    return reinterpret_cast<uintptr_t>(__builtin_return_address(0));
}

TEST(Symbolize, FindsFunctionFileAndLine)
{
    cspr_place p[8];
    uintptr_t pc = place_of_caller(); // line of this call
    unsigned line = __LINE__ - 1;
    cspr_report_lock();
    size_t n = cspr_symbolize(pc, p, 8);
    cspr_report_unlock();
    ASSERT_GE(n, 1u);
    ASSERT_NE(p[0].function, nullptr);
    EXPECT_NE(std::string(p[0].function).find("FindsFunctionFileAndLine"), std::string::npos);
    EXPECT_NE(std::string(p[0].file).find("symbolize_test.cc"), std::string::npos);
    EXPECT_EQ(p[0].line, line);
    EXPECT_FALSE(p[0].ours);
}

TEST(Symbolize, FindsGlobals)
{
    cspr_object_name name;
    cspr_report_lock();
    bool found = cspr_symbolize_data(reinterpret_cast<uintptr_t>(&symbolize_test_global[1]), &name);
    cspr_report_unlock();
    ASSERT_TRUE(found);
    EXPECT_STREQ(name.name, "symbolize_test_global");
    EXPECT_EQ(name.size, sizeof symbolize_test_global);
    EXPECT_EQ(name.start, reinterpret_cast<uintptr_t>(symbolize_test_global));
}

TEST(Symbolize, IsNotTheProgramsChild)
{
    cspr_place p[8];
    cspr_report_lock();
    cspr_symbolize(place_of_caller(), p, 8);
    cspr_report_unlock();
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
}

TEST(Symbolize, ForkedChildHasItsOwn)
{
    cspr_place p[8];
    cspr_report_lock();
    cspr_symbolize(place_of_caller(), p, 8);
    cspr_report_unlock();
    pid_t child = fork();
    if (child == 0) {
        uintptr_t pc = place_of_caller() + 1; // not asked for before
        cspr_report_lock();
        size_t n = cspr_symbolize(pc, p, 8);
        cspr_report_unlock();
        _exit(n >= 1 && p[0].function ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST(Modules, KnowsOwnAndLibrarys)
{
    cspr_module m;
    cspr_report_lock();
    ASSERT_TRUE(cspr_module_find(reinterpret_cast<uintptr_t>(&symbolize_test_global), &m)); // .bss
    EXPECT_NE(std::string(m.path).find("symbolize_test"), std::string::npos);
    ASSERT_TRUE(cspr_module_find(reinterpret_cast<uintptr_t>(&getppid), &m));
    EXPECT_NE(std::string(m.path).find("libc"), std::string::npos);
    EXPECT_FALSE(cspr_module_find(8, &m));
    cspr_report_unlock();
}

} // namespace
