// io_socket_test.cc - sockets that park: accept, connect and its limits, many connections.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "io.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace
{

int listener;
sockaddr_in address;

void listen_here(int flags)
{
    listener = socket(AF_INET, SOCK_STREAM | flags, 0);
    address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr *>(&address), size), 0);
    ASSERT_EQ(listen(listener, 128), 0);
    ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr *>(&address), &size), 0);
}

void echo(void *fd)
{
    int s = static_cast<int>(reinterpret_cast<intptr_t>(fd));
    char part[256];
    for (ssize_t n; (n = csp_read(s, part, sizeof part)) > 0;)
        csp_write(s, part, static_cast<size_t>(n));
    csp_close_fd(s);
}

void serve(void *)
{
    for (int s; (s = csp_accept(listener, nullptr, nullptr)) >= 0;)
        csp_go(echo, reinterpret_cast<void *>(static_cast<intptr_t>(s)));
    EXPECT_EQ(errno, EBADF);
}

void connect_and_talk(int flags)
{
    int s = socket(AF_INET, SOCK_STREAM | flags, 0);
    ASSERT_EQ(csp_connect(s, reinterpret_cast<sockaddr *>(&address), sizeof address), 0);
    char text[8] = "";
    EXPECT_EQ(csp_write(s, "hello", 5), 5);
    EXPECT_EQ(csp_read(s, text, 5), 5);
    EXPECT_STREQ(text, "hello");
    csp_close_fd(s);
    ++done;
}

template <int Flags> void talk_on_20_connections()
{
    listen_here(Flags);
    csp_go(serve, nullptr);
    for (int i = 0; i < 20; i++)
        csp_go([](void *) { connect_and_talk(Flags); }, nullptr);
    while (done < 20)
        csp_yield();
    csp_close_fd(listener);
    wait_until_alone();
}

TEST_P(Io, AcceptAndConnect)
{
    run(talk_on_20_connections<0>);
    run(talk_on_20_connections<SOCK_NONBLOCK>);
}

TEST_P(Io, ConnectWithLimits)
{
    run([] {
        listen_here(0);
        int s = socket(AF_INET, SOCK_STREAM, 0);
        EXPECT_EQ(csp_connect_until(s, reinterpret_cast<sockaddr *>(&address), sizeof address, csp_now() + CSP_MINUTE),
                  0);
        EXPECT_GE(csp_accept_until(listener, nullptr, nullptr, csp_now() + CSP_MINUTE), 0);
        EXPECT_EQ(csp_accept_until(listener, nullptr, nullptr, csp_now() + CSP_MS), -1);
        EXPECT_EQ(errno, ETIMEDOUT);
        close(listener);
        int refused = socket(AF_INET, SOCK_STREAM, 0);
        EXPECT_EQ(csp_connect(refused, reinterpret_cast<sockaddr *>(&address), sizeof address), -1);
        EXPECT_EQ(errno, ECONNREFUSED);
        EXPECT_EQ(
            csp_connect_until(refused, reinterpret_cast<sockaddr *>(&address), sizeof address, csp_now() + CSP_MINUTE),
            -1);
        EXPECT_EQ(errno, ECONNREFUSED);
    });
}

// A listener whose queue is full: connect blocks.
TEST_P(Io, ConnectGivesUp)
{
    run([] {
        sockaddr_un name = {};
        name.sun_family = AF_UNIX;
        snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "csp_io_test_%d", getpid());
        listener = socket(AF_UNIX, SOCK_STREAM, 0);
        auto *to = reinterpret_cast<sockaddr *>(&name);
        ASSERT_EQ(bind(listener, to, sizeof name), 0);
        ASSERT_EQ(listen(listener, 0), 0);
        int first = socket(AF_UNIX, SOCK_STREAM, 0);
        ASSERT_EQ(csp_connect(first, to, sizeof name), 0);
        for (int flags : {0, static_cast<int>(SOCK_NONBLOCK)}) {
            int s = socket(AF_UNIX, SOCK_STREAM | flags, 0);
            EXPECT_EQ(csp_connect_until(s, to, sizeof name, csp_now() + 3 * CSP_MS), -1);
            EXPECT_EQ(errno, ETIMEDOUT);
            csp_ctx *ctx = csp_ctx_with_timeout(nullptr, 3 * CSP_MS);
            EXPECT_EQ(csp_connect_ctx(s, to, sizeof name, ctx), -1);
            EXPECT_EQ(errno, ETIMEDOUT);
            csp_ctx_free(ctx);
        }
        close(listener); // ends those that still connect
        wait_until_alone();
    });
}

TEST_P(Io, ThousandIdleConnections)
{
    run([] {
        struct rlimit many;
        getrlimit(RLIMIT_NOFILE, &many);
        many.rlim_cur = many.rlim_max;
        setrlimit(RLIMIT_NOFILE, &many);
        if (many.rlim_cur < 2100)
            return;
        static int mine[1000];
        for (int &fd : mine) {
            int pair[2];
            ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
            csp_go(echo, reinterpret_cast<void *>(static_cast<intptr_t>(pair[1])));
            fd = pair[0];
        }
        let_others_park();
        for (int fd : mine) {
            char text[8] = "";
            EXPECT_EQ(csp_write(fd, "hello", 5), 5);
            EXPECT_EQ(csp_read(fd, text, 5), 5);
            EXPECT_EQ(csp_close_fd(fd), 0);
        }
        wait_until_alone();
    });
}

} // namespace
