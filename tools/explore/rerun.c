// rerun.c - single runs through the client that exploring uses, or in the foreground.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "explore/rerun.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/argv.h"
#include "common/child.h"
#include "common/message.h"
#include "explore/run_options.h"
#include "explore/verdict.h"

void cspt_rerun_init(cspt_rerun *r, const cspt_target *target, const char *scratch, double timeout_s)
{
    *r = (cspt_rerun){.target = target, .scratch = scratch, .timeout_s = timeout_s};
    r->log = cspt_format("%s/rerun.jsonl", scratch);
    cspt_client_init(&r->client, target);
}

static void forget(cspt_rerun *r)
{
    cspt_shown_run_fini(&r->run);
    r->run = (cspt_shown_run){0};
    free(r->output);
    r->output = NULL;
}

static char *with_log(const cspt_rerun *r, const char *options)
{
    cspt_text all = {0};
    cspt_text_append(&all, options, strlen(options));
    cspt_option_number(&all, "exitcode", CSPT_REPORT_STATUS);
    cspt_option_string(&all, "finding_log", r->log);
    return all.bytes;
}

static void take_signals(cspt_rerun *r)
{
    struct signalfd_siginfo info;
    while (read(cspt_child_signals(), &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD)
            r->interrupted = (int)info.ssi_signo;
}

static cspt_client_event wait_for_end(cspt_rerun *r, cspt_client_result *result)
{
    cspt_client_event event = CLIENT_NOTHING;
    while (event == CLIENT_NOTHING && !r->interrupted) {
        int64_t left = r->client.deadline_ms - cspt_client_now_ms();
        struct pollfd fds[] = {{.fd = r->client.socket, .events = POLLIN},
                               {.fd = cspt_child_signals(), .events = POLLIN}};
        if (poll(fds, 2, left < 1 ? 1 : left > 100 ? 100 : (int)left) > 0 && fds[1].revents)
            take_signals(r);
        event = cspt_client_poll(&r->client, result);
    }
    return event;
}

static void judge(cspt_rerun *r, int wait_status, bool timed_out)
{
    r->wait_status = wait_status;
    cspt_run_log_read(&r->run.log, r->log);
    unlink(r->log);
    r->run.output = r->output;
    cspt_end end = {.wait_status = wait_status,
                    .timed_out = timed_out,
                    .timeout_s = r->timeout_s,
                    .has_findings = cspt_rerun_count(r) > 0,
                    .output = r->output,
                    .is_all = true};
    r->run.has_end = cspt_verdict(r->target, &end, &r->run.end);
}

int cspt_rerun_quietly(cspt_rerun *r, const char *options)
{
    cspt_client_result result = {0};
    char *all = with_log(r, options);
    forget(r);
    cspt_client_event event = cspt_client_run(&r->client, all, (int64_t)(r->timeout_s * 1000), &result);
    if (event == CLIENT_NOTHING)
        event = wait_for_end(r, &result);
    free(all);
    if (r->interrupted)
        return EINTR;
    if (event == CLIENT_BROKEN)
        return result.error;
    r->output = cspt_capture_text(&r->client.output);
    judge(r, result.wait_status, result.timed_out);
    return 0;
}

// --- in the foreground -----------------------------------------------------------------------------------------------------------

static void show(void *arg, const char *bytes, size_t size)
{
    cspt_text *seen = arg;
    cspt_text_append(seen, bytes, size);
    while (size) {
        ssize_t n = write(STDERR_FILENO, bytes, size);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return; // nobody reads it
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        }
    }
}

int cspt_rerun_visibly(cspt_rerun *r, const char *options)
{
    cspt_text seen = {0};
    cspt_child_result result;
    cspt_target target = *r->target;
    char *all = with_log(r, options);
    const char *before = getenv("CSPTHREAD_OPTIONS");
    char *variable = cspt_format("CSPTHREAD_OPTIONS=%s%s%s", before ? before : "", before && *before ? ":" : "", all);
    target.environment = (cspt_argv){0};
    cspt_argv_push_all(&target.environment, &r->target->environment);
    cspt_argv_push(&target.environment, variable);
    forget(r);
    int error = cspt_child_run(&target, 0, show, &seen, &result);
    cspt_argv_fini(&target.environment);
    free(variable);
    free(all);
    r->output = seen.bytes;
    if (error)
        return error;
    judge(r, result.wait_status, false);
    r->interrupted = result.interrupted;
    return r->interrupted ? EINTR : 0;
}

void cspt_rerun_fini(cspt_rerun *r)
{
    forget(r);
    cspt_client_fini(&r->client);
    free(r->log);
}

// --- what was found ----------------------------------------------------------------------------------------------------------------

static bool is_it(const cspt_finding *f, const char *fingerprint, const char *title)
{
    if (fingerprint)
        return strcmp(f->fingerprint, fingerprint) == 0;
    return title && f->title && strcmp(f->title, title) == 0;
}

const cspt_finding *cspt_rerun_finding(const cspt_rerun *r, const char *fingerprint, const char *title)
{
    const cspt_run_log *log = &r->run.log;
    for (size_t i = 0; i < log->n_findings; i++)
        if (is_it(&log->findings[i], fingerprint, title))
            return &log->findings[i];
    if (r->run.has_end && is_it(&r->run.end, fingerprint, title))
        return &r->run.end;
    if (fingerprint)
        return NULL;
    return log->n_findings ? &log->findings[0] : r->run.has_end ? &r->run.end : NULL;
}

size_t cspt_rerun_count(const cspt_rerun *r)
{
    size_t n = r->run.has_end;
    for (size_t i = 0; i < r->run.log.n_findings; i++)
        n += !r->run.log.findings[i].mild;
    return n;
}
