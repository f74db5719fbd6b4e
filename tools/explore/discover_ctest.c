// discover_ctest.c - the tests of a build folder that CTest knows.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Followed: COMMAND, WORKING_DIRECTORY, ENVIRONMENT, SKIP_RETURN_CODE, WILL_FAIL, TIMEOUT, DISABLED, PASS_REGULAR_EXPRESSION and
// FAIL_REGULAR_EXPRESSION.
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "common/message.h"
#include "explore/discover.h"
#include "explore/expected_output.h"
#include "results/output_of.h"

enum { CTEST_TIMEOUT_S = 300 };

static void take_patterns(cspt_discovery *d, cspt_argv *patterns, const char *test, const json_t *value)
{
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item)
    {
        const char *pattern = json_string_value(item);
        char *why = NULL;
        if (pattern && cspt_is_pattern(pattern, &why)) {
            cspt_argv_push(patterns, cspt_format("%s", pattern));
        } else if (pattern) {
            cspt_error("test: %s: regular expression '%s': %s", test, pattern, why);
            d->status = d->status ? d->status : CSPT_STATUS_USAGE;
        }
        free(why);
    }
}

static void take_property(cspt_discovery *d, cspt_target *t, const char *name, const json_t *value)
{
    size_t i;
    json_t *item;
    if (strcmp(name, "WORKING_DIRECTORY") == 0 && json_is_string(value))
        t->directory = cspt_format("%s", json_string_value(value));
    else if (strcmp(name, "SKIP_RETURN_CODE") == 0 && json_is_integer(value))
        t->skip_status = (int)json_integer_value(value);
    else if (strcmp(name, "WILL_FAIL") == 0)
        t->will_fail = json_is_true(value);
    else if (strcmp(name, "TIMEOUT") == 0 && json_is_number(value))
        t->timeout_s = json_number_value(value);
    else if (strcmp(name, "DISABLED") == 0 && json_is_true(value))
        t->skipped = "disabled";
    else if (strcmp(name, "PASS_REGULAR_EXPRESSION") == 0)
        take_patterns(d, &t->pass_output, t->name, value);
    else if (strcmp(name, "FAIL_REGULAR_EXPRESSION") == 0)
        take_patterns(d, &t->fail_output, t->name, value);
    else if (strcmp(name, "ENVIRONMENT") == 0)
        json_array_foreach(value, i, item)
        {
            if (json_is_string(item) && strchr(json_string_value(item), '='))
                cspt_argv_push(&t->environment, cspt_format("%s", json_string_value(item)));
        }
}

static void take_test(cspt_discovery *d, const json_t *test)
{
    size_t i;
    json_t *item;
    cspt_target t = {.skip_status = -1};
    const char *name = json_string_value(json_object_get(test, "name"));
    t.name = cspt_format("%s", name ? name : "?");
    json_array_foreach(json_object_get(test, "command"), i, item)
    {
        if (json_is_string(item))
            cspt_argv_push(&t.command, cspt_format("%s", json_string_value(item)));
    }
    json_array_foreach(json_object_get(test, "properties"), i, item)
    {
        const char *property = json_string_value(json_object_get(item, "name"));
        if (property)
            take_property(d, &t, property, json_object_get(item, "value"));
    }
    if (!t.command.count) {
        cspt_error("test: %s: CTest has no command for it; build it first", t.name);
        d->status = d->status ? d->status : CSPT_STATUS_USAGE;
        return;
    }
    cspt_discover_program(d, &t);
}

bool cspt_ctest_tests(cspt_discovery *d, const char *json, size_t size)
{
    json_error_t error;
    json_t *root = json_loadb(json, size, 0, &error);
    const json_t *tests = json_object_get(root, "tests");
    size_t i;
    json_t *test;
    json_array_foreach(tests, i, test) take_test(d, test);
    bool known = json_is_array(tests);
    json_decref(root);
    return known;
}

static void refuse(cspt_discovery *d, const char *folder, const char *what, const char *todo)
{
    cspt_error("test: %s: %s", folder, what);
    cspt_note("%s", todo);
    d->status = d->status ? d->status : CSPT_STATUS_USAGE;
}

void cspt_discover_ctest(cspt_discovery *d, const char *folder)
{
    char *marker = cspt_format("%s/CTestTestfile.cmake", folder);
    bool known = access(marker, R_OK) == 0;
    free(marker);
    if (!known) {
        refuse(d, folder, "a folder without CTestTestfile.cmake, so CTest has no tests there",
               "give a program, or a CMake build folder of a project that calls enable_testing()");
        return;
    }
    cspt_target lister = {.directory = folder, .skip_status = -1};
    cspt_argv_push(&lister.command, "ctest");
    cspt_argv_push(&lister.command, "--show-only=json-v1");
    cspt_text text = {0};
    int status = 0, error = cspt_output_of(&lister, CTEST_TIMEOUT_S, &text, &status);
    if (error == ENOENT)
        refuse(d, folder, "there is no ctest to ask for its tests", "it is part of CMake: install that");
    else if (error || status || !cspt_ctest_tests(d, text.bytes, text.size))
        refuse(d, folder, "ctest does not tell its tests", "try `ctest --show-only=json-v1` there");
    cspt_argv_fini(&lister.command);
    cspt_text_fini(&text);
}
