// text.h - a growing string.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_TEXT_H
#define CSP_TOOLS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

// All zero is an empty one. bytes is NUL-terminated once anything was appended, be it nothing.
typedef struct cspt_text {
    char *bytes;
    size_t size, capacity;
} cspt_text;

void cspt_text_append(cspt_text *text, const char *bytes, size_t size);
void cspt_text_fini(cspt_text *text);

// Reads to the end of the stream or file. False, with errno set, when that fails; text then holds what was read so far.
bool cspt_text_read_fd(cspt_text *text, int fd);

#endif
