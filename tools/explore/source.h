// source.h - lines of source files.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_SOURCE_H
#define CSP_TOOLS_SOURCE_H

// Line number `line`, from 1, without blanks around it; valid until cspt_source_forget. NULL: the file cannot be read, or is
// shorter. Files are read once.
const char *cspt_source_line(const char *path, unsigned line);
void cspt_source_forget(void);

#endif
