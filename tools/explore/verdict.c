// verdict.c - how a run ended, when that is a finding of its own.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Of a crash nothing is known but the signal, and of a failing test but its status. What tells several of them apart is the
// first line of the output that says why: an assertion, googletest's "Failure" with what follows it, an uncaught exception.
#include "explore/verdict.h"

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/argv.h"
#include "common/message.h"
#include "common/text.h"
#include "explore/expected_output.h"
#include "explore/fingerprint.h"

enum { PANIC_STATUS = 2, FAILURE_LINES = 4 };

static bool line_has(const char *line, size_t n, const char *word)
{
    return memmem(line, n, word, strlen(word)) != NULL;
}

static bool line_ends(const char *line, size_t n, const char *end)
{
    size_t m = strlen(end);
    return n >= m && memcmp(line + n - m, end, m) == 0;
}

// How many lines from this one on say why the program failed; 0: it says nothing about that.
static int tells_why(const char *line, size_t n)
{
    if (line_ends(line, n, ": Failure"))
        return FAILURE_LINES;
    return line_has(line, n, ": Assertion `") || line_has(line, n, ": Assertion '") ||
           line_has(line, n, "terminate called after throwing") || line_has(line, n, "panic: ") ||
           line_has(line, n, "fatal error: ") || line_has(line, n, "ERROR: ") ||
           line_has(line, n, "*** stack smashing") || line_has(line, n, "free(): ") ||
           line_has(line, n, "malloc(): ") || line_has(line, n, "double free");
}

// The lines of output that say why, or NULL; to be freed.
static char *find_reason(const char *output)
{
    for (const char *line = output; line && *line;) {
        const char *end = strchrnul(line, '\n');
        int lines = tells_why(line, (size_t)(end - line));
        if (lines) {
            for (; --lines > 0 && *end && end[1] && end[1] != '\n' && end[1] != '[';)
                end = strchrnul(end + 1, '\n');
            return cspt_format("%.*s", (int)(end - line), line);
        }
        line = *end ? end + 1 : end;
    }
    return NULL;
}

// Without what begins a path in out: the folders, which differ between checkouts.
static void cut_folder(cspt_text *out)
{
    while (out->size && !strchr(" \t\n\"'`(<:,=", out->bytes[out->size - 1]))
        out->size--;
    out->bytes[out->size] = 0;
}

// Addresses, process numbers, values, absolute lines and folders out: what is left is the same in another run.
static char *make_stable(const char *reason)
{
    cspt_text out = {0};
    cspt_text_append(&out, "", 0);
    for (const char *p = reason; *p;) {
        bool in_name = p > reason && (isalnum((unsigned char)p[-1]) || p[-1] == '_');
        if (isdigit((unsigned char)*p) && !in_name) {
            bool is_hex = p[0] == '0' && p[1] == 'x';
            for (p += is_hex ? 2 : 0; is_hex ? isxdigit((unsigned char)*p) : isdigit((unsigned char)*p); p++)
                ;
            cspt_text_append(&out, "N", 1);
        } else if (*p == '/' && p[1] && p[1] != ' ') {
            cut_folder(&out);
            p++;
        } else {
            cspt_text_append(&out, p++, 1);
        }
    }
    return out.bytes;
}

static char *first_line(const char *text)
{
    enum { WIDTH = 160 };
    size_t n = strcspn(text, "\r\n");
    char *line = cspt_format("%.*s%s", (int)(n > WIDTH ? WIDTH : n), text, n > WIDTH ? "..." : "");
    for (char *p = line; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
    return line;
}

// "what" and "detail" are the two halves of the title; takes what over.
static bool report(cspt_finding *out, const char *kind, char *what, const char *output)
{
    char *reason = find_reason(output), *line = reason ? first_line(reason) : NULL,
         *stable = make_stable(reason ? reason : "");
    char *key = cspt_format("%s\n%s\n%s", kind, what, stable);
    *out = (cspt_finding){
        .kind = cspt_format("%s", kind),
        .title = line ? cspt_format("%s: %s", what, line) : cspt_format("%s", what),
        .fingerprint = cspt_fingerprint_text(key),
        .output = output ? cspt_format("%s", output) : NULL,
    };
    free(key);
    free(stable);
    free(line);
    free(reason);
    free(what);
    return true;
}

bool cspt_verdict_skipped(const cspt_target *t, const cspt_end *end)
{
    return t->skip_status >= 0 && !end->timed_out && WIFEXITED(end->wait_status) &&
           WEXITSTATUS(end->wait_status) == t->skip_status && !end->has_findings;
}

// As CTest does.
static bool judge_test(const cspt_target *t, const cspt_end *end, int status, cspt_finding *out)
{
    bool by_output = t->pass_output.count || t->fail_output.count;
    if (by_output && !end->is_all)
        return false;
    char *fault = by_output ? cspt_output_fault(t, end->output) : NULL;
    bool fails = fault || (status && !t->pass_output.count);
    if (fails == t->will_fail) {
        free(fault);
        return false;
    }
    if (fault)
        return report(out, "wrong output", fault, end->output);
    return report(out, "exit status",
                  cspt_format("exited with status %d%s", status, t->will_fail ? ", though it should fail" : ""),
                  end->output);
}

bool cspt_verdict(const cspt_target *t, const cspt_end *end, cspt_finding *out)
{
    if (end->timed_out)
        return report(out, "timeout", cspt_format("still running after %g s", end->timeout_s), end->output);
    if (WIFSIGNALED(end->wait_status)) {
        int n = WTERMSIG(end->wait_status);
        return report(out, "crash", cspt_format("killed by signal %d (%s)", n, strsignal(n)), end->output);
    }
    int status = WEXITSTATUS(end->wait_status);
    if (status == CSPT_REPORT_STATUS)
        return !end->has_findings &&
               report(out, "exit status",
                      cspt_format("exited with status %d, without a report on standard error", status), end->output);
    if (end->has_findings && (status == PANIC_STATUS || status == 0)) // 0: exitcode=0, or it left by _exit
        return false;
    return !cspt_verdict_skipped(t, end) && judge_test(t, end, status, out);
}
