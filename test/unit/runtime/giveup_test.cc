// giveup_test.cc - every wait with a limit: what is there at once, what comes in time, the instant, the cancellation, and that
// who gives up lets go of what it held others up with.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "child.h"

#include <atomic>
#include <cerrno>
#include <functional>
#include <vector>

namespace
{

int64_t soon()
{
    return csp_now() + 5 * CSP_MS;
}
int64_t late()
{
    return csp_now() + CSP_MINUTE;
}

// A wait in both forms; *got: it did what it waits for.
struct Wait {
    const char *name;
    std::function<bool(int64_t)> until;
    std::function<bool(csp_ctx *)> ctx;
};

// Objects on which a wait cannot succeed until open() was called; after which it succeeds at once, `times` times.
struct Objects {
    csp_chan *full = csp_chan_new(sizeof(int), 1), *empty = csp_chan_new(sizeof(int), 1), *none = csp_chan_new(0, 0);
    csp_mutex m = {}, guard = {};
    csp_rwmutex written = {}, read = {};
    csp_wg wg = {};
    csp_sem sem = {};
    csp_cond cond = {};
    int v = 7, got = 0;

    Objects()
    {
        csp_send(full, &v);
        csp_mutex_lock(&m);
        csp_rwmutex_lock(&written);
        csp_rwmutex_rlock(&read);
        csp_wg_add(&wg, 1);
    }
    ~Objects()
    {
        for (csp_chan *c : {full, empty, none})
            csp_chan_free(c);
    }

    void open()
    {
        csp_recv(full, nullptr);
        csp_send(empty, &v);
        csp_mutex_unlock(&m);
        csp_rwmutex_unlock(&written);
        csp_rwmutex_runlock(&read);
        csp_wg_done(&wg);
        csp_sem_release(&sem, 2);
    }

    // All but the condition, whose wait never succeeds at once.
    std::vector<Wait> waits()
    {
        return {
            {"send", [this](int64_t at) { return csp_send_until(full, &v, at); },
             [this](csp_ctx *c) { return csp_send_ctx(full, &v, c); }},
            {"recv", [this](int64_t at) { return csp_recv_until(empty, &got, at) == 1; },
             [this](csp_ctx *c) { return csp_recv_ctx(empty, &got, c) == 1; }},
            {"mutex", [this](int64_t at) { return csp_mutex_lock_until(&m, at); },
             [this](csp_ctx *c) { return csp_mutex_lock_ctx(&m, c); }},
            {"rlock", [this](int64_t at) { return csp_rwmutex_rlock_until(&written, at); },
             [this](csp_ctx *c) { return csp_rwmutex_rlock_ctx(&written, c); }},
            {"lock", [this](int64_t at) { return csp_rwmutex_lock_until(&read, at); },
             [this](csp_ctx *c) { return csp_rwmutex_lock_ctx(&read, c); }},
            {"wg", [this](int64_t at) { return csp_wg_wait_until(&wg, at); },
             [this](csp_ctx *c) { return csp_wg_wait_ctx(&wg, c); }},
            {"sem", [this](int64_t at) { return csp_sem_acquire_until(&sem, 2, at); },
             [this](csp_ctx *c) { return csp_sem_acquire_ctx(&sem, 2, c); }},
        };
    }

    std::vector<Wait> never()
    {
        return {
            {"select",
             [this](int64_t at) {
                 csp_case k[] = {csp_case_recv(none, nullptr, nullptr), csp_case_send(none, nullptr)};
                 return csp_select_until(k, 2, at) >= 0;
             },
             [this](csp_ctx *c) {
                 csp_case k[] = {csp_case_recv(none, nullptr, nullptr), csp_case_send(none, nullptr)};
                 return csp_select_ctx(k, 2, c) >= 0;
             }},
            {"no cases", [](int64_t at) { return csp_select_until(nullptr, 0, at) >= 0; },
             [](csp_ctx *c) { return csp_select_ctx(nullptr, 0, c) >= 0; }},
            {"nil send", [](int64_t at) { return csp_send_until(nullptr, nullptr, at); },
             [](csp_ctx *c) { return csp_send_ctx(nullptr, nullptr, c); }},
            {"nil recv", [](int64_t at) { return csp_recv_until(nullptr, nullptr, at) != 0; },
             [](csp_ctx *c) { return csp_recv_ctx(nullptr, nullptr, c) != 0; }},
            {"cond",
             [this](int64_t at) {
                 csp_mutex_lock(&guard);
                 bool signalled = csp_cond_wait_until(&cond, &guard, at);
                 EXPECT_FALSE(csp_mutex_trylock(&guard)) << "held again";
                 int why = errno;
                 csp_mutex_unlock(&guard);
                 errno = why;
                 return signalled;
             },
             [this](csp_ctx *c) {
                 csp_mutex_lock(&guard);
                 bool signalled = csp_cond_wait_ctx(&cond, &guard, c);
                 EXPECT_FALSE(csp_mutex_trylock(&guard)) << "held again";
                 int why = errno;
                 csp_mutex_unlock(&guard);
                 errno = why;
                 return signalled;
             }},
        };
    }

    std::vector<Wait> all()
    {
        std::vector<Wait> both = waits(), more = never();
        both.insert(both.end(), more.begin(), more.end());
        return both;
    }
};

} // namespace

TEST(GiveUp, AtTheInstant)
{
    expect_ok([] {
        Objects o;
        for (Wait &w : o.all()) {
            int64_t at = soon();
            errno = 0;
            EXPECT_FALSE(w.until(at)) << w.name;
            EXPECT_EQ(errno, ETIMEDOUT) << w.name;
            EXPECT_GE(csp_now(), at) << w.name;
            errno = 0;
            EXPECT_FALSE(w.until(0)) << w.name << ", limit over before";
            EXPECT_EQ(errno, ETIMEDOUT) << w.name;
        }
        o.open(); // who gave up left nothing behind
        for (Wait &w : o.waits())
            EXPECT_TRUE(w.until(0)) << w.name << ": what needs no waiting is done, whatever the limit";
        EXPECT_EQ(o.got, 7);
    });
}

TEST(GiveUp, WhenCancelled)
{
    expect_ok([] {
        Objects o;
        for (Wait &w : o.all()) {
            csp_ctx *ctx = csp_ctx_with_cancel(nullptr);
            go([ctx] {
                csp_sleep(2 * CSP_MS);
                csp_ctx_cancel(ctx);
            });
            errno = 0;
            EXPECT_FALSE(w.ctx(ctx)) << w.name;
            EXPECT_EQ(errno, ECANCELED) << w.name;
            errno = 0;
            EXPECT_FALSE(w.ctx(ctx)) << w.name << ", cancelled before";
            EXPECT_EQ(errno, ECANCELED) << w.name;
            csp_ctx *timed = csp_ctx_with_timeout(nullptr, 2 * CSP_MS);
            EXPECT_FALSE(w.ctx(timed)) << w.name;
            EXPECT_EQ(errno, ETIMEDOUT) << w.name;
            EXPECT_EVENTUALLY(csp_count() == 1); // the canceller is done with ctx
            csp_ctx_free(ctx), csp_ctx_free(timed);
        }
        csp_ctx *over = csp_ctx_with_cancel(nullptr);
        csp_ctx_cancel(over);
        o.open();
        for (Wait &w : o.waits())
            EXPECT_TRUE(w.ctx(over)) << w.name << ": what needs no waiting is done, whatever the limit";
        csp_ctx_free(over);
    });
}

TEST(GiveUp, NotWhenItComesInTime)
{
    expect_ok([] {
        for (int form = 0; form < 3; form++) {
            Objects o;
            csp_ctx *ctx = csp_ctx_with_cancel(nullptr);
            std::atomic<int> done{0};
            std::vector<Wait> waits = o.waits();
            for (Wait &w : waits)
                go([&, form] {
                    bool ok = form == 0 ? w.until(late()) : form == 1 ? w.ctx(ctx) : w.ctx(nullptr);
                    EXPECT_TRUE(ok) << w.name;
                    done++;
                });
            settle();
            EXPECT_EQ(done, 0);
            o.open();
            EXPECT_EVENTUALLY(done == (int)waits.size());
            EXPECT_EVENTUALLY(csp_count() == 1);
            csp_ctx_free(ctx);
        }
    });
}

TEST(GiveUp, PthreadsToo)
{
    expect_ok([] {
        Objects o;
        csp_ctx *ctx = csp_ctx_with_cancel(nullptr);
        pthread_t t;
        struct Both {
            Objects *o;
            csp_ctx *ctx;
        } both = {&o, ctx};
        pthread_create(
            &t, nullptr,
            [](void *p) -> void * {
                Both *b = static_cast<Both *>(p);
                for (Wait &w : b->o->all()) {
                    EXPECT_FALSE(w.until(soon())) << w.name;
                    EXPECT_EQ(errno, ETIMEDOUT) << w.name;
                }
                EXPECT_EQ(csp_recv_ctx(b->o->none, nullptr, b->ctx), 0);
                EXPECT_EQ(errno, ECANCELED);
                return nullptr;
            },
            &both);
        csp_sleep(200 * CSP_MS);
        csp_ctx_cancel(ctx);
        pthread_join(t, nullptr);
        csp_ctx_free(ctx);
    });
}

// --- what waits behind ----------------------------------------------------------------------------------------------------

TEST(GiveUp, ReadersBehindAWriterGoOn)
{
    expect_ok([] {
        csp_rwmutex m = {};
        std::atomic<int> in{0};
        csp_rwmutex_rlock(&m);
        go([&] { EXPECT_FALSE(csp_rwmutex_lock_until(&m, csp_now() + 100 * CSP_MS)); });
        while (csp_rwmutex_tryrlock(&m)) // until the writer waits
            csp_rwmutex_runlock(&m), csp_yield();
        for (int i = 0; i < 3; i++)
            go([&] {
                csp_rwmutex_rlock(&m);
                in++;
                csp_rwmutex_runlock(&m);
            });
        EXPECT_EVENTUALLY(in == 3); // although this reader never leaves
        csp_rwmutex_runlock(&m);
        EXPECT_TRUE(csp_rwmutex_trylock(&m));
        csp_rwmutex_unlock(&m);
    });
}

TEST(GiveUp, AReaderThatGivesUpLeavesTheWriterItsTurn)
{
    expect_ok([] {
        csp_rwmutex m = {};
        std::atomic<bool> wrote{false};
        csp_rwmutex_lock(&m);
        go([&] {
            csp_rwmutex_lock(&m);
            wrote = true;
            csp_rwmutex_unlock(&m);
        });
        EXPECT_FALSE(csp_rwmutex_rlock_until(&m, soon()));
        csp_rwmutex_unlock(&m);
        EXPECT_EVENTUALLY(wrote);
        EXPECT_EVENTUALLY(csp_count() == 1);
    });
}

TEST(GiveUp, SmallRequestsBehindABigOneGoOn)
{
    expect_ok([] {
        csp_sem s;
        csp_sem_init(&s, 3);
        std::atomic<int> got{0};
        go([&] { EXPECT_FALSE(csp_sem_acquire_until(&s, 10, csp_now() + 100 * CSP_MS)); });
        while (csp_sem_tryacquire(&s, 1)) // until the big one waits
            csp_sem_release(&s, 1), csp_yield();
        for (int i = 0; i < 4; i++)
            go([&] {
                csp_sem_acquire(&s, 1);
                got++;
            });
        EXPECT_EVENTUALLY(got == 3);
        csp_sem_release(&s, 1);
        EXPECT_EVENTUALLY(got == 4);
        EXPECT_EVENTUALLY(csp_count() == 1);
    });
}

TEST(GiveUp, TheNextWaiterGetsTheMutex)
{
    expect_ok([] {
        csp_mutex m = {};
        std::atomic<int> got{0};
        std::atomic<bool> gave_up{false};
        csp_mutex_lock(&m);
        go([&] {
            EXPECT_FALSE(csp_mutex_lock_until(&m, soon()));
            gave_up = true;
        });
        for (int i = 0; i < 3; i++)
            go([&] {
                csp_mutex_lock(&m);
                got++;
                csp_mutex_unlock(&m);
            });
        EXPECT_EVENTUALLY(gave_up);
        csp_mutex_unlock(&m);
        EXPECT_EVENTUALLY(got == 3);
        EXPECT_EVENTUALLY(csp_count() == 1);
    });
}

TEST(GiveUp, ASignalGoesToWhoStillWaits)
{
    expect_ok([] {
        csp_mutex m = {};
        csp_cond c = {};
        std::atomic<int> woken{0}, gave_up{0};
        for (int i = 0; i < 4; i++)
            go([&, i] {
                csp_mutex_lock(&m);
                if (i % 2) {
                    csp_cond_wait(&c, &m);
                    woken++;
                } else if (!csp_cond_wait_until(&c, &m, soon())) {
                    gave_up++;
                }
                csp_mutex_unlock(&m);
            });
        EXPECT_EVENTUALLY(gave_up == 2);
        csp_cond_signal(&c);
        EXPECT_EVENTUALLY(woken == 1);
        csp_cond_broadcast(&c);
        EXPECT_EVENTUALLY(woken == 2);
        EXPECT_EVENTUALLY(csp_count() == 1);
    });
}

TEST(GiveUp, ASignalInTimeIsReceived)
{
    expect_ok([] {
        csp_mutex m = {};
        csp_cond c = {};
        std::atomic<int> woken{0};
        for (int i = 0; i < 3; i++)
            go([&] {
                csp_mutex_lock(&m);
                EXPECT_TRUE(csp_cond_wait_until(&c, &m, late()));
                woken++;
                csp_mutex_unlock(&m);
            });
        settle();
        csp_cond_signal(&c);
        EXPECT_EVENTUALLY(woken == 1);
        csp_cond_broadcast(&c);
        EXPECT_EVENTUALLY(woken == 3);
        EXPECT_EVENTUALLY(csp_count() == 1);
    });
}

// --- channels -------------------------------------------------------------------------------------------------------------

TEST(GiveUp, ClosedChannels)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 0);
        int v = 5;
        go([&] {
            settle();
            csp_close(c);
        });
        EXPECT_EQ(csp_recv_until(c, &v, late()), -1);
        EXPECT_EQ(v, 0);
        EXPECT_EQ(csp_recv_until(c, &v, 0), -1);
        EXPECT_EQ(csp_recv_ctx(c, nullptr, nullptr), -1);
        csp_chan_free(c);
    });
    auto send = [](bool close_later) {
        csp_chan *c = csp_chan_new(0, 0);
        go([=] {
            csp_sleep(close_later ? 20 * CSP_MS : 0);
            csp_close(c);
        });
        csp_sleep(close_later ? 0 : 20 * CSP_MS);
        csp_send_until(c, nullptr, late());
    };
    expect_dies("panic: send on closed channel", [&] { send(true); });
    expect_dies("panic: send on closed channel", [&] { send(false); });
}

// The receiver of the last value frees the channel while the sender is still on its way out of its limited send.
TEST(GiveUp, ChannelIsFreedRightAfterTheSend)
{
    expect_ok([] {
        for (int i = 0; i < 300; i++) {
            csp_chan *c = csp_chan_new(sizeof(int), 0);
            std::atomic<bool> sent{false};
            go([&, c] {
                int v = i;
                EXPECT_TRUE(csp_send_until(c, &v, late()));
                sent = true;
            });
            int v = -1;
            EXPECT_EQ(csp_recv_until(c, &v, late()), 1);
            EXPECT_EQ(v, i);
            csp_chan_free(c);
            while (!sent)
                csp_yield();
        }
    });
}

// Values that meet a receiver about to give up are received or still there, never lost.
TEST(GiveUp, LosesNoValue)
{
    expect_ok([] {
        csp_chan *c = csp_chan_new(sizeof(int), 0);
        std::atomic<int> sent{0}, got{0}, ended{0};
        for (int k = 0; k < 4; k++) {
            go([&, k] {
                for (int i = 0; i < 200; i++)
                    sent += csp_send_until(c, &i, csp_now() + (i * 7 + k) % 40 * CSP_US);
                ended++;
            });
            go([&, k] {
                for (int i = 0; i < 200; i++)
                    got += csp_recv_until(c, nullptr, csp_now() + (i * 5 + k) % 40 * CSP_US);
                ended++;
            });
        }
        EXPECT_EVENTUALLY(ended == 8);
        EXPECT_EQ(sent, got);
        csp_chan_free(c);
    });
}

TEST(GiveUp, SelectTakesWhatComesInTime)
{
    expect_ok([] {
        csp_chan *a = csp_chan_new(sizeof(int), 0), *b = csp_chan_new(sizeof(int), 0);
        csp_ctx *ctx = csp_ctx_with_cancel(nullptr);
        int v = 0;
        bool ok = false;
        csp_case k[] = {csp_case_recv(a, &v, &ok), csp_case_recv(b, &v, &ok), csp_case_after(CSP_MINUTE)};
        go([&] {
            for (int i = 1; i <= 2; i++) {
                settle();
                csp_send(i == 1 ? a : b, &i);
            }
        });
        EXPECT_EQ(csp_select_until(k, 3, late()), 0);
        EXPECT_EQ(csp_select_ctx(k, 3, ctx), 1);
        EXPECT_TRUE(ok && v == 2);
        k[2] = csp_case_after(CSP_MS);
        EXPECT_EQ(csp_select_until(k, 3, late()), 2) << "its own timeout comes first";
        k[2] = csp_case_after(CSP_MINUTE);
        EXPECT_EQ(csp_select_until(k, 3, soon()), -1);
        EXPECT_EQ(errno, ETIMEDOUT);
        csp_ctx_free(ctx);
        csp_chan_free(a), csp_chan_free(b);
    });
}

// A timer stands behind the limit: not a deadlock. Nor is a context that somebody will cancel.
TEST(GiveUp, ALimitIsNoDeadlock)
{
    Ended e = run_child(1, [] {
        csp_mutex m = {};
        csp_mutex_lock(&m);
        EXPECT_FALSE(csp_mutex_lock_until(&m, csp_now() + 100 * CSP_MS));
    });
    EXPECT_EQ(e.status, 0) << e.output;
    expect_dies("fatal error: all coroutines are asleep - deadlock!", [] {
        csp_mutex m = {};
        csp_ctx *ctx = csp_ctx_with_cancel(nullptr);
        csp_mutex_lock(&m);
        csp_mutex_lock_ctx(&m, ctx); // nobody is left to cancel it
    });
}
