// stats.h - csp_stats for threads that shall not count as threads of the program (the debug endpoint's).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_STATS_H
#define CSP_RUNTIME_STATS_H

#include "csp/inside.h"

// The runtime has started.
void cspi_stats_get(csp_stats *stats);
// As csp_stats_prometheus.
size_t cspi_stats_print(char *buf, size_t n);

#endif
