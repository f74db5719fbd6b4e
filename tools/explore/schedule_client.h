// schedule_client.h - runs one command over and over, each time under other options, one run at a time.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// By a fork server where the program answers as one (option schedule_server, rtl/control/schedule_server.h): it has started up once,
// and each run is a fork of it. Else, and when a server was lost too often, by a process of its own per run. The caller sees
// no difference but in time.
#ifndef CSP_TOOLS_SCHEDULE_CLIENT_H
#define CSP_TOOLS_SCHEDULE_CLIENT_H

#include <stdint.h>
#include <sys/types.h>

#include "common/target.h"
#include "explore/capture.h"

typedef struct cspt_client {
    const cspt_target *target;
    enum { CLIENT_IDLE, CLIENT_WAITING, CLIENT_RUNNING } state; // WAITING: for the server to be ready
    bool alone;                                                 // a process per run
    bool was_ready;
    unsigned losses; // of servers
    pid_t server;    // 0: none
    int socket;      // -1: none
    pid_t run;       // 0: not known yet
    cspt_capture output;
    char *options;
    int64_t timeout_ms, deadline_ms;
    bool timed_out;
} cspt_client;

typedef enum cspt_client_event {
    CLIENT_NOTHING,
    CLIENT_ENDED,  // wait_status, timed_out and output are there until the next run begins
    CLIENT_BROKEN, // the command cannot be started: error
} cspt_client_event;

typedef struct cspt_client_result {
    int wait_status;
    bool timed_out;
    int error;
} cspt_client_result;

void cspt_client_init(cspt_client *c, const cspt_target *target);
// Begins a run. Caller: the one before has ended. options: CSPTHREAD_OPTIONS of the run.
cspt_client_event cspt_client_run(cspt_client *c, const char *options, int64_t timeout_ms, cspt_client_result *result);
// What has happened. To be called when its socket is readable, a child has ended, or its deadline has come.
cspt_client_event cspt_client_poll(cspt_client *c, cspt_client_result *result);
int64_t cspt_client_now_ms(void);
// Ends what it started.
void cspt_client_fini(cspt_client *c);

#endif
