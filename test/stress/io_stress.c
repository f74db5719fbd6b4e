// io_stress.c - the netpoller and blocking calls: bytes both ways, deadlines, closing under waiters, numbers used again; P1, P2, K2.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

// --- bytes both ways over one pair, no byte lost or twice --------------------------------------------------------------------

enum { BYTES = 30000 };

struct way {
    int fd;
    unsigned seed;
    csp_wg *done;
};

static void send_bytes(void *way)
{
    struct way *w = way;
    unsigned char part[1000];
    for (size_t sent = 0; sent < BYTES;) {
        size_t n = 1 + rnd(&w->seed, sizeof part);
        n = n < BYTES - sent ? n : BYTES - sent;
        for (size_t i = 0; i < n; i++)
            part[i] = (unsigned char)((sent + i) % 251);
        ssize_t wrote = csp_write_until(w->fd, part, n, csp_now() + (int64_t)rnd(&w->seed, 200) * CSP_US);
        CHECK(wrote > 0 || (wrote < 0 && errno == ETIMEDOUT));
        sent += wrote > 0 ? (size_t)wrote : 0;
        if (rnd(&w->seed, 8) == 0)
            csp_yield();
    }
    csp_wg_done(w->done);
}

static void receive_bytes(void *way)
{
    struct way *w = way;
    unsigned char part[700];
    for (size_t got = 0; got < BYTES;) {
        ssize_t n = csp_read_until(w->fd, part, sizeof part, csp_now() + (int64_t)rnd(&w->seed, 100) * CSP_US);
        CHECK(n > 0 || (n < 0 && errno == ETIMEDOUT));
        for (ssize_t i = 0; i < n; i++, got++)
            CHECK(part[i] == got % 251);
    }
    csp_wg_done(w->done);
}

static void both_ways(unsigned seed)
{
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | (seed % 2 ? SOCK_NONBLOCK : 0), 0, pair) == 0);
    csp_wg done = {0};
    struct way ways[4] = {
        {pair[0], seed, &done}, {pair[1], seed + 1, &done}, {pair[1], seed + 2, &done}, {pair[0], seed + 3, &done}};
    csp_wg_add(&done, 4);
    csp_go(send_bytes, &ways[0]);
    csp_go(receive_bytes, &ways[1]);
    csp_go(send_bytes, &ways[2]);
    csp_go(receive_bytes, &ways[3]);
    csp_wg_wait(&done);
    csp_close_fd(pair[0]);
    csp_close_fd(pair[1]);
}

// Some read for the first time only after the close: a race for the descriptor, as TSan rightly says, and what the part is for.
#if !__has_feature(thread_sanitizer)
// --- closing under waiters ------------------------------------------------------------------------------------------------------

struct waiting {
    int fd;
    csp_wg *done;
};

static void wait_for_end(void *waiting)
{
    struct waiting *w = waiting;
    char c;
    ssize_t n = csp_read(w->fd, &c, 1);
    CHECK(n == 0 || (n < 0 && errno == EBADF));
    csp_wg_done(w->done);
}

static void close_under_waiters(unsigned seed)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    csp_wg done = {0};
    struct waiting w = {ends[0], &done};
    csp_wg_add(&done, 5);
    for (int i = 0; i < 5; i++)
        csp_go(wait_for_end, &w);
    csp_sleep((int64_t)rnd(&seed, 50) * CSP_US);
    csp_close_fd(ends[seed % 2]); // theirs: EBADF; the other: the end of the file
    csp_wg_wait(&done);
    csp_close_fd(ends[!(seed % 2)]);
}
#else
static void close_under_waiters(unsigned seed)
{
    (void)seed;
}
#endif

// --- a byte round, through pipes that are made anew, by coroutines some of which block their thread ---------------------------------

static void read_plainly(void *fd)
{
    char c;
    CHECK(read(*(int *)fd, &c, 1) == 1);
}

struct station {
    int from, to;
    bool blocks;
    csp_wg *done;
};

static void relay(void *station)
{
    struct station *s = station;
    char c = 0;
    if (s->blocks)
        csp_blocking(read_plainly, &s->from);
    else
        CHECK(csp_read(s->from, &c, 1) == 1);
    CHECK(csp_write(s->to, &c, 1) == 1);
    csp_wg_done(s->done);
}

static void round_trip(unsigned seed)
{
    enum { N = 12 };
    int pipes[N + 1][2];
    struct station s[N];
    csp_wg done = {0};
    csp_wg_add(&done, N);
    for (int i = 0; i <= N; i++)
        CHECK(pipe(pipes[i]) == 0);
    for (int i = 0; i < N; i++) {
        s[i] = (struct station){pipes[i][0], pipes[i + 1][1], rnd(&seed, 3) == 0, &done};
        csp_go(relay, &s[i]);
    }
    char c = 1;
    CHECK(csp_write(pipes[0][1], &c, 1) == 1);
    CHECK(csp_read(pipes[N][0], &c, 1) == 1);
    csp_wg_wait(&done);
    for (int i = 0; i <= N; i++) { // behind the poller's back: the numbers come again in the next round
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
}

static void round_of_all(unsigned i)
{
    both_ways(i);
    close_under_waiters(i);
    round_trip(i);
}

int main(void)
{
    repeat(round_of_all);
    return 0;
}
