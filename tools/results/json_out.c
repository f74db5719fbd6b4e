// json_out.c - building JSON to be written: strings are made UTF-8, running out of memory ends the process.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "results/json_out.h"

#include <stdlib.h>

#include "common/message.h"
#include "results/escape.h"
#include "results/out_file.h"

static json_t *check(json_t *value)
{
    if (!value)
        cspt_fatal("out of memory");
    return value;
}

json_t *cspt_json_object(void)
{
    return check(json_object());
}

json_t *cspt_json_array(void)
{
    return check(json_array());
}

json_t *cspt_json_string(const char *s)
{
    char *clean = cspt_escape_utf8(s);
    json_t *string = check(json_string(clean));
    free(clean);
    return string;
}

void cspt_json_set(json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, check(value)) < 0)
        cspt_fatal("out of memory");
}

void cspt_json_add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, check(value)) < 0)
        cspt_fatal("out of memory");
}

void cspt_json_set_string(json_t *object, const char *name, const char *s)
{
    if (s)
        cspt_json_set(object, name, cspt_json_string(s));
}

void cspt_json_set_number(json_t *object, const char *name, uint64_t n)
{
    cspt_json_set(object, name, json_integer((json_int_t)n));
}

void cspt_json_set_bool(json_t *object, const char *name, bool b)
{
    cspt_json_set(object, name, json_boolean(b));
}

json_t *cspt_json_set_object(json_t *object, const char *name)
{
    json_t *value = cspt_json_object();
    cspt_json_set(object, name, value);
    return value;
}

json_t *cspt_json_set_array(json_t *object, const char *name)
{
    json_t *value = cspt_json_array();
    cspt_json_set(object, name, value);
    return value;
}

json_t *cspt_json_add_object(json_t *array)
{
    json_t *value = cspt_json_object();
    cspt_json_add(array, value);
    return value;
}

bool cspt_json_write_file(json_t *value, const char *path, size_t flags, char **error)
{
    char *bytes = json_dumps(value, flags);
    json_decref(value);
    if (!bytes)
        cspt_fatal("out of memory");
    bool done = cspt_out_file_write(path, bytes, error);
    free(bytes);
    return done;
}
