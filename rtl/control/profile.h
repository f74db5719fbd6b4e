// profile.h - how many operations each task executes: counted in a trial run, estimated from it in later ones.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text: a line `cspthread profile 1`, then a line per task in order of creation: key, its creator's key (0: main), operations.
// Keys are hexadecimal and the same in all schedules, so what one schedule's tasks did says what another's will do - unless
// what a task does depends on the schedule: these are estimates.
#ifndef CSP_RTL_PROFILE_H
#define CSP_RTL_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Forgets what there is, then takes over the text. False: it is not a profile; then there is none.
bool cspr_profile_parse(const char *text);
void cspr_profile_clear(void);
void cspr_profile_add(uint64_t key, uint64_t parent, uint64_t points); // parents before their children

uint64_t cspr_profile_length(void); // operations of the whole run; 0: there is no profile
uint64_t cspr_profile_tasks(void);
// Operations of the task and of all its descendants; of a task that the trial run did not have: 0.
uint64_t cspr_profile_subtree(uint64_t key);

// profile_file.c. Option schedule_profile: reads it, or ends the process saying why not.
void cspr_profile_read(const char *path);
// The profile of the run so far, as the strategies saw it (strategy.h). Says so when it cannot be written.
void cspr_profile_write(const char *path);

#endif
