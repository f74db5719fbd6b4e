// chan_test.cc - channels: order, capacity, close, nil channels, misuse, and nothing lost under load.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "child.h"

#include <atomic>
#include <thread>
#include <vector>

static int recv_int(csp_chan *c)
{
    int v = -1;
    EXPECT_TRUE(csp_recv(c, &v));
    return v;
}

static void send_int(csp_chan *c, int v)
{
    csp_send(c, &v);
}

TEST(Chan, BufferKeepsOrderAndWraps)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 3);
        for (int round = 0; round < 5; round++) {
            for (int i = 0; i < 3 - round % 2; i++)
                send_int(c, 10 * round + i);
            for (int i = 0; i < 3 - round % 2; i++)
                EXPECT_EQ(recv_int(c), 10 * round + i);
        }
        csp_chan_free(c);
    });
}

TEST(Chan, UnbufferedSendWaitsForReceive)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 0);
        std::atomic<bool> sent{false};
        go([&] {
            send_int(c, 7);
            sent = true;
        });
        settle();
        EXPECT_FALSE(sent);
        EXPECT_EQ(recv_int(c), 7);
        EXPECT_EVENTUALLY(sent);
    });
}

TEST(Chan, FullBufferParksSenderUntilThereIsRoom)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 2);
        std::atomic<int> sent{0};
        go([&] {
            for (int i = 0; i < 5; i++, sent++)
                send_int(c, i);
        });
        settle(); // time to go wrong
        EXPECT_EQ(sent, 2);
        EXPECT_EQ(recv_int(c), 0);
        EXPECT_EVENTUALLY(sent == 3);
        for (int i = 1; i < 5; i++) // the values that waited come after those in the buffer
            EXPECT_EQ(recv_int(c), i);
    });
}

TEST(Chan, WaitersAreServedInOrder)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 0), *seen = csp_chan_new(sizeof(int), 8);
        for (int i = 0; i < 4; i++) {
            go([=] {
                int v = recv_int(c) * 10 + i;
                csp_send(seen, &v);
            });
            settle();
        }
        for (int i = 0; i < 4; i++) {
            send_int(c, i);
            EXPECT_EQ(recv_int(seen), 11 * i);
        }
    });
}

TEST(Chan, SizesAndAlignment)
{
    expect_ok([] {
        for (size_t size : {0, 1, 2, 3, 7, 8, 9, 16, 31, 64, 1000}) {
            for (size_t cap : {0, 1, 5}) {
                csp_chan *c = csp_chan_new(size, cap);
                std::vector<unsigned char> out(size + 2, 0xee);
                go([=] {
                    for (int k = 0; k < 7; k++) {
                        std::vector<unsigned char> in(size);
                        for (size_t i = 0; i < size; i++)
                            in[i] = (unsigned char)(i + k);
                        csp_send(c, in.data());
                    }
                    csp_close(c);
                });
                for (int k = 0; k < 7; k++) {
                    ASSERT_TRUE(csp_recv(c, out.data() + 1));
                    for (size_t i = 0; i < size; i++)
                        ASSERT_EQ(out[i + 1], (unsigned char)(i + k)) << size;
                    ASSERT_TRUE(out[0] == 0xee && out[size + 1] == 0xee) << "wrote beside the element";
                }
                ASSERT_FALSE(csp_recv(c, out.data() + 1));
                csp_chan_free(c);
            }
        }
    });
}

TEST(Chan, SignalsNeedNoElement)
{
    expect_ok([] {
        for (size_t cap : {0, 2}) {
            csp_chan *c = csp_chan_new(0, cap);
            go([=] {
                csp_send(c, nullptr);
                csp_send(c, nullptr);
                csp_close(c);
            });
            EXPECT_TRUE(csp_recv(c, nullptr));
            EXPECT_TRUE(csp_recv(c, nullptr));
            EXPECT_FALSE(csp_recv(c, nullptr));
        }
    });
}

TEST(Chan, ClosedChannelDrainsThenGivesZeros)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 4);
        send_int(c, 1), send_int(c, 2);
        csp_close(c);
        EXPECT_EQ(recv_int(c), 1);
        int v = 99;
        EXPECT_EQ(csp_try_recv(c, &v), 1);
        EXPECT_EQ(v, 2);
        v = 99;
        EXPECT_FALSE(csp_recv(c, &v));
        EXPECT_EQ(v, 0);
        v = 99;
        EXPECT_EQ(csp_try_recv(c, &v), -1);
        EXPECT_EQ(v, 0);
    });
}

TEST(Chan, CloseWakesAllReceivers)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 0);
        csp_wg wg = {};
        for (int i = 0; i < 20; i++) {
            csp_wg_add(&wg, 1);
            go([&] {
                int v = 5;
                EXPECT_FALSE(csp_recv(c, &v));
                EXPECT_EQ(v, 0);
                csp_wg_done(&wg);
            });
        }
        settle();
        csp_close(c);
        csp_wg_wait(&wg);
        csp_chan_free(c);
    });
}

TEST(Chan, TryNeverParks)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 1);
        int v = 3;
        EXPECT_EQ(csp_try_recv(c, &v), 0);
        EXPECT_EQ(v, 3);
        EXPECT_TRUE(csp_try_send(c, &v));
        EXPECT_FALSE(csp_try_send(c, &v));
        EXPECT_EQ(csp_try_recv(c, nullptr), 1); // dropped
        csp_chan *u = csp_chan_new(sizeof(int), 0);
        EXPECT_FALSE(csp_try_send(u, &v));
        go([=] { EXPECT_EQ(recv_int(u), 3); });
        settle();
        EXPECT_TRUE(csp_try_send(u, &v)); // somebody waits
        EXPECT_FALSE(csp_try_send(nullptr, &v));
        EXPECT_EQ(csp_try_recv(nullptr, &v), 0);
    });
}

TEST(Chan, LenAndCap)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 3);
        EXPECT_EQ(csp_cap(c), 3u);
        EXPECT_EQ(csp_len(c), 0u);
        send_int(c, 1), send_int(c, 1);
        EXPECT_EQ(csp_len(c), 2u);
        recv_int(c);
        EXPECT_EQ(csp_len(c), 1u);
        EXPECT_EQ(csp_len(nullptr), 0u);
        EXPECT_EQ(csp_cap(nullptr), 0u);
        csp_chan_free(nullptr);
    });
}

TEST(Chan, NilChannelParksForEver)
{
    expect_ok([] {
        std::atomic<int> returned{0};
        int v = 0;
        go([&] { csp_send(nullptr, &v), returned++; });
        go([&] { csp_recv(nullptr, &v), returned++; });
        settle();
        EXPECT_EQ(returned, 0);
    });
    expect_dies("fatal error: all coroutines are asleep - deadlock!", [] {
        int v;
        csp_recv(nullptr, &v);
    });
}

TEST(Chan, PthreadsMayTakePart)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 0);
        std::thread sender([=] {
            for (int i = 0; i < 200; i++)
                send_int(c, i);
        });
        for (int i = 0; i < 200; i++)
            EXPECT_EQ(recv_int(c), i);
        sender.join();
        std::thread receiver([=] {
            for (int i = 0; i < 200; i++)
                EXPECT_EQ(recv_int(c), i);
        });
        for (int i = 0; i < 200; i++)
            send_int(c, i);
        receiver.join();
    });
}

TEST(Chan, Misuse)
{
    expect_dies("panic: send on closed channel", [] {
        csp_chan *c = csp_chan_new(sizeof(int), 1);
        csp_close(c);
        send_int(c, 1);
    });
    expect_dies("panic: send on closed channel", [] {
        csp_chan *c = csp_chan_new(sizeof(int), 1);
        csp_close(c);
        int v = 1;
        csp_try_send(c, &v);
    });
    expect_dies("panic: send on closed channel", [] { // while parked
        csp_chan *c = csp_chan_new(sizeof(int), 0);
        go([=] { send_int(c, 1); });
        settle();
        csp_close(c);
        csp_sleep(CSP_SECOND);
    });
    expect_dies("panic: close of closed channel", [] {
        csp_chan *c = csp_chan_new(sizeof(int), 1);
        csp_close(c);
        csp_close(c);
    });
    expect_dies("panic: close of nil channel", [] { csp_close(nullptr); });
    expect_dies("panic: free of channel in use", [] {
        csp_chan *c = csp_chan_new(sizeof(int), 0);
        go([=] { recv_int(c); });
        settle();
        csp_chan_free(c);
    });
    expect_dies("panic: csp_chan_new: size out of range", [] { csp_chan_new(SIZE_MAX / 2, 3); });
}

// Every value arrives exactly once, and each sender's values in order.
TEST(Chan, NothingIsLostUnderLoad)
{
    for (size_t cap : {0, 1, 3, 64}) {
        expect_ok([=] {
            enum { SENDERS = 7, RECEIVERS = 5, EACH = 1500 };
            csp_chan *c = csp_chan_new(sizeof(int), cap);
            csp_wg senders = {}, receivers = {};
            std::vector<std::atomic<int>> seen(SENDERS * EACH);
            csp_wg_add(&senders, SENDERS);
            csp_wg_add(&receivers, RECEIVERS);
            for (int s = 0; s < SENDERS; s++)
                go([=, &senders] {
                    for (int i = 0; i < EACH; i++)
                        send_int(c, s * EACH + i);
                    csp_wg_done(&senders);
                });
            for (int r = 0; r < RECEIVERS; r++)
                go([&seen, c, &receivers] {
                    int v, last[SENDERS];
                    for (int &l : last)
                        l = -1;
                    CSP_RANGE(v, c)
                    {
                        seen[(size_t)v]++;
                        ASSERT_LT(last[v / EACH], v % EACH);
                        last[v / EACH] = v % EACH;
                    }
                    csp_wg_done(&receivers);
                });
            csp_wg_wait(&senders);
            csp_close(c);
            csp_wg_wait(&receivers);
            csp_chan_free(c);
            for (auto &n : seen)
                ASSERT_EQ(n, 1);
        });
    }
}

// The receiver of the last value frees the channel while the sender is on its way out.
TEST(Chan, MayBeFreedOnceTheLastValueWasReceived)
{
    for (size_t cap : {0, 1}) {
        expect_ok([=] {
            for (int i = 0; i < 3000; i++) {
                csp_chan *c = csp_chan_new(sizeof(int), cap);
                go([=] { send_int(c, i); });
                EXPECT_EQ(recv_int(c), i);
                csp_chan_free(c);
            }
        });
    }
}
