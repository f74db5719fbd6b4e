// schedule_file.h - options schedule_file, replay, schedule_check: the schedule of a run, written and followed (schedule_text.h).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// schedule_file=PATH writes what is decided while it is decided, so that the file is there however the process ends. At its own end the
// process removes it again when nothing was reported and its exit status is 0, unless schedule_keep=1.
//
// replay=PATH follows a file: each step is compared with what the program now does, and the first that differs is named on standard
// error and in the finding log. From there, and after the end of the record, the running task goes on. replay_prefix=N follows the first N
// decisions; then option schedule's strategy chooses, by option seed. What the program asks of the seed (rand and the like) comes from the
// file's in either case, and so do the options that the file names.
//
// schedule_check=1 runs the seed twice, the first time unheard in a child, and names the first step that differs.
#ifndef CSP_RTL_SCHEDULE_FILE_H
#define CSP_RTL_SCHEDULE_FILE_H

#include <stdbool.h>
#include <stddef.h>

void cspr_schedule_file_init(char **argv);  // at start: before any exit handler of the program's
void cspr_schedule_file_note_modules(void); // what takes long; a server does so once for all its children
// When the schedule begins: before the strategy does, and after.
void cspr_schedule_file_load(void);
void cspr_schedule_file_begin(void);
// A report was made.
void cspr_schedule_file_finding(const char *kind, const char *title);
// The process ends: the last line of the finding log; the file is kept or removed. Idempotent.
void cspr_schedule_file_end(void);
// In a child that the program forks: the file and the account of the run are its parent's.
void cspr_schedule_file_after_fork(void);

#endif
