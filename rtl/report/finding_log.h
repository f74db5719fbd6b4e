// finding_log.h - option finding_log: every report as a line of JSON, for `csp test` and other programs.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One object a line, each written by one write(2):
//   {"type":"finding","kind":"data race","title":"data race q.c:12:3 in push","mild":false,
//    "stacks":[{"role":"write","primary":true,"what":"write of size 4","task":7,"name":"worker",
//               "frames":[{"function":"push","file":"/a/q.c","line":12,"column":3,"start_line":9,"module":"/a/q",
//                          "offset":4660,"library":false}]}],
//    "text":"the whole report"}
// `kind` is the report's own first words, but for these: leak (of coroutines), lock inversion, panic, fatal error, deadlock
// (also that of all coroutines asleep). Primary stacks say what the finding is about, the others explain it. Roles of primary ones:
// read, write, atomic read, atomic write, free; parked; wait, hold (deadlocks); lock, held (inversions); here (misuse, panics);
// allocation (memory leaks), creation (thread leaks). task is csp_id(), or a thread's T-number; null when nobody is known. What is not
// known is null, start_line 0. `library`: the frame stands for a library function that the program called. `mild`: by itself it does
// not make the exit status 66. A controlled run ends with a line of "type":"run" (cspr_finding_log_run).
#ifndef CSP_RTL_FINDING_LOG_H
#define CSP_RTL_FINDING_LOG_H

#include "report/report.h"

#include <stdarg.h>

bool cspr_finding_log_on(void);

// Caller holds the report lock for the next three. cspr_report_stack and cspr_report_close call them.
void cspr_finding_add_stack(cspr_report *r, const cspr_view *v);
void cspr_finding_add_frames(cspr_report *r, const uintptr_t *frames, size_t n); // of a stack that no report shows
void cspr_finding_write(cspr_report *r, const char *kind, const char *title);

// The runtime ends the process. pc: where, and the callers are those of the running task; NULL: here. No lock held.
void cspr_finding_ending(const char *kind, const char *message, const void *pc);

// Appends a whole line to the log, its newline included.
void cspr_finding_log_line(const char *line, size_t n);

// "text" as JSON has it, quotes included: colours are left out, bytes that are no UTF-8 become U+FFFD. NULL: null.
void cspr_json_string(cspr_text *t, const char *text);
void cspr_json_bytes(cspr_text *t, const char *bytes, size_t n);

#endif
