// race_log.h - option race_log: the bytes of every race found, for programs that read them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_RACE_LOG_H
#define CSP_RTL_RACE_LOG_H

#include "rtl.h"

// Any thread, no lock needed; in_rtl > 0.
void cspr_race_log(const cspr_race *race);

#endif
