// control_world.h - what tasks of a controlled schedule wait for outside of it: descriptors, processes, signals.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A descriptor whose other end is in this process becomes ready by what tasks do, so the schedule stays a function of its seed. What
// comes from elsewhere is waited for in real time, once no task can go on; then the run says why it is not replayable.
#ifndef CSP_RTL_CONTROL_WORLD_H
#define CSP_RTL_CONTROL_WORLD_H

#include "control/control_libc.h"

#include <poll.h>
#include <sys/wait.h>

// The caller waits until one of the descriptors is ready, with nobody else's say. False: deadline_ns came first. Poll's own rules
// hold for what `fds` is; revents are as after a poll. Wakes early when the thread is cancelled or gets a signal: true, too.
bool cspr_world_await(struct pollfd *fds, nfds_t n, int64_t deadline_ns);
// The caller tried something that only the outside, or an unseen change inside, lets succeed: woken by cspr_world_retry, or after
// some real time when no task can go on. why: as cspr_control_not_replayable, said if a timer could have come first; NULL: rather the
// timer, since it is likely that a task of ours is to do it.
bool cspr_world_await_retry(int op, const void *obj, int64_t deadline_ns, const char *why);
// Until a child has changed its state, as waitid with these arguments and WNOHANG would find it. True also when there is none such.
bool cspr_world_await_child(idtype_t type, id_t id, int options);
bool cspr_world_is_ready(int fd, short events); // as poll says, without waiting
// Something was done to a descriptor: who waits for one that is ready now may go on.
void cspr_world_changed(void);
void cspr_world_retry(void);

// Wakes those who wait for a descriptor that is ready. True: there were some.
bool cspr_world_wake(void);
// Of one who waits for the descriptor by other means (the runtime's poller): it is for something outside of the process, which real
// time may bring; said as such if a timer could come first. next_ns: as below.
bool cspr_world_leads_outside(int fd, int64_t next_ns);
// Nobody can go on, nothing is ready, and the next timer is due at next_ns (INT64_MAX: none). True: somebody may go on now, or the clock went on.
// False: nobody waits for anything outside; so it is for the timer, or for ever.
bool cspr_world_idle(int64_t next_ns);

void cspr_world_after_fork(bool in_child); // other tasks' waits are over
extern bool cspr_world_has_forked;         // not to be a run of the fork server, but by itself

// --- timers with descriptors (control_timerfd.c) --------------------------------------------------------------------------------

int64_t cspr_timerfd_next(void); // when the first is due; INT64_MAX: none
void cspr_timerfd_fire(void);    // those that are due become ready
void cspr_timerfd_was_read(int fd, void *buffer, ssize_t result);
void cspr_timerfd_closed(int fd);
// Nobody can go on, though somebody may wait for one of these unseen, a coroutine: the clock goes on to it. False: the next timer is
// another, or that did not help too often. cspr_timerfd_jumps: how often in a row.
bool cspr_timerfd_jump(int64_t next_ns);
extern unsigned cspr_timerfd_jumps;
// A timer was set: who waits for descriptors looks again until when.
void cspr_world_retime(void);

// A signal will come in real time (control_time.c).
bool cspr_control_alarm_is_set(void);

// A place that stands for a descriptor, as an object of the schedule.
const void *cspr_world_descriptor(int fd);

#endif
