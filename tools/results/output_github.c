// output_github.c - results for GitHub Actions: annotations as workflow commands, and a step summary in Markdown.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GitHub shows 10 errors and 10 warnings of a step and drops the others without a word, so each finding is annotated once, the
// new ones first, and a notice says how many more there are. A step summary may have 1 MiB; one that is longer is dropped whole.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/argv.h"
#include "common/message.h"
#include "common/text.h"
#include "results/escape.h"
#include "results/output.h"

enum {
    MAX_ANNOTATIONS = 10,
    MAX_SUMMARY = 900 * 1024, // of 1 MiB: other commands of the step may have added theirs
    MAX_REPORT = 32 * 1024,
};

// --- annotations ----------------------------------------------------------------------------------------------------------

static bool annotate(const cspt_test *t, const cspt_finding *f, const cspt_output_context *context, FILE *out)
{
    const cspt_frame *place = cspt_finding_place(f);
    char *often = cspt_output_frequency(t, f), *where = NULL, *clean_title = cspt_escape_utf8(f->title);
    char *text = cspt_format("%s\n%s, %s%s%s", f->title, t->name, often, f->replay_command ? "\nReplay: " : "",
                             f->replay_command ? f->replay_command : "");
    char *clean = cspt_escape_utf8(text), *message = cspt_escape_github_message(clean);
    char *title = cspt_escape_github_property(clean_title);
    if (place) {
        char *relative = cspt_relative_path(context->source_root, place->file);
        char *file = cspt_escape_github_property(relative ? relative : place->file);
        where = place->line ? cspt_format("file=%s,line=%u,", file, place->line) : cspt_format("file=%s,", file);
        free(file);
        free(relative);
    }
    bool done = fprintf(out, "::%s %stitle=%s::%s\n", cspt_output_fails(f) ? "error" : "warning", where ? where : "",
                        title, message) >= 0;
    char *const parts[] = {often, where, clean_title, text, clean, message, title};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        free(parts[i]);
    return done;
}

static bool is_told_already(const cspt_results *r, size_t test, size_t finding)
{
    const char *fingerprint = r->tests[test].findings[finding].fingerprint;
    for (size_t i = 0; i <= test; i++)
        for (size_t j = 0; j < (i == test ? finding : r->tests[i].n_findings); j++)
            if (strcmp(r->tests[i].findings[j].fingerprint, fingerprint) == 0)
                return true;
    return false;
}

// Those that fail, or those that are mild; what the baseline knows is not repeated at every line.
static bool annotate_all(const cspt_results *r, const cspt_output_context *context, FILE *out, bool failing)
{
    size_t n = 0;
    bool done = true;
    for (size_t i = 0; i < r->n_tests; i++)
        for (size_t j = 0; j < r->tests[i].n_findings; j++) {
            const cspt_finding *f = &r->tests[i].findings[j];
            if (f->known || f->mild == failing || is_told_already(r, i, j))
                continue;
            if (n++ < MAX_ANNOTATIONS)
                done = annotate(&r->tests[i], f, context, out) && done;
        }
    if (n > MAX_ANNOTATIONS)
        done = fprintf(out,
                       "::notice title=csp test::%zu more findings are in the step summary%%2C the log and the files\n",
                       n - MAX_ANNOTATIONS) >= 0 &&
               done;
    return done;
}

bool cspt_output_annotations(const cspt_results *r, const cspt_output_context *context, FILE *out)
{
    bool done = annotate_all(r, context, out, true);
    for (size_t i = 0; i < r->n_tests; i++)
        if (r->tests[i].outcome == CSPT_BROKEN) {
            char *text =
                cspt_format("%s could not be run: %s", r->tests[i].name, r->tests[i].note ? r->tests[i].note : "");
            char *clean = cspt_escape_utf8(text), *message = cspt_escape_github_message(clean);
            done = fprintf(out, "::error title=csp test::%s\n", message) >= 0 && done;
            free(message);
            free(clean);
            free(text);
        }
    return annotate_all(r, context, out, false) && fflush(out) == 0 && done;
}

// --- the step summary -----------------------------------------------------------------------------------------------------

static void add(cspt_text *out, const char *s)
{
    cspt_text_append(out, s, strlen(s));
}

// Takes the string over.
static void add_new(cspt_text *out, char *s)
{
    add(out, s);
    free(s);
}

static void add_escaped(cspt_text *out, const char *s)
{
    char *clean = cspt_escape_utf8(s);
    add_new(out, cspt_escape_html(clean));
    free(clean);
}

static void add_cell(cspt_text *out, const char *s)
{
    char *line = cspt_format("%s", s ? s : "");
    for (char *p = line; *p; p++)
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    add_escaped(out, line);
    free(line);
    add(out, " | ");
}

static const char *verdict(const cspt_finding *f)
{
    return f->known ? "known" : f->mild ? "mild" : "**new**";
}

static void add_table(cspt_text *out, const cspt_results *r)
{
    add(out, "| | finding | test | how often | seed |\n| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < r->n_tests; i++)
        for (size_t j = 0; j < r->tests[i].n_findings && out->size < MAX_SUMMARY / 2; j++) {
            const cspt_test *t = &r->tests[i];
            const cspt_finding *f = &t->findings[j];
            add_new(out, cspt_format("| %s | ", verdict(f)));
            add_cell(out, f->title);
            add_cell(out, t->name);
            add_new(out, cspt_format("%" PRIu64 " of %" PRIu64 " | ", f->schedules, t->explored.schedules));
            add_new(out, f->has_seed ? cspt_format("%" PRIu64 " (%s) |\n", f->seed, f->strategy ? f->strategy : "")
                                     : cspt_format(" |\n"));
        }
    add(out, "\n");
}

// False when it does not fit any more.
static bool add_details(cspt_text *out, const cspt_test *t, const cspt_finding *f)
{
    cspt_text part = {0};
    add(&part, "<details><summary>");
    add_escaped(&part, f->title);
    add(&part, "</summary>\n\n");
    if (f->replay_command) {
        add(&part, "Replay: <code>");
        add_escaped(&part, f->replay_command);
        add(&part, "</code>\n\n");
    }
    add(&part, "<pre>");
    char *often = cspt_output_frequency(t, f), *clipped = cspt_format("%.*s", MAX_REPORT, f->text ? f->text : f->title);
    char *whole = cspt_format("%s, %s, fingerprint %s\n\n%s%s", t->name, often, f->fingerprint, clipped,
                              f->text && strlen(f->text) > MAX_REPORT ? "\n..." : "");
    // A blank line would end the HTML block: Markdown goes on after it.
    char *clean = cspt_escape_utf8(whole), *html = cspt_escape_html(clean);
    for (const char *p = html; *p; p++) {
        bool blank = *p == '\n' && p[1] == '\n';
        cspt_text_append(&part, p, 1);
        if (blank)
            add(&part, "&#8203;");
    }
    add(&part, "</pre>\n</details>\n\n");
    bool fits = out->size + part.size < MAX_SUMMARY;
    if (fits)
        cspt_text_append(out, part.bytes, part.size);
    char *const parts[] = {often, clipped, whole, clean, html};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        free(parts[i]);
    cspt_text_fini(&part);
    return fits;
}

static void add_headline(cspt_text *out, const cspt_results *r)
{
    uint64_t schedules = 0;
    size_t findings = 0, fresh = cspt_results_new_findings(r);
    for (size_t i = 0; i < r->n_tests; i++) {
        schedules += r->tests[i].explored.schedules;
        findings += r->tests[i].n_findings;
    }
    add(out, "### csp test");
    if (r->shard_count > 1)
        add_new(out, cspt_format(", shard %u of %u", r->shard_index, r->shard_count));
    add_new(out, cspt_format("\n\n%zu of %" PRIu64 " tests, %" PRIu64 " schedules, %zu finding%s", r->n_tests,
                             r->tests_total, schedules, findings, findings == 1 ? "" : "s"));
    if (findings)
        add_new(out, cspt_format(", %zu of them new", fresh));
    add_new(out, cspt_format(". Strategy %s, seed %" PRIu64 ".\n\n", r->strategy ? r->strategy : "none", r->seed));
    for (size_t i = 0; i < r->n_tests; i++)
        if (r->tests[i].outcome == CSPT_BROKEN && out->size < MAX_SUMMARY / 4) {
            add(out, "**Could not be run:** ");
            add_escaped(out, r->tests[i].name);
            add(out, ": ");
            add_escaped(out, r->tests[i].note);
            add(out, "\n\n");
        }
    if (findings)
        add_table(out, r);
}

bool cspt_output_step_summary(const cspt_results *r, const char *path, char **error)
{
    cspt_text out = {0};
    size_t left_out = 0;
    add_headline(&out, r);
    for (size_t i = 0; i < r->n_tests; i++)
        for (size_t j = 0; j < r->tests[i].n_findings; j++)
            left_out += !add_details(&out, &r->tests[i], &r->tests[i].findings[j]);
    if (left_out)
        add_new(&out, cspt_format("The reports of %zu more findings do not fit here.\n", left_out));
    FILE *file = fopen(path, "ae"); // added: other commands of the step write there, too
    bool done = file && fputs(out.bytes, file) != EOF;
    done = file && fclose(file) == 0 && done;
    if (!done)
        *error = cspt_format("%s: %s", path, strerror(errno));
    cspt_text_fini(&out);
    return done;
}
