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

TEST(Context, CauseTravelsDown)
{
    expect_ok([] {
        csp_ctx *root = csp_ctx_with_cancel(nullptr), *a = csp_ctx_with_cancel(root),
                *b = csp_ctx_with_timeout(a, CSP_MINUTE);
        EXPECT_EQ(csp_ctx_cause(a), 0);
        EXPECT_EQ(csp_ctx_cause(nullptr), 0);
        csp_ctx_cancel_cause(a, -17);
        csp_ctx_cancel_cause(a, 3); // the first counts
        csp_ctx_cancel_cause(root, 4);
        csp_ctx *late = csp_ctx_with_value(b, "k", a);
        EXPECT_EQ(csp_ctx_cause(root), 4);
        for (csp_ctx *ctx : {a, b, late}) {
            EXPECT_EQ(csp_ctx_cause(ctx), -17);
            EXPECT_EQ(csp_ctx_err(ctx), ECANCELED);
        }
        csp_ctx *plain = csp_ctx_with_cancel(nullptr), *zero = csp_ctx_with_cancel(nullptr),
                *over = csp_ctx_with_timeout(nullptr, 0);
        csp_ctx_cancel(plain);
        csp_ctx_cancel_cause(zero, 0);
        csp_ctx_cancel_cause(csp_ctx_background(), 5), csp_ctx_cancel_cause(nullptr, 5);
        EXPECT_EQ(csp_ctx_cause(plain), ECANCELED);
        EXPECT_EQ(csp_ctx_cause(zero), ECANCELED);
        EXPECT_EQ(csp_ctx_cause(over), ETIMEDOUT);
        for (csp_ctx *ctx : {root, a, b, late, plain, zero, over})
            csp_ctx_free(ctx);
    });
}

TEST(Context, DeadlineIsTheSoonest)
{
    expect_ok([] {
        int64_t at = 1, now = csp_now();
        EXPECT_FALSE(csp_ctx_deadline(nullptr, &at));
        EXPECT_FALSE(csp_ctx_deadline(csp_ctx_background(), nullptr));
        csp_ctx *a = csp_ctx_with_deadline(nullptr, now + CSP_MINUTE),
                *b = csp_ctx_with_deadline(a, now + 2 * CSP_MINUTE), *c = csp_ctx_with_deadline(a, now + CSP_SECOND),
                *d = csp_ctx_with_timeout(nullptr, INT64_MAX);
        EXPECT_EQ(at, 1);
        EXPECT_TRUE(csp_ctx_deadline(a, &at) && at == now + CSP_MINUTE);
        EXPECT_TRUE(csp_ctx_deadline(b, &at) && at == now + CSP_MINUTE);
        EXPECT_TRUE(csp_ctx_deadline(c, &at) && at == now + CSP_SECOND);
        EXPECT_TRUE(csp_ctx_deadline(c, nullptr));
        EXPECT_EQ(csp_ctx_err(d), 0);
        for (csp_ctx *ctx : {a, b, c, d})
            csp_ctx_free(ctx);
    });
}

TEST(Context, WithoutCancelKeepsOnlyTheValues)
{
    expect_ok([] {
        static const char key = 0;
        int value;
        csp_ctx *parent = csp_ctx_with_timeout(nullptr, CSP_MINUTE), *valued = csp_ctx_with_value(parent, &key, &value),
                *apart = csp_ctx_without_cancel(valued), *child = csp_ctx_with_cancel(apart);
        csp_ctx_cancel(parent);
        csp_ctx_free(parent), csp_ctx_free(valued);
        EXPECT_EQ(csp_ctx_err(child), 0);
        EXPECT_EQ(csp_ctx_value(child, &key), &value);
        EXPECT_FALSE(csp_ctx_deadline(child, nullptr));
        csp_ctx_cancel(apart);
        EXPECT_EQ(csp_ctx_err(child), ECANCELED);
        csp_ctx_free(apart), csp_ctx_free(child);
        csp_ctx_free(csp_ctx_without_cancel(nullptr));
    });
}

static void count(void *n)
{
    ++*static_cast<std::atomic<int> *>(n);
}

TEST(Context, AfterRunsOnceWhenCancelled)
{
    expect_ok([] {
        std::atomic<int> ran{0};
        csp_ctx *ctx = csp_ctx_with_cancel(nullptr), *child = csp_ctx_with_timeout(ctx, CSP_MINUTE);
        csp_ctx_call *kept = csp_ctx_after(child, count, &ran), *stopped = csp_ctx_after(child, count, &ran),
                     *freed = csp_ctx_after(ctx, count, &ran),
                     *never = csp_ctx_after(csp_ctx_background(), count, &ran);
        EXPECT_TRUE(csp_ctx_call_stop(stopped));
        EXPECT_FALSE(csp_ctx_call_stop(stopped));
        csp_ctx_call_free(freed);
        settle();
        EXPECT_EQ(ran, 0);
        csp_ctx_cancel(ctx);
        EXPECT_FALSE(csp_ctx_call_stop(kept));
        EXPECT_EVENTUALLY(ran == 1);
        csp_ctx_call *late = csp_ctx_after(ctx, count, &ran);
        EXPECT_FALSE(csp_ctx_call_stop(late));
        EXPECT_EVENTUALLY(ran == 2);
        settle();
        EXPECT_EQ(ran, 2);
        for (csp_ctx_call *call : {kept, stopped, never, late, static_cast<csp_ctx_call *>(nullptr)})
            csp_ctx_call_free(call);
        csp_ctx_free(ctx), csp_ctx_free(child);
    });
}

TEST(Context, AfterAgainstStopAndFree)
{
    expect_ok([] {
        std::atomic<int> ran{0}, prevented{0};
        for (int i = 0; i < 1000; i++) {
            csp_ctx *ctx = csp_ctx_with_cancel(nullptr);
            csp_ctx_call *call = csp_ctx_after(ctx, count, &ran);
            csp_wg wg = {};
            csp_wg_add(&wg, 2);
            go([&] {
                if (i % 2)
                    csp_ctx_cancel(ctx);
                csp_ctx_free(ctx); // the last reference cancels, too
                csp_wg_done(&wg);
            });
            go([&] {
                if (i % 3)
                    csp_yield();
                prevented += csp_ctx_call_stop(call);
                csp_wg_done(&wg);
            });
            if (i % 5)
                csp_yield();
            prevented += csp_ctx_call_stop(call);
            csp_wg_wait(&wg);
            csp_ctx_call_free(call);
        }
        EXPECT_EVENTUALLY(ran + prevented == 1000);
        EXPECT_EVENTUALLY(csp_count() == 1);
    });
}
