// schedule_client.c - runs one command over and over, each time under other options, one run at a time.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The server is not trusted to live: programs kill their parent or their process group, exit in a constructor, never come
// to the place where they would answer. When it is lost with a run under way nobody knows how that one ended, so the run is
// made again in a process of its own.
#include "explore/schedule_client.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/argv.h"
#include "common/message.h"
#include "common/number.h"
#include "explore/launch.h"
#include "explore/run_options.h"

enum { MAX_LOSSES = 3, KILL_GRACE_MS = 5000, QUIT_GRACE_MS = 1000 };

int64_t cspt_client_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void cspt_client_init(cspt_client *c, const cspt_target *target)
{
    *c = (cspt_client){.target = target, .alone = !target->controlled, .socket = -1, .output = {.fd = -1}};
}

// --- the server -------------------------------------------------------------------------------------------------------------

static void reap(pid_t pid, int *wait_status)
{
    int ignored;
    while (waitpid(pid, wait_status ? wait_status : &ignored, 0) < 0 && errno == EINTR)
        ;
}

static void drop_server(cspt_client *c)
{
    if (c->socket >= 0)
        close(c->socket);
    c->socket = -1;
    if (!c->server)
        return;
    kill(-c->server, SIGKILL);
    kill(c->server, SIGKILL);
    reap(c->server, NULL);
    c->server = 0;
}

static bool start_server(cspt_client *c)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return false;
    cspt_text options = {0};
    cspt_option_number(&options, "schedule_server", (uint64_t)ends[1]);
    int error = cspt_launch_start(c->target,
                                  &(cspt_launch){.options = options.bytes,
                                                 .in = CSPT_LAUNCH_NULL,
                                                 .out = c->output.fd,
                                                 .err = c->output.fd,
                                                 .kept = ends[1]},
                                  &c->server);
    cspt_text_fini(&options);
    close(ends[1]);
    if (error) {
        close(ends[0]);
        c->server = 0;
        return false;
    }
    c->socket = ends[0];
    c->was_ready = false;
    return true;
}

static bool send_request(cspt_client *c)
{
    struct iovec text = {.iov_base = c->options, .iov_len = strlen(c->options)};
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr message = {
        .msg_iov = &text, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(2 * sizeof(int));
    int both[2] = {c->output.fd, c->output.fd};
    memcpy(CMSG_DATA(header), both, sizeof both);
    return sendmsg(c->socket, &message, MSG_NOSIGNAL) >= 0;
}

// --- runs -------------------------------------------------------------------------------------------------------------------

static cspt_client_event run_alone(cspt_client *c, cspt_client_result *result)
{
    cspt_capture_close(&c->output);
    cspt_capture_open(&c->output); // without what a lost one wrote
    int error = cspt_launch_start(
        c->target,
        &(cspt_launch){
            .options = c->options, .in = CSPT_LAUNCH_NULL, .out = c->output.fd, .err = c->output.fd, .kept = -1},
        &c->run);
    if (error) {
        c->run = 0;
        c->state = CLIENT_IDLE;
        *result = (cspt_client_result){.error = error};
        return CLIENT_BROKEN;
    }
    c->state = CLIENT_RUNNING;
    c->deadline_ms = cspt_client_now_ms() + c->timeout_ms;
    return CLIENT_NOTHING;
}

static cspt_client_event end_run(cspt_client *c, int wait_status, cspt_client_result *result)
{
    *result = (cspt_client_result){.wait_status = wait_status, .timed_out = c->timed_out};
    c->state = CLIENT_IDLE;
    c->run = 0;
    return CLIENT_ENDED;
}

static bool runs_alone(const cspt_client *c)
{
    return !c->server;
}

// With what it has started; it leads a process group, whoever is its parent.
static void kill_run(const cspt_client *c)
{
    if (c->run <= 1)
        return;
    kill(-c->run, SIGKILL);
    kill(c->run, SIGKILL);
}

static cspt_client_event lose_server(cspt_client *c, cspt_client_result *result)
{
    kill_run(c); // it was the server's child, not ours
    c->run = 0;
    c->losses++;
    c->alone |= !c->was_ready || c->losses >= MAX_LOSSES;
    drop_server(c);
    if (c->timed_out) // the server would not say how it ended
        return end_run(c, SIGKILL, result);
    return c->state == CLIENT_IDLE ? CLIENT_NOTHING : run_alone(c, result);
}

static cspt_client_event begin_request(cspt_client *c, cspt_client_result *result)
{
    c->state = CLIENT_RUNNING;
    c->deadline_ms = cspt_client_now_ms() + c->timeout_ms;
    return send_request(c) ? CLIENT_NOTHING : lose_server(c, result);
}

cspt_client_event cspt_client_run(cspt_client *c, const char *options, int64_t timeout_ms, cspt_client_result *result)
{
    free(c->options);
    c->options = cspt_format("%s", options);
    c->timeout_ms = timeout_ms;
    c->timed_out = false;
    c->run = 0;
    cspt_capture_close(&c->output);
    cspt_capture_open(&c->output);
    if (c->server)
        return begin_request(c, result);
    if (c->alone || !start_server(c))
        return run_alone(c, result);
    c->state = CLIENT_WAITING;
    c->deadline_ms = cspt_client_now_ms() + timeout_ms;
    return CLIENT_NOTHING;
}

static bool is_number(const char *text, const char *start, int *out)
{
    uint64_t n;
    if (!cspt_starts_with(text, start))
        return false;
    text += strlen(start);
    if (!cspt_take_number(&text, INT_MAX, &n) || *text)
        return false;
    *out = (int)n;
    return true;
}

// One message of the server; false when there is none. Each one that is taken leads on to another state, so they end.
static bool take_message(cspt_client *c, cspt_client_result *result, cspt_client_event *event)
{
    char text[128];
    ssize_t n = recv(c->socket, text, sizeof text - 1, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        *event = lose_server(c, result);
        return false;
    }
    int number;
    text[n] = 0;
    if (strncmp(text, "ready", 5) == 0 && c->state == CLIENT_WAITING) {
        c->was_ready = true;
        *event = begin_request(c, result);
    } else if (c->state == CLIENT_RUNNING && !c->run && is_number(text, "started ", &number)) {
        c->run = number;
    } else if (c->state == CLIENT_RUNNING && c->run && is_number(text, "ended ", &number)) {
        *event = end_run(c, number, result);
    } else { // refused, failed, or not what a server says: the program itself may write to its end
        *event = lose_server(c, result);
        return false;
    }
    return *event == CLIENT_NOTHING && c->server;
}

static cspt_client_event check_deadline(cspt_client *c, cspt_client_result *result)
{
    if (cspt_client_now_ms() < c->deadline_ms)
        return CLIENT_NOTHING;
    if (c->state == CLIENT_WAITING) // it never comes to where it would answer: each run shall show that by itself
        return lose_server(c, result);
    bool server_is_stuck = !runs_alone(c) && (c->timed_out || !c->run); // it does not tell of an end, or of a beginning
    c->timed_out = true;
    if (server_is_stuck)
        return lose_server(c, result);
    c->deadline_ms = cspt_client_now_ms() + KILL_GRACE_MS;
    kill_run(c);
    return CLIENT_NOTHING;
}

cspt_client_event cspt_client_poll(cspt_client *c, cspt_client_result *result)
{
    cspt_client_event event = CLIENT_NOTHING;
    int wait_status;
    if (c->state == CLIENT_IDLE)
        return CLIENT_NOTHING;
    cspt_capture_trim(&c->output);
    while (c->server && take_message(c, result, &event))
        ;
    if (event != CLIENT_NOTHING || c->state == CLIENT_IDLE)
        return event;
    if (c->state == CLIENT_RUNNING && runs_alone(c) && waitpid(c->run, &wait_status, WNOHANG) == c->run)
        return end_run(c, wait_status, result);
    return check_deadline(c, result);
}

// A server that is asked to quit ends by itself; one that does not is killed.
static void quit_server(cspt_client *c)
{
    struct timespec pause = {.tv_nsec = 1000000};
    bool asked = c->state == CLIENT_IDLE && send(c->socket, "quit", 4, MSG_NOSIGNAL) == 4;
    for (int64_t until = cspt_client_now_ms() + QUIT_GRACE_MS; asked && cspt_client_now_ms() < until;) {
        if (waitpid(c->server, NULL, WNOHANG) == c->server) {
            c->server = 0;
            break;
        }
        nanosleep(&pause, NULL);
    }
    drop_server(c);
}

void cspt_client_fini(cspt_client *c)
{
    if (c->state == CLIENT_RUNNING) {
        kill_run(c);
        if (runs_alone(c))
            reap(c->run, NULL);
    }
    if (c->server)
        quit_server(c);
    cspt_capture_close(&c->output);
    free(c->options);
    c->options = NULL;
    c->state = CLIENT_IDLE;
}
