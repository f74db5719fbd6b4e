// dump.h - coroutines as text, for people: csp_dump, the end of the process, the debug endpoint.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_DUMP_H
#define CSP_RUNTIME_DUMP_H

#include "walk.h"

#ifdef __cplusplus
extern "C" {
#endif

// Where text goes, piece by piece: a descriptor, or memory that grows.
typedef struct cspi_sink {
    int fd; // -1: memory
    char *text;
    size_t n, cap;
    bool failed; // no more room, or the descriptor takes no more: the rest is dropped
} cspi_sink;

void cspi_sink_say(void *sink, const char *format, ...) __attribute__((format(printf, 2, 3)));

enum cspi_dump_form {
    CSPI_DUMP_GROUPED, // counted by equal stacks, most frequent first, as pprof's debug=1
    CSPI_DUMP_EACH,    // one by one, up to max_each; the others grouped
};

// All coroutines. Waits while another thread does the same. The program goes on.
void cspi_dump_to(cspi_sink *sink, enum cspi_dump_form form, size_t max_each);

// The process ends: all coroutines but the caller's own on standard error. Signal-safe.
void cspi_dump_at_end(const cspi_frames *own);

// How much CSP_TRACEBACK asks for when the process ends with a panic or fatal error.
enum cspi_traceback { CSPI_TRACEBACK_NONE, CSPI_TRACEBACK_SINGLE, CSPI_TRACEBACK_ALL, CSPI_TRACEBACK_CRASH };
enum cspi_traceback cspi_traceback(void);

#ifdef __cplusplus
}
#endif
#endif
