// context_test.cc - contexts: cancelling down the tree, deadlines, values, references.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "child.h"

#include <atomic>
#include <cerrno>
#include <vector>

static bool is_done(csp_ctx *ctx)
{
    return csp_try_recv(csp_ctx_done(ctx), nullptr) == -1;
}

TEST(Context, BackgroundIsNeverCancelled)
{
    expect_ok([] {
        csp_ctx *b = csp_ctx_background();
        csp_ctx_cancel(b);
        EXPECT_EQ(csp_ctx_err(b), 0);
        EXPECT_EQ(csp_ctx_done(b), nullptr);
        EXPECT_EQ(csp_ctx_value(b, b), nullptr);
        EXPECT_EQ(csp_ctx_ref(b), b);
        csp_ctx_free(b), csp_ctx_free(b), csp_ctx_free(nullptr);
        csp_ctx_cancel(nullptr);
    });
}

TEST(Context, CancelReachesAllBelowAndNobodyElse)
{
    expect_ok([] {
        csp_ctx *root = csp_ctx_with_cancel(nullptr), *a = csp_ctx_with_cancel(root), *b = csp_ctx_with_cancel(root),
                *aa = csp_ctx_with_value(a, "k", root), *aaa = csp_ctx_with_timeout(aa, CSP_MINUTE);
        csp_ctx_cancel(a);
        for (csp_ctx *ctx : {a, aa, aaa}) {
            EXPECT_EQ(csp_ctx_err(ctx), ECANCELED);
            EXPECT_TRUE(is_done(ctx));
        }
        for (csp_ctx *ctx : {root, b}) {
            EXPECT_EQ(csp_ctx_err(ctx), 0);
            EXPECT_FALSE(is_done(ctx));
        }
        csp_ctx_cancel(a); // twice: nothing
        csp_ctx *late = csp_ctx_with_cancel(aaa);
        EXPECT_EQ(csp_ctx_err(late), ECANCELED);
        EXPECT_TRUE(is_done(late));
        csp_ctx_cancel(root);
        EXPECT_EQ(csp_ctx_err(b), ECANCELED);
        for (csp_ctx *ctx : {root, a, b, aa, aaa, late})
            csp_ctx_free(ctx);
    });
}

TEST(Context, DoneWakesWhoWaits)
{
    expect_ok([] {
        csp_ctx *ctx = csp_ctx_with_cancel(nullptr), *child = csp_ctx_with_cancel(ctx);
        csp_wg wg = {};
        csp_wg_add(&wg, 10);
        for (int i = 0; i < 10; i++)
            go([&, i] {
                csp_chan *never = csp_chan_new(0, 0);
                EXPECT_EQ(CSP_SELECT(csp_case_recv(never, nullptr, nullptr),
                                     csp_case_recv(csp_ctx_done(i % 2 ? ctx : child), nullptr, nullptr)),
                          1);
                EXPECT_EQ(csp_ctx_err(i % 2 ? ctx : child), ECANCELED);
                csp_chan_free(never);
                csp_wg_done(&wg);
            });
        settle();
        csp_ctx_cancel(ctx);
        csp_wg_wait(&wg);
        csp_ctx_free(child), csp_ctx_free(ctx);
    });
}

TEST(Context, DeadlinePasses)
{
    expect_ok([] {
        int64_t start = csp_now();
        csp_ctx *ctx = csp_ctx_with_timeout(nullptr, 20 * CSP_MS), *below = csp_ctx_with_timeout(ctx, CSP_MINUTE);
        EXPECT_EQ(csp_ctx_err(ctx), 0);
        EXPECT_FALSE(csp_recv(csp_ctx_done(below), nullptr));
        EXPECT_GE(csp_now() - start, 20 * CSP_MS);
        EXPECT_EQ(csp_ctx_err(ctx), ETIMEDOUT);
        EXPECT_EQ(csp_ctx_err(below), ETIMEDOUT);
        csp_ctx_cancel(ctx);
        EXPECT_EQ(csp_ctx_err(ctx), ETIMEDOUT); // the first reason stays
        csp_ctx_free(ctx), csp_ctx_free(below);

        csp_ctx *past = csp_ctx_with_deadline(nullptr, csp_now() - 1), *zero = csp_ctx_with_timeout(nullptr, 0);
        csp_ctx *for_ever = csp_ctx_with_timeout(nullptr, INT64_MAX);
        EXPECT_EQ(csp_ctx_err(past), ETIMEDOUT);
        EXPECT_EQ(csp_ctx_err(zero), ETIMEDOUT);
        EXPECT_EQ(csp_ctx_err(for_ever), 0);
        csp_ctx_free(past), csp_ctx_free(zero), csp_ctx_free(for_ever);
    });
}

// Cancelled before its time, the deadline must no longer count as something that may still happen.
TEST(Context, CancelStopsTheTimer)
{
    expect_dies("fatal error: all coroutines are asleep - deadlock!", [] {
        csp_ctx *ctx = csp_ctx_with_timeout(nullptr, CSP_MINUTE);
        csp_ctx_cancel(ctx);
        csp_recv(nullptr, nullptr);
    });
}

TEST(Context, CancelStopsTheTimersBelow)
{
    expect_dies("fatal error: all coroutines are asleep - deadlock!", [] {
        csp_ctx *ctx = csp_ctx_with_cancel(nullptr);
        for (int i = 0; i < 5; i++) {
            csp_ctx *child = csp_ctx_with_timeout(ctx, CSP_MINUTE);
            csp_ctx_with_timeout(child, 50 * CSP_SECOND);
        }
        csp_ctx_cancel(ctx);
        csp_recv(nullptr, nullptr);
    });
}

TEST(Context, NearestValueWins)
{
    expect_ok([] {
        static int k1, k2, k3;
        int x, y, z;
        csp_ctx *a = csp_ctx_with_value(nullptr, &k1, &x), *b = csp_ctx_with_value(a, &k2, &y),
                *c = csp_ctx_with_cancel(b), *d = csp_ctx_with_value(c, &k1, &z);
        EXPECT_EQ(csp_ctx_value(c, &k1), &x);
        EXPECT_EQ(csp_ctx_value(d, &k1), &z);
        EXPECT_EQ(csp_ctx_value(d, &k2), &y);
        EXPECT_EQ(csp_ctx_value(d, &k3), nullptr);
        EXPECT_EQ(csp_ctx_value(d, nullptr), nullptr);
        for (csp_ctx *ctx : {a, b, c, d})
            csp_ctx_free(ctx);
    });
}

TEST(Context, ReferencesAndTheLastFree)
{
    expect_ok([] {
        csp_ctx *parent = csp_ctx_with_value(nullptr, "key", &parent), *child = csp_ctx_with_cancel(parent);
        csp_ctx *held = csp_ctx_ref(child);
        EXPECT_EQ(held, child);
        csp_ctx_free(parent); // the child still holds it
        EXPECT_EQ(csp_ctx_err(parent), 0);
        csp_ctx_free(child);
        EXPECT_EQ(csp_ctx_err(held), 0); // one reference is left
#if !defined(__SANITIZE_THREAD__) // which rightly calls it a race: the coroutine uses the context without a reference
        std::atomic<bool> woken{false};
        csp_chan *done = csp_ctx_done(held);
        go([&, done] {
            EXPECT_FALSE(csp_recv(done, nullptr));
            woken = true;
        });
        settle();
        csp_ctx_free(held); // the last: cancels
        EXPECT_EVENTUALLY(woken);
#else
        csp_ctx_free(held);
#endif
    });
}

TEST(Context, DeepAndWideTrees)
{
    expect_ok([] {
        std::vector<csp_ctx *> chain = {csp_ctx_with_cancel(nullptr)};
        for (int i = 0; i < 20000; i++)
            chain.push_back(csp_ctx_with_cancel(i % 2 ? chain[0] : chain.back()));
        csp_wg wg = {};
        csp_wg_add(&wg, 1);
        go([&] { // on a small stack: neither cancelling nor freeing may recurse
            csp_ctx_cancel(chain[0]);
            for (csp_ctx *ctx : chain)
                EXPECT_EQ(csp_ctx_err(ctx), ECANCELED);
            for (csp_ctx *ctx : chain)
                csp_ctx_free(ctx);
            csp_wg_done(&wg);
        });
        csp_wg_wait(&wg);
    });
}

// Deadlines that fire while the context is cancelled and freed.
TEST(Context, DeadlineAgainstFree)
{
    expect_ok([] {
        for (int i = 0; i < 1000; i++) {
            csp_ctx *ctx = csp_ctx_with_timeout(nullptr, (i % 5) * 10 * CSP_US);
            csp_ctx *child = csp_ctx_with_timeout(ctx, (i % 3) * 10 * CSP_US);
            csp_ctx_free(ctx);
            go([=] {
                if (i % 2)
                    csp_recv(csp_ctx_done(child), nullptr);
                csp_ctx_free(child);
            });
            csp_yield();
        }
        EXPECT_EVENTUALLY(csp_count() == 1);
    });
}
