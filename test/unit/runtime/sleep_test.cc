// sleep_test.cc - sleeping: until an instant, with a context, at the limits of the clock.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "child.h"

#include <atomic>
#include <cerrno>
#include <pthread.h>

TEST(Sleep, UntilAnInstant)
{
    expect_ok([] {
        int64_t at = csp_now() + 3 * CSP_MS;
        csp_sleep_until(at);
        EXPECT_GE(csp_now(), at);
        for (int64_t past : {at, int64_t(0), int64_t(-1), INT64_MIN})
            csp_sleep_until(past);
    });
}

TEST(Sleep, WithAContext)
{
    expect_ok([] {
        csp_ctx *ctx = csp_ctx_with_cancel(nullptr), *brief = csp_ctx_with_timeout(nullptr, 2 * CSP_MS);
        int64_t before = csp_now();
        EXPECT_TRUE(csp_sleep_ctx(2 * CSP_MS, ctx));
        EXPECT_TRUE(csp_sleep_ctx(CSP_US, nullptr));
        EXPECT_TRUE(csp_sleep_ctx(CSP_US, csp_ctx_background()));
        EXPECT_GE(csp_now() - before, 2 * CSP_MS);
        EXPECT_TRUE(csp_sleep_ctx(0, ctx));
        EXPECT_TRUE(csp_sleep_ctx(-5, ctx));
        EXPECT_FALSE(csp_sleep_ctx(CSP_MINUTE, brief));
        EXPECT_EQ(errno, ETIMEDOUT);
        go([=] { csp_ctx_cancel(ctx); });
        EXPECT_FALSE(csp_sleep_ctx(CSP_MINUTE, ctx));
        EXPECT_EQ(errno, ECANCELED);
        errno = 0;
        EXPECT_FALSE(csp_sleep_ctx(0, ctx)); // cancelled: at once, whatever the time
        EXPECT_EQ(errno, ECANCELED);
        csp_ctx_free(ctx), csp_ctx_free(brief);
    });
}

TEST(Sleep, ForEver)
{
    expect_ok([] {
        std::atomic<int> awake{0};
        csp_ctx *ctx = csp_ctx_with_cancel(nullptr);
        go([&] { csp_sleep(INT64_MAX), awake++; });
        go([&] { csp_sleep_until(INT64_MAX), awake++; });
        go([&] { awake += csp_sleep_ctx(INT64_MAX, ctx) ? 1 : 10; });
        settle();
        EXPECT_EQ(awake, 0);
        csp_ctx_cancel(ctx);
        EXPECT_EVENTUALLY(awake == 10);
        csp_ctx_free(ctx);
    });
}

TEST(Sleep, InAThreadOfTheProgram)
{
    expect_ok([] {
        static std::atomic<bool> slept;
        csp_ctx *ctx = csp_ctx_with_cancel(nullptr);
        pthread_t t;
        pthread_create(
            &t, nullptr,
            [](void *ctx) -> void * {
                csp_sleep_until(csp_now() + CSP_MS);
                EXPECT_TRUE(csp_sleep_ctx(CSP_MS, static_cast<csp_ctx *>(ctx)));
                slept = true;
                EXPECT_FALSE(csp_sleep_ctx(CSP_MINUTE, static_cast<csp_ctx *>(ctx)));
                EXPECT_EQ(errno, ECANCELED);
                return nullptr;
            },
            ctx);
        EXPECT_EVENTUALLY(slept);
        csp_ctx_cancel(ctx);
        pthread_join(t, nullptr);
        csp_ctx_free(ctx);
    });
}

// Many sleepers of one context, all ended by one cancel.
TEST(Sleep, TenThousandEndedAtOnce)
{
    expect_ok([] {
        csp_ctx *ctx = csp_ctx_with_cancel(nullptr);
        csp_wg wg = {};
        csp_wg_add(&wg, 10000);
        for (int i = 0; i < 10000; i++)
            go([&] {
                EXPECT_FALSE(csp_sleep_ctx(CSP_MINUTE, ctx));
                csp_wg_done(&wg);
            });
        csp_yield();
        csp_ctx_cancel(ctx);
        csp_wg_wait(&wg);
        csp_ctx_free(ctx);
    });
}
