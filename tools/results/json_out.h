// json_out.h - building JSON to be written: strings are made UTF-8, running out of memory ends the process.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_JSON_OUT_H
#define CSP_TOOLS_JSON_OUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

json_t *cspt_json_object(void);
json_t *cspt_json_array(void);
json_t *cspt_json_string(const char *s);

// The value becomes the object's, or the array's.
void cspt_json_set(json_t *object, const char *name, json_t *value);
void cspt_json_add(json_t *array, json_t *value);

void cspt_json_set_string(json_t *object, const char *name, const char *s); // NULL: nothing is set
void cspt_json_set_number(json_t *object, const char *name, uint64_t n);
void cspt_json_set_bool(json_t *object, const char *name, bool b);

// A new one that is set in the object, or added to the array, and stays theirs.
json_t *cspt_json_set_object(json_t *object, const char *name);
json_t *cspt_json_set_array(json_t *object, const char *name);
json_t *cspt_json_add_object(json_t *array);

// Writes it with the jansson flags and gives it back. False, with *error malloc'ed, when that fails. Replaces the file as a
// whole: a reader sees the old one or the new one.
bool cspt_json_write_file(json_t *value, const char *path, size_t flags, char **error);

#endif
