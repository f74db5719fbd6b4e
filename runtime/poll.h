// poll.h - the netpoller: coroutines parked until a descriptor may be ready.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_POLL_H
#define CSP_RUNTIME_POLL_H

#include "limit.h"
#include "worker.h"

enum cspi_poll_side { CSPI_POLL_READ, CSPI_POLL_WRITE };

// Parks the caller until a read (or write) on fd may go on without waiting; it may also find that it cannot after all.
// 0; ETIMEDOUT or ECANCELED by the limit; EBADF: not open, or closed meanwhile; EPERM: files of this kind are always ready;
// another errno: the system has no room for one more descriptor to watch.
int cspi_poll_wait(int fd, int side, const cspi_limit *limit, const csp_site *site);

// Wakes everybody who is parked on fd with EBADF and closes it.
int cspi_poll_close(int fd);

// fd was no socket when last looked at; a hint, since numbers are used again.
bool cspi_poll_is_other(int fd);
void cspi_poll_set_other(int fd, bool is_other);

// --- for the scheduler -------------------------------------------------------------------------------------------------

// How many are parked here; a moment's value, exact for the caller's own doing.
extern int64_t cspi_poll_waiting;

// Whether is(fd) of any descriptor that somebody is parked on; nobody else runs.
bool cspi_poll_any(bool (*is)(int fd, void *arg), void *arg);

// Readies who can go on, without waiting; true: somebody. Another thread that does so just now is left to it.
bool cspi_poll_now(void);
// The keeper's sleep, until something is ready, it is kicked or the instant has come. Takes w off the idle list before it
// readies anybody. True: w is off the list and looks for work.
bool cspi_poll_sleep(cspi_worker *w, int64_t until, bool *timed_out);
// Gets the keeper out of its sleep.
void cspi_poll_kick(void);

// fork: the child has a set of its own, and nobody in it.
void cspi_poll_after_fork(void);

#endif
