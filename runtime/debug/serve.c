// serve.c - a small HTTP endpoint that shows a running program's coroutines and counts.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// libmicrohttpd speaks HTTP; its loop is ours (external polling), in one thread that counts among the runtime's own: with
// threads of its own the check whether all are asleep would have to suppose that they might wake somebody. The thread never
// becomes a coroutine (it calls no cspi_self), for the same reason.
#include "csp/debug.h"
#include "csp/time.h"

#include "address.h"
#include "dump.h"
#include "leak.h"
#include "stats.h"
#include "worker.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#define EACH 10000
#define CONNECTIONS 64u
#define IDLE_SECONDS 30u

static struct {
    cspi_lock lock;
    // --- under lock
    struct MHD_Daemon *daemon; // NULL: not serving
    pid_t pid;                 // whose thread it is
    int stop_fd;
    // --- shared with its thread
    uint32_t ended; // atomic, futex: T1
} server;

static const char index_text[] = "/debug/csp/coroutines           coroutines counted by equal stacks\n"
                                 "/debug/csp/coroutines?debug=2   coroutines one by one\n"
                                 "/debug/csp/leaks                coroutines that are stuck, with the sanitizer\n"
                                 "/debug/csp/leaks?parked=1       all that are parked but for timers and descriptors\n"
                                 "/metrics                        counts, for Prometheus\n";

// --- answers -----------------------------------------------------------------------------------------------------------------

// text: from malloc, NULL: there was no memory for it.
static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *type, char *text, size_t n)
{
    if (!text)
        return MHD_NO;
    struct MHD_Response *r = MHD_create_response_from_buffer(n, text, MHD_RESPMEM_MUST_FREE);
    if (!r) {
        free(text);
        return MHD_NO;
    }
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result queued = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return queued;
}

static enum MHD_Result answer_text(struct MHD_Connection *c, unsigned status, const char *text)
{
    return answer(c, status, "text/plain; charset=utf-8", strdup(text), strlen(text));
}

static enum MHD_Result answer_coroutines(struct MHD_Connection *c)
{
    const char *debug = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "debug");
    bool one_by_one = debug && strcmp(debug, "2") == 0;
    if (debug && !one_by_one && strcmp(debug, "1") != 0)
        return answer_text(c, MHD_HTTP_BAD_REQUEST, "debug is 1 or 2\n");
    cspi_sink text = {.fd = -1};
    cspi_dump_to(&text, one_by_one ? CSPI_DUMP_EACH : CSPI_DUMP_GROUPED, EACH);
    return answer(c, MHD_HTTP_OK, "text/plain; charset=utf-8", text.text, text.n);
}

static enum MHD_Result answer_leaks(struct MHD_Connection *c)
{
    enum { GROUPS = 256 };
    csp_leak *leaks = calloc(GROUPS, sizeof *leaks);
    if (!leaks)
        return answer_text(c, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
    csp_leak_options options = {.parked_too = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "parked") != NULL};
    cspi_sink text = {.fd = -1};
    size_t n = cspi_leak_check(&options, leaks, GROUPS);
    cspi_sink_say(&text, "%zu coroutines\n", n);
    for (size_t i = 0; i < GROUPS && leaks[i].count; i++)
        cspi_sink_say(
            &text, "%zu %s in %s for %lld ms, called by %s (%s:%u), created by %s, keeping %zu bytes; coroutine %llu\n",
            leaks[i].count, leaks[i].verdict == CSP_LEAK_STUCK ? "stuck" : "parked", leaks[i].waiting,
            (long long)(leaks[i].longest_ns / CSP_MS), leaks[i].function, leaks[i].file, leaks[i].line,
            leaks[i].created_by, leaks[i].bytes, (unsigned long long)leaks[i].first_id);
    free(leaks);
    return answer(c, MHD_HTTP_OK, "text/plain; charset=utf-8", text.text, text.n);
}

static enum MHD_Result answer_metrics(struct MHD_Connection *c)
{
    size_t room = cspi_stats_print(NULL, 0) + 1000; // figures grow meanwhile
    char *text = malloc(room);
    size_t n = text ? cspi_stats_print(text, room) : 0;
    return answer(c, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text, n < room ? n : room - 1);
}

static enum MHD_Result on_request(void *unused, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *body, size_t *n_body, void **seen)
{
    (void)unused, (void)version, (void)body;
    static int marker;
    if (!*seen) { // the headers are there; answering now would close the connection after each request
        *seen = &marker;
        return MHD_YES;
    }
    if (*n_body) { // nobody asked for it
        *n_body = 0;
        return MHD_YES;
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer_text(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    if (strcmp(url, "/debug/csp/coroutines") == 0)
        return answer_coroutines(c);
    if (strcmp(url, "/debug/csp/leaks") == 0)
        return answer_leaks(c);
    if (strcmp(url, "/metrics") == 0)
        return answer_metrics(c);
    if (strcmp(url, "/") == 0)
        return answer_text(c, MHD_HTTP_OK, index_text);
    return answer_text(c, MHD_HTTP_NOT_FOUND, "no such page; see /\n");
}

// --- the thread --------------------------------------------------------------------------------------------------------------

static void *serve(void *unused)
{
    (void)unused;
    struct MHD_Daemon *d = server.daemon;
    struct pollfd fds[2] = {{.fd = MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, .events = POLLIN},
                            {.fd = server.stop_fd, .events = POLLIN}};
    while (!fds[1].revents) {
        MHD_UNSIGNED_LONG_LONG ms;
        poll(fds, 2, MHD_get_timeout(d, &ms) == MHD_YES ? (int)(ms < 60000 ? ms : 60000) : -1);
        MHD_run(d);
    }
    MHD_stop_daemon(d);
    csp_add_seq(&cspi_sched.n_own_threads, -1);
    csp_store_rel(&server.ended, 1u); // T1: the thread touches nothing of the server's any more
    cspi_futex_wake(&server.ended, 1);
    return NULL;
}

static struct MHD_Daemon *start_daemon(const struct sockaddr_storage *address)
{
    errno = 0;
    unsigned flags = MHD_USE_EPOLL | (address->ss_family == AF_INET6 ? MHD_USE_IPv6 : 0u);
    struct MHD_Daemon *d = MHD_start_daemon(flags, 0, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, address,
                                            MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                                            IDLE_SECONDS, MHD_OPTION_END);
    if (!d && errno == 0)
        errno = ENOMEM;
    return d;
}

static int start_locked(const struct sockaddr_storage *address)
{
    if (server.daemon && server.pid == getpid()) {
        errno = EALREADY;
        return -1;
    }
    server.stop_fd = eventfd(0, EFD_CLOEXEC);
    server.daemon = server.stop_fd >= 0 ? start_daemon(address) : NULL;
    if (!server.daemon)
        goto no_daemon;
    server.pid = getpid();
    server.ended = 0;
    int port = MHD_get_daemon_info(server.daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    if (cspi_thread_start(serve))
        return port;
    errno = EAGAIN;
    MHD_stop_daemon(server.daemon);
    server.daemon = NULL;
no_daemon:
    if (server.stop_fd >= 0) {
        int saved = errno;
        close(server.stop_fd);
        errno = saved;
    }
    return -1;
}

int csp_debug_serve_anywhere(const char *addr)
{
    struct sockaddr_storage address;
    if (!cspi_debug_address(addr, &address)) {
        errno = EINVAL;
        return -1;
    }
    (void)cspi_self(); // the runtime has started
    cspi_lock_acquire(&server.lock);
    int port = start_locked(&address);
    cspi_lock_release(&server.lock);
    return port;
}

int csp_debug_serve(const char *addr)
{
    struct sockaddr_storage address;
    if (cspi_debug_address(addr, &address) && !cspi_debug_is_loopback(&address)) {
        errno = EACCES;
        return -1;
    }
    return csp_debug_serve_anywhere(addr);
}

void csp_debug_stop(void)
{
    cspi_lock_acquire(&server.lock);
    if (server.daemon && server.pid == getpid()) {
        uint64_t one = 1;
        if (write(server.stop_fd, &one, sizeof one) != sizeof one)
            abort();                         // an eventfd takes it
        while (!csp_load_acq(&server.ended)) // T1
            cspi_futex_wait(&server.ended, 0, CSPI_FOREVER);
        close(server.stop_fd);
        server.daemon = NULL;
    }
    cspi_lock_release(&server.lock);
}
