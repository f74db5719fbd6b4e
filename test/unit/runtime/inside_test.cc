// inside_test.cc - csp_dump, SIGQUIT, CSP_TRACEBACK, statistics.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "child.h"

#include "csp/inside.h"

#include <atomic>
#include <cstring>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>

namespace
{

std::string dump()
{
    int fd = memfd_create("dump", 0);
    csp_dump(fd);
    std::string text(static_cast<size_t>(lseek(fd, 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(fd, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    close(fd);
    return text;
}

size_t count(const std::string &text, const std::string &what)
{
    size_t n = 0;
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size())
        n++;
    return n;
}

// Built with a sanitizer whose frames are large and whose calls cut the stacks of what is interrupted in the midst of them.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif
const char *const kComputes =
    SANITIZED ? "\\[running\\]:\n +#0 (.|\n)*computes_on" : "\\[running\\]:\n +#0 \\S*computes_on";

#define EXPECT_HAS(text, what) EXPECT_NE((text).find(what), std::string::npos) << (text)

// Everybody but the caller has parked.
void settle_all()
{
    EXPECT_EVENTUALLY([] {
        csp_stats s;
        csp_stats_get(&s);
        return s.runnable == 0 && s.workers_idle + 1 >= s.workers;
    }());
}

csp_chan *never;
csp_mutex held;

__attribute__((noinline)) void waits_in_vain(void *)
{
    csp_recv(never, nullptr);
    asm volatile("");
}

__attribute__((noinline)) void wants_lock(void *)
{
    csp_mutex_lock(&held);
    asm volatile("");
}

std::atomic<bool> stop_computing, computes;

__attribute__((noinline)) void computes_on(void *)
{
    for (computes = true; !stop_computing;)
        asm volatile("");
}

TEST(Dump, ListsEveryoneAndGoesOn)
{
    expect_ok([] {
        never = csp_chan_new(sizeof(int), 3);
        csp_mutex_lock(&held);
        for (int i = 0; i < 3; i++)
            csp_go(waits_in_vain, nullptr);
        csp_go(wants_lock, nullptr);
        settle_all();
        std::string text = dump();
        EXPECT_EQ(text.substr(0, 13), "5 coroutines\n");
        EXPECT_HAS(text, "coroutine 1 [running]:\n    #0 csp_dump+");
        EXPECT_EQ(count(text, "[chan receive]:\n"), 3u) << text;
        EXPECT_EQ(count(text, "len 0, cap 3\n"), 3u) << text;
        EXPECT_EQ(count(text, "[sync.Mutex.Lock]:\n"), 1u) << text;
        EXPECT_HAS(text, "wants_lock");
        if (!SANITIZED) // what announces switches goes between
            EXPECT_EQ(count(text, "started as _ZN12_GLOBAL__N_113waits_in_vainEPv"), 3u) << text;
        EXPECT_EQ(count(text, "created by "), 4u) << text;
        EXPECT_HAS(dump(), "5 coroutines\n"); // once more, nothing has changed
        csp_close(never);
        csp_mutex_unlock(&held);
        EXPECT_EVENTUALLY(csp_count() == 1);
    });
}

TEST(Dump, ManyAreCountedByStack)
{
    expect_ok([] {
        never = csp_chan_new(0, 0);
        for (int i = 0; i < 3000; i++)
            csp_go(waits_in_vain, nullptr);
        csp_mutex_lock(&held);
        csp_go(wants_lock, nullptr);
        settle_all();
        std::string text = dump();
        EXPECT_EQ(count(text, "\ncoroutine "), 1000u);
        std::smatch m;
        ASSERT_TRUE(
            std::regex_search(text, m, std::regex("\n\\.\\.\\. and ([0-9]+) more:\n\n([0-9]+) \\[chan receive\\]")))
            << text.substr(text.size() - 1000);
        EXPECT_GE(std::stoi(m[1]), 2000);
        EXPECT_GE(std::stoi(m[2]), 2000); // one group
    });
}

TEST(Dump, FromCoroutinesAndThreadsAtOnceWhileOthersChurn)
{
    expect_ok([] {
        static std::atomic<bool> stop;
        static csp_wg wg;
        csp_wg_add(&wg, 8);
        for (int i = 0; i < 4; i++)
            go([] {
                csp_chan *c = csp_chan_new(0, 0);
                while (!stop) {
                    csp_go([](void *ch) { csp_send(static_cast<csp_chan *>(ch), nullptr); }, c);
                    csp_recv(c, nullptr);
                }
                csp_chan_free(c);
                csp_wg_done(&wg);
            });
        for (int i = 0; i < 4; i++)
            go([] {
                for (int j = 0; j < 5; j++)
                    EXPECT_HAS(dump(), " coroutines");
                csp_wg_done(&wg);
            });
        std::thread t([] {
            for (int j = 0; j < 5; j++)
                EXPECT_HAS(dump(), " coroutines");
            stop = true;
        });
        csp_wg_wait(&wg);
        t.join();
    });
}

TEST(Dump, OneThatComputesIsListedWithItsStack)
{
    expect_ok([] {
        csp_go(computes_on, nullptr);
        std::thread t([] {
            while (!computes)
                usleep(1000);
            std::string text = dump();
            EXPECT_HAS(text, "some running on meanwhile");
            EXPECT_HAS(text, UNDER_TSAN ? "coroutine 2 [running]:\n" : "coroutine 2 [running]:\n    #0 ");
            if (!UNDER_TSAN) // which keeps the signal back that asks for the stack
                EXPECT_TRUE(std::regex_search(text, std::regex(std::string("coroutine 2 ") + kComputes))) << text;
            stop_computing = true;
        });
        while (csp_count() > 2 || !computes) // the thread's too
            csp_sleep(CSP_MS);
        t.join();
    });
}

TEST(Dump, DoesNotHideThatAllAreAsleep)
{
    expect_dies("fatal error: all coroutines are asleep - deadlock!", [] {
        std::thread([] { // what it looks at goes idle meanwhile
            csp_go(waits_in_vain, nullptr);
            for (int i = 0; i < 20; i++)
                dump();
        })
            .join();
        csp_recv(nullptr, nullptr);
    });
}

TEST(Dump, ToWhatTakesNothing)
{
    expect_ok([] {
        csp_dump(-1);
        int fds[2];
        ASSERT_EQ(pipe(fds), 0);
        close(fds[0]);
        signal(SIGPIPE, SIG_IGN);
        errno = 5;
        csp_dump(fds[1]);
        EXPECT_EQ(errno, 5);
    });
}

// --- SIGQUIT ----------------------------------------------------------------------------------------------------------------

TEST(Quit, EndsWithAllStacks)
{
    for (int workers : {1, 2}) {
        Ended e = run_child(workers, [] {
            never = csp_chan_new(0, 0);
            csp_go(waits_in_vain, nullptr);
            settle_all();
            std::thread([] {
                usleep(20000);
                kill(getpid(), SIGQUIT);
            }).detach();
            csp_sleep(CSP_MINUTE);
        });
        EXPECT_EQ(e.status, 2) << e.output;
        EXPECT_HAS(e.output, "SIGQUIT: quit\n");
        EXPECT_HAS(e.output, "coroutine 1 [sleep]:\n");
        EXPECT_HAS(e.output, "coroutine 2 [chan receive]:\n");
        EXPECT_HAS(e.output, "waits_in_vain");
    }
}

TEST(Quit, WhileOneComputes)
{
    if (UNDER_TSAN)
        GTEST_SKIP() << "TSan keeps signals back while nothing blocks";
    for (int workers : {1, 2}) {
        Ended e = run_child(workers, [] {
            csp_go(waits_in_vain, nullptr);
            std::thread([] {
                while (!computes)
                    usleep(1000);
                kill(getpid(), SIGQUIT);
            }).detach();
            csp_go(computes_on, nullptr);
            csp_sleep(CSP_MINUTE);
        });
        EXPECT_EQ(e.status, 2) << e.output;
        EXPECT_TRUE(std::regex_search(e.output, std::regex(kComputes))) << e.output;
        EXPECT_HAS(e.output, "\ncoroutine 2 ["); // which may not have had its turn yet
    }
}

// It comes at any moment, also while a lock of the runtime is held.
TEST(Quit, InTheMidstOfEverything)
{
    if (UNDER_TSAN)
        GTEST_SKIP() << "TSan keeps signals back while nothing blocks";
    for (int delay = 0; delay < 20; delay++) {
        Ended e = run_child(1 + delay % 3, [delay] {
            for (int i = 0; i < 10; i++)
                go([] {
                    for (;;) {
                        free(malloc(100));
                        csp_go([](void *) { csp_sleep(CSP_US); }, nullptr);
                        csp_yield();
                    }
                });
            std::thread([=] {
                usleep(static_cast<useconds_t>(5000 + 171 * delay));
                kill(getpid(), SIGQUIT);
            }).detach();
            csp_sleep(CSP_MINUTE);
        });
        EXPECT_EQ(e.status, 2) << e.output.substr(0, 2000);
        EXPECT_HAS(e.output, "SIGQUIT: quit\n");
    }
}

TEST(Quit, TheProgramsOwnHandlerStays)
{
    expect_ok([] {
        static volatile sig_atomic_t seen;
        signal(SIGQUIT, [](int) { seen = 1; });
        csp_yield();
        raise(SIGQUIT);
        EXPECT_EQ(seen, 1);
    });
}

// --- the end ----------------------------------------------------------------------------------------------------------------

TEST(Traceback, SaysAsMuchAsAsked)
{
    auto panics = [](const char *level) {
        return run_child(2, [=] {
            setenv("CSP_TRACEBACK", level, 1);
            never = csp_chan_new(0, 0);
            csp_go(waits_in_vain, nullptr);
            settle_all();
            csp_panic("oh");
        });
    };
    Ended none = panics("none"), single = panics("single"), all = panics("all"), crash = panics("crash");
    EXPECT_EQ(none.output, "panic: oh\n");
    EXPECT_EQ(single.output.substr(0, 36), "panic: oh\n\ncoroutine 1 [running]:\n  ");
    EXPECT_EQ(count(single.output, "coroutine "), 1u) << single.output;
    EXPECT_HAS(single.output, "    #0 csp_panic+");
    EXPECT_EQ(count(all.output, "\ncoroutine "), 2u) << all.output;
    EXPECT_HAS(all.output, "waits_in_vain");
    EXPECT_EQ(single.status, 2);
    EXPECT_EQ(all.status, 2);
    EXPECT_EQ(crash.status, 1000 + SIGABRT);
}

TEST(Traceback, PanicsInPanicsSignalHandlersAndOnLittleStack)
{
    expect_dies("panic: in a handler", [] {
        signal(SIGUSR1, [](int) { csp_panic("in a handler"); });
        csp_yield();
        raise(SIGUSR1);
    });
    expect_dies("panic: from both", [] {
        for (int i = 0; i < 10; i++)
            go([] { csp_panic("from both"); });
        std::thread([] { csp_panic("from both"); }).join();
    });
    if (SANITIZED)
        return;
    expect_dies("panic: deep", [] {
        struct Deep {
            static void down(char *lowest)
            {
                char here[256];
                asm volatile("" ::"r"(here) : "memory");
                if (here > lowest + 16384)
                    down(lowest);
                csp_panic("deep");
            }
        };
        go([] {
            char top;
            Deep::down(&top - 60 * 1024);
        });
        csp_sleep(CSP_MINUTE);
    });
}

// --- statistics -------------------------------------------------------------------------------------------------------------

TEST(Stats, CountWhatHappened)
{
    expect_ok([] {
        csp_stats before, after;
        csp_stats_get(&before);
        EXPECT_EQ(before.live, 1u);
        EXPECT_GE(before.maxprocs, 1u);
        csp_wg wg = {};
        csp_wg_add(&wg, 100);
        for (int i = 0; i < 100; i++)
            csp_go([](void *w) { csp_wg_done(static_cast<csp_wg *>(w)); }, &wg);
        csp_wg_wait(&wg);
        EXPECT_EVENTUALLY(csp_count() == 1);
        csp_stats_get(&after);
        EXPECT_EQ(after.created - before.created, 100u);
        EXPECT_EQ(after.ended - before.ended, 100u);
        EXPECT_EQ(after.live, 1u);
        EXPECT_GE(after.switches - before.switches, 100u);
        EXPECT_GE(after.parks, before.parks);
        EXPECT_GE(after.threads, 1u);
        EXPECT_GE(after.stacks_mapped_bytes, 65536u);
        EXPECT_GT(after.uptime_ns, before.uptime_ns);
        csp_chan *ticks = csp_after(CSP_MINUTE);
        csp_stats_get(&after);
        EXPECT_GE(after.timers_pending, 1u);
        csp_chan_free(ticks);
    });
}

// What a scraper insists on: every sample has its HELP and TYPE before it, each name once, numbers are numbers.
TEST(Stats, PrometheusTextIsWellFormed)
{
    expect_ok([] {
        never = csp_chan_new(0, 0);
        for (int i = 0; i < 7; i++)
            csp_go(waits_in_vain, nullptr);
        settle_all();
        std::vector<char> buf(csp_stats_prometheus(nullptr, 0) + 100);
        size_t n = csp_stats_prometheus(buf.data(), buf.size());
        ASSERT_LT(n, buf.size());
        std::istringstream text(std::string(buf.data(), n));
        std::map<std::string, int> helped, typed;
        std::set<std::string> samples;
        std::string line;
        while (std::getline(text, line)) {
            std::smatch m;
            if (std::regex_match(line, m, std::regex("# HELP ([a-z_]+) \\S.*")))
                EXPECT_EQ(helped[m[1]]++, 0) << line;
            else if (std::regex_match(line, m, std::regex("# TYPE ([a-z_]+) (counter|gauge)")))
                EXPECT_EQ(typed[m[1]]++, 0) << line;
            else if (std::regex_match(line, m, std::regex("([a-z_]+)(\\{[a-z]+=\"[a-z]+\"\\})? [0-9]+(\\.[0-9]+)?")))
                EXPECT_TRUE(helped[m[1]] == 1 && typed[m[1]] == 1 && samples.insert(m[1].str() + m[2].str()).second)
                    << line;
            else
                ADD_FAILURE() << line;
        }
        EXPECT_EQ(std::string(buf.data(), n).back(), '\n');
        EXPECT_TRUE(samples.count("csp_coroutines_parked{reason=\"recv\"}"));
        EXPECT_HAS(std::string(buf.data(), n), "csp_coroutines_parked{reason=\"recv\"} 7\n");
        EXPECT_HAS(std::string(buf.data(), n), "csp_coroutines 8\n");
        char little[10];
        EXPECT_GE(csp_stats_prometheus(little, sizeof little), n - 20); // figures have grown or shrunk
        EXPECT_EQ(strnlen(little, sizeof little), sizeof little - 1);
    });
}

} // namespace
