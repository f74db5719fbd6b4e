// command.h - the verbs of the csp command and its exit statuses.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_COMMAND_H
#define CSP_TOOLS_COMMAND_H

enum cspt_status {
    CSPT_STATUS_CLEAN = 0,
    CSPT_STATUS_USAGE = 64,    // wrong usage, or a program that is not there (EX_USAGE)
    CSPT_STATUS_FINDINGS = 66, // the detector's own exit status
    CSPT_STATUS_FAILED = 70,   // csp itself could not do its work (EX_SOFTWARE)
};

// Each takes its own arguments, argv[0] being the verb, and returns the exit status.
int cspt_cmd_config(int argc, char **argv);
int cspt_cmd_merge(int argc, char **argv);
int cspt_cmd_minimize(int argc, char **argv);
int cspt_cmd_replay(int argc, char **argv);
int cspt_cmd_selftest(int argc, char **argv);
int cspt_cmd_test(int argc, char **argv);

void cspt_help_config(void);
void cspt_help_merge(void);
void cspt_help_minimize(void);
void cspt_help_replay(void);
void cspt_help_selftest(void);
void cspt_help_test(void);

#endif
