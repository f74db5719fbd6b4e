// typed_test.cc - typed channels work in C++ as they do in C; what must not compile is test/typed's business.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "child.h"

#include <cstring>

struct point {
    double x, y;
};
CSP_CHAN_TYPE(ints, int)
CSP_CHAN_TYPE(points, struct point)
CSP_CHAN_TYPE(strs, const char *)

static void produce(ints_tx out, int n)
{
    for (int i = 0; i < n; i++)
        ints_send(out, i);
    ints_close(out);
}

static int consume(ints_rx in)
{
    int sum = 0, v;
    CSP_RANGE(v, in)
    sum += v;
    return sum;
}

TEST(Typed, DirectionsAndRange)
{
    expect_ok([] {
        ints c = ints_new(2);
        go([=] { produce(c, 100); });
        EXPECT_EQ(consume(c), 4950);
        int v = 9;
        EXPECT_FALSE(ints_recv(c, &v));
        EXPECT_EQ(v, 0);
        EXPECT_EQ(ints_try_recv(c, &v), -1);
        CSP_RANGE(v, c)
        FAIL();
        CSP_RANGE(v, ints_raw(c))
        FAIL();
        EXPECT_EQ(ints_from_raw(ints_raw(c)), c);
        ints_free(c);
    });
}

TEST(Typed, LenCapAndTry)
{
    expect_ok([] {
        strs c = strs_new(2);
        EXPECT_TRUE(strs_try_send(c, "a"));
        strs_tx tx = strs_to_tx(c);
        strs_rx rx = strs_to_rx(c);
        EXPECT_TRUE(strs_try_send(tx, "b"));
        EXPECT_FALSE(strs_try_send(tx, "c"));
        EXPECT_EQ(strs_len(c) + strs_len(tx) + strs_len(rx), 6u);
        EXPECT_EQ(strs_cap(rx), 2u);
        const char *s = nullptr;
        EXPECT_EQ(strs_try_recv(rx, &s), 1);
        EXPECT_STREQ(s, "a");
        strs_free(c);
    });
}

TEST(Typed, Select)
{
    expect_ok([] {
        points p = points_new(1);
        strs s = strs_new(0);
        point in = {1, 2}, out = {};
        const char *text = "x";
        bool ok = false;
        EXPECT_EQ(CSP_SELECT(strs_case_send(s, &text), points_case_send(p, &in)), 1);
        EXPECT_EQ(CSP_SELECT(strs_case_recv(s, &text, &ok), points_case_recv(p, &out, &ok), csp_case_after(CSP_SECOND)),
                  1);
        EXPECT_TRUE(ok && out.x == 1 && out.y == 2);
        strs none = nullptr; // never ready
        EXPECT_EQ(CSP_SELECT(strs_case_recv(none, &text, &ok), csp_case_after(CSP_MS)), 1);
    });
}
