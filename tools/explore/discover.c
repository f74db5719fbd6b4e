// discover.c - finds the tests that the words of the command line stand for: programs, and those inside googletest ones.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "explore/discover.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command/command.h"
#include "common/message.h"
#include "explore/program.h"
#include "results/output_of.h"

enum { LIST_TIMEOUT_S = 60 };

cspt_target *cspt_discover_add(cspt_discovery *d)
{
    cspt_target *items = reallocarray(d->targets.items, d->targets.count + 1, sizeof *items);
    if (!items)
        cspt_fatal("out of memory");
    d->targets.items = items;
    items[d->targets.count] = (cspt_target){.skip_status = -1};
    return &items[d->targets.count++];
}

// --- googletest -------------------------------------------------------------------------------------------------------------

// Test names may have these beside letters and digits: '/' of parameters, '<>, ' of none.
static bool is_test_name(const char *s)
{
    if (!*s)
        return false;
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && !strchr("_/-", *s))
            return false;
    return true;
}

// Without "  # TypeParam = int" and what else is at the end.
static void cut_comment(char *line)
{
    char *comment = strstr(line, "  # ");
    if (comment)
        *comment = 0;
    size_t n = strlen(line);
    while (n && isspace((unsigned char)line[n - 1]))
        line[--n] = 0;
}

cspt_argv cspt_googletest_names(char *text)
{
    cspt_argv names = {0};
    char *suite = NULL;
    for (char *line; (line = strsep(&text, "\n"));) {
        bool is_test = cspt_starts_with(line, "  ");
        if (is_test)
            line += 2;
        cut_comment(line);
        size_t n = strlen(line);
        if (!is_test) {
            bool is_suite = n > 1 && line[n - 1] == '.';
            if (is_suite)
                line[n - 1] = 0;
            suite = is_suite && is_test_name(line) ? line : NULL;
        } else if (suite && is_test_name(line)) {
            cspt_argv_push(&names, cspt_format("%s.%s", suite, line));
        }
    }
    return names;
}

static bool is_disabled(const char *name)
{
    const char *test = strchr(name, '.');
    return cspt_starts_with(name, "DISABLED_") || (test && cspt_starts_with(test + 1, "DISABLED_")) ||
           strstr(name, "/DISABLED_");
}

// What follows `start` in the last argument that begins with it; NULL: none does.
static const char *find_argument(const cspt_argv *command, const char *start)
{
    for (size_t i = command->count; i-- > 1;)
        if (cspt_starts_with(command->items[i], start))
            return command->items[i] + strlen(start);
    return NULL;
}

static bool names_one_test(const cspt_argv *command)
{
    const char *filter = find_argument(command, "--gtest_filter=");
    return filter && !strpbrk(filter, "*?:-");
}

// False: it is no googletest program after all.
static bool add_googletest(cspt_discovery *d, const cspt_target *like)
{
    cspt_target lister = *like;
    lister.command = (cspt_argv){0};
    cspt_argv_push_all(&lister.command, &like->command);
    cspt_argv_push(&lister.command, "--gtest_list_tests");
    cspt_argv_push(&lister.environment, "CSPTHREAD_OPTIONS");
    cspt_text text = {0};
    int status = 0;
    bool listed = cspt_output_of(&lister, LIST_TIMEOUT_S, &text, &status) == 0 && status == 0;
    cspt_argv names = listed ? cspt_googletest_names(text.bytes) : (cspt_argv){0};
    bool all = find_argument(&like->command, "--gtest_also_run_disabled_tests") != NULL;
    for (size_t i = 0; i < names.count; i++) {
        if (!all && is_disabled(names.items[i]))
            continue;
        cspt_target *t = cspt_discover_add(d);
        *t = *like;
        t->name = cspt_format("%s:%s", like->name, names.items[i]);
        t->command = (cspt_argv){0};
        cspt_argv_push_all(&t->command, &like->command);
        cspt_argv_push(&t->command, cspt_format("--gtest_filter=%s", names.items[i]));
    }
    bool found = names.count || (listed && find_argument(&like->command, "--gtest_filter=")); // it matches nothing
    cspt_argv_fini(&names);
    cspt_argv_fini(&lister.command);
    cspt_text_fini(&text);
    return found;
}

// --- programs -----------------------------------------------------------------------------------------------------------------

static void refuse(cspt_discovery *d, const char *name, int error)
{
    if (!d->status)
        d->status = CSPT_STATUS_USAGE;
    cspt_error("test: %s: %s", name, strerror(error));
    if (error == ENOENT && !strchr(name, '/'))
        cspt_note("it is not in PATH; write ./%s for one that is here", name);
    else if (error == ENOENT)
        cspt_note("has it been built? `cspcc -fsanitize=cspthread -g -O1 x.c -o x` builds one");
    else if (error == EACCES)
        cspt_note("it may not be executed; `chmod +x` lets it");
}

void cspt_discover_program(cspt_discovery *d, const cspt_target *like)
{
    cspt_program program;
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is a first word
    cspt_program_look(&program, like->command.items[0], like->directory);
    if (!program.path) {
        refuse(d, like->command.items[0], program.error);
        return;
    }
    cspt_target t = *like;
    t.controlled = program.is_checked && !d->plain;
    // A test is explored by itself; run as it is, a program is run whole, as it always was.
    bool may_split = t.controlled && program.is_googletest && !t.skipped && !names_one_test(&t.command);
    if (!may_split || !add_googletest(d, &t))
        *cspt_discover_add(d) = t;
    cspt_program_fini(&program);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static bool is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

void cspt_discover(cspt_discovery *d, char *const *words, size_t n)
{
    if (is_folder(words[0])) {
        if (n > 1) {
            cspt_error("test: %s is a folder, which takes no arguments", words[0]);
            d->status = CSPT_STATUS_USAGE;
            return;
        }
        cspt_discover_ctest(d, words[0]);
        return;
    }
    cspt_target t = {.name = base_name(words[0]), .skip_status = -1};
    for (size_t i = 0; i < n; i++)
        cspt_argv_push(&t.command, words[i]);
    cspt_discover_program(d, &t);
}

bool cspt_discover_filter(cspt_discovery *d, const char *expression)
{
    regex_t regex;
    int error = regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB);
    if (error) {
        char why[200];
        regerror(error, &regex, why, sizeof why);
        cspt_error("test: --filter '%s': %s", expression, why);
        return false;
    }
    size_t kept = 0;
    for (size_t i = 0; i < d->targets.count; i++)
        if (regexec(&regex, d->targets.items[i].name, 0, NULL, 0) == 0)
            d->targets.items[kept++] = d->targets.items[i];
    d->targets.count = kept;
    regfree(&regex);
    return true;
}
