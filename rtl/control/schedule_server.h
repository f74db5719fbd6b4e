// schedule_server.h - option schedule_server: the program starts up once, and each schedule is a fork of it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `csp` starts the program with CSPTHREAD_OPTIONS=schedule_server=N, N an inherited descriptor: a socket of type SOCK_SEQPACKET. The
// program runs up to its first concurrent act (cspr_control_begin), or its end when there is none. There it flushes its
// output streams and sends, one message each:
//     ready                     from now on it serves; or
//     refused WHY               it cannot: goes on as a single run with the options it was started with
// A request is a message of options ("schedule=pct:seed=42:finding_log=/tmp/7.jsonl"), which come on top of those it was started with,
// and two descriptors (SCM_RIGHTS): standard output and error of the run; none: they stay as they are. It answers
//     started PID               leader of a process group of its own, so that one kill(-PID) ends the run and its children
//     ended STATUS              as wait(2) has it
//     failed ERRNO              it could not fork, or that was no request
// The request "quit" and the end of the socket end it, and the run that is under way. One run at a time.
//
// Where a run would share with those before it what the program had made by then (a socket, a file that is written to, shared memory,
// another thread), it refuses: runs would depend on each other.
#ifndef CSP_RTL_SCHEDULE_SERVER_H
#define CSP_RTL_SCHEDULE_SERVER_H

#include <stdbool.h>

void cspr_schedule_server_init(
    void); // once the program is not started anew any more; takes the descriptor out of the program's way
bool cspr_schedule_server_on(void); // asked for, and there
// Serves; returns in each child, with its options in force, and once when it refuses. Does nothing without a server, and when called
// again. Caller is the only thread, in_rtl == 0.
void cspr_schedule_server_serve(void);

#endif
