// message.h - messages of the tools on standard error, in clang's form: "cspcc: error: ...".
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_MESSAGE_H
#define CSP_TOOLS_MESSAGE_H

// Set once, first thing in main: the name in front of messages, and the status cspt_fatal ends with.
extern const char *cspt_program_name;
extern int cspt_fatal_status;

void cspt_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cspt_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void cspt_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
