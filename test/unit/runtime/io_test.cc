// io_test.cc - I/O that parks: pipes, files, deadlines, cancellation, closing, numbers used again, EMFILE, fork. See io_socket_test.cc
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "io.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

extern "C" int64_t cspi_poll_waiting; // poll.h

namespace
{

std::atomic<int> parked_results;

// So many are parked on descriptors.
void wait_for_parked(int64_t n)
{
    while (__atomic_load_n(&cspi_poll_waiting, __ATOMIC_ACQUIRE) != n)
        csp_yield();
}

TEST_P(Io, ReadOfAPipeParks)
{
    run([] {
        ASSERT_EQ(pipe(ends), 0);
        csp_go(write_hello, nullptr);
        expect_hello(ends[0]);
        EXPECT_EQ(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
        close(ends[1]);
        char c;
        EXPECT_EQ(csp_read(ends[0], &c, 1), 0);
        EXPECT_EQ(csp_read(ends[0], &c, 0), 0);
    });
}

TEST_P(Io, ReadOfASocketParks)
{
    run([] {
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        csp_go(write_hello, nullptr);
        expect_hello(ends[0]);
        EXPECT_EQ(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
    });
}

TEST_P(Io, NonblockingDescriptorsParkToo)
{
    run([] {
        ASSERT_EQ(pipe2(ends, O_NONBLOCK), 0);
        csp_go(write_hello, nullptr);
        expect_hello(ends[0]);
    });
}

TEST_P(Io, EventfdParks)
{
    run([] {
        ends[0] = eventfd(0, 0);
        csp_go(
            [](void *) {
                let_others_park();
                uint64_t one = 1;
                EXPECT_EQ(csp_write(ends[0], &one, sizeof one), 8);
            },
            nullptr);
        uint64_t v = 0;
        EXPECT_EQ(csp_read(ends[0], &v, sizeof v), 8);
        EXPECT_EQ(v, 1u);
    });
}

// A terminal has no form that does not block: readiness, then a call on a thread of its own.
TEST_P(Io, TerminalParks)
{
    run([] {
        int master = posix_openpt(O_RDWR | O_NOCTTY);
        ASSERT_GE(master, 0);
        ASSERT_EQ(grantpt(master), 0);
        ASSERT_EQ(unlockpt(master), 0);
        ends[1] = master;
        ends[0] = open(ptsname(master), O_RDWR | O_NOCTTY);
        ASSERT_GE(ends[0], 0);
        csp_go(
            [](void *) {
                let_others_park();
                EXPECT_EQ(csp_write(ends[1], "hello\n", 6), 6);
            },
            nullptr);
        char text[16] = "";
        EXPECT_EQ(csp_read(ends[0], text, sizeof text), 6);
    });
}

TEST_P(Io, WritesAllLikeABlockingWrite)
{
    run([] {
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        static std::vector<char> out(3 << 20, 'x');
        csp_go(
            [](void *) {
                EXPECT_EQ(csp_write(ends[1], out.data(), out.size()), static_cast<ssize_t>(out.size()));
                csp_close_fd(ends[1]);
            },
            nullptr);
        size_t got = 0;
        char part[4096];
        for (ssize_t n; (n = csp_read(ends[0], part, sizeof part)) > 0;)
            got += static_cast<size_t>(n);
        EXPECT_EQ(got, out.size());
        wait_until_alone();
    });
}

TEST_P(Io, WriteTellsHowFarItGot)
{
    run([] {
        ASSERT_EQ(pipe(ends), 0);
        std::vector<char> out(1 << 20, 'x');
        ssize_t n = csp_write_until(ends[1], out.data(), out.size(), csp_now() + 5 * CSP_MS);
        EXPECT_GT(n, 0);
        EXPECT_LT(n, 1 << 20);
        EXPECT_EQ(csp_write_until(ends[1], out.data(), 4096, csp_now() + CSP_MS), -1);
        EXPECT_EQ(errno, ETIMEDOUT);
    });
}

TEST_P(Io, FilesAreReadAndWritten)
{
    run([] {
        char path[] = "/tmp/csp_io_test_XXXXXX";
        int fd = mkstemp(path);
        unlink(path);
        EXPECT_EQ(csp_write(fd, "hello", 5), 5);
        EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
        expect_hello(fd);
        struct pollfd p = {fd, POLLIN | POLLOUT, 0};
        EXPECT_EQ(csp_poll(&p, 1, -1), 1);
    });
}

TEST_P(Io, Errors)
{
    run([] {
        char c;
        EXPECT_EQ(csp_read(-1, &c, 1), -1);
        EXPECT_EQ(errno, EBADF);
        EXPECT_EQ(csp_read(987, &c, 1), -1);
        EXPECT_EQ(errno, EBADF);
        EXPECT_EQ(csp_write(987, &c, 1), -1);
        EXPECT_EQ(errno, EBADF);
        EXPECT_EQ(csp_accept(987, nullptr, nullptr), -1);
        EXPECT_EQ(errno, EBADF);
        EXPECT_EQ(csp_close_fd(987), -1);
        EXPECT_EQ(errno, EBADF);
        int dir = open("/tmp", O_RDONLY);
        EXPECT_EQ(csp_read(dir, &c, 1), -1);
        EXPECT_EQ(errno, EISDIR);
        signal(SIGPIPE, SIG_IGN);
        ASSERT_EQ(pipe(ends), 0);
        close(ends[0]);
        EXPECT_EQ(csp_write(ends[1], &c, 1), -1);
        EXPECT_EQ(errno, EPIPE);
        EXPECT_EQ(csp_accept(ends[1], nullptr, nullptr), -1);
        EXPECT_EQ(errno, ENOTSOCK);
    });
}

TEST_P(Io, Deadlines)
{
    run([] {
        ASSERT_EQ(pipe(ends), 0);
        char c;
        int64_t start = csp_now();
        EXPECT_EQ(csp_read_until(ends[0], &c, 1, start + 3 * CSP_MS), -1);
        EXPECT_EQ(errno, ETIMEDOUT);
        EXPECT_GE(csp_now() - start, 3 * CSP_MS);
        EXPECT_EQ(csp_read_until(ends[0], &c, 1, start), -1); // long past: does not park
        EXPECT_EQ(errno, ETIMEDOUT);
        ASSERT_EQ(write(ends[1], "x", 1), 1);
        EXPECT_EQ(csp_read_until(ends[0], &c, 1, start), 1); // can be done at once
        csp_go(write_hello, nullptr);
        char text[8];
        EXPECT_EQ(csp_read_until(ends[0], text, 8, csp_now() + CSP_MINUTE), 5);
        wait_until_alone();
    });
}

TEST_P(Io, Cancellation)
{
    run([] {
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        static csp_ctx *ctx;
        ctx = csp_ctx_with_cancel(nullptr);
        csp_go(
            [](void *) {
                let_others_park();
                csp_ctx_cancel(ctx);
            },
            nullptr);
        char c;
        EXPECT_EQ(csp_read_ctx(ends[0], &c, 1, ctx), -1);
        EXPECT_EQ(errno, ECANCELED);
        EXPECT_EQ(csp_read_ctx(ends[0], &c, 1, ctx), -1);
        EXPECT_EQ(errno, ECANCELED);
        EXPECT_EQ(csp_write(ends[1], "x", 1), 1);
        EXPECT_EQ(csp_read_ctx(ends[0], &c, 1, ctx), 1);
        csp_ctx_free(ctx);
        wait_until_alone();
    });
}

void read_until_closed(void *)
{
    char c;
    if (csp_read(ends[0], &c, 1) == -1 && errno == EBADF)
        ++parked_results;
}

TEST_P(Io, CloseWakesWhoIsParked)
{
    run([] {
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        for (int i = 0; i < 10; i++)
            csp_go(read_until_closed, nullptr);
        wait_for_parked(10);
        EXPECT_EQ(csp_close_fd(ends[0]), 0);
        wait_until_alone();
        EXPECT_EQ(parked_results.load(), 10);
    });
}

TEST_P(Io, HangUpWakesAllReaders)
{
    run([] {
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        for (int i = 0; i < 10; i++)
            csp_go(
                [](void *) {
                    char c;
                    parked_results += csp_read(ends[0], &c, 1) == 0;
                },
                nullptr);
        let_others_park();
        close(ends[1]);
        wait_until_alone();
        EXPECT_EQ(parked_results.load(), 10);
    });
}

TEST_P(Io, ManyReadersOneByteEach)
{
    run([] {
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        for (int i = 0; i < 50; i++)
            csp_go(
                [](void *) {
                    char c;
                    parked_results += csp_read(ends[0], &c, 1) == 1;
                },
                nullptr);
        let_others_park();
        std::vector<char> out(50, 'x');
        EXPECT_EQ(csp_write(ends[1], out.data(), 50), 50);
        wait_until_alone();
        EXPECT_EQ(parked_results.load(), 50);
    });
}

// One reads, one writes, on the same descriptor.
TEST_P(Io, BothSidesAtOnce)
{
    run([] {
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        static std::vector<char> out(1 << 20, 'x');
        csp_go([](void *) { EXPECT_EQ(csp_write(ends[0], out.data(), out.size()), 1 << 20); }, nullptr);
        csp_go([](void *) { expect_hello(ends[0]); }, nullptr);
        let_others_park();
        csp_go(write_hello, nullptr);
        size_t got = 0;
        std::vector<char> in(1 << 16);
        while (got < out.size())
            got += static_cast<size_t>(csp_read(ends[1], in.data(), in.size()));
        wait_until_alone();
    });
}

// close(2) behind our back: the number is heard of again, and who waited for the old file is told.
TEST_P(Io, NumbersUsedAgain)
{
    run([] {
        for (int round = 0; round < 100; round++) {
            int fresh[2];
            ASSERT_EQ(pipe(fresh), 0);
            csp_go(
                [](void *fd) {
                    csp_yield();
                    EXPECT_EQ(csp_write(static_cast<int>(reinterpret_cast<intptr_t>(fd)), "hello", 5), 5);
                },
                reinterpret_cast<void *>(static_cast<intptr_t>(fresh[1])));
            expect_hello(fresh[0]);
            wait_until_alone();
            close(fresh[0]);
            close(fresh[1]);
        }
    });
}

#if !__has_feature(thread_sanitizer) // a race on the descriptor, which the detector reports
TEST_P(Io, NumberUsedAgainWhileSomebodyIsParked)
{
    run([] {
        ASSERT_EQ(pipe(ends), 0);
        csp_go(read_until_closed, nullptr);
        wait_for_parked(1);
        close(ends[0]);
        int again[2];
        ASSERT_EQ(pipe(again), 0);
        ASSERT_EQ(again[0], ends[0]);
        csp_go(
            [](void *fd) {
                let_others_park();
                EXPECT_EQ(csp_write(*static_cast<int *>(fd), "hello", 5), 5);
            },
            &again[1]);
        expect_hello(again[0]);
        wait_until_alone();
        EXPECT_EQ(parked_results.load(), 1);
    });
}

// A duplicate keeps the old file's entry in the set alive.
#endif

TEST_P(Io, NumbersUsedAgainBesideADuplicate)
{
    run([] {
        int old[2];
        ASSERT_EQ(pipe(old), 0);
        ends[0] = old[0];
        char c;
        EXPECT_EQ(csp_read_until(old[0], &c, 1, csp_now() + CSP_MS), -1);
        int copy = dup(old[0]);
        int fresh[2];
        ASSERT_EQ(pipe(fresh), 0);
        ASSERT_EQ(dup2(fresh[0], old[0]), old[0]);
        ASSERT_EQ(write(old[1], "old", 3), 3); // the old entry may fire
        ends[1] = fresh[1];
        csp_go(write_hello, nullptr);
        expect_hello(old[0]);
        char text[4] = "";
        EXPECT_EQ(csp_read(copy, text, 3), 3);
        wait_until_alone();
    });
}

// --- poll -------------------------------------------------------------------------------------------------------------------

TEST_P(Io, Poll)
{
    run([] {
        int other[2];
        ASSERT_EQ(pipe(ends), 0);
        ASSERT_EQ(pipe(other), 0);
        struct pollfd p[4] = {{ends[0], POLLIN, 0}, {other[0], POLLIN, 0}, {-1, POLLIN, 0}, {ends[0], POLLIN, 0}};
        EXPECT_EQ(csp_poll(p, 4, 0), 0);
        EXPECT_EQ(csp_poll(p, 4, 3), 0);
        EXPECT_EQ(csp_poll(p, 1, 3), 0);
        EXPECT_EQ(csp_poll(nullptr, 0, 3), 0);
        EXPECT_EQ(csp_poll_until(p, 4, csp_now() + CSP_MS), -1);
        EXPECT_EQ(errno, ETIMEDOUT);
        csp_ctx *ctx = csp_ctx_with_timeout(nullptr, CSP_MS);
        EXPECT_EQ(csp_poll_ctx(p, 4, ctx), -1);
        EXPECT_EQ(errno, ETIMEDOUT);
        csp_ctx_free(ctx);
        csp_go(write_hello, nullptr);
        EXPECT_EQ(csp_poll(p, 4, -1), 2);
        EXPECT_EQ(p[0].revents, POLLIN);
        EXPECT_EQ(p[1].revents, 0);
        EXPECT_EQ(p[3].revents, POLLIN);
        expect_hello(ends[0]);
        csp_go(write_hello, nullptr);
        EXPECT_EQ(csp_poll(p, 1, -1), 1);
        struct pollfd bad = {987, POLLIN, 0};
        EXPECT_EQ(csp_poll(&bad, 1, -1), 1);
        EXPECT_EQ(bad.revents, POLLNVAL);
        wait_until_alone();
    });
}

// --- with the outside -------------------------------------------------------------------------------------------------------

TEST_P(Io, WakesWhileAllCompute)
{
    run([] {
        ASSERT_EQ(pipe(ends), 0);
        for (int i = 0; i < 8; i++)
            csp_go(
                [](void *) {
                    while (!done)
                        ;
                },
                nullptr);
        csp_go(
            [](void *) {
                expect_hello(ends[0]);
                done = 1;
            },
            nullptr);
        std::thread([] {
            usleep(50000);
            EXPECT_EQ(write(ends[1], "hello", 5), 5);
        }).detach();
        while (!done)
            csp_yield();
        wait_until_alone();
    });
}

TEST_P(Io, FromAPthread)
{
    run([] {
        ASSERT_EQ(pipe2(ends, O_NONBLOCK), 0);
        std::thread reader([] {
            char c;
            EXPECT_EQ(csp_read_until(ends[0], &c, 1, csp_now() + 2 * CSP_MS), -1);
            EXPECT_EQ(errno, ETIMEDOUT);
            expect_hello(ends[0]);
            struct pollfd p = {ends[0], POLLIN, 0};
            EXPECT_EQ(csp_poll(&p, 1, 1), 0);
        });
        csp_sleep(10 * CSP_MS);
        EXPECT_EQ(csp_write(ends[1], "hello", 5), 5);
        csp_blocking([](void *t) { static_cast<std::thread *>(t)->join(); }, &reader);
    });
}

TEST_P(Io, SignalsDoNotInterrupt)
{
    run([] {
        struct sigaction action = {};
        action.sa_handler = [](int) {};
        sigaction(SIGUSR1, &action, nullptr); // no SA_RESTART
        ASSERT_EQ(pipe(ends), 0);
        std::thread([] {
            for (int i = 0; i < 30; i++) {
                usleep(1000);
                kill(getpid(), SIGUSR1);
            }
            EXPECT_EQ(write(ends[1], "hello", 5), 5);
        }).detach();
        expect_hello(ends[0]);
    });
}

TEST_P(Io, NoDescriptorsLeft)
{
    run([] {
        ASSERT_EQ(pipe(ends), 0);
        struct rlimit few = {3, 3};
        ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
        csp_go(write_hello, nullptr);
        expect_hello(ends[0]);
        char c;
        EXPECT_EQ(csp_read_until(ends[0], &c, 1, csp_now() + 3 * CSP_MS), -1);
        EXPECT_EQ(errno, ETIMEDOUT);
        struct pollfd p[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLIN, 0}};
        EXPECT_EQ(csp_poll(p, 2, 3), 0);
        wait_until_alone();
    });
}

#if !__has_feature(thread_sanitizer) // which loses track of threads in a forked child
TEST_P(Io, ForkedChildHasItsOwnPoller)
{
    run([] {
        ASSERT_EQ(pipe(ends), 0);
        csp_go(write_hello, nullptr);
        expect_hello(ends[0]);
        wait_until_alone();
        fflush(nullptr);
        pid_t pid = fork();
        if (pid == 0) {
            ASSERT_EQ(pipe(ends), 0);
            csp_go(write_hello, nullptr);
            expect_hello(ends[0]);
            _exit(testing::Test::HasFailure() ? 1 : 0);
        }
        csp_go(write_hello, nullptr);
        expect_hello(ends[0]);
        int status = 1;
        waitpid(pid, &status, 0);
        EXPECT_EQ(status, 0);
    });
}

#endif

TEST_P(Io, WaitingForADescriptorIsNoDeadlock)
{
    run([] {
        ASSERT_EQ(pipe(ends), 0);
        pid_t pid = fork(); // of the parent's one thread: nobody but the kernel can wake it
        if (pid == 0) {
            usleep(20000);
            _exit(write(ends[1], "hello", 5) != 5);
        }
        expect_hello(ends[0]);
        waitpid(pid, nullptr, 0);
    });
}

} // namespace
