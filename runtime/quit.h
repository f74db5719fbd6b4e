// quit.h - SIGQUIT ends the program with the stacks of all its coroutines.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_QUIT_H
#define CSP_RUNTIME_QUIT_H

// Installs the handler unless the program has one, or ignores the signal; once, at the runtime's start.
void cspi_quit_install(void);

#endif
