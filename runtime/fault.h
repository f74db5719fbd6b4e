// fault.h - tells a stack overflow from other memory faults.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_FAULT_H
#define CSP_RUNTIME_FAULT_H

// Installs the SIGSEGV handler; once, at the runtime's start.
void cspi_fault_install(void);
// Gives the calling worker's thread a stack for it, unless it has one.
void cspi_fault_prepare_thread(void);

#endif
