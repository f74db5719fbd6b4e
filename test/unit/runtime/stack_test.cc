// stack_test.cc - coroutine stacks: geometry, guards of both kinds, reuse, and what an overflow says.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "stack.h"

#include "csp/csp.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <set>
#include <vector>

namespace
{

char *lo(csp_co *co)
{
    return static_cast<char *>(cspi_stack_lo(co));
}
char *hi(csp_co *co)
{
    return static_cast<char *>(cspi_stack_hi(co));
}

TEST(Stack, WholeUsablePartIsWritable)
{
    csp_co *co = cspi_stack_get(nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(hi(co)) % 16, 0u);
    EXPECT_GE(hi(co) - lo(co), 56 * 1024);
    EXPECT_LE(hi(co) - lo(co), 64 * 1024);
    memset(lo(co), 0x5a, static_cast<size_t>(hi(co) - lo(co)));
    cspi_stack_put(nullptr, co);
}

TEST(Stack, GuardNamesItsCoroutine)
{
    csp_co *co = cspi_stack_get(nullptr);
    uintptr_t bottom = reinterpret_cast<uintptr_t>(lo(co));
    EXPECT_EQ(cspi_stack_of_guard(bottom - 1), co);
    EXPECT_EQ(cspi_stack_of_guard(bottom - CSPI_STACK_GUARD), co);
    EXPECT_EQ(cspi_stack_of_guard(bottom), nullptr);
    EXPECT_EQ(cspi_stack_of_guard(0), nullptr);
    int local;
    EXPECT_EQ(cspi_stack_of_guard(reinterpret_cast<uintptr_t>(&local)), nullptr);
    cspi_stack_put(nullptr, co);
}

TEST(StackDeathTest, GuardFaults)
{
    csp_co *co = cspi_stack_get(nullptr);
    EXPECT_EXIT(lo(co)[-1] = 1, testing::KilledBySignal(SIGSEGV), "");
    cspi_stack_put(nullptr, co);
}

TEST(StackDeathTest, GuardFaultsWithoutGuardInstall)
{
    EXPECT_EXIT(
        {
            cspi_stack_no_guard_install_for_test();
            cspi_stack_cache none = {};
            csp_co *co = nullptr;
            for (int i = 0; i < 100; i++) // past those that already have a guard
                co = cspi_stack_get(&none);
            lo(co)[-1] = 1;
        },
        testing::KilledBySignal(SIGSEGV), "");
}

TEST(Stack, CacheGivesBackWhatItGotAndNothingTwice)
{
    cspi_stack_cache cache = {};
    std::set<csp_co *> out;
    for (int i = 0; i < 500; i++)
        EXPECT_TRUE(out.insert(cspi_stack_get(&cache)).second);
    for (csp_co *co : out)
        cspi_stack_put(&cache, co);
    EXPECT_LE(cache.n, 64u);
    std::set<csp_co *> again;
    for (int i = 0; i < 500; i++)
        EXPECT_TRUE(again.insert(cspi_stack_get(&cache)).second);
    EXPECT_EQ(out, again); // no new address space for the second round
    for (csp_co *co : again)
        cspi_stack_put(&cache, co);
}

TEST(Stack, EachVisitsAllHandedOut)
{
    std::set<csp_co *> mine, seen;
    for (int i = 0; i < 40; i++)
        mine.insert(cspi_stack_get(nullptr));
    cspi_stack_each(
        [](csp_co *co, void *arg) {
            static_cast<std::set<csp_co *> *>(arg)->insert(co);
            return true;
        },
        &seen, true);
    for (csp_co *co : mine)
        EXPECT_TRUE(seen.count(co));
    for (csp_co *co : mine)
        cspi_stack_put(nullptr, co);
}

int recurse(int n)
{
    volatile char frame[256];
    frame[0] = static_cast<char>(n);
    return recurse(n + 1) + frame[0];
}

TEST(StackDeathTest, OverflowNamesTheCoroutine)
{
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            csp_go([](void *) { recurse(0); }, nullptr);
            csp_sleep(CSP_SECOND);
        },
        testing::ExitedWithCode(2), "fatal error: stack overflow\ncoroutine 2 overflowed its 64 KiB stack\n");
}

TEST(StackDeathTest, AnotherFaultStaysAFault)
{
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            csp_go([](void *) { *reinterpret_cast<volatile int *>(8) = 1; }, nullptr);
            csp_sleep(CSP_SECOND);
        },
        testing::KilledBySignal(SIGSEGV), "");
}

} // namespace
