// stack_test.cc - coroutine stacks: geometry, guards of both kinds, reuse, and what an overflow says.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "stack.h"

#include "csp/csp.h"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
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
    EXPECT_GE(hi(co) - lo(co), 63 * 1024);
    EXPECT_LE(hi(co) - lo(co), 64 * 1024);
    EXPECT_EQ(cspi_stack_size(co), CSPI_STACK_SIZE);
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
    size_t others = 0;
    for (csp_co *co : again)
        others += !out.count(co);
    EXPECT_LE(others, 64u); // made ready in the first round, but not needed then: no new address space for the second
    for (csp_co *co : again)
        cspi_stack_put(&cache, co);
}

TEST(Stack, SizesAreRoundedUpAndUsable)
{
    const size_t asked[] = {0,       1,        16 << 10,        (16 << 10) + 1, 100 << 10,
                            1 << 20, 64 << 20, (size_t)1 << 30, (size_t)3 << 30};
    const size_t given[] = {16 << 10, 16 << 10, 16 << 10,        32 << 10,       128 << 10,
                            1 << 20,  64 << 20, (size_t)1 << 30, (size_t)1 << 30};
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        csp_co *co = cspi_stack_get_sized(asked[i]);
        EXPECT_EQ(cspi_stack_size(co), given[i]);
        EXPECT_GE(static_cast<size_t>(hi(co) - lo(co)), given[i] - 1024);
        lo(co)[0] = 1, hi(co)[-1] = 1;
        EXPECT_EQ(cspi_stack_of_guard(reinterpret_cast<uintptr_t>(lo(co)) - 1), co);
        cspi_stack_put(nullptr, co);
        EXPECT_EQ(cspi_stack_get_sized(asked[i]), co); // each size has its own list
        cspi_stack_put(nullptr, co);
    }
}

TEST(Stack, ALargeOnesMemoryGoesBackAtOnce)
{
    csp_co *co = cspi_stack_get_sized(1 << 20);
    lo(co)[5] = 7, hi(co)[-5] = 7;
    cspi_stack_put(nullptr, co);
    EXPECT_EQ(lo(co)[5], 0);
    EXPECT_EQ(hi(co)[-5], 7);
}

long resident_kb()
{
    long pages = 0, ignored;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &ignored, &pages) != 2)
        pages = -1;
    if (f)
        fclose(f);
    return pages * 4;
}

TEST(Stack, MemoryOfABurstGoesBack)
{
    const int burst = 20000;
    cspi_stack_cache cache = {};
    std::vector<csp_co *> out;
    for (int i = 0; i < burst; i++) {
        out.push_back(cspi_stack_get(&cache));
        hi(out.back())[-1] = 1;
    }
    long high = resident_kb();
    for (csp_co *co : out)
        cspi_stack_put(&cache, co);
    for (int i = 0; i < 600 && cspi_stack_cold_for_test() < burst / 2; i++) {
        while (cspi_stack_trim())
            ;
        usleep(10000);
    }
    EXPECT_GE(cspi_stack_cold_for_test(), burst / 2u);
    EXPECT_LT(resident_kb(), high - burst * 4L / 2 + 4096);
    // And they come back, each once, guarded and zero.
    std::set<csp_co *> again;
    for (int i = 0; i < burst; i++) {
        csp_co *co = cspi_stack_get(&cache);
        EXPECT_TRUE(again.insert(co).second);
        EXPECT_EQ(cspi_stack_of_guard(reinterpret_cast<uintptr_t>(lo(co)) - 1), co);
    }
    EXPECT_EXIT((*again.begin() ? lo(*again.begin())[-1] = 1 : 0), testing::KilledBySignal(SIGSEGV), "");
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
        testing::ExitedWithCode(2), "fatal error: stack overflow\ncoroutine 2 overflowed its 64 KiB stack");
}

// Touches one byte in 16 KiB.
int skip_pages(int n)
{
    volatile char frame[16 << 10];
    frame[0] = static_cast<char>(n);
    return skip_pages(n + 1) + frame[0];
}

void overflow_by_pages()
{
    csp_go_options o = {"deep", 256 << 10, false};
    csp_go([](void *) { csp_sleep(CSP_SECOND); }, nullptr);
    csp_go_with(&o, [](void *) { skip_pages(0); }, nullptr);
    csp_sleep(CSP_SECOND);
}

TEST(StackDeathTest, FramesThatSkipPagesDoNotSkipTheGuard)
{
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(overflow_by_pages(), testing::ExitedWithCode(2), "coroutine 3 .deep. overflowed its 256 KiB stack");
}

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer) // it needs more than any limit
void use_up_address_space()
{
    csp_yield();
    rlimit limit = {(rlim_t)3 << 30, (rlim_t)3 << 30};
    setrlimit(RLIMIT_AS, &limit);
    csp_go_options o = {nullptr, 64 << 20, false};
    for (;;)
        csp_go_with(&o, [](void *) { csp_recv(nullptr, nullptr); }, nullptr);
}

TEST(StackDeathTest, NoAddressSpaceIsFatalAndCounts)
{
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(use_up_address_space(), testing::ExitedWithCode(2),
                "out of memory: no address space for another coroutine's stack .65536 KiB; [0-9]+ coroutines live");
}
#endif

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
