// run_options.h - the option text that a run is started with.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_RUN_OPTIONS_H
#define CSP_TOOLS_RUN_OPTIONS_H

#include <stdint.h>

#include "common/text.h"

// Each adds "name=value", after a colon unless it is the first; strings quoted where they need it.
void cspt_option_string(cspt_text *options, const char *name, const char *value);
void cspt_option_number(cspt_text *options, const char *name, uint64_t value);

#endif
