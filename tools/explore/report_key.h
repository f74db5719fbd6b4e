// report_key.h - what makes two reports the same finding, by their text alone.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_REPORT_KEY_H
#define CSP_TOOLS_REPORT_KEY_H

#include <stddef.h>

// Equal for reports that differ in addresses, numbers and times only. *title gets one line for people. Both to be freed.
char *cspt_report_key(const char *report, size_t size, char **title);

#endif
