// select_test.cc - select: which case, how fairly, timeouts, many cases, and nothing lost under load.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "child.h"

#include <atomic>
#include <vector>

static csp_chan *full(int v)
{
    csp_chan *c = csp_chan_new(sizeof(int), 1);
    csp_send(c, &v);
    return c;
}

TEST(Select, TakesTheReadyCase)
{
    expect_ok([] {
        csp_chan *empty = csp_chan_new(sizeof(int), 1), *one = full(5);
        int v = 0, w = 9;
        bool ok = false;
        EXPECT_EQ(CSP_SELECT(csp_case_recv(empty, &w, nullptr), csp_case_recv(one, &v, &ok)), 1);
        EXPECT_EQ(v, 5);
        EXPECT_TRUE(ok);
        EXPECT_EQ(w, 9);
        EXPECT_EQ(CSP_SELECT(csp_case_recv(one, &v, &ok), csp_case_send(empty, &w)), 1);
        EXPECT_EQ(csp_len(empty), 1u);
    });
}

TEST(Select, TryNeverParks)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 0);
        int v = 1;
        bool ok = true;
        csp_case cases[] = {csp_case_recv(c, &v, &ok), csp_case_send(c, &v), csp_case_recv(nullptr, &v, &ok),
                            csp_case_after(CSP_MS)};
        EXPECT_EQ(csp_try_select(cases, 4), -1);
        EXPECT_EQ(csp_try_select(nullptr, 0), -1);
        EXPECT_TRUE(ok);
        EXPECT_EQ(v, 1);
        cases[3] = csp_case_after(0);
        EXPECT_EQ(csp_try_select(cases, 4), 3);
    });
}

TEST(Select, ClosedChannelIsReady)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 0), *never = csp_chan_new(sizeof(int), 0);
        csp_close(c);
        int v = 7;
        bool ok = true;
        EXPECT_EQ(CSP_SELECT(csp_case_recv(never, &v, nullptr), csp_case_recv(c, &v, &ok)), 1);
        EXPECT_FALSE(ok);
        EXPECT_EQ(v, 0);
    });
    expect_dies("panic: send on closed channel", [] {
        csp_chan *c = csp_chan_new(sizeof(int), 0);
        csp_close(c);
        int v = 7;
        CSP_SELECT(csp_case_send(c, &v));
    });
    expect_dies("panic: send on closed channel", [] { // while parked
        csp_chan *c = csp_chan_new(sizeof(int), 0);
        go([=] {
            int v = 7;
            CSP_SELECT(csp_case_send(c, &v), csp_case_recv(nullptr, nullptr, nullptr));
        });
        settle();
        csp_close(c);
        csp_sleep(CSP_SECOND);
    });
}

TEST(Select, ParksUntilOneIsReady)
{
    expect_ok([] {
        csp_chan *a = csp_chan_new(sizeof(int), 0), *b = csp_chan_new(sizeof(int), 0);
        for (int i = 0; i < 100; i++) {
            go([=] { csp_send(i % 2 ? a : b, &i); });
            int v = -1;
            bool ok = false;
            EXPECT_EQ(CSP_SELECT(csp_case_recv(a, &v, &ok), csp_case_recv(b, &v, &ok)), i % 2 ? 0 : 1);
            EXPECT_EQ(v, i);
            EXPECT_TRUE(ok);
        }
        for (int i = 0; i < 100; i++) {
            go([=] {
                int v = -1;
                csp_recv(i % 2 ? a : b, &v);
                EXPECT_EQ(v, i);
            });
            EXPECT_EQ(CSP_SELECT(csp_case_send(a, &i), csp_case_send(b, &i)), i % 2 ? 0 : 1);
        }
        csp_chan_free(a), csp_chan_free(b); // no waiter was left behind
    });
}

TEST(Select, CloseWakesAParkedOne)
{
    expect_ok([] {
        csp_chan *a = csp_chan_new(sizeof(int), 0), *done = csp_chan_new(0, 0);
        go([=] {
            settle();
            csp_close(done);
        });
        bool ok = true;
        EXPECT_EQ(CSP_SELECT(csp_case_recv(a, nullptr, nullptr), csp_case_recv(done, nullptr, &ok)), 1);
        EXPECT_FALSE(ok);
    });
}

TEST(Select, ChoosesEvenlyAmongTheReady)
{
    expect_ok([] {
        int count[4] = {};
        for (int i = 0; i < 4000; i++) {
            csp_chan *c[4];
            for (auto &k : c)
                k = full(1);
            int v;
            count[CSP_SELECT(csp_case_recv(c[0], &v, nullptr), csp_case_recv(c[1], &v, nullptr),
                             csp_case_recv(c[2], &v, nullptr), csp_case_recv(c[3], &v, nullptr))]++;
            for (auto &k : c)
                csp_chan_free(k);
        }
        for (int n : count) // 1000 expected, standard deviation 27
            EXPECT_TRUE(n > 800 && n < 1200) << n;
    });
}

TEST(Select, TimesOut)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 0);
        int v;
        int64_t start = csp_now();
        EXPECT_EQ(CSP_SELECT(csp_case_recv(c, &v, nullptr), csp_case_after(20 * CSP_MS)), 1);
        EXPECT_GE(csp_now() - start, 20 * CSP_MS);
        EXPECT_EQ(CSP_SELECT(csp_case_after(CSP_SECOND), csp_case_recv(c, &v, nullptr), csp_case_after(CSP_MS)), 2);
        EXPECT_EQ(CSP_SELECT(csp_case_after(CSP_MS)), 0);
        EXPECT_EQ(CSP_SELECT(csp_case_after(-5), csp_case_after(INT64_MAX)), 0);
        go([=] {
            int w = 4;
            csp_send(c, &w);
        });
        start = csp_now();
        EXPECT_EQ(CSP_SELECT(csp_case_recv(c, &v, nullptr), csp_case_after(30 * CSP_SECOND)), 0);
        EXPECT_LT(csp_now() - start, 10 * CSP_SECOND);
    });
}

TEST(Select, NothingToWaitForParksForEver)
{
    for (int kind = 0; kind < 2; kind++) {
        expect_dies("fatal error: all coroutines are asleep - deadlock!", [=] {
            csp_case nil = csp_case_recv(nullptr, nullptr, nullptr);
            csp_select(&nil, (size_t)kind);
        });
    }
}

TEST(Select, SameChannelTwice)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 0);
        int seen[3] = {};
        for (int i = 0; i < 300; i++) {
            bool send_first = i % 3 == 0;
            int mine = 1000 + i, theirs = -1, other = 2000 + i, got = -1;
            csp_wg wg = {};
            csp_wg_add(&wg, 1);
            go([&, send_first] {
                if (send_first)
                    csp_recv(c, &theirs);
                else
                    csp_send(c, &other);
                csp_wg_done(&wg);
            });
            int k =
                CSP_SELECT(csp_case_send(c, &mine), csp_case_recv(c, &got, nullptr), csp_case_recv(c, &got, nullptr));
            csp_wg_wait(&wg);
            seen[k]++;
            if (send_first)
                EXPECT_TRUE(k == 0 && theirs == mine);
            else
                EXPECT_TRUE(k != 0 && got == other);
        }
        EXPECT_EQ(seen[0], 100);
        csp_chan_free(c);
    });
}

// A send and a receive of one select on one channel are no partners.
TEST(Select, DoesNotMeetItself)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 0);
        int out = 1, in = 2;
        csp_case k[] = {csp_case_send(c, &out), csp_case_recv(c, &in, nullptr), csp_case_send(c, &out)};
        for (int i = 0; i < 20; i++) {
            EXPECT_EQ(csp_try_select(k, 3), -1);
            EXPECT_EQ(csp_select_until(k, 3, csp_now() + CSP_MS), -1);
        }
        EXPECT_EQ(in, 2);
        // Two such selects do meet, one sending, one receiving.
        std::atomic<int> sends{0};
        csp_wg wg = {};
        csp_wg_add(&wg, 2);
        for (int i = 0; i < 2; i++)
            go([&] {
                int mine = 5, theirs = 0;
                int chosen = CSP_SELECT(csp_case_send(c, &mine), csp_case_recv(c, &theirs, nullptr));
                EXPECT_EQ(theirs, chosen == 1 ? 5 : 0);
                sends += chosen == 0;
                csp_wg_done(&wg);
            });
        csp_wg_wait(&wg);
        EXPECT_EQ(sends, 1);
        csp_chan_free(c);
    });
}

TEST(Select, ThousandsOfCases)
{
    expect_ok([] {
        enum { N = 3000 };
        std::vector<csp_chan *> c(N);
        std::vector<csp_case> cases;
        int v = -1;
        for (auto &k : c) {
            k = csp_chan_new(sizeof(int), 0);
            cases.push_back(csp_case_recv(k, &v, nullptr));
        }
        for (int i : {0, 1, 17, 1500, N - 1}) {
            go([&, i] {
                settle();
                csp_send(c[(size_t)i], &i);
            });
            EXPECT_EQ(csp_select(cases.data(), N), i);
            EXPECT_EQ(v, i);
        }
        EXPECT_EQ(csp_try_select(cases.data(), N), -1);
        for (auto &k : c)
            csp_chan_free(k);
    });
}

// Two sides that both select over the same channels, in opposite orders, with timeouts in between: every value sent in a
// chosen case arrives exactly once.
TEST(Select, NothingIsLostUnderLoad)
{
    expect_ok([] {
        enum { PAIRS = 4, EACH = 1500 };
        csp_chan *a = csp_chan_new(sizeof(int), 0), *b = csp_chan_new(sizeof(int), 2), *quit = csp_chan_new(0, 0);
        std::atomic<long> sent{0}, received{0};
        csp_wg senders = {}, receivers = {};
        csp_wg_add(&senders, PAIRS), csp_wg_add(&receivers, PAIRS);
        for (int p = 0; p < PAIRS; p++) {
            go([&] {
                for (int i = 1; i <= EACH; i++) {
                    int k = CSP_SELECT(csp_case_send(a, &i), csp_case_send(b, &i), csp_case_after((i % 7) * CSP_US));
                    if (k < 2)
                        sent += i;
                }
                csp_wg_done(&senders);
            });
            go([&] {
                for (int v = 0;;) {
                    int k = CSP_SELECT(csp_case_recv(b, &v, nullptr), csp_case_recv(a, &v, nullptr),
                                       csp_case_recv(quit, nullptr, nullptr));
                    if (k == 2)
                        break;
                    received += v;
                }
                csp_wg_done(&receivers);
            });
        }
        csp_wg_wait(&senders);
        csp_close(quit);
        csp_wg_wait(&receivers);
        int v;
        while (csp_try_recv(b, &v) == 1)
            received += v;
        EXPECT_EQ(sent, received);
        EXPECT_GT(sent, 0);
        csp_chan_free(a), csp_chan_free(b), csp_chan_free(quit);
    });
}

// The partner frees both channels as soon as its send was taken, while the select may still be queued on the other one.
TEST(Select, ChannelsMayBeFreedOnceItHasChosen)
{
    expect_ok([] {
        for (int i = 0; i < 1500; i++) {
            csp_chan *a = csp_chan_new(sizeof(int), 0), *b = csp_chan_new(sizeof(int), 0), *end = csp_chan_new(0, 0);
            go([=] {
                int v;
                CSP_SELECT(csp_case_recv(a, &v, nullptr), csp_case_recv(b, &v, nullptr), csp_case_recv(a, &v, nullptr));
                csp_send(end, nullptr);
            });
            if (i % 2)
                csp_send(i % 4 == 1 ? a : b, &i);
            else
                csp_close(a);
            if (i % 2) {
                csp_chan_free(a), csp_chan_free(b);
                csp_recv(end, nullptr);
            } else {
                csp_recv(end, nullptr);
                csp_chan_free(a), csp_chan_free(b);
            }
            csp_chan_free(end);
        }
    });
}
