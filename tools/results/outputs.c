// outputs.c - the options that say where results go, as csp test and csp merge have them, and the writing of all of them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "results/outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "common/argv.h"
#include "common/message.h"
#include "results/out_file.h"
#include "results/output.h"

const char cspt_outputs_help[] =
    "  --junit FILE           write JUnit XML: a test case per test, a failure per finding\n"
    "  --sarif FILE           write SARIF 2.1.0\n"
    "  --json FILE            write JSON lines, an event each, as they come; - is standard output\n"
    "  --json-results FILE    write everything, for csp merge\n"
    "  --baseline FILE        findings that are in FILE do not fail the run\n"
    "  --write-baseline FILE  write the findings of this run, known ones included, as a baseline\n"
    "  --source-root DIR      tell paths relative to DIR (default: the repository's root, else the current directory)\n"
    "  --github, --no-github  annotations and a step summary (default: when GITHUB_ACTIONS is true)\n";

void cspt_outputs_option(cspt_outputs *o, int option, const char *argument)
{
    switch ((enum cspt_output_option)option) {
    case CSPT_OUTPUT_JUNIT:
        o->junit = argument;
        break;
    case CSPT_OUTPUT_SARIF:
        o->sarif = argument;
        break;
    case CSPT_OUTPUT_JSON:
        o->json = argument;
        break;
    case CSPT_OUTPUT_JSON_RESULTS:
        o->json_results = argument;
        break;
    case CSPT_OUTPUT_BASELINE:
        o->baseline = argument;
        break;
    case CSPT_OUTPUT_WRITE_BASELINE:
        o->write_baseline = argument;
        break;
    case CSPT_OUTPUT_SOURCE_ROOT:
        o->source_root = argument;
        break;
    case CSPT_OUTPUT_GITHUB:
        o->github = true;
        o->no_github = false;
        break;
    case CSPT_OUTPUT_NO_GITHUB:
        o->no_github = true;
        o->github = false;
        break;
    case CSPT_OUTPUT_END:
        break;
    }
}

// The nearest folder, from the current one upwards, that is a repository's; else the current one.
static char *find_source_root(void)
{
    char *here = getcwd(NULL, 0), *root = NULL;
    if (!here)
        return cspt_format("/");
    char *path = cspt_format("%s", here);
    while (!root && *path) {
        char *git = cspt_format("%s/.git", path);
        if (access(git, F_OK) == 0)
            root = cspt_format("%s", path);
        free(git);
        *strrchr(path, '/') = 0;
    }
    free(path);
    if (root)
        free(here);
    return root ? root : here;
}

static int refuse(char *error, int status)
{
    cspt_error("%s", error);
    free(error);
    return status;
}

int cspt_outputs_prepare(cspt_outputs *o, const cspt_ci *ci)
{
    char *error = NULL;
    if (!o->junit)
        o->junit = ci->junit;
    o->github = o->github || (ci->github && !o->no_github);
    o->step_summary = o->github ? ci->step_summary : NULL;
    if (!o->source_root)
        o->source_root = ci->source_root;
    char *root = o->source_root ? realpath(o->source_root, NULL) : find_source_root();
    if (!root)
        return refuse(cspt_format("--source-root %s: %s", o->source_root, strerror(errno)), CSPT_STATUS_USAGE);
    o->source_root = root; // kept until the end of the process
    if (o->baseline && !cspt_baseline_read(&o->known, o->baseline, &error))
        return refuse(error, CSPT_STATUS_USAGE);
    const char *const files[] = {o->junit, o->sarif, o->json, o->json_results, o->write_baseline};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] && !cspt_out_file_check(files[i], &error))
            return refuse(error, CSPT_STATUS_FAILED);
    if (o->json)
        o->events = strcmp(o->json, "-") == 0 ? stdout : fopen(o->json, "we");
    if (o->json && !o->events)
        return refuse(cspt_format("%s: %s", o->json, strerror(errno)), CSPT_STATUS_FAILED);
    return CSPT_STATUS_CLEAN;
}

void cspt_outputs_begin(cspt_outputs *o, const cspt_results *r)
{
    if (o->events)
        (void)cspt_output_json_begin(r, o->events); // whether writing works is looked at when the file is closed
}

void cspt_outputs_test(cspt_outputs *o, const cspt_results *r, cspt_test *t)
{
    (void)r;
    cspt_baseline_mark(&o->known, t);
    cspt_test_judge(t);
    if (o->events)
        (void)cspt_output_json_test(t, o->events);
}

static bool close_events(cspt_outputs *o, const cspt_results *r, const cspt_output_context *context, char **error)
{
    errno = 0;
    bool done = cspt_output_json_end(r, context, o->events) && !ferror(o->events);
    int why = done ? 0 : errno;
    if (o->events != stdout && fclose(o->events) != 0) {
        why = why ? why : errno;
        done = false;
    }
    o->events = NULL;
    if (!done)
        *error = cspt_format("%s: %s", o->json, why ? strerror(why) : "cannot be written");
    return done;
}

// Takes *error over when there is one.
static bool tell(bool done, char **error)
{
    if (!done)
        cspt_error("%s", *error ? *error : "cannot write to standard output");
    free(*error);
    *error = NULL;
    return done;
}

int cspt_outputs_finish(cspt_outputs *o, const cspt_results *r, int status)
{
    cspt_output_context context = {.source_root = o->source_root, .baseline = o->baseline, .status = status};
    bool done = true;
    char *error = NULL;
    if (o->junit)
        done = tell(cspt_output_junit(r, o->junit, &error), &error) && done;
    if (o->sarif)
        done = tell(cspt_output_sarif(r, &context, o->sarif, &error), &error) && done;
    if (o->json_results)
        done = tell(cspt_results_write(r, o->json_results, &error), &error) && done;
    if (o->write_baseline)
        done = tell(cspt_baseline_write(r, o->write_baseline, &error), &error) && done;
    if (o->events)
        done = tell(close_events(o, r, &context, &error), &error) && done;
    if (o->step_summary)
        done = tell(cspt_output_step_summary(r, o->step_summary, &error), &error) && done;
    if (o->github)
        done = tell(cspt_output_annotations(r, &context, o->json && strcmp(o->json, "-") == 0 ? stderr : stdout),
                    &error) &&
               done;
    size_t unseen = cspt_baseline_unseen(&o->known, r);
    if (unseen)
        cspt_note("%zu of the %zu known findings in %s did not show up", unseen, o->known.count, o->baseline);
    cspt_baseline_fini(&o->known);
    return done || status == CSPT_STATUS_FINDINGS ? status : CSPT_STATUS_FAILED;
}
