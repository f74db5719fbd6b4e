// collect.c - takes what one run showed into the results of its test.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A finding is shown by the run with the smallest seed: its text, stacks, output and schedule are that run's. Runs end in any
// order, but which seeds there are does not depend on that, so neither does the result.
#include "explore/collect.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/message.h"
#include "explore/run_options.h"

// --- schedule files -----------------------------------------------------------------------------------------------------------

static bool make_folders(const char *path)
{
    char *copy = cspt_format("%s", path);
    bool made = true;
    for (char *p = copy + 1; made; p++) {
        char c = *p;
        if (c == '/' || !c) {
            *p = 0;
            made = mkdir(copy, 0777) == 0 || errno == EEXIST;
            *p = c;
        }
        if (!c)
            break;
    }
    free(copy);
    return made;
}

static bool copy_bytes(int from, int to)
{
    struct stat s;
    if (fstat(from, &s) < 0)
        return false;
    for (off_t left = s.st_size; left > 0;) {
        ssize_t n = sendfile(to, from, NULL, (size_t)left);
        if (n <= 0)
            return false;
        left -= n;
    }
    return true;
}

// Complete or not there at all.
static bool copy_file(const char *from, const char *to)
{
    char *unfinished = cspt_format("%s.%d.part", to, (int)getpid());
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = in < 0 ? -1 : open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool done = out >= 0 && copy_bytes(in, out);
    if (in >= 0)
        close(in);
    if (out >= 0)
        done = close(out) == 0 && done && rename(unfinished, to) == 0;
    if (!done && out >= 0) {
        int error = errno;
        unlink(unfinished);
        errno = error;
    }
    free(unfinished);
    return done;
}

// A file name's worth of a test's name.
static char *make_slug(const char *name)
{
    enum { LONGEST = 80 };
    char *slug = cspt_format("%.*s", LONGEST, name);
    for (char *p = slug; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
            *p = '_';
    return slug;
}

// Where it is now, to be freed; NULL: nowhere.
static char *keep_file(cspt_collector *c, const char *from, const char *name)
{
    char *path = cspt_format("%s/%s", c->schedules_folder, name);
    if (make_folders(c->schedules_folder) && copy_file(from, path)) {
        char *absolute = c->target->directory ? realpath(path, NULL) : NULL; // replays begin there
        if (absolute)
            free(path);
        return absolute ? absolute : path;
    }
    if (!c->told_of_disk)
        cspt_error("test: %s: %s; schedules are not kept, but each finding has its seed", path, strerror(errno));
    c->told_of_disk = true;
    free(path);
    return NULL;
}

static void keep_schedule(cspt_collector *c, cspt_finding *f, const char *from)
{
    free(f->schedule_file);
    f->schedule_file = NULL;
    if (!from || access(from, R_OK) < 0)
        return;
    char *slug = make_slug(c->test->name), *name = cspt_format("%s-%s.csched", slug, f->fingerprint);
    f->schedule_file = keep_file(c, from, name);
    free(name);
    free(slug);
}

static void keep_options(cspt_collector *c, cspt_finding *f, const cspt_shown_run *run)
{
    cspt_text options = {0};
    cspt_text_append(&options, run->options, strlen(run->options));
    if (run->profile && !c->profile) {
        char *slug = make_slug(c->test->name), *name = cspt_format("%s.profile", slug);
        c->profile = keep_file(c, run->profile, name);
        free(name);
        free(slug);
    }
    if (run->profile && c->profile)
        cspt_option_string(&options, "schedule_profile", c->profile);
    free(f->options);
    f->options = options.bytes;
}

// --- the replay command -------------------------------------------------------------------------------------------------------

static void print_words(FILE *out, const cspt_argv *words)
{
    for (size_t i = 0; i < words->count; i++) {
        const cspt_argv one = {.items = words->items + i, .count = 1};
        fputc(' ', out);
        cspt_argv_print(out, &one, false);
    }
}

static void print_word(FILE *out, const char *word)
{
    const cspt_argv one = {.items = &word, .count = 1};
    cspt_argv_print(out, &one, false);
}

char *cspt_replay_command(const cspt_target *t, const cspt_finding *f)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        cspt_fatal("out of memory");
    if (t->directory) {
        fputs("(cd ", out);
        print_word(out, t->directory);
        fputs(" && ", out);
    }
    if (t->environment.count) {
        fputs("env", out);
        print_words(out, &t->environment);
        fputc(' ', out);
    }
    if (f->schedule_file) {
        fputs("csp replay ", out);
        print_word(out, f->schedule_file);
    } else {
        char *options = cspt_format("CSPTHREAD_OPTIONS=%s", f->options);
        fputs(t->environment.count ? "" : "env ", out);
        print_word(out, options);
        print_words(out, &t->command);
        free(options);
    }
    if (t->directory)
        fputc(')', out);
    fclose(out);
    return text;
}

// --- findings -------------------------------------------------------------------------------------------------------------------

static void move_representation(cspt_finding *to, cspt_finding *from)
{
    cspt_finding old = *to;
    to->title = from->title, from->title = old.title;
    to->text = from->text, from->text = old.text;
    to->output = from->output, from->output = old.output;
    to->stacks = from->stacks, from->stacks = old.stacks;
    to->n_stacks = from->n_stacks, from->n_stacks = old.n_stacks;
}

static void represent(cspt_collector *c, cspt_finding *f, const cspt_shown_run *run)
{
    free(f->strategy);
    f->has_seed = true;
    f->seed = run->seed;
    f->strategy = cspt_format("%s", run->log.run.strategy ? run->log.run.strategy : run->strategy);
    if (!f->output && !f->text && run->output)
        f->output = cspt_format("%s", run->output);
    keep_schedule(c, f, run->schedule_file);
    keep_options(c, f, run);
    free(f->replay_command);
    f->replay_command = cspt_replay_command(c->target, f);
}

static void count(cspt_finding *f, const cspt_shown_run *run, uint64_t times)
{
    f->times += times;
    f->in_trial |= run->is_trial;
    f->schedules += !run->is_trial;
    if (!run->is_trial && (!f->first || run->ordinal < f->first))
        f->first = run->ordinal;
}

// Takes `found` over.
static void collect_one(cspt_collector *c, const cspt_shown_run *run, cspt_finding *found)
{
    uint64_t times = found->times ? found->times : 1;
    cspt_finding *f = cspt_test_find(c->test, found->fingerprint);
    if (!f) {
        f = cspt_test_add_finding(c->test);
        *f = *found;
        f->times = 0;
        represent(c, f, run);
        count(f, run, times);
        c->on_new(c->arg, f);
        return;
    }
    f->mild &= found->mild;
    if (run->seed < f->seed) {
        move_representation(f, found);
        represent(c, f, run);
    }
    count(f, run, times);
    cspt_finding_drop(found);
}

void cspt_shown_run_fini(cspt_shown_run *run)
{
    if (run->has_end)
        cspt_finding_drop(&run->end);
    cspt_run_log_fini(&run->log);
}

size_t cspt_collect(cspt_collector *c, cspt_shown_run *run)
{
    size_t n = run->log.n_findings + run->has_end;
    for (size_t i = 0; i < run->log.n_findings; i++)
        collect_one(c, run, &run->log.findings[i]);
    if (run->has_end)
        collect_one(c, run, &run->end);
    run->has_end = false;
    free(run->log.findings);
    run->log.findings = NULL;
    run->log.n_findings = 0;

    const cspt_run_record *r = &run->log.run;
    cspt_explored *e = &c->test->explored;
    if (r->has_interleaving && !run->is_trial)
        cspt_explored_add_interleaving(e, r->interleaving);
    e->tasks = r->tasks > e->tasks ? r->tasks : e->tasks;
    e->points = r->points > e->points ? r->points : e->points;
    if (r->present && !r->replayable) {
        e->not_replayable++;
        cspt_explored_add_reason(e, r->why_not ? r->why_not : "no reason given");
    }
    if (!run->is_trial) {
        e->schedules++;
        e->failing += n > 0;
        cspt_explored_count_strategy(e, r->strategy ? r->strategy : run->strategy, 1);
        e->pct_schedules += r->strategy && strcmp(r->strategy, "pct") == 0 && r->depth == e->depth;
    }
    return n;
}
