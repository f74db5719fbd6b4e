// rerun.h - runs of one test, one after the other, to see what each shows.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_RERUN_H
#define CSP_TOOLS_RERUN_H

#include "explore/collect.h"
#include "explore/schedule_client.h"

typedef struct cspt_rerun {
    const cspt_target *target;
    const char *scratch; // folder for what runs write
    double timeout_s;
    cspt_client client;
    cspt_shown_run run; // of the last one; valid until the next
    int wait_status;
    char *log, *output;
    int interrupted; // a signal that we were sent meanwhile
} cspt_rerun;

// Signals: cspt_child_prepare was called before.
void cspt_rerun_init(cspt_rerun *r, const cspt_target *target, const char *scratch, double timeout_s);
// One run with these options, unseen. 0, or the errno of starting it; EINTR: interrupted.
int cspt_rerun_quietly(cspt_rerun *r, const char *options);
// The same in the foreground: what the program writes is seen, and nothing limits its time.
int cspt_rerun_visibly(cspt_rerun *r, const char *options);
void cspt_rerun_fini(cspt_rerun *r);

// The finding that the last run showed: with this fingerprint, or, fingerprint NULL, with this title, or else the first; NULL: none.
const cspt_finding *cspt_rerun_finding(const cspt_rerun *r, const char *fingerprint, const char *title);
size_t cspt_rerun_count(const cspt_rerun *r); // of findings, mild ones left out

#endif
