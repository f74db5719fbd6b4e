// limit_test.cc - giving up a wait: the instant, the context, both, and the races of abandoning against all else.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "limit.h"

#include "base/lock.h"
#include "child.h"
#include "sched.h"
#include "worker.h"

#include <atomic>
#include <cerrno>
#include <vector>

namespace
{

// The smallest object one can wait at: a permit that somebody grants once.
struct Gate {
    cspi_lock lock = {};
    csp_co *waiting = nullptr;
    bool open = false;
};

struct Visit {
    cspi_giveup g; // first
    Gate *gate;
};

std::atomic<int> abandoned; // how often abandon has run in this process
std::atomic<int> refused;   // how often the limit had been reached before arming

void abandon(cspi_giveup *g, int why)
{
    auto *v = reinterpret_cast<Visit *>(g);
    csp_co *wake = nullptr;
    abandoned++;
    cspi_lock_acquire(&v->gate->lock);
    if (!v->gate->open) {
        g->why = why;
        wake = v->gate->waiting;
        v->gate->waiting = nullptr;
    }
    cspi_lock_release(&v->gate->lock);
    if (wake)
        cspi_ready(wake);
}

// 0: through; else why not. pause(): what happens between arming and queuing.
int pass(Gate &gate, int64_t until, csp_ctx *ctx, const std::function<void()> &pause = {})
{
    Visit v = {};
    v.gate = &gate;
    cspi_limit limit = {until, ctx};
    if (!cspi_giveup_arm(&v.g, &limit, abandon)) {
        refused++;
        return v.g.why;
    }
    if (pause)
        pause();
    cspi_lock_acquire(&gate.lock);
    if (!gate.open && !v.g.why) {
        gate.waiting = cspi_self();
        cspi_wait wait = {};
        wait.op = CSP_WAIT_OTHER;
        wait.will_wake = cspi_limit_will_wake(&limit);
        cspi_park(&wait, &gate.lock);
    } else {
        cspi_lock_release(&gate.lock);
    }
    cspi_giveup_disarm(&v.g);
    return v.g.why;
}

void open_gate(Gate &gate)
{
    cspi_lock_acquire(&gate.lock);
    gate.open = true;
    csp_co *wake = gate.waiting;
    gate.waiting = nullptr;
    cspi_lock_release(&gate.lock);
    if (wake)
        cspi_ready(wake);
}

TEST(Limit, ReachedAlready)
{
    expect_ok([] {
        Gate gate;
        csp_ctx *ctx = csp_ctx_with_cancel(nullptr), *late = csp_ctx_with_timeout(nullptr, -1);
        EXPECT_EQ(pass(gate, 0, nullptr), ETIMEDOUT);
        EXPECT_EQ(pass(gate, INT64_MIN, ctx), ETIMEDOUT);
        EXPECT_EQ(pass(gate, csp_now(), nullptr), ETIMEDOUT);
        EXPECT_EQ(pass(gate, CSPI_NO_LIMIT, late), ETIMEDOUT);
        csp_ctx_cancel(ctx);
        EXPECT_EQ(pass(gate, CSPI_NO_LIMIT, ctx), ECANCELED);
        EXPECT_EQ(pass(gate, csp_now() + CSP_MINUTE, ctx), ECANCELED);
        EXPECT_EQ(abandoned, 0);
        EXPECT_EQ(cspi_timers_count(), 0u);
        csp_ctx_free(ctx), csp_ctx_free(late);
    });
}

// Else the workers that its timer wakes would be made while they run.
TEST(Limit, AContextWithATimerStartsTheRuntime)
{
    expect_ok([] {
        csp_ctx *over = csp_ctx_with_timeout(nullptr, -1);
        EXPECT_FALSE(cspi_sched.started);
        csp_ctx *ctx = csp_ctx_with_timeout(nullptr, CSP_MINUTE);
        EXPECT_TRUE(cspi_sched.started);
        csp_ctx_free(over), csp_ctx_free(ctx);
    });
}

TEST(Limit, TheInstantComes)
{
    expect_ok([] {
        Gate gate;
        int64_t until = csp_now() + 2 * CSP_MS;
        EXPECT_EQ(pass(gate, until, csp_ctx_background()), ETIMEDOUT);
        EXPECT_GE(csp_now(), until);
        EXPECT_EQ(gate.waiting, nullptr);
        EXPECT_EQ(abandoned + refused, 1);
    });
}

TEST(Limit, TheContextIsCancelledOrExpires)
{
    expect_ok([] {
        Gate gate;
        csp_ctx *ctx = csp_ctx_with_cancel(nullptr), *child = csp_ctx_with_value(ctx, &gate, nullptr);
        go([=] { csp_ctx_cancel(ctx); });
        EXPECT_EQ(pass(gate, csp_now() + CSP_MINUTE, child), ECANCELED);
        EXPECT_EQ(cspi_timers_count(), 0u);
        csp_ctx *brief = csp_ctx_with_timeout(nullptr, CSP_MS);
        EXPECT_EQ(pass(gate, CSPI_NO_LIMIT, brief), ETIMEDOUT);
        EXPECT_EQ(abandoned + refused, 2);
        csp_ctx_free(ctx), csp_ctx_free(child), csp_ctx_free(brief);
    });
}

TEST(Limit, GrantedFirst)
{
    expect_ok([] {
        Gate gate;
        csp_ctx *ctx = csp_ctx_with_cancel(nullptr);
        go([&] { open_gate(gate); });
        EXPECT_EQ(pass(gate, csp_now() + CSP_MINUTE, ctx), 0);
        EXPECT_EQ(cspi_timers_count(), 0u);
        csp_ctx_cancel(ctx); // nobody listens any more
        EXPECT_EQ(abandoned, 0);
        EXPECT_EQ(pass(gate, CSPI_NO_LIMIT, nullptr), 0);
        csp_ctx_free(ctx);
    });
}

TEST(Limit, AbandonedBeforeQueuing)
{
    expect_ok([] {
        Gate gate;
        csp_ctx *ctx = csp_ctx_with_cancel(nullptr);
        EXPECT_EQ(pass(gate, csp_now() + CSP_MINUTE, ctx, [=] { csp_ctx_cancel(ctx); }), ECANCELED);
        EXPECT_EQ(pass(gate, csp_now() + CSP_MS, nullptr, [] { csp_sleep(3 * CSP_MS); }), ETIMEDOUT);
        EXPECT_EQ(abandoned + refused, 2);
        // Granted, then abandoned, then noticed: the grant stands.
        csp_ctx *other = csp_ctx_with_cancel(nullptr);
        EXPECT_EQ(pass(gate, CSPI_NO_LIMIT, other,
                       [&] {
                           open_gate(gate);
                           csp_ctx_cancel(other);
                       }),
                  0);
        EXPECT_EQ(abandoned + refused, 3);
        csp_ctx_free(ctx), csp_ctx_free(other);
    });
}

TEST(Limit, BothReasonsAbandonOnce)
{
    expect_ok([] {
        int calls = 0;
        for (int i = 0; i < 200; i++) {
            Gate gate;
            csp_ctx *ctx = csp_ctx_with_timeout(nullptr, 100 * CSP_US);
            int why = pass(gate, csp_now() + 100 * CSP_US, ctx);
            EXPECT_EQ(why, ETIMEDOUT);
            calls++;
            csp_ctx_free(ctx);
        }
        EXPECT_EQ(abandoned + refused, calls);
        EXPECT_GT(abandoned, 0);
    });
}

// Grant, instant, cancel and free at the same moment; each visit ends in exactly one way, and its memory is reused at once.
TEST(Limit, EverythingAtOnce)
{
    expect_ok([] {
        std::atomic<int> granted{0}, timed_out{0}, cancelled{0};
        for (int i = 0; i < 1500; i++) {
            Gate gate;
            csp_ctx *ctx = csp_ctx_with_cancel(nullptr);
            csp_wg wg = {};
            csp_wg_add(&wg, 3);
            go([&] {
                int why = pass(gate, csp_now() + (i % 40) * CSP_US, ctx);
                (why == 0 ? granted : why == ETIMEDOUT ? timed_out : cancelled)++;
                csp_wg_done(&wg);
            });
            go([&] {
                if (i % 3 == 0)
                    csp_yield();
                open_gate(gate);
                csp_wg_done(&wg);
            });
            go([&] {
                if (i % 2)
                    csp_yield();
                csp_ctx_cancel(ctx);
                csp_wg_done(&wg);
            });
            csp_wg_wait(&wg);
            EXPECT_EQ(gate.waiting, nullptr);
            csp_ctx_free(ctx);
        }
        EXPECT_EQ(granted + timed_out + cancelled, 1500);
        EXPECT_EQ(cspi_timers_count(), 0u);
    });
}

// The last reference goes while somebody waits with it: that cancels, and nobody looks at the context afterwards.
TEST(Limit, FreedWhileWaited)
{
    expect_ok([] {
        for (int i = 0; i < 300; i++) {
            Gate gate;
            csp_ctx *ctx = i % 2 ? csp_ctx_with_cancel(nullptr) : csp_ctx_with_timeout(nullptr, CSP_MINUTE);
            std::atomic<bool> armed{false};
            go([&] {
                while (!armed)
                    csp_yield();
                csp_ctx_free(ctx);
            });
            EXPECT_EQ(pass(gate, CSPI_NO_LIMIT, ctx, [&] { armed = true; }), ECANCELED);
        }
    });
}

TEST(Limit, ManyWaitersOfOneTree)
{
    expect_ok([] {
        const int n = 1000;
        std::vector<Gate> gates(n);
        csp_ctx *root = csp_ctx_with_cancel(nullptr), *leaf = csp_ctx_with_cancel(root);
        std::atomic<int> cancelled{0}, granted{0};
        csp_wg wg = {};
        csp_wg_add(&wg, n);
        for (int i = 0; i < n; i++)
            go([&, i] {
                (pass(gates[i], CSPI_NO_LIMIT, i % 2 ? root : leaf) == ECANCELED ? cancelled : granted)++;
                csp_wg_done(&wg);
            });
        for (int waiting = 0; waiting < n;) {
            csp_yield();
            waiting = 0;
            for (Gate &gate : gates) {
                cspi_lock_acquire(&gate.lock);
                waiting += gate.waiting != nullptr;
                cspi_lock_release(&gate.lock);
            }
        }
        csp_wg_add(&wg, 1);
        go([&] { // some leave the list while the canceller walks it
            for (int i = 0; i < n; i += 3)
                open_gate(gates[i]);
            csp_wg_done(&wg);
        });
        csp_ctx_cancel(root);
        csp_wg_wait(&wg);
        EXPECT_EQ(granted + cancelled, n);
        EXPECT_GE(cancelled, n - n / 3 - 1);
        csp_ctx_free(leaf), csp_ctx_free(root);
    });
}

TEST(Limit, WillWake)
{
    expect_ok([] {
        csp_ctx *plain = csp_ctx_with_cancel(nullptr), *timed = csp_ctx_with_timeout(nullptr, CSP_MINUTE);
        for (auto [limit, expected] : {std::pair<cspi_limit, bool>{{CSPI_NO_LIMIT, nullptr}, false},
                                       {{CSPI_NO_LIMIT, plain}, false},
                                       {{CSPI_NO_LIMIT, timed}, true},
                                       {{5, nullptr}, true}})
            EXPECT_EQ(cspi_limit_will_wake(&limit), expected);
        csp_ctx_free(plain), csp_ctx_free(timed);
    });
}

} // namespace
