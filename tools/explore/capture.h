// capture.h - keeps the beginning and the end of what a run writes, however much it is.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file in memory, not a pipe: the run never waits for us, so what it does does not depend on how fast we read. What lies
// between the parts that are kept is given back to the system as it grows.
#ifndef CSP_TOOLS_CAPTURE_H
#define CSP_TOOLS_CAPTURE_H

#include <stdbool.h>

typedef struct cspt_capture {
    int fd;        // what the run writes to; -1: nothing is kept
    long long cut; // up to where it was given back
} cspt_capture;

void cspt_capture_open(cspt_capture *c);
// Call now and then while the run lasts.
void cspt_capture_trim(cspt_capture *c);
// What is kept, malloc'ed, with a line in between that says how much is left out; NULL: nothing was written.
char *cspt_capture_text(const cspt_capture *c);
void cspt_capture_close(cspt_capture *c);

#endif
