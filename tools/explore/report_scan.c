// report_scan.c - finds the detector's reports in a stream of text, as it comes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   ==================
//   WARNING: CspThreadSanitizer: data race (pid=1234)
//   ...
//   SUMMARY: CspThreadSanitizer: data race main.c:12 in worker
//   ==================
// A program may print such a line itself, so a separator is held back until the next line shows what it opens. A line
// without its end (a prompt) is passed on at once when it cannot become a separator or the start of a report.
#include "explore/report_scan.h"

#include <stdlib.h>
#include <string.h>

#include "common/argv.h"
#include "common/message.h"

#define SEPARATOR "=================="
#define WARNING "WARNING: CspThreadSanitizer:"
#define TOTAL "CspThreadSanitizer: reported "

size_t cspt_strip_colour(char *to, const char *bytes, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\033' && i + 1 < size && bytes[i + 1] == '[') {
            i += 2;
            while (i < size && (bytes[i] < '@' || bytes[i] > '~'))
                i++;
        } else {
            to[n++] = bytes[i];
        }
    }
    to[n] = 0;
    return n;
}

void cspt_report_scan_init(cspt_report_scan *scan, const cspt_report_events *events)
{
    *scan = (cspt_report_scan){.events = *events};
}

static void emit(cspt_report_scan *scan, void (*event)(void *, const char *, size_t), cspt_text *text)
{
    if (text->size)
        event(scan->events.arg, text->bytes, text->size);
    text->size = 0;
}

static void hold_line(cspt_report_scan *scan)
{
    cspt_text_append(&scan->held, scan->line.bytes, scan->line.size);
    scan->line.size = 0;
}

static void pass_line(cspt_report_scan *scan)
{
    emit(scan, scan->events.on_text, &scan->held);
    emit(scan, scan->events.on_text, &scan->line);
    scan->state = SCAN_OUTSIDE;
}

static void close_report(cspt_report_scan *scan)
{
    hold_line(scan);
    emit(scan, scan->events.on_report, &scan->held);
    scan->state = SCAN_OUTSIDE;
}

static void end_line(cspt_report_scan *scan)
{
    char *plain = malloc(scan->line.size + 1);
    if (!plain)
        cspt_fatal("out of memory");
    cspt_strip_colour(plain, scan->line.bytes, scan->line.size);
    plain[strcspn(plain, "\r\n")] = 0;

    bool is_separator = !scan->line_passed && strcmp(plain, SEPARATOR) == 0;
    if (scan->state == SCAN_INSIDE && is_separator) {
        close_report(scan);
    } else if (scan->state == SCAN_INSIDE) {
        hold_line(scan);
    } else if (is_separator) {
        emit(scan, scan->events.on_text, &scan->held);
        hold_line(scan);
        scan->state = SCAN_OPENED;
    } else if (!scan->line_passed && cspt_starts_with(plain, WARNING)) {
        hold_line(scan);
        scan->state = SCAN_INSIDE;
    } else if (!scan->line_passed && cspt_starts_with(plain, TOTAL)) {
        emit(scan, scan->events.on_text, &scan->held);
        emit(scan, scan->events.on_total, &scan->line);
        scan->state = SCAN_OUTSIDE;
    } else {
        pass_line(scan);
    }
    scan->line_passed = false;
    free(plain);
}

// The unfinished line may still become one of the lines we look for.
static bool may_matter(const cspt_report_scan *scan)
{
    static const char *const starts[] = {SEPARATOR, WARNING, TOTAL};
    if (scan->state == SCAN_INSIDE || memchr(scan->line.bytes, '\033', scan->line.size))
        return true;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        size_t n = strlen(starts[i]);
        if (memcmp(scan->line.bytes, starts[i], scan->line.size < n ? scan->line.size : n) == 0)
            return true;
    }
    return false;
}

void cspt_report_scan_feed(cspt_report_scan *scan, const char *bytes, size_t size)
{
    while (size) {
        const char *end = memchr(bytes, '\n', size);
        size_t n = end ? (size_t)(end - bytes) + 1 : size;
        cspt_text_append(&scan->line, bytes, n);
        bytes += n;
        size -= n;
        if (end) {
            end_line(scan);
        } else if (scan->line_passed || !may_matter(scan)) {
            pass_line(scan);
            scan->line_passed = true;
        }
    }
}

void cspt_report_scan_fini(cspt_report_scan *scan)
{
    if (scan->state == SCAN_INSIDE)
        close_report(scan);
    else
        pass_line(scan);
    cspt_text_fini(&scan->line);
    cspt_text_fini(&scan->held);
    *scan = (cspt_report_scan){0};
}
