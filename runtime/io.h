// io.h - what the I/O calls share: waiting for readiness, whatever the system allows.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_IO_H
#define CSP_RUNTIME_IO_H

#include "poll.h"

// The program has set O_NONBLOCK itself.
bool cspi_io_is_nonblocking(int fd);

// As cspi_poll_wait; where the system has no room for one more descriptor to watch, a thread of its own waits in poll(2).
int cspi_io_wait(int fd, int side, const cspi_limit *limit, const csp_site *site);

#endif
