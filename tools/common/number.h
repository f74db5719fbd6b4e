// number.h - numbers in text that somebody else wrote.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_NUMBER_H
#define CSP_TOOLS_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

// The decimal digits at *at; it goes on behind them. False: there are none, or the number is above max. No sign, no blanks.
bool cspt_take_number(const char **at, uint64_t max, uint64_t *out);

#endif
