// group_test.cc - groups: results, cancelling, the limit, giving up, csp_exit, misuse.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "child.h"

#include <atomic>
#include <cerrno>
#include <functional>
#include <vector>

using Member = std::function<int(csp_ctx *)>;

static int run_member(csp_ctx *ctx, void *arg)
{
    Member f = std::move(*static_cast<Member *>(arg));
    delete static_cast<Member *>(arg);
    return f(ctx);
}

static void group_go(csp_group *g, Member f)
{
    csp_group_go(g, run_member, new Member(std::move(f)));
}

static bool group_try_go(csp_group *g, Member f)
{
    auto *m = new Member(std::move(f));
    bool started = csp_group_try_go(g, run_member, m);
    if (!started)
        delete m;
    return started;
}

TEST(Group, WaitsForAll)
{
    expect_ok([] {
        csp_group *g = csp_group_new(nullptr);
        std::vector<int> squares(100);
        for (int i = 0; i < 100; i++)
            group_go(g, [&, i](csp_ctx *ctx) {
                EXPECT_EQ(ctx, csp_group_ctx(g));
                if (i % 7 == 0)
                    csp_sleep(CSP_MS);
                squares[i] = i * i;
                return 0;
            });
        EXPECT_EQ(csp_group_wait(g), 0);
        for (int i = 0; i < 100; i++)
            EXPECT_EQ(squares[i], i * i);
        EXPECT_EQ(csp_ctx_err(csp_group_ctx(g)), ECANCELED); // as Go's: the batch is over
        EXPECT_EQ(csp_group_wait(g), 0);
        csp_group_free(g);
    });
}

TEST(Group, EmptyAndNull)
{
    expect_ok([] {
        csp_group *g = csp_group_new(csp_ctx_background());
        EXPECT_EQ(csp_ctx_err(csp_group_ctx(g)), 0);
        EXPECT_EQ(csp_group_wait(g), 0);
        csp_group_free(g);
        csp_group_free(csp_group_new(nullptr));
        csp_group_free(nullptr);
    });
}

TEST(Group, TheFirstErrorCancelsTheRest)
{
    expect_ok([] {
        csp_group *g = csp_group_new(nullptr);
        std::atomic<int> cancelled{0};
        for (int i = 0; i < 20; i++)
            group_go(g, [&](csp_ctx *ctx) {
                csp_recv(csp_ctx_done(ctx), nullptr);
                EXPECT_EQ(csp_ctx_cause(ctx), 41);
                cancelled++;
                return 7; // not the first
            });
        group_go(g, [](csp_ctx *) {
            csp_sleep(CSP_MS);
            return 41;
        });
        EXPECT_EQ(csp_group_wait(g), 41);
        EXPECT_EQ(cancelled, 20);
        EXPECT_EQ(csp_ctx_cause(csp_group_ctx(g)), 41);
        // Another batch finds it so, and the first error stays.
        group_go(g, [](csp_ctx *ctx) { return csp_ctx_err(ctx) == ECANCELED ? 3 : 0; });
        EXPECT_EQ(csp_group_wait(g), 41);
        csp_group_free(g);
    });
}

TEST(Group, TheParentCancels)
{
    expect_ok([] {
        csp_ctx *parent = csp_ctx_with_timeout(nullptr, CSP_MS);
        csp_group *g = csp_group_new(parent);
        group_go(g, [](csp_ctx *ctx) { return csp_sleep_ctx(CSP_MINUTE, ctx) ? 0 : errno; });
        EXPECT_EQ(csp_group_wait(g), ETIMEDOUT);
        csp_group_free(g);
        csp_ctx_free(parent);
    });
}

TEST(Group, LimitHolds)
{
    expect_ok([] {
        for (size_t limit : {1, 2, 7}) {
            csp_group *g = csp_group_new(nullptr);
            csp_group_limit(g, limit);
            std::atomic<size_t> now{0}, most{0}, ran{0};
            for (int i = 0; i < 200; i++)
                group_go(g, [&, i](csp_ctx *) {
                    size_t n = ++now;
                    if (n > most)
                        most = n;
                    if (i % 16 == 0)
                        csp_sleep(50 * CSP_US);
                    else
                        csp_yield();
                    now--, ran++;
                    return 0;
                });
            EXPECT_EQ(csp_group_wait(g), 0);
            EXPECT_EQ(ran, 200u);
            EXPECT_LE(most, limit);
            csp_group_limit(g, 0); // nobody runs: allowed
            csp_group_free(g);
        }
    });
}

TEST(Group, TryGoFailsAtTheLimit)
{
    expect_ok([] {
        csp_group *g = csp_group_new(nullptr);
        csp_group_limit(g, 2);
        csp_chan *stop = csp_chan_new(0, 0);
        auto wait = [=](csp_ctx *) {
            csp_recv(stop, nullptr);
            return 0;
        };
        EXPECT_TRUE(group_try_go(g, wait));
        EXPECT_TRUE(group_try_go(g, wait));
        EXPECT_FALSE(group_try_go(g, wait));
        // The forms that give up.
        EXPECT_FALSE(csp_group_go_until(g, run_member, nullptr, csp_now() + CSP_MS));
        EXPECT_EQ(errno, ETIMEDOUT);
        EXPECT_FALSE(csp_group_go_until(g, run_member, nullptr, 0));
        EXPECT_EQ(errno, ETIMEDOUT);
        csp_ctx *ctx = csp_ctx_with_cancel(nullptr);
        go([=] { csp_ctx_cancel(ctx); });
        EXPECT_FALSE(csp_group_go_ctx(g, run_member, nullptr, ctx));
        EXPECT_EQ(errno, ECANCELED);
        int result = -1;
        EXPECT_FALSE(csp_group_wait_until(g, &result, csp_now() + CSP_MS));
        EXPECT_EQ(errno, ETIMEDOUT);
        EXPECT_FALSE(csp_group_wait_ctx(g, &result, ctx));
        EXPECT_EQ(errno, ECANCELED);
        EXPECT_EQ(result, -1);
        EXPECT_EQ(csp_ctx_err(csp_group_ctx(g)), 0); // giving up cancels nothing
        csp_close(stop);
        EXPECT_TRUE(csp_group_wait_ctx(g, &result, nullptr));
        EXPECT_EQ(result, 0);
        // What can be done at once is done, whatever the limit says.
        EXPECT_TRUE(csp_group_go_ctx(g, run_member, new Member(wait), ctx));
        EXPECT_TRUE(csp_group_go_until(g, run_member, new Member(wait), 0));
        EXPECT_EQ(csp_group_wait(g), 0);
        EXPECT_TRUE(csp_group_wait_until(g, &result, 0));
        EXPECT_TRUE(csp_group_wait_ctx(g, nullptr, ctx));
        csp_ctx_free(ctx);
        csp_group_free(g);
        csp_chan_free(stop);
    });
}

TEST(Group, GoFromInside)
{
    expect_ok([] {
        csp_group *g = csp_group_new(nullptr);
        csp_group_limit(g, 4);
        std::atomic<int> leaves{0};
        std::function<int(int)> split = [&](int depth) {
            if (depth == 0)
                return leaves++, 0;
            for (int i = 0; i < 2; i++)
                if (!group_try_go(g, [&, depth](csp_ctx *) { return split(depth - 1); }))
                    split(depth - 1); // no place: do it ourselves
            return 0;
        };
        group_go(g, [&](csp_ctx *) { return split(8); });
        EXPECT_EQ(csp_group_wait(g), 0);
        EXPECT_EQ(leaves, 256);
        csp_group_free(g);
    });
}

TEST(Group, ExitCountsAsReturningZero)
{
    expect_ok([] {
        csp_group *g = csp_group_new(nullptr);
        csp_group_limit(g, 1);
        for (int i = 0; i < 3; i++)
            csp_group_go(g, [](csp_ctx *, void *) -> int { csp_exit(); }, nullptr);
        group_go(g, [](csp_ctx *) { return 5; });
        EXPECT_EQ(csp_group_wait(g), 5);
        csp_group_free(g);
    });
}

TEST(Group, WaitersAndFreeAtOnce)
{
    expect_ok([] {
        for (int i = 0; i < 300; i++) {
            csp_group *g = csp_group_new(nullptr);
            csp_group_limit(g, 1 + i % 3);
            for (int k = 0; k < 4; k++)
                group_go(g, [k](csp_ctx *) { return k == 3; });
            EXPECT_EQ(csp_group_wait(g), 1);
            csp_group_free(g); // whoever ended last has let go of it
        }
    });
}

TEST(Group, Misuse)
{
    expect_dies("panic: free of group in use", [] {
        csp_group *g = csp_group_new(nullptr);
        group_go(g, [](csp_ctx *) { return csp_sleep(CSP_SECOND), 0; });
        csp_group_free(g);
    });
    expect_dies("panic: csp_group: modify limit while 2 coroutines in the group are still active", [] {
        csp_group *g = csp_group_new(nullptr);
        group_go(g, [](csp_ctx *) { return csp_sleep(CSP_SECOND), 0; });
        group_go(g, [](csp_ctx *) { return csp_sleep(CSP_SECOND), 0; });
        csp_group_limit(g, 3);
    });
    expect_dies("panic: in a group", [] {
        csp_group *g = csp_group_new(nullptr);
        group_go(g, [](csp_ctx *) -> int { csp_panic("in a group"); });
        csp_group_wait(g);
    });
    expect_dies("fatal error: all coroutines are asleep - deadlock!", [] { // every place waits for a place
        csp_group *g = csp_group_new(nullptr);
        csp_group_limit(g, 1);
        group_go(g, [=](csp_ctx *) { return group_go(g, [](csp_ctx *) { return 0; }), 0; });
        csp_group_wait(g);
    });
}
