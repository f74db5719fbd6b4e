// leak.h - leak checks without a detector: who is parked, without a verdict.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_LEAK_H
#define CSP_RUNTIME_LEAK_H

#include "csp/leak.h"
#include "hooks.h"

#include <stdbool.h>
#include <stddef.h>

// csp_leak_check for threads that are not to become coroutines.
size_t cspi_leak_check(const csp_leak_options *options, csp_leak *out, size_t max);

// As at exit, while the program goes on: a report for each group of those that are stuck, or a line that there is none. For the
// thread that signals wake; may be called only where there is a detector.
void cspi_leak_check_aloud(void);

// As the hook leak_check. Takes the stacks of coroutines that stay parked: the caller holds the workers (cspi_rest_pause).
size_t cspi_leak_find_parked(const csp_leak_query *q, void (*tell)(const csp_leak_found *found, void *arg), void *arg);

// The coroutine is of the kind that leak checks look at, and matches the query's number and label.
bool cspi_leak_is_asked_for(const csp_co_view *co, const csp_leak_query *q);
// It is parked, and nothing but another coroutine will wake it.
bool cspi_leak_waits_for_good(const csp_co_view *co);

#endif
