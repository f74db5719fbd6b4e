// report_scan.h - finds the detector's reports in a stream of text, as it comes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_REPORT_SCAN_H
#define CSP_TOOLS_REPORT_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/text.h"

// What is found, in the order of the stream. The bytes are valid during the call only.
typedef struct cspt_report_events {
    void (*on_text)(void *arg, const char *bytes, size_t size);   // not part of a report
    void (*on_report)(void *arg, const char *bytes, size_t size); // one report with its separators
    void (*on_total)(void *arg, const char *bytes, size_t size);  // "CspThreadSanitizer: reported N warnings"
    void *arg;
} cspt_report_events;

typedef struct cspt_report_scan {
    cspt_report_events events;
    enum { SCAN_OUTSIDE, SCAN_OPENED, SCAN_INSIDE } state;
    bool line_passed; // the start of the current line has been passed on already
    cspt_text line;   // the current line so far
    cspt_text held;   // separator and report so far
} cspt_report_scan;

void cspt_report_scan_init(cspt_report_scan *scan, const cspt_report_events *events);
void cspt_report_scan_feed(cspt_report_scan *scan, const char *bytes, size_t size);
// End of the stream: what was held back comes out, an unfinished report as a report.
void cspt_report_scan_fini(cspt_report_scan *scan);

// Copies bytes to `to` (at least size + 1 long) without terminal colours; returns the NUL-terminated length.
size_t cspt_strip_colour(char *to, const char *bytes, size_t size);

#endif
