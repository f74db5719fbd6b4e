// view.h - all coroutines as they stand, for who looks for leaks: the detector, and csp_leak_check without it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What each means is said at csp_runtime_view in hooks.h.
#ifndef CSP_RUNTIME_VIEW_H
#define CSP_RUNTIME_VIEW_H

#include "hooks.h"

#include <stdbool.h>
#include <stdint.h>

void cspi_view_each(void (*fn)(const csp_co_view *view, void *arg), void *arg);
void cspi_view_each_root(void (*fn)(const void *root, void *arg), void *arg);
bool cspi_view_is_idle_thread(int tid);
uintptr_t cspi_view_stack_end(uintptr_t sp);
int64_t cspi_view_wg_count(const void *wg);

#endif
